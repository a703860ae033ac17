//! `argocd-application-watch`: versions of Argo CD Applications.
//!
//! One line is one version of one Application: what is requested (`.operation`), how the last or
//! running operation stands (`.status.operationState`), and what Argo CD says of the state.
//! Shape: `argoproj/argo-cd` `manifests/crds/application-crd.yaml`.

use serde::Deserialize;
use serde_json::Value;

use super::operation_request::{OperationRequest, RawInitiator};
use super::{NotUnderstood, ResourceVersion, WatchLine, nullable, text, watch_line};
use crate::time::Moment;

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
    /// The revision that the specification follows: a pin, a branch or a tag.
    pub target_revision: Option<String>,
    /// Whether Argo CD syncs without being asked.
    pub automated_sync: AutomatedSync,
    /// The operation that is requested or running.
    pub operation: Option<OperationRequest>,
    /// How the running or last operation stands; may still be the previous operation's.
    pub operation_state: Option<OperationState>,
    /// The rows of the deployment history.
    pub history: Vec<HistoryRow>,
    /// `Synced`, `OutOfSync` or `Unknown`.
    pub sync_status: Option<String>,
    /// `Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`.
    pub health: Option<String>,
    /// The latest time stamp that stands anywhere in the version: it is not older than that.
    pub not_before: Option<Moment>,
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
        WatchLine::Version(raw) => WatchLine::Version(raw.into_version(false)?),
        WatchLine::Deleted(raw) => WatchLine::Deleted(raw.into_version(true)?),
        WatchLine::Bookmark => WatchLine::Bookmark,
        WatchLine::Gap(reason) => WatchLine::Gap(reason),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawApplication {
    api_version: String,
    kind: String,
    metadata: RawMetadata,
    #[serde(default, deserialize_with = "nullable")]
    spec: RawSpec,
    operation: Option<Value>,
    #[serde(default, deserialize_with = "nullable")]
    status: RawStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMetadata {
    uid: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Moment>,
    #[serde(default, deserialize_with = "nullable")]
    managed_fields: Vec<RawManagedFields>,
}

#[derive(Deserialize)]
struct RawManagedFields {
    time: Option<Moment>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSpec {
    project: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    destination: RawDestination,
    #[serde(default, deserialize_with = "nullable")]
    source: RawSource,
    #[serde(default, deserialize_with = "nullable")]
    sync_policy: RawSyncPolicy,
}

#[derive(Default, Deserialize)]
struct RawDestination {
    namespace: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSource {
    target_revision: Option<String>,
}

#[derive(Default, Deserialize)]
struct RawSyncPolicy {
    automated: Option<RawAutomated>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAutomated {
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "nullable")]
    self_heal: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawStatus {
    #[serde(default, deserialize_with = "nullable")]
    sync: RawState,
    #[serde(default, deserialize_with = "nullable")]
    health: RawState,
    operation_state: Option<RawOperationState>,
    #[serde(default, deserialize_with = "nullable")]
    history: Vec<RawHistoryRow>,
    reconciled_at: Option<Moment>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawState {
    status: Option<String>,
    last_transition_time: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOperationState {
    operation: Option<Value>,
    phase: Option<String>,
    message: Option<String>,
    started_at: Option<Moment>,
    finished_at: Option<Moment>,
    sync_result: Option<RawSyncResult>,
}

#[derive(Deserialize)]
struct RawSyncResult {
    revision: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    revisions: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    resources: Vec<ResourceOutcome>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawHistoryRow {
    id: i64,
    revision: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    initiated_by: RawInitiator,
}

impl RawApplication {
    fn into_version(self, deleted: bool) -> Result<ApplicationVersion, NotUnderstood> {
        if self.kind != "Application" || !self.api_version.starts_with("argoproj.io/") {
            return Err(NotUnderstood::Kind);
        }
        let not_before = self.latest_stamp();
        let resource_version = self.metadata.resource_version.unwrap_or_default();
        let operation = self.operation.as_ref().map(OperationRequest::read).transpose()?.flatten();
        let state = self.status.operation_state.map(RawOperationState::into_state).transpose()?;
        Ok(ApplicationVersion {
            uid: text(self.metadata.uid).ok_or(NotUnderstood::Unidentified)?,
            namespace: self.metadata.namespace.unwrap_or_default(),
            name: text(self.metadata.name).ok_or(NotUnderstood::Unidentified)?,
            resource_version: ResourceVersion::parse(&resource_version)?,
            deleted,
            generation: self.metadata.generation,
            project: text(self.spec.project),
            destination_namespace: text(self.spec.destination.namespace),
            target_revision: text(self.spec.source.target_revision),
            automated_sync: self.spec.sync_policy.automated.into(),
            operation,
            operation_state: state,
            history: self.status.history.into_iter().map(RawHistoryRow::into_row).collect(),
            sync_status: text(self.status.sync.status),
            health: text(self.status.health.status),
            not_before,
        })
    }

    fn latest_stamp(&self) -> Option<Moment> {
        let state = self.status.operation_state.as_ref();
        let stamps = [
            self.metadata.creation_timestamp,
            self.status.reconciled_at,
            self.status.health.last_transition_time,
            state.and_then(|s| s.started_at),
            state.and_then(|s| s.finished_at),
        ];
        let managed = self.metadata.managed_fields.iter().filter_map(|m| m.time);
        stamps.into_iter().flatten().chain(managed).max()
    }
}

/// `automated: {}` is on; `enabled: false` is off although the block is present
/// (`argoproj/argo-cd` `types.go`, `SyncPolicyAutomated`).
impl From<Option<RawAutomated>> for AutomatedSync {
    fn from(raw: Option<RawAutomated>) -> Self {
        match raw {
            Some(RawAutomated { enabled: None | Some(true), self_heal }) => Self::On { self_heal },
            Some(RawAutomated { enabled: Some(false), .. }) | None => Self::Off,
        }
    }
}

impl RawOperationState {
    fn into_state(self) -> Result<OperationState, NotUnderstood> {
        Ok(OperationState {
            operation: self.operation.as_ref().map(OperationRequest::read).transpose()?.flatten(),
            phase: text(self.phase),
            message: text(self.message),
            started_at: self.started_at,
            finished_at: self.finished_at,
            result: self.sync_result.map(|r| SyncResult {
                revision: text(r.revision),
                revisions: r.revisions,
                resources: r.resources,
            }),
        })
    }
}

impl RawHistoryRow {
    fn into_row(self) -> HistoryRow {
        HistoryRow {
            id: self.id,
            revision: text(self.revision),
            username: text(self.initiated_by.username),
            automated: self.initiated_by.automated,
        }
    }
}
