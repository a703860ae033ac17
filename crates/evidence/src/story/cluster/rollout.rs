//! Rollouts: a `Deployment` got another pod template, and new pods of it.
//!
//! ```text
//! write ──► template changes (generation) ──► revision counted up ──► ReplicaSet ──► pods
//! ```
//!
//! A `ReplicaSet` is no rollout: taking a change back revives the old one under a new revision
//! (`kubernetes/kubernetes` `pkg/controller/deployment/sync.go`, `getNewReplicaSet`). One that the
//! watch found when it began is not told.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{By, Index};
use super::written::{Made, stamp_after};
use super::{ObjectKey, ObjectVersions};
use crate::channel::Channel;
use crate::parse::ResourceVersion;
use crate::parse::kubernetes_audit::AuditWrite;
use crate::parse::kubernetes_object_watch::{Deployment, Detail, ObjectVersion};
use crate::story::act::{Act, Cause, Rollout, What};
use crate::story::claim::{Identity, Voice, Writer, acting};
use crate::story::coverage;
use crate::story::episode::episodes;
use crate::story::fold::Cited;
use crate::story::operation::Applied;
use crate::story::wire::Cites;
use crate::time::Moment;

type Version = Cited<ObjectVersion>;

/// The acts.
pub(super) fn acts(index: &Index<'_>) -> Vec<Act> {
    let around = Surroundings {
        index,
        replica_sets: replica_sets(index),
        pods: pods(index),
        operations: operations(index),
    };
    let deployments = index.kind("apps", "Deployment");
    deployments.flat_map(|(key, versions)| around.of_deployment(key, versions)).collect()
}

/// What rollouts are tied to.
struct Surroundings<'i, 'a> {
    index: &'i Index<'a>,
    /// By the `Deployment`'s uid and its revision: the first version that has it.
    replica_sets: BTreeMap<(&'a str, u64), &'a Version>,
    /// Pods that were seen to start, by the uid of their `ReplicaSet`.
    pods: BTreeMap<&'a str, Vec<(&'a Version, Moment)>>,
    /// By the Application's name, in order of their beginning.
    operations: BTreeMap<&'a str, Vec<Running<'a>>>,
}

/// When an operation ran, and what it touched.
struct Running<'a> {
    set: ResourceVersion,
    from: Moment,
    to: Option<Moment>,
    /// Namespace and name of the `Deployment`s that it changed.
    touched: BTreeSet<(String, String)>,
    cites: &'a Cites,
}

/// The change of the template that a rollout comes from.
struct Change<'a> {
    before: Option<&'a Version>,
    /// The first version with the new template.
    version: &'a Version,
    /// The first version with the new revision.
    counted: &'a Version,
    revision: u64,
    /// Whether the change of the template itself was seen, and no other in between was missed.
    seen: bool,
}

fn revision(version: &ObjectVersion) -> Option<u64> {
    version.annotations.revision.as_deref()?.parse().ok()
}

fn deployment(version: &Version) -> Option<&Deployment> {
    match &version.fact.detail {
        Detail::Deployment(deployment) => Some(deployment),
        _ => None,
    }
}

fn replica_sets<'a>(index: &Index<'a>) -> BTreeMap<(&'a str, u64), &'a Version> {
    let mut found = BTreeMap::new();
    for (_, versions) in index.kind("apps", "ReplicaSet") {
        for version in versions.values() {
            let owner = version.fact.owners.iter().find(|o| o.kind == "Deployment");
            if let Some((owner, revision)) = owner.zip(revision(&version.fact)) {
                found.entry((owner.uid.as_str(), revision)).or_insert(version);
            }
        }
    }
    found
}

fn pods<'a>(index: &Index<'a>) -> BTreeMap<&'a str, Vec<(&'a Version, Moment)>> {
    let mut found: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (_, versions) in index.kind("", "Pod") {
        let started = |v: &&Version| match &v.fact.detail {
            Detail::Pod(pod) => pod.started.is_some(),
            _ => false,
        };
        let Some(version) = versions.values().find(started) else { continue };
        let owner = version.fact.owners.iter().find(|o| o.kind == "ReplicaSet");
        if let Some((owner, created)) = owner.zip(version.fact.created) {
            found.entry(&owner.uid).or_default().push((version, created));
        }
    }
    found
}

fn operations<'a>(index: &Index<'a>) -> BTreeMap<&'a str, Vec<Running<'a>>> {
    let mut found: BTreeMap<&str, Vec<Running<'a>>> = BTreeMap::new();
    for versions in index.around.facts.applications.values() {
        for episode in episodes(versions) {
            let Some((state, from)) = episode.state().and_then(|s| Some((s, s.started_at?))) else {
                continue;
            };
            let touched = match episode.applied() {
                Applied::Resources(resources) => resources,
                _ => Vec::new(),
            };
            let touched = touched.into_iter().filter(|r| r.kind == "Deployment");
            found.entry(&episode.first.fact.name).or_default().push(Running {
                set: episode.first.fact.resource_version,
                from,
                to: state.finished_at,
                touched: touched.map(|r| (r.namespace, r.name)).collect(),
                cites: &episode.first.cites,
            });
        }
    }
    for running in found.values_mut() {
        running.sort_by_key(|r| (r.from, r.set));
    }
    found
}

/// Every change of the template, with the revision that was counted for it. A template that was
/// replaced before the deployment controller saw it was never rolled out.
fn changes(versions: &ObjectVersions) -> Vec<Change<'_>> {
    let mut changes = Vec::new();
    let mut before: Option<&Version> = None;
    let mut pending: Option<(Option<&Version>, &Version)> = None;
    for version in versions.values() {
        let Some(new) = deployment(version) else { continue };
        let known = before.replace(version);
        let was = known.and_then(deployment);
        let is_new = match was {
            Some(was) => was.template != new.template,
            // Not yet seen by the deployment controller: just made.
            None => revision(&version.fact).is_none() && new.observed_generation.is_none(),
        };
        if is_new {
            pending = Some((known, version));
        }
        let counted = revision(&version.fact);
        let Some(number) = counted.filter(|n| known.is_none_or(|k| revision(&k.fact) != Some(*n)))
        else {
            continue;
        };
        let last = known.and_then(|known| revision(&known.fact));
        let seen = pending.is_some() && last.is_none_or(|last| number == last + 1);
        if let Some((before, changed)) = pending.take().or(known.map(|k| (Some(k), version))) {
            let revision = number;
            changes.push(Change { before, version: changed, counted: version, revision, seen });
        }
    }
    changes
}

impl Surroundings<'_, '_> {
    fn of_deployment(&self, key: &ObjectKey, versions: &ObjectVersions) -> Vec<Act> {
        let mut used = BTreeSet::new();
        let changes = changes(versions);
        let mut acts = Vec::new();
        for (position, change) in changes.iter().enumerate() {
            let next = changes.get(position + 1).map(|c| c.version.fact.resource_version);
            acts.push(self.act(key, versions, change, next, &mut used));
        }
        acts
    }

    fn act(
        &self,
        key: &ObjectKey,
        versions: &ObjectVersions,
        change: &Change<'_>,
        next: Option<ResourceVersion>,
        used: &mut BTreeSet<String>,
    ) -> Act {
        let app = self.index.app_of_version(&change.counted.fact);
        let made = self.made(key, versions, change, used);
        let mut cites = change.version.cites.clone();
        cites.extend(&change.counted.cites);
        let (cause, notes) = self.cause(key, app.as_deref(), (versions, change), made, &mut cites);
        let write = match made {
            Made::By(write) => Some(write),
            _ => None,
        };
        let began = write.map(|w| w.fact.time).or_else(|| Self::stamp(versions, change));
        let complete = complete(versions, change, next);
        let replica_set = self.replica_sets.get(&(key.uid.as_str(), change.revision)).copied();
        let pods = replica_set.map(|set| self.pods_of(set, began, complete.map(|(at, _)| at)));
        for version in replica_set.into_iter().chain(complete.map(|(_, v)| v)) {
            cites.extend(&version.cites);
        }
        let images = deployment(change.version).map(|d| d.images.clone());
        let what = What::Rollout(Rollout {
            name: key.name.clone(),
            deployment_revision: change.revision,
            replica_set: replica_set.map(|set| set.fact.name.clone()),
            images: images.unwrap_or_default(),
            cause,
            pods: pods.unwrap_or_default(),
        });
        let at = began.map(|began| complete.map_or(began, |(end, _)| Moment::between(began, end)));
        let voice = if write.is_some() { Voice::Authenticated } else { Voice::Recorded };
        let mut act = Act::new(what, at, voice, cites);
        act.app = app;
        act.namespace = Some(key.namespace.clone());
        act.who = write.map(|w| Identity::of(acting(&w.fact), self.index.around.people));
        act.writer = write.map(|w| Writer::of(&w.fact, self.index.around.people));
        act.notes = notes;
        act.notes.extend(replica_set.and_then(revived));
        act
    }

    fn stamp(versions: &ObjectVersions, change: &Change<'_>) -> Option<Moment> {
        let number = change.version.fact.resource_version;
        let later = versions.range(number..).map(|(_, v)| &v.fact);
        stamp_after(change.before.map(|v| &v.fact), later)
    }

    /// The write that made the template what it is. Each write makes one template only.
    fn made<'s>(
        &'s self,
        key: &ObjectKey,
        versions: &ObjectVersions,
        change: &Change<'_>,
        used: &mut BTreeSet<String>,
    ) -> Made<'s> {
        if !change.seen {
            return Made::Unknown;
        }
        let writes = self.index.writes(["apps", "deployments", &key.namespace, &key.name]);
        let before = change.before.map(|v| &v.fact);
        let fits = |w: &AuditWrite| {
            w.object.subresource.is_empty()
                && !used.contains(&w.audit_id)
                && asks_for_template(w)
                && asks_for_images(w, change)
        };
        let later = Self::stamp(versions, change);
        let made = writes.made(before, &change.version.fact, later, fits);
        if let Made::By(write) = made {
            used.insert(write.fact.audit_id.clone());
        }
        made
    }

    /// What brought it about.
    fn cause(
        &self,
        key: &ObjectKey,
        app: Option<&str>,
        (versions, change): (&ObjectVersions, &Change<'_>),
        made: Made<'_>,
        cites: &mut Cites,
    ) -> (Cause, Vec<String>) {
        let undetermined = |reason: &str| Cause::Undetermined { reason: reason.to_owned() };
        let write = match made {
            Made::By(write) => write,
            Made::Several => {
                let reason = "several accounts wrote the Deployment between the versions seen";
                return (undetermined(reason), Vec::new());
            }
            Made::Unknown if !change.seen => {
                let reason = "versions are missing in which the template changed";
                return (undetermined(reason), Vec::new());
            }
            Made::Unknown => {
                let reason = self.why_no_write(Self::stamp(versions, change));
                return (undetermined(&reason), Vec::new());
            }
        };
        cites.extend(&write.cites);
        let running = app.map(|app| self.operation(key, app, write.fact.time)).unwrap_or_default();
        match self.index.by(&write.fact) {
            By::ArgocdController => {
                let notes = match running.as_slice() {
                    [] => vec!["no operation was seen to run then".to_owned()],
                    [_] => Vec::new(),
                    _ => vec!["several operations ran then".to_owned()],
                };
                let one = running.first().filter(|_| running.len() == 1);
                if let Some(operation) = one {
                    cites.extend(operation.cites);
                }
                let operation = one.map(|operation| operation.set.0);
                (Cause::Argocd { app: app.map(str::to_owned), operation }, notes)
            }
            By::Software if !running.is_empty() => {
                let reason = "a service account wrote the Deployment while an operation of its \
                              Application touched it; Argo CD may have acted as that account";
                (undetermined(reason), Vec::new())
            }
            _ => (Cause::Hand {}, Vec::new()),
        }
    }

    fn why_no_write(&self, at: Option<Moment>) -> String {
        let audit = coverage::of(self.index.around.coverage, Channel::KubernetesAudit);
        let Some(coverage) = audit else {
            return "there is no audit log of that time".to_owned();
        };
        let none = "no audited write of the Deployment is known around that time";
        match coverage.at(at.as_ref()) {
            Ok(()) => none.to_owned(),
            Err(reason) => format!("{none}; {reason}"),
        }
    }

    /// The operations of an Application that ran at a moment; of several, those that say they
    /// touched the `Deployment`.
    fn operation(&self, key: &ObjectKey, app: &str, at: Moment) -> Vec<&Running<'_>> {
        let Some(all) = self.operations.get(app) else { return Vec::new() };
        let until = all.partition_point(|r| r.from.earliest() < at.latest());
        let ran = |r: &&Running<'_>| r.to.is_none_or(|to| at.earliest() < to.latest());
        // An operation follows upon another: what ran then is among the last few that began.
        let running: Vec<_> = all[until.saturating_sub(8)..until].iter().filter(ran).collect();
        let object = (key.namespace.clone(), key.name.clone());
        let touched: Vec<_> =
            running.iter().copied().filter(|r| r.touched.contains(&object)).collect();
        if running.len() > 1 && !touched.is_empty() { touched } else { running }
    }

    /// Pods of the `ReplicaSet` that were made while the rollout went on.
    fn pods_of(&self, set: &Version, began: Option<Moment>, end: Option<Moment>) -> Vec<String> {
        let pods = self.pods.get(set.fact.uid.as_str()).into_iter().flatten();
        let during = |created: &Moment| {
            began.is_none_or(|began| created.latest() > began.earliest())
                && end.is_none_or(|end| created.earliest() < end.latest())
        };
        let mut names: Vec<String> = pods
            .filter(|(_, created)| during(created))
            .map(|(pod, _)| pod.fact.name.clone())
            .collect();
        names.sort();
        names
    }
}

/// Whether a write may have changed the template: one with a body that says nothing of it did not.
fn asks_for_template(write: &AuditWrite) -> bool {
    let Some(body) = &write.body else { return write.verb != "delete" };
    body.leaves.more > 0 || body.leaves.under("spec.template").next().is_some()
}

/// Whether a write may have brought the images that the new template has. Another write, whose
/// version was not seen, brought them otherwise.
fn asks_for_images(write: &AuditWrite, change: &Change<'_>) -> bool {
    let images = |version: &Version| deployment(version).map(|d| d.images.clone());
    let (Some(new), Some(body)) = (images(change.version), &write.body) else { return true };
    let changed = change.before.and_then(images).is_some_and(|old| old != new);
    body.images.iter().all(|image| new.contains(image)) && !(changed && body.images.is_empty())
}

/// When the deployment controller found all pods to be of that template, and the version that says
/// so, before the template changed again.
fn complete<'v>(
    versions: &'v ObjectVersions,
    change: &Change<'_>,
    next: Option<ResourceVersion>,
) -> Option<(Moment, &'v Version)> {
    let first = change.counted.fact.resource_version;
    let generation = change.counted.fact.generation;
    let until = next.unwrap_or(ResourceVersion(u64::MAX));
    let mut later = versions.range(first..).take_while(|(number, _)| **number < until);
    let done = |version: &&Version| {
        let state = deployment(version);
        version.fact.generation >= generation && state.is_some_and(|state| state.complete)
    };
    let version = later.find_map(|(_, version)| Some(version).filter(done))?;
    Some((version.fact.not_before()?, version))
}

fn revived(set: &Version) -> Option<String> {
    let history = set.fact.annotations.revision_history.as_deref()?;
    Some(format!("the ReplicaSet of revision {history} was used again"))
}
