//! An Application as it stands in a watch line, and what is taken from it.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{
    ApplicationVersion, AutomatedSync, HistoryRow, LiveObject, OperationState, ResourceOutcome,
    SyncResult,
};
use crate::parse::leaves::Leaves;
use crate::parse::operation_request::{OperationRequest, RawInitiator};
use crate::parse::{NotUnderstood, ResourceVersion, nullable, text};
use crate::time::Moment;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::parse) struct RawApplication {
    api_version: Option<String>,
    kind: Option<String>,
    metadata: RawMetadata,
    #[serde(default, deserialize_with = "nullable")]
    spec: Spec,
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
    labels: RawLabels,
    #[serde(default, deserialize_with = "nullable")]
    managed_fields: Vec<RawManagedFields>,
}

#[derive(Default, Deserialize)]
struct RawLabels {
    #[serde(alias = "environment")]
    env: Option<String>,
    criticality: Option<String>,
}

#[derive(Deserialize)]
struct RawManagedFields {
    time: Option<Moment>,
}

/// The specification: the fields that rules read, and the leaves that an edit of it changes.
#[derive(Default)]
struct Spec {
    read: RawSpec,
    leaves: Leaves,
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let leaves = Leaves::of(&value);
        Ok(Self { read: RawSpec::deserialize(value).map_err(D::Error::custom)?, leaves })
    }
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
    #[serde(rename = "repoURL")]
    repo_url: Option<String>,
    path: Option<String>,
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
    #[serde(default, deserialize_with = "nullable")]
    resources: Vec<RawResource>,
    reconciled_at: Option<Moment>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawState {
    status: Option<String>,
    revision: Option<String>,
    last_transition_time: Option<Moment>,
}

/// A resource of the Application, and whether its live state equals the desired one.
#[derive(Deserialize)]
struct RawResource {
    #[serde(default, deserialize_with = "nullable")]
    kind: String,
    #[serde(default, deserialize_with = "nullable")]
    namespace: String,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    status: Option<String>,
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
    /// Holds the object to its kind and API group, which all but Argo CD's own stream name.
    pub(in crate::parse) fn typed(self) -> Result<Self, NotUnderstood> {
        match (self.kind.as_deref(), self.api_version.as_deref()) {
            (Some("Application"), Some(group)) if group.starts_with("argoproj.io/") => Ok(self),
            (Some(_), Some(_)) => Err(NotUnderstood::Kind),
            _ => Err(NotUnderstood::Shape { column: 0 }),
        }
    }

    pub(in crate::parse) fn into_version(
        self,
        deleted: bool,
    ) -> Result<ApplicationVersion, NotUnderstood> {
        let not_before = self.latest_stamp();
        let Spec { read: spec, leaves } = self.spec;
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
            project: text(spec.project),
            destination_namespace: text(spec.destination.namespace),
            environment: text(self.metadata.labels.env),
            criticality: text(self.metadata.labels.criticality),
            repository: text(spec.source.repo_url),
            path: text(spec.source.path),
            target_revision: text(spec.source.target_revision),
            automated_sync: spec.sync_policy.automated.into(),
            spec: leaves,
            operation,
            operation_state: state,
            history: self.status.history.into_iter().map(RawHistoryRow::into_row).collect(),
            sync_status: text(self.status.sync.status),
            sync_revision: text(self.status.sync.revision),
            out_of_sync: self
                .status
                .resources
                .into_iter()
                .filter_map(RawResource::differs)
                .collect(),
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

impl RawResource {
    fn differs(self) -> Option<LiveObject> {
        let differs = self.status.as_deref() == Some("OutOfSync");
        let Self { kind, namespace, name, .. } = self;
        differs.then_some(LiveObject { kind, namespace, name })
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
