//! `kubernetes-event-watch`: core `v1` Events.
//!
//! Argo CD's API server and its application controller write an Event for every operation they
//! start or complete (`argoproj/argo-cd` `util/argo/audit_logger.go`). Of all other Events only the
//! time is read: it shows that the channel was alive.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{NotUnderstood, ResourceVersion, WatchLine, nullable, text, watch_line};
use crate::time::Moment;

/// The component that Argo CD's API server writes its Events as.
pub const SERVER_COMPONENT: &str = "argocd-server";
/// The component that Argo CD's application controller writes its Events as.
pub const CONTROLLER_COMPONENT: &str = "argocd-application-controller";

/// What one Event shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventVersion {
    /// The Event's own uid.
    pub uid: String,
    /// The Event's own version: an aggregated Event is written again.
    pub resource_version: ResourceVersion,
    /// When it happened, as far as the Event says.
    pub time: Option<Moment>,
    /// What it says of an Argo CD Application, when it is about one.
    pub argo: Option<ArgoEvent>,
    /// What it says of an Argo CD project, when it is about one.
    pub project: Option<ProjectEvent>,
}

/// An Event about an Argo CD Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgoEvent {
    /// The Application's uid.
    pub application_uid: String,
    /// The namespace of the Application object.
    pub namespace: String,
    /// The Application's name.
    pub name: String,
    /// The Application's version that the writer had in hand.
    ///
    /// A start by the API server carries the version that set the operation; one by the controller
    /// the version before; a completion any version from set to before cleared.
    pub application_version: ResourceVersion,
    /// Which component says so, by its own word.
    pub component: String,
    /// What it says.
    pub act: ArgoAct,
    /// The caller, as Argo CD's API server knew them.
    pub user: Option<String>,
    /// When it happened.
    pub time: Option<Moment>,
}

/// What an Event says happened to an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgoAct {
    /// `OperationStarted`.
    Started(Start),
    /// `OperationCompleted`.
    Completed,
    /// The sync status went from one value to another.
    SyncStatus {
        /// The value before; empty when there was none.
        from: String,
        /// The value after.
        to: String,
    },
    /// The health went from one value to another.
    Health {
        /// The value before; empty when there was none.
        from: String,
        /// The value after.
        to: String,
    },
    /// The API server changed the specification for somebody.
    SpecUpdated,
    /// The API server made the Application for somebody.
    Created,
    /// The API server deleted the Application for somebody.
    Deleted,
    /// Anything else.
    Other,
}

/// An Event of Argo CD's API server about an `AppProject`.
///
/// It has no annotation `user`: the caller stands in the message alone (`argoproj/argo-cd`
/// `util/argo/audit_logger.go`, `LogAppProjEvent`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectEvent {
    /// The namespace of the project.
    pub namespace: String,
    /// The project.
    pub name: String,
    /// The version that the writer had in hand.
    pub version: ResourceVersion,
    /// Which component says so, by its own word.
    pub component: String,
    /// What was done: `created project`, `updated project`, `created token` and the like.
    pub action: String,
    /// The caller, as Argo CD's API server knew them.
    pub user: Option<String>,
    /// When it happened.
    pub time: Option<Moment>,
}

/// How an operation was started, by the words of its Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// `initiated rollback to <history id>`.
    Rollback,
    /// A sync: full, partial, of local manifests or a dry run in much the same words.
    Sync,
}

/// Reads one line of the channel.
pub fn parse(line: &[u8]) -> Result<WatchLine<EventVersion>, NotUnderstood> {
    Ok(match watch_line::<RawEvent>(line)? {
        WatchLine::Version(raw) => WatchLine::Version(raw.into_version()?),
        WatchLine::Deleted(raw) => WatchLine::Deleted(raw.into_version()?),
        WatchLine::Bookmark => WatchLine::Bookmark,
        WatchLine::Gap(reason) => WatchLine::Gap(reason),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEvent {
    kind: String,
    metadata: RawMetadata,
    #[serde(default, deserialize_with = "nullable")]
    involved_object: RawInvolved,
    #[serde(default, deserialize_with = "nullable")]
    reason: String,
    #[serde(default, deserialize_with = "nullable")]
    message: String,
    #[serde(default, deserialize_with = "nullable")]
    source: RawSource,
    first_timestamp: Option<Moment>,
    last_timestamp: Option<Moment>,
    event_time: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMetadata {
    uid: Option<String>,
    resource_version: Option<String>,
    creation_timestamp: Option<Moment>,
    #[serde(default, deserialize_with = "nullable")]
    annotations: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawInvolved {
    api_version: Option<String>,
    kind: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
}

#[derive(Default, Deserialize)]
struct RawSource {
    component: Option<String>,
}

impl RawEvent {
    fn into_version(self) -> Result<EventVersion, NotUnderstood> {
        if self.kind != "Event" {
            return Err(NotUnderstood::Kind);
        }
        let resource_version = self.metadata.resource_version.as_deref().unwrap_or_default();
        let stamps = [self.event_time, self.last_timestamp, self.first_timestamp];
        let time = stamps.into_iter().flatten().next().or(self.metadata.creation_timestamp);
        Ok(EventVersion {
            resource_version: ResourceVersion::parse(resource_version)?,
            time,
            argo: self.argo(time)?,
            project: self.project(time)?,
            uid: text(self.metadata.uid).ok_or(NotUnderstood::Unidentified)?,
        })
    }

    fn argo(&self, time: Option<Moment>) -> Result<Option<ArgoEvent>, NotUnderstood> {
        let involved = &self.involved_object;
        let is_argo = involved.kind.as_deref() == Some("Application")
            && involved.api_version.as_deref().is_some_and(|v| v.starts_with("argoproj.io/"));
        if !is_argo {
            return Ok(None);
        }
        let version = involved.resource_version.as_deref().unwrap_or_default();
        let uid = text(involved.uid.clone()).ok_or(NotUnderstood::Unidentified)?;
        Ok(Some(ArgoEvent {
            application_uid: uid,
            namespace: involved.namespace.clone().unwrap_or_default(),
            name: text(involved.name.clone()).ok_or(NotUnderstood::Unidentified)?,
            application_version: ResourceVersion::parse(version)?,
            component: self.source.component.clone().unwrap_or_default(),
            act: act(&self.reason, &self.message),
            user: text(self.metadata.annotations.get("user").cloned()),
            time,
        }))
    }
}

impl RawEvent {
    fn project(&self, time: Option<Moment>) -> Result<Option<ProjectEvent>, NotUnderstood> {
        let involved = &self.involved_object;
        let is_project = involved.kind.as_deref() == Some("AppProject")
            && involved.api_version.as_deref().is_some_and(|v| v.starts_with("argoproj.io/"));
        if !is_project {
            return Ok(None);
        }
        let version = involved.resource_version.as_deref().unwrap_or_default();
        let (user, action) = caller(&self.message);
        Ok(Some(ProjectEvent {
            namespace: involved.namespace.clone().unwrap_or_default(),
            name: text(involved.name.clone()).ok_or(NotUnderstood::Unidentified)?,
            version: ResourceVersion::parse(version)?,
            component: self.source.component.clone().unwrap_or_default(),
            action,
            user,
            time,
        }))
    }
}

/// `<user> <two words>`; a caller without a name is called `Unknown user`.
fn caller(message: &str) -> (Option<String>, String) {
    let words = ["created", "updated", "deleted"];
    let at = words.iter().filter_map(|word| message.rfind(&format!(" {word} "))).max();
    let (user, action) = at.map_or(("", message), |at| (&message[..at], &message[at + 1..]));
    let user = Some(user).filter(|user| !user.is_empty() && *user != "Unknown user");
    (user.map(str::to_owned), action.to_owned())
}

/// The messages are those of `argoproj/argo-cd` `server/application/application.go` (the API
/// server's) and `controller/appcontroller.go` (the controller's).
fn act(reason: &str, message: &str) -> ArgoAct {
    let change = |prefix: &str| {
        let (from, to) = message.strip_prefix(prefix)?.split_once(" -> ")?;
        let to = to.split(' ').next()?;
        Some((from.to_owned(), to.to_owned()))
    };
    match reason {
        "OperationStarted" if message.contains(" initiated rollback to ") => {
            ArgoAct::Started(Start::Rollback)
        }
        "OperationStarted" => ArgoAct::Started(Start::Sync),
        "OperationCompleted" => ArgoAct::Completed,
        "ResourceUpdated" => {
            if let Some((from, to)) = change("Updated sync status: ") {
                ArgoAct::SyncStatus { from, to }
            } else if let Some((from, to)) = change("Updated health status: ") {
                ArgoAct::Health { from, to }
            } else if message.ends_with(" updated application spec") {
                ArgoAct::SpecUpdated
            } else {
                ArgoAct::Other
            }
        }
        "ResourceCreated" if message.ends_with(" created application") => ArgoAct::Created,
        "ResourceDeleted" if message.ends_with(" deleted application") => ArgoAct::Deleted,
        _ => ArgoAct::Other,
    }
}
