//! Writes to workloads, pods, rights, tokens and plain `ConfigMap`s by whoever is no software of the
//! cluster.

use super::index::{By, Index};
use crate::parse::kubernetes_audit::{AuditWrite, Body};
use crate::story::act::{Act, What};
use crate::story::fold::Cited;

/// How many changed fields of a workload are told one by one.
const CHANGED_MAX: usize = 16;
/// The annotation that `kubectl rollout restart` sets (`kubernetes/kubectl`
/// `pkg/polymorphichelpers/objectrestarter.go`).
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
const NO_BODY: &str = "the audit log holds no body of the request, so what it changed is not told";

/// The acts.
pub(super) fn acts(index: &Index<'_>) -> Vec<Act> {
    let mut acts = Vec::new();
    for writes in index.written() {
        for write in writes.changing() {
            acts.extend(told(index, write));
        }
    }
    acts
}

fn told(index: &Index<'_>, write: &Cited<AuditWrite>) -> Option<Act> {
    let by = index.by(&write.fact);
    let object = &write.fact.object;
    let (group, resource) = (object.group.as_str(), object.resource.as_str());
    match (group, resource, object.subresource.as_str()) {
        _ if object.is_workload() => workload(index, write, by),
        _ if by != By::Other => None,
        ("", "pods", "eviction") => Some(pod_deleted(index, write)),
        ("", "serviceaccounts", "token") if write.fact.verb == "create" => {
            let name = object.name.clone();
            Some(index.act(What::ServiceAccountTokenCreated { name }, write))
        }
        ("rbac.authorization.k8s.io", _, "") => rbac(index, write),
        ("", "configmaps", "") if !super::config::is_argocds(index, &write.fact) => {
            Some(config(index, write))
        }
        ("external-secrets.io", "externalsecrets", "") => refresh(index, write),
        _ => None,
    }
}

/// Software other than Argo CD and the cluster's own is told of where it writes what Argo CD
/// deploys: a pipeline beside git.
fn workload(index: &Index<'_>, write: &Cited<AuditWrite>, by: By) -> Option<Act> {
    let object = &write.fact.object;
    let kind = kind(&object.resource);
    let beside_git = || {
        let newest = index.newest([&object.group, kind, &object.namespace, &object.name]);
        newest.is_some_and(|v| v.fact.owners.is_empty() && index.tracked(&v.fact).is_some())
    };
    if !(by == By::Other || by == By::Software && beside_git()) {
        return None;
    }
    if object.resource == "pods" && write.fact.verb.starts_with("delete") {
        return Some(pod_deleted(index, write));
    }
    let body = write.fact.body.as_deref();
    let scale = object.subresource == "scale";
    let what = What::WorkloadEdit {
        object_kind: kind.to_owned(),
        name: object.name.clone(),
        verb: if scale { "scale".to_owned() } else { write.fact.verb.clone() },
        changed: body.map(changed).unwrap_or_default(),
        images: body.map(|b| b.images.clone()).unwrap_or_default(),
        restart: body.is_some_and(restarts),
    };
    let mut act = index.act(what, write);
    act.app = index.app_of(&object.group, kind, &object.namespace, &object.name);
    if body.is_none() && write.fact.verb != "delete" {
        act.notes.push(NO_BODY.to_owned());
    }
    Some(act)
}

fn changed(body: &Body) -> Vec<String> {
    let mut told: Vec<String> =
        body.leaves.known.iter().map(|(path, value)| format!("{path}: {value}")).collect();
    let more = body.leaves.more + told.len().saturating_sub(CHANGED_MAX);
    told.truncate(CHANGED_MAX);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told
}

/// Whether the annotation of a restart is all that a body asks for.
fn restarts(body: &Body) -> bool {
    let mut leaves = body.leaves.known.iter();
    !body.leaves.known.is_empty() && leaves.all(|(path, _)| path.ends_with(RESTARTED_AT))
}

/// The kind of a resource that pods come of.
pub(super) fn kind(resource: &str) -> &'static str {
    match resource {
        "deployments" => "Deployment",
        "statefulsets" => "StatefulSet",
        "daemonsets" => "DaemonSet",
        "replicasets" => "ReplicaSet",
        "jobs" => "Job",
        "cronjobs" => "CronJob",
        "replicationcontrollers" => "ReplicationController",
        _ => "Pod",
    }
}

fn pod_deleted(index: &Index<'_>, write: &Cited<AuditWrite>) -> Act {
    let object = &write.fact.object;
    let mut act = index.act(What::PodDeleted { pod: object.name.clone() }, write);
    let pod = index.newest(["", "Pod", &object.namespace, &object.name]);
    act.app = match pod {
        Some(pod) => index.app_of_version(&pod.fact),
        None => index.only_app(&object.namespace),
    };
    if object.subresource == "eviction" {
        act.notes.push("evicted, as when a node is drained".to_owned());
    }
    if object.name.is_empty() {
        act.notes.push("all pods that the request selected; it names none".to_owned());
    }
    act
}

fn rbac(index: &Index<'_>, write: &Cited<AuditWrite>) -> Option<Act> {
    let (fact, object) = (&write.fact, &write.fact.object);
    let object_kind = match object.resource.as_str() {
        "roles" => "Role",
        "rolebindings" => "RoleBinding",
        "clusterroles" => "ClusterRole",
        "clusterrolebindings" => "ClusterRoleBinding",
        _ => return None,
    };
    let watched = index.newest([&object.group, object_kind, &object.namespace, &object.name]);
    if index.installs_argocd(fact, watched.map(|v| &v.fact)) {
        return None;
    }
    let body = fact.body.as_deref();
    let what = What::KubernetesRbacEdit {
        verb: fact.verb.clone(),
        object_kind: object_kind.to_owned(),
        name: object.name.clone(),
        role: body.and_then(|b| b.role.clone()),
        subjects: body.map(|b| b.subjects.clone()).unwrap_or_default(),
    };
    let mut act = index.act(what, write);
    if body.is_none() && fact.verb != "delete" {
        act.notes.push(NO_BODY.to_owned());
    }
    Some(act)
}

fn config(index: &Index<'_>, write: &Cited<AuditWrite>) -> Act {
    let (fact, object) = (&write.fact, &write.fact.object);
    let data = fact.body.iter().flat_map(|b| &b.data);
    let values = data.map(|(key, value)| match value {
        Some(value) => format!("{key}={value}"),
        None => format!("{key} removed"),
    });
    let what = What::ConfigEdit { name: object.name.clone(), values: values.collect() };
    let mut act = index.act(what, write);
    act.app = index.app_of("", "ConfigMap", &object.namespace, &object.name);
    match fact.verb.as_str() {
        "delete" | "deletecollection" => act.notes.push("deleted".to_owned()),
        _ if fact.body.is_none() => act.notes.push(NO_BODY.to_owned()),
        _ => {}
    }
    act
}

/// External Secrets brings a secret again when labels or annotations change
/// (`external-secrets/external-secrets` `pkg/controllers/externalsecret/util.go`); its manual
/// names the annotation `force-sync` for that.
fn refresh(index: &Index<'_>, write: &Cited<AuditWrite>) -> Option<Act> {
    let object = &write.fact.object;
    let leaves = &write.fact.body.as_ref()?.leaves;
    let marks = |(path, _): &(String, String)| {
        path.starts_with("metadata.annotations.") || path.starts_with("metadata.labels.")
    };
    if leaves.known.is_empty() || leaves.more > 0 || !leaves.known.iter().all(marks) {
        return None;
    }
    let mut act = index.act(What::ExternalSecretRefresh { name: object.name.clone() }, write);
    act.app = index.app_of(&object.group, "ExternalSecret", &object.namespace, &object.name);
    Some(act)
}
