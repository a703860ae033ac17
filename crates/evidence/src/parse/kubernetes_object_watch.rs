//! `kubernetes-object-watch`: versions of Kubernetes objects other than Applications and Events.
//!
//! Every object is known by its metadata. Of the kinds that a story tells of, a little more is
//! read: of workloads the images and how far they are rolled out, of pods their containers, of
//! `AppProject`s the specification, of Argo CD's own `ConfigMap`s the data, of `ExternalSecret`s what
//! they bring and when. Shapes: `kubernetes/api` `apps/v1/types.go` and `core/v1/types.go`,
//! `argoproj/argo-cd` `manifests/crds/appproject-crd.yaml`, `external-secrets/external-secrets`
//! `apis/externalsecrets/v1/externalsecret_types.go`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use self::raw::RawObject;
use super::{NotUnderstood, ResourceVersion, WatchLine, object_only, watch_line};
use crate::time::Moment;

pub use self::detail::{Container, Deployment, Detail, ExternalSecret, Pod, Project, ReplicaSet};

mod detail;
mod raw;

/// One version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectVersion {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind; `PartialObjectMetadata` when only the metadata was watched.
    pub kind: String,
    /// The namespace; empty for cluster-wide objects.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The object's uid: a deleted and recreated object is another one.
    pub uid: String,
    /// The version.
    pub resource_version: ResourceVersion,
    /// Whether the line brings it anew: `ADDED` also stands for what was there when the watch began.
    pub added: bool,
    /// Whether the object is gone with this version.
    pub deleted: bool,
    /// How often the specification had changed.
    pub generation: Option<i64>,
    /// When it was made.
    pub created: Option<Moment>,
    /// The labels that a rule reads.
    pub labels: Labels,
    /// The annotations that a rule reads.
    pub annotations: Annotations,
    /// What it belongs to.
    pub owners: Vec<Owner>,
    /// Who wrote fields of it, by the clients' own word, and when.
    pub managers: Vec<FieldManager>,
    /// What is read of its kind.
    pub detail: Detail,
}

/// Labels that a rule reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Labels {
    /// `app.kubernetes.io/part-of`: Argo CD's own objects say `argocd`.
    #[serde(rename = "app.kubernetes.io/part-of")]
    pub part_of: Option<String>,
    /// `app.kubernetes.io/instance`: the Application, if Argo CD tracks by label.
    #[serde(rename = "app.kubernetes.io/instance")]
    pub instance: Option<String>,
    /// `owner`: Helm's release records say `helm`.
    pub owner: Option<String>,
}

/// Annotations that a rule reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Annotations {
    /// `argocd.argoproj.io/tracking-id`: the Application that the object belongs to.
    #[serde(rename = "argocd.argoproj.io/tracking-id")]
    pub tracking_id: Option<String>,
    /// `deployment.kubernetes.io/revision`: how many templates the deployment controller counted.
    #[serde(rename = "deployment.kubernetes.io/revision")]
    pub revision: Option<String>,
    /// `deployment.kubernetes.io/revision-history`: earlier revisions of the same `ReplicaSet`.
    #[serde(rename = "deployment.kubernetes.io/revision-history")]
    pub revision_history: Option<String>,
    /// `reconcile.external-secrets.io/data-hash`: changes with the data of a Secret.
    #[serde(rename = "reconcile.external-secrets.io/data-hash")]
    pub data_hash: Option<String>,
}

/// What an object belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The owner's kind.
    pub kind: String,
    /// The owner's name.
    pub name: String,
    /// The owner's uid.
    pub uid: String,
}

/// An entry of `managedFields`, without the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldManager {
    /// The name that the client gave itself.
    pub manager: String,
    /// The part of the object that was written, such as `status`.
    pub subresource: String,
    /// When it last changed a field.
    pub time: Option<Moment>,
}

impl ObjectVersion {
    /// The latest time stamp of its metadata: the version is not older than that.
    pub fn not_before(&self) -> Option<Moment> {
        let managed = self.managers.iter().filter_map(|m| m.time);
        managed.chain(self.created).max()
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    line_type: Cow<'a, str>,
    #[serde(borrow)]
    object: RawObject<'a>,
}

/// Reads one line of the channel.
pub fn parse(line: &[u8]) -> Result<WatchLine<ObjectVersion>, NotUnderstood> {
    match serde_json::from_slice::<Line<'_>>(object_only(line)?) {
        Ok(Line { line_type, object }) => match line_type.as_ref() {
            "ADDED" => object.into_version(true, false).map(WatchLine::Version),
            "MODIFIED" => object.into_version(false, false).map(WatchLine::Version),
            "DELETED" => object.into_version(false, true).map(WatchLine::Deleted),
            _ => without_object(line, &NotUnderstood::LineType),
        },
        Err(error) => without_object(line, &error.into()),
    }
}

/// A bookmark and the end of a watch are understood whatever their object looks like.
fn without_object(
    line: &[u8],
    reason: &NotUnderstood,
) -> Result<WatchLine<ObjectVersion>, NotUnderstood> {
    match watch_line::<IgnoredAny>(line)? {
        WatchLine::Bookmark => Ok(WatchLine::Bookmark),
        WatchLine::Gap(gap) => Ok(WatchLine::Gap(gap)),
        WatchLine::Version(_) | WatchLine::Deleted(_) => Err(reason.clone()),
    }
}

/// Names of Argo CD's own `ConfigMap`s (`argoproj/argo-cd` `common/common.go`).
const ARGOCD_CONFIG_MAPS: [&str; 7] = [
    "argocd-cm",
    "argocd-cmd-params-cm",
    "argocd-gpg-keys-cm",
    "argocd-notifications-cm",
    ARGOCD_RBAC,
    "argocd-ssh-known-hosts-cm",
    "argocd-tls-certs-cm",
];
/// The `ConfigMap` of Argo CD's RBAC.
pub const ARGOCD_RBAC: &str = "argocd-rbac-cm";

/// Whether a `ConfigMap` is one of Argo CD's by its documented name.
pub fn is_argocd_config(name: &str) -> bool {
    ARGOCD_CONFIG_MAPS.contains(&name)
}

/// The policies of Argo CD's RBAC: `policy.csv` and `policy.<anything>.csv`, which are put together
/// (`argoproj/argo-cd` `util/rbac/rbac.go`, `PolicyCSV`).
pub fn policy_lines(data: &BTreeMap<String, String>) -> std::collections::BTreeSet<String> {
    let policies = data.iter().filter(|(key, _)| is_policy(key)).map(|(_, text)| text);
    let lines = policies.flat_map(|text| text.lines()).map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// Whether a key of Argo CD's RBAC holds policy lines.
pub fn is_policy(key: &str) -> bool {
    let overlay = key.strip_prefix("policy.").and_then(|rest| rest.strip_suffix(".csv"));
    key == "policy.csv" || overlay.is_some()
}
