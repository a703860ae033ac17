//! Who started an operation, as far as the records show it.
//!
//! `.operation.initiatedBy` is a claim: whoever may write an Application may put any name there,
//! and Argo CD copies it into its history. So the write itself decides. A write by the API server
//! of Argo CD delegates the question to that server's own Event about the very same version; a
//! write by another person, or by software that is not Argo CD's, contradicts the claim. Without the write or the Event the
//! answer is *undetermined*, and says why: leaving records out never accuses anybody.

use std::collections::BTreeSet;

use serde::Serialize;

use super::claim::{Identity, Voice, Writer, is_machine};
use super::fold::Cited;
use crate::parse::kubernetes_audit::AuditWrite;
use crate::parse::kubernetes_event_watch::ArgoEvent;
use crate::parse::operation_request::OperationRequest;
use crate::people::People;

/// Service account of Argo CD's API server, in a default install of any namespace
/// (`argoproj/argo-cd` `manifests/base/server/argocd-server-sa.yaml`).
pub const SERVER_ACCOUNT: &str = "argocd-server";
/// Service accounts of Argo CD's own controllers that start operations by themselves
/// (`argoproj/argo-cd` `controller/appcontroller.go` and, for rolling syncs,
/// `applicationset/progressivesync/progressive_sync.go`).
pub const CONTROLLER_ACCOUNTS: [&str; 2] =
    ["argocd-application-controller", "argocd-applicationset-controller"];

/// Who started an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Initiator {
    /// The records name the account.
    Determined {
        /// The account and its person.
        who: Identity,
        /// The strongest voice that says so.
        voice: Voice,
        /// What weakens it.
        note: Option<String>,
    },
    /// Argo CD started it by itself.
    Automated {
        /// The strongest voice that says so.
        voice: Voice,
    },
    /// An account of software: no human stands in the record.
    Machine {
        /// The account.
        who: Identity,
        /// The strongest voice that says so.
        voice: Voice,
        /// What weakens it.
        note: Option<String>,
    },
    /// The operation was written by another account than the one it names.
    Contradicted {
        /// The account that the operation names; `None` when it claims to be automated.
        claimed: Option<Identity>,
        /// The account that wrote it.
        writer: Box<Writer>,
    },
    /// The records do not say.
    Undetermined {
        /// Why not.
        reason: String,
    },
}

impl Initiator {
    /// The person who did it, when the records lead to one: of a contradicted claim, the writer.
    pub fn person(&self) -> Option<&str> {
        match self {
            Self::Determined { who, .. } => who.person.as_deref(),
            Self::Contradicted { writer, .. } => writer.acting().person.as_deref(),
            Self::Automated { .. } | Self::Machine { .. } | Self::Undetermined { .. } => None,
        }
    }

    /// Whether the write contradicts the claim.
    pub fn is_contradicted(&self) -> bool {
        matches!(self, Self::Contradicted { .. })
    }

    /// Whether the records do not say.
    pub fn is_undetermined(&self) -> bool {
        matches!(self, Self::Undetermined { .. })
    }
}

/// Whose an account is, seen from an Application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Argo CD's API server, in the namespace of the Application.
    Server,
    /// One of Argo CD's controllers that start operations, in that namespace.
    Controller,
    /// A service account of such a name in another namespace: Argo CD may run there, and so may
    /// anything that somebody gave the name.
    Namesake,
    /// Anybody else's.
    Other,
}

impl Whose {
    /// Judges an account by its name and by the Application's namespace.
    pub fn of(account: &str, application_namespace: &str) -> Self {
        let Some((namespace, name)) = service_account(account) else { return Self::Other };
        let (server, controller) = (name == SERVER_ACCOUNT, CONTROLLER_ACCOUNTS.contains(&name));
        match (namespace == application_namespace, server, controller) {
            (_, false, false) => Self::Other,
            (false, ..) => Self::Namesake,
            (true, true, _) => Self::Server,
            (true, ..) => Self::Controller,
        }
    }
}

impl Whose {
    /// Whether Events by this account about Applications are not Argo CD's word. The controllers of
    /// Kubernetes write Events about their own objects everywhere, and none about Applications.
    pub(crate) fn may_plant(account: &str, application_namespace: &str) -> bool {
        match service_account(account) {
            Some((namespace, _)) => {
                namespace != application_namespace && namespace != "kube-system"
            }
            None => !is_machine(account),
        }
    }
}

fn service_account(account: &str) -> Option<(&str, &str)> {
    account.strip_prefix("system:serviceaccount:")?.split_once(':')
}

/// What the records hold about the start of one operation.
pub(crate) struct Evidence<'a> {
    pub(crate) request: &'a OperationRequest,
    /// The namespace of the Application.
    pub(crate) namespace: &'a str,
    /// Starts by Argo CD's API server about the very version.
    pub(crate) server: Vec<&'a Cited<ArgoEvent>>,
    /// Starts by Argo CD's controller about the version before.
    pub(crate) controller: Vec<&'a Cited<ArgoEvent>>,
    /// The writes that were answered with the very version: one of them set it.
    pub(crate) setters: Vec<&'a Cited<AuditWrite>>,
    /// Writes by people around that time, of which the audit log does not say what they resulted
    /// in.
    pub(crate) blind: Vec<&'a Cited<AuditWrite>>,
    /// Whether an Event about it was written by somebody who is not Argo CD.
    pub(crate) planted: bool,
    /// Writes of Argo CD's controllers based on the version before.
    pub(crate) before: Vec<&'a Cited<AuditWrite>>,
}

impl Evidence<'_> {
    /// The write that set the version, if it is certain which one did.
    pub(crate) fn setter(&self) -> Option<&'_ Cited<AuditWrite>> {
        let mut acting = self.setters.iter().map(|w| (&w.fact.account, &w.fact.impersonated));
        let first = acting.next()?;
        acting.all(|other| other == first).then(|| self.setters[0])
    }

    /// Weighs the evidence.
    pub(crate) fn initiator(&self, people: &People) -> Initiator {
        if self.setters.is_empty() {
            return self.without_writer(people);
        }
        let Some(write) = self.setter().map(|w| &w.fact) else {
            return undetermined(
                "writes of several accounts were answered with that version, and only one of them \
                 changed it",
            );
        };
        match (write.impersonated.is_none(), Whose::of(&write.account, self.namespace)) {
            (true, Whose::Server) => self.delegated(people, None),
            (true, Whose::Controller) => self.by_controller(),
            (true, Whose::Namesake) => undetermined(
                "written by a service account named like one of Argo CD's, in another namespace \
                 than the Application",
            ),
            _ => self.by_other(&Writer::of(write, people), people),
        }
    }

    fn without_writer(&self, people: &People) -> Initiator {
        if !self.blind.is_empty() {
            return undetermined(
                "somebody wrote to the Application around that time, and the audit log does not \
                 say which version came of it",
            );
        }
        if !self.server.is_empty() {
            return self.delegated(people, Some("no audit record of the write that set it"));
        }
        let automated = self.request.automated;
        if automated && !self.before.is_empty() {
            Initiator::Automated { voice: Voice::Authenticated }
        } else if automated && !self.controller.is_empty() {
            Initiator::Automated { voice: Voice::Recorded }
        } else {
            undetermined("only the Application itself says who started it")
        }
    }

    /// The API server of Argo CD wrote it or says that it did: its Event names the caller.
    fn delegated(&self, people: &People, note: Option<&str>) -> Initiator {
        if self.planted {
            return undetermined(
                "an Event that names the caller was written by an account that is not Argo CD's",
            );
        }
        let callers: BTreeSet<&str> =
            self.server.iter().map(|e| e.fact.user.as_deref().unwrap_or_default()).collect();
        let mut callers = callers.into_iter();
        let (caller, another) = (callers.next(), callers.next());
        let caller = match (caller, another) {
            (None, _) => {
                return undetermined(
                    "written by Argo CD's API server, whose own Event about it is not in the \
                     records; only the Application itself says who called",
                );
            }
            (Some(""), None) => return undetermined("Argo CD's API server names no caller"),
            (Some(caller), None) => Identity::of(caller, people),
            (Some(_), Some(_)) => {
                return undetermined("the Events of Argo CD's API server name several callers");
            }
        };
        match &self.request.username {
            Some(claimed) if !caller.is_redacted() => {
                let claimed = Identity::of(claimed, people);
                if !claimed.is_redacted() && !claimed.same_as(&caller) {
                    return undetermined(
                        "the Application and the Event of Argo CD's API server name different \
                         accounts",
                    );
                }
            }
            _ if self.request.automated => {
                return undetermined(
                    "the Application says automated, and Argo CD's API server names a caller",
                );
            }
            _ => {}
        }
        named(caller, Voice::Recorded, note)
    }

    fn by_controller(&self) -> Initiator {
        if self.request.automated {
            Initiator::Automated { voice: Voice::Authenticated }
        } else {
            undetermined("written by a controller of Argo CD, which calls for nobody")
        }
    }

    fn by_other(&self, writer: &Writer, people: &People) -> Initiator {
        let acting = writer.acting();
        if acting.is_redacted() {
            return undetermined("the account that wrote it was redacted");
        }
        let claimed = self.request.username.as_deref().map(|name| Identity::of(name, people));
        let note = match &claimed {
            Some(claimed) if claimed.is_redacted() => Some("the name it claims was redacted"),
            Some(claimed) if claimed.same_as(acting) || claimed.same_as(&writer.who) => None,
            // An account is not a person: two accounts that differ may be one person's, unless the
            // people map says whose they are or one of them is no person's at all.
            Some(claimed) if !(acting.is_machine() || claimed.is_machine()) => {
                match (&claimed.person, &acting.person) {
                    (Some(_), Some(_)) => return contradicted(Some(claimed), writer),
                    (None, Some(_)) => Some("it names an account that is in nobody's people map"),
                    (_, None) => {
                        return undetermined(
                            "written by another account than the one it names, and that account \
                             is in nobody's people map: whether both are one person's is not known",
                        );
                    }
                }
            }
            None if !self.request.automated => Some("the operation names nobody"),
            _ => return contradicted(claimed.as_ref(), writer),
        };
        named(acting.clone(), Voice::Authenticated, note)
    }
}

fn contradicted(claimed: Option<&Identity>, writer: &Writer) -> Initiator {
    Initiator::Contradicted { claimed: claimed.cloned(), writer: Box::new(writer.clone()) }
}

fn named(who: Identity, voice: Voice, note: Option<&str>) -> Initiator {
    let note = note.map(str::to_owned);
    if who.is_redacted() {
        undetermined("redacted")
    } else if who.is_machine() {
        Initiator::Machine { who, voice, note }
    } else {
        Initiator::Determined { who, voice, note }
    }
}

fn undetermined(reason: &str) -> Initiator {
    Initiator::Undetermined { reason: reason.to_owned() }
}
