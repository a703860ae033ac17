//! An object as it stands in a watch line, and what is taken from it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{
    Annotations, Container, Deployment, Detail, ExternalSecret, FieldManager, Labels,
    ObjectVersion, Owner, Pod, Project, ReplicaSet, is_argocd_config,
};
use crate::parse::{NotUnderstood, ResourceVersion, nullable, text};
use crate::time::Moment;

/// The parts are kept as they came and read once the kind is known: most are never read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawObject<'a> {
    #[serde(borrow)]
    api_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "nullable")]
    metadata: RawMetadata,
    #[serde(borrow)]
    spec: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMetadata {
    uid: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Moment>,
    #[serde(default, deserialize_with = "nullable")]
    labels: Labels,
    #[serde(default, deserialize_with = "nullable")]
    annotations: Annotations,
    #[serde(default, deserialize_with = "nullable")]
    owner_references: Vec<RawOwner>,
    #[serde(default, deserialize_with = "nullable")]
    managed_fields: Vec<RawManager>,
}

#[derive(Deserialize)]
struct RawOwner {
    #[serde(default, deserialize_with = "nullable")]
    kind: String,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    uid: String,
}

#[derive(Deserialize)]
struct RawManager {
    #[serde(default, deserialize_with = "nullable")]
    manager: String,
    #[serde(default, deserialize_with = "nullable")]
    subresource: String,
    time: Option<Moment>,
}

impl RawObject<'_> {
    pub(super) fn into_version(
        self,
        added: bool,
        deleted: bool,
    ) -> Result<ObjectVersion, NotUnderstood> {
        let detail = self.detail()?;
        let api_version = self.api_version.unwrap_or_default();
        let group = api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
        let metadata = self.metadata;
        let owner = |o: RawOwner| Owner { kind: o.kind, name: o.name, uid: o.uid };
        let manager = |m: RawManager| FieldManager {
            manager: m.manager,
            subresource: m.subresource,
            time: m.time,
        };
        Ok(ObjectVersion {
            group,
            kind: text(self.kind.map(Cow::into_owned)).ok_or(NotUnderstood::Kind)?,
            namespace: metadata.namespace.unwrap_or_default(),
            name: text(metadata.name).ok_or(NotUnderstood::Unidentified)?,
            uid: text(metadata.uid).ok_or(NotUnderstood::Unidentified)?,
            resource_version: ResourceVersion::parse(
                &metadata.resource_version.unwrap_or_default(),
            )?,
            added,
            deleted,
            generation: metadata.generation,
            created: metadata.creation_timestamp,
            labels: metadata.labels,
            annotations: metadata.annotations,
            owners: metadata.owner_references.into_iter().map(owner).collect(),
            managers: metadata.managed_fields.into_iter().map(manager).collect(),
            detail,
        })
    }

    fn detail(&self) -> Result<Detail, NotUnderstood> {
        let group = self.api_version.as_deref().unwrap_or_default().split_once('/');
        let group = group.map_or("", |(group, _)| group);
        Ok(match (group, self.kind.as_deref().unwrap_or_default()) {
            ("apps", "Deployment") => Detail::Deployment(self.deployment()?),
            ("apps", "ReplicaSet") => {
                let spec: RawSpec<'_> = part(self.spec)?;
                let (images, replicas) = (spec.images()?, spec.replicas);
                Detail::ReplicaSet(ReplicaSet { images, replicas })
            }
            ("", "Pod") => Detail::Pod(part::<RawPodStatus>(self.status)?.into_pod()),
            ("", "ConfigMap") if self.is_argocd_config() => Detail::Config(part(self.data)?),
            ("argoproj.io", "AppProject") => Detail::Project(project(part(self.spec)?)),
            ("external-secrets.io", "ExternalSecret") => {
                let spec: RawExternalSpec = part(self.spec)?;
                let status: RawExternalStatus = part(self.status)?;
                // The Secret has the name of the ExternalSecret unless another is given.
                let target = text(spec.target.name).or_else(|| self.metadata.name.clone());
                Detail::ExternalSecret(ExternalSecret { target, refreshed: status.refresh_time })
            }
            _ => Detail::Other,
        })
    }

    fn is_argocd_config(&self) -> bool {
        let name = self.metadata.name.as_deref().unwrap_or_default();
        self.metadata.labels.part_of.as_deref() == Some("argocd") || is_argocd_config(name)
    }

    fn deployment(&self) -> Result<Deployment, NotUnderstood> {
        let spec: RawSpec<'_> = part(self.spec)?;
        let status: RawDeploymentStatus = part(self.status)?;
        Ok(Deployment {
            images: spec.images()?,
            replicas: spec.replicas,
            template: digest(spec.template)?,
            observed_generation: status.observed_generation,
            complete: status.is_complete(spec.replicas, self.metadata.generation),
        })
    }
}

/// An absent part is an empty one, as for a Kubernetes client.
fn part<'a, T: Default + Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<T, NotUnderstood> {
    Ok(raw.map(|raw| serde_json::from_str(raw.get())).transpose()?.unwrap_or_default())
}

/// Equal values have equal digests, whatever the order of their keys.
fn digest(raw: Option<&RawValue>) -> Result<String, NotUnderstood> {
    let value: Value = part(raw)?;
    let hash = Sha256::digest(value.to_string());
    Ok(hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

#[derive(Default, Deserialize)]
struct RawSpec<'a> {
    replicas: Option<i64>,
    #[serde(borrow)]
    template: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct RawTemplate {
    #[serde(default, deserialize_with = "nullable")]
    spec: RawPodSpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPodSpec {
    #[serde(default, deserialize_with = "nullable")]
    init_containers: Vec<RawContainer>,
    #[serde(default, deserialize_with = "nullable")]
    containers: Vec<RawContainer>,
}

#[derive(Deserialize)]
struct RawContainer {
    #[serde(default, deserialize_with = "nullable")]
    image: String,
}

impl RawSpec<'_> {
    fn images(&self) -> Result<Vec<String>, NotUnderstood> {
        let template: RawTemplate = part(self.template)?;
        let RawPodSpec { init_containers, containers } = template.spec;
        Ok(containers.into_iter().chain(init_containers).map(|c| c.image).collect())
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDeploymentStatus {
    observed_generation: Option<i64>,
    #[serde(default, deserialize_with = "nullable")]
    replicas: i64,
    #[serde(default, deserialize_with = "nullable")]
    updated_replicas: i64,
    #[serde(default, deserialize_with = "nullable")]
    available_replicas: i64,
}

impl RawDeploymentStatus {
    fn is_complete(&self, asked: Option<i64>, generation: Option<i64>) -> bool {
        // The API server fills in one where none is asked for.
        let asked = asked.unwrap_or(1);
        let all = [self.replicas, self.updated_replicas, self.available_replicas];
        generation.is_some()
            && self.observed_generation >= generation
            && all.iter().all(|n| *n == asked)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPodStatus {
    start_time: Option<Moment>,
    #[serde(default, deserialize_with = "nullable")]
    init_container_statuses: Vec<RawContainerStatus>,
    #[serde(default, deserialize_with = "nullable")]
    container_statuses: Vec<RawContainerStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawContainerStatus {
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    restart_count: u64,
    #[serde(default, deserialize_with = "nullable")]
    state: RawContainerState,
    #[serde(default, deserialize_with = "nullable")]
    last_state: RawContainerState,
}

#[derive(Default, Deserialize)]
struct RawContainerState {
    running: Option<RawRunning>,
    terminated: Option<RawTerminated>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRunning {
    started_at: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTerminated {
    reason: Option<String>,
    finished_at: Option<Moment>,
}

impl RawPodStatus {
    fn into_pod(self) -> Pod {
        let statuses = self.container_statuses.into_iter().chain(self.init_container_statuses);
        let container = |status: RawContainerStatus| {
            let ended = status.last_state.terminated;
            Container {
                name: status.name,
                restarts: status.restart_count,
                running: status.state.running.and_then(|r| r.started_at),
                ended: text(ended.as_ref().and_then(|e| e.reason.clone())),
                ended_at: ended.and_then(|e| e.finished_at),
            }
        };
        Pod { started: self.start_time, containers: statuses.map(container).collect() }
    }
}

/// `spec` of an `AppProject`.
fn project(mut spec: BTreeMap<String, Value>) -> Project {
    let windows = spec.remove("syncWindows");
    if let Some(Value::Array(roles)) = spec.get_mut("roles") {
        for role in roles.iter_mut().filter_map(Value::as_object_mut) {
            role.remove("jwtTokens");
        }
    }
    let windows = windows.as_ref().and_then(Value::as_array).into_iter().flatten().map(window);
    Project {
        windows: windows.collect(),
        fields: spec.into_iter().map(|(name, value)| (name, value.to_string())).collect(),
    }
}

fn window(window: &Value) -> (String, String) {
    let field = |name: &str| window.get(name).and_then(Value::as_str).unwrap_or("?");
    let short = format!("{} {} {}", field("kind"), field("schedule"), field("duration"));
    (short, window.to_string())
}

#[derive(Default, Deserialize)]
struct RawExternalSpec {
    #[serde(default, deserialize_with = "nullable")]
    target: RawTarget,
}

#[derive(Default, Deserialize)]
struct RawTarget {
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawExternalStatus {
    refresh_time: Option<Moment>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_does_not_depend_on_the_order_of_keys() {
        let of = |text: &str| {
            let raw: Box<RawValue> = serde_json::from_str(text).expect("JSON");
            digest(Some(&raw)).expect("JSON")
        };
        assert_eq!(of(r#"{"a":1,"b":{"c":2,"d":3}}"#), of(r#"{"b":{"d":3,"c":2},"a":1}"#));
        assert_ne!(of(r#"{"a":1}"#), of(r#"{"a":2}"#));
    }
}
