//! Edits of Argo CD's own `ConfigMap`s, its RBAC first of all.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{By, Index};
use super::written::{Made, Writes, stamp_after};
use super::{ObjectKey, ObjectVersions};
use crate::parse::kubernetes_audit::AuditWrite;
use crate::parse::kubernetes_object_watch::{
    ARGOCD_RBAC, Detail, ObjectVersion, is_argocd_config, policy_lines,
};
use crate::story::act::{Act, What};
use crate::story::claim::Voice;
use crate::story::fold::Cited;

type Data = BTreeMap<String, String>;

pub(super) const NO_WRITER: &str = "who wrote it is not in the records: no audited write is known to have resulted in this version";
pub(super) const SEVERAL_WRITERS: &str =
    "who wrote it is not told: several accounts wrote the object between the versions seen";
const BY_BODY: &str = "told from the request alone: the versions before and after were not seen";

/// Whether a write is to a `ConfigMap` of Argo CD.
pub(super) fn is_argocds(index: &Index<'_>, write: &AuditWrite) -> bool {
    let object = &write.object;
    let watched = index.newest(["", "ConfigMap", &object.namespace, &object.name]);
    let label = watched.and_then(|v| v.fact.labels.part_of.as_deref());
    let label = label.or(write.body.as_ref().and_then(|b| b.part_of.as_deref()));
    let known = label == Some("argocd") || is_argocd_config(&object.name);
    known && index.is_of_argocd(&object.namespace).unwrap_or(true)
}

/// The acts: first those that a change between two versions shows, then the writes that none does.
pub(super) fn acts(index: &Index<'_>) -> Vec<Act> {
    let mut told = BTreeSet::new();
    let mut acts = Vec::new();
    for (key, versions) in index.kind("", "ConfigMap") {
        if index.is_of_argocd(&key.namespace) != Some(false) {
            acts.extend(of_versions(index, key, versions, &mut told));
        }
    }
    for writes in index.written() {
        let Some(first) = writes.iter().next() else { continue };
        let object = &first.fact.object;
        if (object.group.as_str(), object.resource.as_str()) == ("", "configmaps")
            && is_argocds(index, &first.fact)
        {
            acts.extend(of_writes(index, writes, &told));
        }
    }
    acts
}

fn of_versions<'a>(
    index: &Index<'a>,
    key: &ObjectKey,
    versions: &'a ObjectVersions,
    told: &mut BTreeSet<&'a str>,
) -> Vec<Act> {
    let writes = index.writes(["", "configmaps", &key.namespace, &key.name]);
    let mut acts = Vec::new();
    let mut before: Option<&Cited<ObjectVersion>> = None;
    for (number, version) in versions {
        let known = before.replace(version);
        let (Some(known), Detail::Config(after)) = (known, &version.fact.detail) else { continue };
        let Detail::Config(was) = &known.fact.detail else { continue };
        if was == after {
            continue;
        }
        let later = versions.range(number..).map(|(_, v)| &v.fact);
        let later = stamp_after(Some(&known.fact), later);
        let fits = |w: &AuditWrite| !told.contains(w.audit_id.as_str());
        let what = edit(&key.name, Some(was), after);
        // Recorded writes whose versions were not seen are told one by one from their bodies.
        let (last, this) = (known.fact.resource_version, version.fact.resource_version);
        if writes.between(last, this).next().is_some() {
            continue;
        }
        let mut act = match writes.made(Some(&known.fact), &version.fact, later, fits) {
            Made::By(write) => {
                told.insert(&write.fact.audit_id);
                if !is_told(index.by(&write.fact)) {
                    continue;
                }
                index.act(what, write)
            }
            Made::Several => unknown(what, version, SEVERAL_WRITERS),
            Made::Unknown => unknown(what, version, NO_WRITER),
        };
        act.namespace = Some(key.namespace.clone());
        act.cites.extend(&known.cites);
        act.cites.extend(&version.cites);
        acts.push(act);
    }
    acts
}

/// Argo CD's own writes are told with its operations.
pub(super) fn is_told(by: By) -> bool {
    matches!(by, By::Other | By::Software)
}

/// An act that only a watch shows. A field manager's name is the client's own word, so it names
/// nobody.
pub(super) fn unknown(what: What, version: &Cited<ObjectVersion>, why: &str) -> Act {
    let at = version.fact.not_before();
    let mut act = Act::new(what, at, Voice::Recorded, version.cites.clone());
    act.notes.push(why.to_owned());
    act
}

fn edit(name: &str, before: Option<&Data>, after: &Data) -> What {
    let name = name.to_owned();
    if name == ARGOCD_RBAC {
        let was = before.map(policy_lines).unwrap_or_default();
        let is = policy_lines(after);
        return What::ArgocdRbacEdit {
            name,
            granted: is.difference(&was).cloned().collect(),
            removed: was.difference(&is).cloned().collect(),
        };
    }
    let was = before.cloned().unwrap_or_default();
    let keys: BTreeSet<&String> = was.keys().chain(after.keys()).collect();
    let changed = keys.into_iter().filter(|key| was.get(*key) != after.get(*key));
    What::ArgocdConfigEdit { name, changed: changed.cloned().collect() }
}

fn is_made(write: &AuditWrite) -> bool {
    write.verb == "create" || write.code == Some(201)
}

/// The data as the recorded writes leave it, as far as they say.
#[derive(Default)]
struct Replayed(Option<Data>);

impl Replayed {
    fn apply(&mut self, write: &AuditWrite) {
        let Some(body) = &write.body else {
            self.0 = None;
            return;
        };
        if is_made(write) || write.verb == "update" {
            self.0 = Some(Data::new());
        }
        let Some(data) = &mut self.0 else { return };
        for (key, value) in &body.data {
            match value {
                Some(value) => drop(data.insert(key.clone(), value.clone())),
                None => drop(data.remove(key)),
            }
        }
    }
}

/// Writes that no pair of versions shows: the watch was not there, or began after them.
fn of_writes(index: &Index<'_>, writes: &Writes<'_>, told: &BTreeSet<&str>) -> Vec<Act> {
    let (mut acts, mut data) = (Vec::new(), Replayed::default());
    for write in writes.iter() {
        let fact = &write.fact;
        // Before it was made there was nothing.
        let before = if is_made(fact) { Some(Data::new()) } else { data.0.clone() };
        data.apply(fact);
        let watched = index.newest(["", "ConfigMap", &fact.object.namespace, &fact.object.name]);
        if told.contains(fact.audit_id.as_str())
            || !is_told(index.by(fact))
            || writes.is_idle(write)
            || index.installs_argocd(fact, watched.map(|v| &v.fact))
        {
            continue;
        }
        acts.push(by_body(index, write, before.as_ref(), data.0.as_ref()));
    }
    acts
}

fn by_body(
    index: &Index<'_>,
    write: &Cited<AuditWrite>,
    before: Option<&Data>,
    after: Option<&Data>,
) -> Act {
    let name = &write.fact.object.name;
    let deleted = write.fact.verb.starts_with("delete");
    let what = match (before, after) {
        (Some(before), Some(after)) => edit(name, Some(before), after),
        (Some(before), None) if deleted => edit(name, Some(before), &Data::new()),
        _ if name == ARGOCD_RBAC => {
            What::ArgocdRbacEdit { name: name.clone(), granted: Vec::new(), removed: Vec::new() }
        }
        _ => {
            let keys = write.fact.body.iter().flat_map(|b| b.data.keys().cloned());
            What::ArgocdConfigEdit { name: name.clone(), changed: keys.collect() }
        }
    };
    let mut act = index.act(what, write);
    act.notes.push(if deleted { "deleted".to_owned() } else { BY_BODY.to_owned() });
    if before.is_none() && name == ARGOCD_RBAC {
        act.notes.push(
            "which rights it granted or took is not told: nothing before it is known".to_owned(),
        );
    }
    act
}
