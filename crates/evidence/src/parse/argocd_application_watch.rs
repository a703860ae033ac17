//! `argocd-application-watch`: versions of Argo CD Applications.
//!
//! One line is one version of one Application: what is requested (`.operation`), how the last or
//! running operation stands (`.status.operationState`), and what Argo CD says of the state.
//! Shape: `argoproj/argo-cd` `manifests/crds/application-crd.yaml`.

use serde::Deserialize;

pub(super) use self::raw::RawApplication;
use super::leaves::Leaves;
use super::operation_request::OperationRequest;
use super::{NotUnderstood, ResourceVersion, WatchLine, nullable, watch_line};
use crate::time::Moment;

mod raw;

/// One version of an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationVersion {
    /// The object's uid: a deleted and recreated Application is another one.
    pub uid: String,
    /// The namespace that the Application object lives in.
    pub namespace: String,
    /// The Application's name.
    pub name: String,
    /// The version.
    pub resource_version: ResourceVersion,
    /// Whether the object is gone with this version.
    pub deleted: bool,
    /// How often something other than metadata had changed.
    pub generation: Option<i64>,
    /// The project that the Application belongs to.
    pub project: Option<String>,
    /// The namespace that it deploys to.
    pub destination_namespace: Option<String>,
    /// The label `env` or `environment`: which environment its users say it belongs to.
    pub environment: Option<String>,
    /// The label `criticality`.
    pub criticality: Option<String>,
    /// The repository that it deploys from.
    pub repository: Option<String>,
    /// The folder of the repository that it deploys.
    pub path: Option<String>,
    /// The revision that the specification follows: a pin, a branch or a tag.
    pub target_revision: Option<String>,
    /// Whether Argo CD syncs without being asked.
    pub automated_sync: AutomatedSync,
    /// The specification, leaf by leaf.
    pub spec: Leaves,
    /// The operation that is requested or running.
    pub operation: Option<OperationRequest>,
    /// How the running or last operation stands; may still be the previous operation's.
    pub operation_state: Option<OperationState>,
    /// The rows of the deployment history.
    pub history: Vec<HistoryRow>,
    /// `Synced`, `OutOfSync` or `Unknown`.
    pub sync_status: Option<String>,
    /// The commit that the live state was compared with.
    pub sync_revision: Option<String>,
    /// The resources whose live state differs from the desired one, by Argo CD's word.
    pub out_of_sync: Vec<LiveObject>,
    /// `Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`.
    pub health: Option<String>,
    /// The latest time stamp that stands anywhere in the version: it is not older than that.
    pub not_before: Option<Moment>,
}

/// An object of the cluster, as an Application names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LiveObject {
    /// The kind, such as `Deployment`.
    pub kind: String,
    /// The namespace; empty for cluster-wide objects.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// The automated part of an Application's sync policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AutomatedSync {
    /// Syncs wait for somebody to ask.
    Off,
    /// New revisions are synced by themselves.
    On {
        /// Whether changes of the live state are undone too.
        self_heal: bool,
    },
}

/// `status.operationState`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationState {
    /// The request that this state belongs to, when the state repeats it.
    pub operation: Option<OperationRequest>,
    /// `Running`, `Terminating`, `Succeeded`, `Failed` or `Error`.
    pub phase: Option<String>,
    /// Argo CD's word on it.
    pub message: Option<String>,
    /// When the controller began: no identity, two operations fit into one second.
    pub started_at: Option<Moment>,
    /// When the controller ended it.
    pub finished_at: Option<Moment>,
    /// What the sync did, when it came so far.
    pub result: Option<SyncResult>,
}

/// `status.operationState.syncResult`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncResult {
    /// The revision: may be a branch or a tag while the operation runs.
    pub revision: Option<String>,
    /// The revisions, of an Application with several sources.
    pub revisions: Vec<String>,
    /// What became of each resource that the sync touched.
    pub resources: Vec<ResourceOutcome>,
}

/// What became of one resource in a sync.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResourceOutcome {
    /// The API group; empty for the core group.
    #[serde(default, deserialize_with = "nullable")]
    pub group: String,
    /// The kind, such as `Deployment`.
    #[serde(default, deserialize_with = "nullable")]
    pub kind: String,
    /// The namespace.
    #[serde(default, deserialize_with = "nullable")]
    pub namespace: String,
    /// The name.
    #[serde(default, deserialize_with = "nullable")]
    pub name: String,
    /// `Synced`, `SyncFailed`, `Pruned` or `PruneSkipped`; empty when Argo CD says nothing.
    #[serde(default, deserialize_with = "nullable")]
    pub status: String,
    /// Argo CD's word on it, such as `deployment.apps/web configured`.
    #[serde(default, deserialize_with = "nullable")]
    pub message: String,
}

/// One row of `status.history`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The row's number.
    pub id: i64,
    /// The revision; local manifests leave none.
    pub revision: Option<String>,
    /// Who the row says started it: copied from the request.
    pub username: Option<String>,
    /// Whether the row says that Argo CD started it by itself.
    pub automated: bool,
}

/// Reads one line of the channel.
pub fn parse(line: &[u8]) -> Result<WatchLine<ApplicationVersion>, NotUnderstood> {
    Ok(match watch_line::<RawApplication>(line)? {
        WatchLine::Version(raw) => WatchLine::Version(raw.typed()?.into_version(false)?),
        WatchLine::Deleted(raw) => WatchLine::Deleted(raw.typed()?.into_version(true)?),
        WatchLine::Bookmark => WatchLine::Bookmark,
        WatchLine::Gap(reason) => WatchLine::Gap(reason),
    })
}
