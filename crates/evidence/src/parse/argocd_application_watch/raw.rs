//! An Application as it stands in a watch line, and what is taken from it.

use serde::Deserialize;
use serde_json::Value;

use super::{
    ApplicationVersion, AutomatedSync, HistoryRow, OperationState, ResourceOutcome, SyncResult,
};
use crate::parse::operation_request::{OperationRequest, RawInitiator};
use crate::parse::{NotUnderstood, ResourceVersion, nullable, text};
use crate::time::Moment;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawApplication {
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
    pub(super) fn into_version(self, deleted: bool) -> Result<ApplicationVersion, NotUnderstood> {
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
