//! Operations: what Argo CD was asked to do, what it did, and who asked.
//!
//! An operation is identified by its Application's uid and the version at which `.operation`
//! appeared, never by `startedAt`: two operations fit into one second, and at that version
//! `operationState` may still show the previous one.

use serde::Serialize;

use super::claim::{Absence, Claim};
use super::initiator::Initiator;
use super::wire::Cites;
use crate::parse::ResourceVersion;
use crate::parse::argocd_application_watch::ResourceOutcome;
use crate::parse::operation_request::ResourceRef;
use crate::time::Moment;

/// One operation of one Application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Operation {
    /// The Application.
    pub app: AppRef,
    /// The version at which the operation appeared: with the uid, its identity.
    pub set: SetAt,
    /// How it ceased to be requested.
    pub end: End,
    /// What kind of operation it was.
    pub kind: Kind,
    /// What the records leave open about the kind.
    pub kind_note: Option<String>,
    /// Whether the request says that Argo CD started it by itself.
    pub automated: bool,
    /// `Running`, `Terminating`, `Succeeded`, `Failed` or `Error`: Argo CD's word, as last seen.
    pub phase: Option<String>,
    /// Argo CD's word on the outcome.
    pub message: Option<String>,
    /// The revision that the request names.
    pub requested_revision: Option<String>,
    /// The commit that was synced; `None` for local manifests and while only a ref is known.
    pub revision: Option<String>,
    /// The revisions, of an Application with several sources.
    pub revisions: Vec<String>,
    /// The resources that the request was limited to.
    pub limited_to: Vec<ResourceRef>,
    /// What became of the resources.
    pub applied: Applied,
    /// Free name and value pairs of the request, such as a ticket.
    pub info: Vec<(String, String)>,
    /// The number of the row that the operation left in the Application's history.
    pub history_id: Option<i64>,
    /// When it was written, by the strongest record that says so.
    pub set_at: Option<Moment>,
    /// When Argo CD's controller began.
    pub started_at: Option<Moment>,
    /// When Argo CD's controller ended it.
    pub finished_at: Option<Moment>,
    /// The account that the request names as initiator.
    pub claimed_by: Option<String>,
    /// Who started it, as far as the records show it.
    pub initiator: Initiator,
    /// All claims about who started it, strongest first.
    pub claims: Vec<Claim>,
    /// What was looked for where the channel's coverage is there, and is not there.
    pub not_found: Vec<Absence>,
    /// What was looked for and is missing where its absence says nothing.
    pub cannot_tell: Vec<Absence>,
    /// The records of the versions at which it was set and ceased.
    pub cites: Cites,
}

/// An Application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AppRef {
    /// The object's uid.
    pub uid: String,
    /// The namespace of the Application object.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The project, as of the version in question.
    pub project: Option<String>,
    /// The namespace that it deploys to.
    pub destination_namespace: Option<String>,
    /// The environment that its label names.
    pub environment: Option<String>,
    /// The criticality that its label names.
    pub criticality: Option<String>,
    /// The folder of the repository that it deploys.
    pub path: Option<String>,
}

/// The version at which an operation appeared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SetAt {
    /// At this version: the one before was seen without it, or a record of the write says so.
    Exactly(ResourceVersion),
    /// It was there already in the first version seen.
    AtOrBefore(ResourceVersion),
    /// At a version between two that were seen; those in between are not in the records.
    Between {
        /// The last version seen before.
        after: ResourceVersion,
        /// The first version that shows it, itself possibly the one.
        until: ResourceVersion,
    },
}

impl SetAt {
    /// The version, exact or not: the first that shows the operation.
    pub const fn version(self) -> ResourceVersion {
        match self {
            Self::Exactly(version) | Self::AtOrBefore(version) => version,
            Self::Between { until, .. } => until,
        }
    }
}

/// How an operation ceased to be requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The field was gone at this version.
    Cleared(ResourceVersion),
    /// The field held another request at this version.
    Replaced(ResourceVersion),
    /// The Application was deleted with this version.
    Deleted(ResourceVersion),
    /// At a version between two that were seen; those in between are not in the records.
    Between {
        /// The last version that shows it, or of an operation that none shows the last before it.
        after: ResourceVersion,
        /// The first version that does not show it any more, itself possibly the one.
        until: ResourceVersion,
    },
    /// It had ended already in the first version seen, which shows what it left.
    AtOrBefore(ResourceVersion),
    /// The records end before.
    NotSeen,
}

impl End {
    /// The version at which it was no longer there.
    pub const fn version(self) -> Option<ResourceVersion> {
        match self {
            Self::Cleared(v) | Self::Replaced(v) | Self::Deleted(v) | Self::AtOrBefore(v) => {
                Some(v)
            }
            Self::Between { until, .. } => Some(until),
            Self::NotSeen => None,
        }
    }
}

/// What kind of operation it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// All resources of a revision.
    Full,
    /// Some resources of a revision.
    Partial,
    /// Nothing was to be changed.
    DryRun,
    /// Manifests that came with the request: no commit holds what was applied.
    LocalManifests,
    /// Back to an earlier row of the history.
    Rollback,
    /// Argo CD undid a change of the live state.
    SelfHeal,
    /// Argo CD set out to undo a change and found nothing to do.
    SelfHealEmpty,
}

impl Kind {
    /// The word for it, as serialised.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::DryRun => "dry-run",
            Self::LocalManifests => "local-manifests",
            Self::Rollback => "rollback",
            Self::SelfHeal => "self-heal",
            Self::SelfHealEmpty => "self-heal-empty",
        }
    }

    /// Whether such an operation never changes the live state.
    pub const fn is_idle(self) -> bool {
        matches!(self, Self::DryRun | Self::SelfHealEmpty)
    }
}

/// What became of the resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Applied {
    /// The sync ended and touched no resource, whatever its phase says.
    Nothing,
    /// The sync touched these; some may have been as asked for already, see the messages.
    Resources(Vec<ResourceOutcome>),
    /// A dry run: these were tried, and nothing was changed.
    Tried(Vec<ResourceOutcome>),
    /// The records do not hold the result.
    Undetermined,
}

impl Operation {
    /// The person who started it, when the records lead to one.
    pub fn person(&self) -> Option<&str> {
        self.initiator.person()
    }

    /// When it began: written, or else taken up by the controller.
    pub fn from(&self) -> Option<Moment> {
        self.set_at.or(self.started_at)
    }

    /// From its beginning to its end, as far as the records say.
    pub fn moment(&self) -> Option<Moment> {
        let from = self.from()?;
        Some(self.finished_at.map_or(from, |end| Moment::between(from, end)))
    }
}
