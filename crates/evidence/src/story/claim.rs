//! Claims: who says what about who started an operation, and how much their word carries.

use serde::Serialize;

use super::wire::Cites;
use crate::parse::ResourceVersion;
use crate::parse::kubernetes_audit::{AuditWrite, Right};
use crate::people::People;
use crate::record::REDACTED;
use crate::time::Moment;

/// Whose word a claim is. The order is that of strength, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Voice {
    /// The word of the subject, or of whoever could write it in the subject's name.
    Asserted,
    /// Recorded by the system that did it.
    Recorded,
    /// Authenticated by the system that enforced it.
    Authenticated,
}

/// An account and the person that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// The account, as the source names it.
    pub account: String,
    /// The person's id in the people map.
    pub person: Option<String>,
    /// Why no person is named.
    pub unknown: Option<UnknownPerson>,
}

/// Why an account's person is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum UnknownPerson {
    /// The people map does not list the account.
    #[serde(rename = "account not in the people map")]
    NotInMap,
    /// The account was erased from the record.
    #[serde(rename = "redacted")]
    Redacted,
    /// The account belongs to software: a project token or a `system:` account.
    #[serde(rename = "machine account")]
    Machine,
}

impl Identity {
    /// Looks an account up.
    pub fn of(account: &str, people: &People) -> Self {
        let person = people.person_of(account).map(str::to_owned);
        let unknown = match &person {
            Some(_) => None,
            None if account.contains(REDACTED) => Some(UnknownPerson::Redacted),
            None if is_machine(account) => Some(UnknownPerson::Machine),
            None => Some(UnknownPerson::NotInMap),
        };
        Self { account: account.to_owned(), person, unknown }
    }

    /// Whether both are the same account or, by the people map, the same person.
    pub fn same_as(&self, other: &Self) -> bool {
        self.account == other.account || (self.person.is_some() && self.person == other.person)
    }

    /// Whether the account was erased.
    pub fn is_redacted(&self) -> bool {
        self.unknown == Some(UnknownPerson::Redacted)
    }

    /// Whether the account belongs to software.
    pub fn is_machine(&self) -> bool {
        self.unknown == Some(UnknownPerson::Machine)
    }
}

/// Whether an account belongs to software, by the shape of its name.
///
/// Kubernetes reserves `system:` for its own accounts, service accounts among them
/// (`kubernetes/kubernetes` `staging/src/k8s.io/apiserver/pkg/authentication/user/user.go`); Argo
/// CD names the bearer of a project token `proj:<project>:<role>`
/// (`argoproj/argo-cd` `util/rbac/rbac.go`). Neither names a human, but for a
/// few accounts behind which people stand.
pub fn is_machine(account: &str) -> bool {
    let parts = account.split(':').filter(|part| !part.is_empty()).count();
    let system = account.starts_with("system:") && !OF_ANYBODY.contains(&account);
    system || (account.starts_with("proj:") && parts == 3)
}

/// The account of a write to look at for a human: software that impersonates acts for whom it
/// names.
pub(crate) fn acting(write: &AuditWrite) -> &str {
    match &write.impersonated {
        Some(named) if is_machine(&write.account) => named,
        _ => &write.account,
    }
}

/// Accounts of the system that people use: the administrator's certificate of k3s and `OpenShift`,
/// and a caller without a name.
const OF_ANYBODY: [&str; 2] = ["system:admin", "system:anonymous"];

/// One claim about who started an operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Claim {
    /// Whose word it is.
    pub voice: Voice,
    /// Where it stands.
    pub source: ClaimSource,
    /// The account that it names; `None` when it names none.
    pub who: Option<Identity>,
    /// Whether it says that Argo CD started the operation by itself.
    pub automated: bool,
    /// How the writer was authenticated and allowed, for audited writes.
    pub writer: Option<Writer>,
    /// When the record says it was.
    pub time: Option<Moment>,
    /// The records that it stands in.
    pub cites: Cites,
}

/// Where a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ClaimSource {
    /// `.operation.initiatedBy` of the Application, written with the operation.
    Resource,
    /// The Application's history, copied from the operation.
    History,
    /// An Event of Argo CD's application controller.
    ControllerEvent,
    /// An Event of Argo CD's API server about that very version.
    ServerEvent,
    /// An audited write based on the version before; its result is not in the record.
    AuditWriteBefore,
    /// The audited write that resulted in that very version.
    AuditWrite,
}

/// The account that wrote an operation, as the Kubernetes API server authenticated it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Writer {
    /// The account; of an impersonating request the one that was authenticated.
    pub who: Identity,
    /// The account that the request was made in the name of.
    pub impersonating: Option<Identity>,
    /// The credential: a certificate's digest or a token's id. Who held it is not in any record.
    pub credential: Option<String>,
    /// The binding that allowed the write.
    pub right: Option<Right>,
    /// The program, by its own word.
    pub user_agent: Option<String>,
    /// The request's audit id.
    pub audit_id: String,
    /// The version that it resulted in, when the record says so.
    pub resulting_version: Option<ResourceVersion>,
}

impl Writer {
    pub(crate) fn of(write: &AuditWrite, people: &People) -> Self {
        Self {
            who: Identity::of(&write.account, people),
            impersonating: write.impersonated.as_deref().map(|a| Identity::of(a, people)),
            credential: write.credential.clone(),
            right: write.right.clone(),
            user_agent: write.user_agent.clone(),
            audit_id: write.audit_id.clone(),
            resulting_version: write.resulting_version,
        }
    }

    /// The account to look at for a human: a proxy's service account acts for whom it names.
    pub fn acting(&self) -> &Identity {
        match &self.impersonating {
            Some(named) if self.who.is_machine() => named,
            _ => &self.who,
        }
    }
}

/// Something that was looked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Absence {
    /// What was looked for.
    pub what: String,
    /// The channel that it would have come through.
    pub channel: &'static str,
    /// Why its absence says nothing; `None` when it was looked for and not found.
    pub reason: Option<String>,
}
