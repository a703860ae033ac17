//! Secrets of Kubernetes: written and read by people, brought by External Secrets, Helm's releases.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::index::{By, Index};
use super::written::Writes;
use crate::parse::kubernetes_audit::AuditWrite;
use crate::parse::kubernetes_object_watch::ObjectVersion;
use crate::story::act::{Act, What};
use crate::story::claim::acting;
use crate::story::fold::Cited;
use crate::time::Moment;

/// Lists by one account of one namespace that lie closer together are one run of a program: Helm
/// lists its release records several times in a run.
const RUN: SignedDuration = SignedDuration::from_secs(1);

/// The acts.
pub(super) fn acts(index: &Index<'_>) -> Vec<Act> {
    let mut acts = Vec::new();
    let releases = releases(index);
    for write in index.written().flat_map(Writes::iter) {
        let object = &write.fact.object;
        if (object.group.as_str(), object.resource.as_str()) != ("", "secrets")
            || !object.subresource.is_empty()
        {
            continue;
        }
        match index.by(&write.fact) {
            By::Other => acts.extend(written(index, write, &releases)),
            By::Software => acts.extend(synced(index, write)),
            _ => {}
        }
    }
    acts.extend(reads(index));
    acts
}

/// The Secret as it was watched, whole or as metadata alone.
fn watched<'a>(index: &Index<'a>, write: &AuditWrite) -> Option<&'a Cited<ObjectVersion>> {
    let (namespace, name) = (write.object.namespace.as_str(), write.object.name.as_str());
    let partial = ["meta.k8s.io", "PartialObjectMetadata", namespace, name];
    index.newest(["", "Secret", namespace, name]).or_else(|| index.newest(partial))
}

/// Release and revision of a release record: a Secret `sh.helm.release.v1.<release>.v<revision>`
/// (`helm/helm` `pkg/storage/storage.go`, `makeKey`).
fn release(name: &str) -> Option<(&str, u64)> {
    let (release, revision) = name.strip_prefix("sh.helm.release.v1.")?.rsplit_once(".v")?;
    Some((release, revision.parse().ok()?))
}

/// A release that an account made, by namespace and name.
type Releases<'a> = BTreeSet<(&'a str, &'a str, &'a str)>;

fn releases<'a>(index: &Index<'a>) -> Releases<'a> {
    let writes = index.around.facts.writes.values().filter(|w| w.fact.succeeded());
    let made = writes.filter(|w| w.fact.verb == "create" && w.fact.object.resource == "secrets");
    let key = |w: &'a Cited<AuditWrite>| {
        let (release, _) = release(&w.fact.object.name)?;
        Some((acting(&w.fact), w.fact.object.namespace.as_str(), release))
    };
    made.filter_map(key).collect()
}

/// A release is told once, by the record that is made for its revision. Helm then changes the status
/// of that record and of the one before: part of the same run.
fn written(index: &Index<'_>, write: &Cited<AuditWrite>, releases: &Releases<'_>) -> Option<Act> {
    let (fact, object) = (&write.fact, &write.fact.object);
    let newest = watched(index, fact);
    if let Some((release, revision)) = release(&object.name) {
        if fact.verb == "create" {
            let what = What::HelmRelease { release: release.to_owned(), revision };
            let mut act = index.act(what, write);
            act.app = index.only_app(&object.namespace);
            if let Some(record) = newest.filter(|v| v.fact.labels.owner.as_deref() == Some("helm"))
            {
                act.cites.extend(&record.cites);
            }
            return Some(act);
        }
        let key = (acting(fact), object.namespace.as_str(), release);
        if matches!(fact.verb.as_str(), "update" | "patch") && releases.contains(&key) {
            return None;
        }
    }
    if index.installs_argocd(fact, newest.map(|v| &v.fact)) {
        return None;
    }
    let what = What::KubernetesSecretWrite { verb: fact.verb.clone(), name: object.name.clone() };
    let mut act = index.act(what, write);
    act.app = newest.and_then(|v| index.app_of_version(&v.fact));
    Some(act)
}

/// External Secrets manages the Secret's fields under a name of its own and owns it, unless told
/// otherwise (`external-secrets/external-secrets`
/// `pkg/controllers/externalsecret/externalsecret_controller.go`). It writes only where something
/// differs; with the data differs the hash that it leaves.
fn synced(index: &Index<'_>, write: &Cited<AuditWrite>) -> Option<Act> {
    let fact = &write.fact;
    if !matches!(fact.verb.as_str(), "update" | "patch") {
        return None;
    }
    let newest = watched(index, fact);
    let owned = newest.is_some_and(|v| v.fact.owners.iter().any(|o| o.kind == "ExternalSecret"));
    let manager = fact.field_manager.as_deref().unwrap_or_default();
    if !owned && !manager.starts_with("externalsecrets.external-secrets.io/") {
        return None;
    }
    let content = newest.and_then(|v| content_change(index, &v.fact, fact.time));
    if content.as_ref().is_some_and(|(changed, _)| !changed) {
        return None;
    }
    let name = fact.object.name.clone();
    let mut act = index.act(What::SecretSynced { name }, write);
    act.app = newest.and_then(|v| index.app_of_version(&v.fact));
    match content {
        Some((_, version)) => act.cites.extend(&version.cites),
        None => act.notes.push("whether the content changed is not in the records".to_owned()),
    }
    Some(act)
}

/// Whether the version that was written then has other data than the one before; `None` when not
/// both were seen.
fn content_change<'a>(
    index: &Index<'a>,
    newest: &ObjectVersion,
    at: Moment,
) -> Option<(bool, &'a Cited<ObjectVersion>)> {
    let versions: Vec<&Cited<ObjectVersion>> = index.versions(newest)?.values().collect();
    let then = |v: &&Cited<ObjectVersion>| {
        v.fact.not_before().is_some_and(|stamp| stamp.overlaps(at.earliest(), at.latest()))
    };
    let position = versions.iter().position(then)?;
    let (before, after) = (versions.get(position.checked_sub(1)?)?, versions[position]);
    let hash = |v: &Cited<ObjectVersion>| v.fact.annotations.data_hash.clone();
    Some((hash(before) != hash(after), after))
}

/// Reads by people: single Secrets each, lists run by run.
fn reads(index: &Index<'_>) -> Vec<Act> {
    let reads = index.around.facts.cluster.secret_reads.values();
    let by_people = |r: &&Cited<AuditWrite>| r.fact.succeeded() && index.by(&r.fact) == By::Other;
    let mut reads: Vec<&Cited<AuditWrite>> = reads.filter(by_people).collect();
    let place = |r: &Cited<AuditWrite>| {
        (acting(&r.fact).to_owned(), r.fact.object.namespace.clone(), r.fact.object.name.clone())
    };
    reads
        .sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.fact.time.list_order(&b.fact.time)));
    let mut acts = Vec::new();
    let mut run: Option<(&Cited<AuditWrite>, Act)> = None;
    for read in reads {
        if !read.fact.object.name.is_empty() {
            acts.push(single(index, read));
            continue;
        }
        match run.as_mut().filter(|(last, _)| is_same_run(last, read)) {
            Some((last, act)) => {
                act.cites.extend(&read.cites);
                act.at = act.at.map(|at| Moment::between(at, read.fact.time));
                *last = read;
            }
            None => acts.extend(run.replace((read, list(index, read))).map(|(_, act)| act)),
        }
    }
    acts.extend(run.map(|(_, act)| act));
    acts
}

fn is_same_run(last: &Cited<AuditWrite>, next: &Cited<AuditWrite>) -> bool {
    let (last, next) = (&last.fact, &next.fact);
    acting(last) == acting(next)
        && last.credential == next.credential
        && last.user_agent == next.user_agent
        && last.object.namespace == next.object.namespace
        && next.time.earliest().duration_since(last.time.latest()) <= RUN
}

fn single(index: &Index<'_>, read: &Cited<AuditWrite>) -> Act {
    let object = &read.fact.object;
    let path = format!("{}/{}", object.namespace, object.name);
    let mut act = index.act(What::SecretRead { path }, read);
    act.app = watched(index, &read.fact).and_then(|v| index.app_of_version(&v.fact));
    act
}

fn list(index: &Index<'_>, read: &Cited<AuditWrite>) -> Act {
    let mut act = index.act(What::SecretList {}, read);
    if read.fact.object.namespace.is_empty() {
        act.notes.push("of all namespaces".to_owned());
    }
    let selector = read.fact.label_selector.as_deref().unwrap_or_default();
    if selector.split(',').any(|part| part == "owner=helm") {
        act.notes.push("the request selects Helm's release records".to_owned());
    }
    act
}
