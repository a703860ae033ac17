//! Argo CD's projects: made, changed, their sync windows.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{NO_WRITER, SEVERAL_WRITERS, is_told, unknown};
use super::index::{By, Index};
use super::written::{Made, stamp_after};
use super::{ObjectKey, ObjectVersions};
use crate::parse::ResourceVersion;
use crate::parse::kubernetes_audit::AuditWrite;
use crate::parse::kubernetes_event_watch::{ProjectEvent, SERVER_COMPONENT};
use crate::parse::kubernetes_object_watch::{Detail, ObjectVersion, Project};
use crate::story::act::{Act, What};
use crate::story::claim::{Identity, Voice};
use crate::story::fold::Cited;

const GROUP: &str = "argoproj.io";
const BY_BODY: &str = "told from the request alone: the versions before and after were not seen";

/// The acts.
pub(super) fn acts(index: &Index<'_>) -> Vec<Act> {
    let mut told = BTreeSet::new();
    let mut acts = Vec::new();
    let events = Events::of(index);
    for (key, versions) in index.kind(GROUP, "AppProject") {
        acts.extend(of_versions(index, &events, key, versions, &mut told));
    }
    for writes in index.written() {
        for write in writes.changing() {
            let object = &write.fact.object;
            let whole = object.resource == "appprojects" && object.subresource.is_empty();
            if object.group == GROUP
                && whole
                && !told.contains(write.fact.audit_id.as_str())
                && is_told(index.by(&write.fact))
            {
                acts.extend(by_body(index, write));
            }
        }
    }
    acts.extend(events.created(index));
    acts
}

/// What Argo CD's API server says it did to a project, and for whom.
struct Events<'a>(BTreeMap<(&'a str, &'a str), Vec<&'a Cited<ProjectEvent>>>);

impl<'a> Events<'a> {
    fn of(index: &Index<'a>) -> Self {
        let mut events: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for event in index.around.facts.cluster.project_events.values() {
            let fact = &event.fact;
            if fact.component == SERVER_COMPONENT {
                let key = (fact.namespace.as_str(), fact.name.as_str());
                events.entry(key).or_default().push(event);
            }
        }
        Self(events)
    }

    /// What the server said of a project about a version: it names the one it had in hand, or the
    /// one that came of it.
    fn about(
        &self,
        key: &ObjectKey,
        versions: [ResourceVersion; 2],
    ) -> Option<&'a Cited<ProjectEvent>> {
        let events = self.0.get(&(key.namespace.as_str(), key.name.as_str()))?;
        let about = |e: &&&Cited<ProjectEvent>| {
            versions.contains(&e.fact.version) && e.fact.action == "updated project"
        };
        events.iter().find(about).copied()
    }

    /// Projects that the server made for somebody.
    fn created(&self, index: &Index<'_>) -> Vec<Act> {
        let made = self.0.values().flatten().filter(|e| e.fact.action == "created project");
        let act = |event: &&Cited<ProjectEvent>| {
            let what = What::ProjectCreated { project: event.fact.name.clone() };
            let mut act = Act::new(what, event.fact.time, Voice::Recorded, event.cites.clone());
            act.namespace = Some(event.fact.namespace.clone());
            act.who = who(index, event);
            act
        };
        made.map(act).collect()
    }
}

fn who(index: &Index<'_>, event: &Cited<ProjectEvent>) -> Option<Identity> {
    event.fact.user.as_deref().map(|user| Identity::of(user, index.around.people))
}

fn of_versions<'a>(
    index: &Index<'a>,
    events: &Events<'a>,
    key: &ObjectKey,
    versions: &'a ObjectVersions,
    told: &mut BTreeSet<&'a str>,
) -> Vec<Act> {
    let writes = index.writes([GROUP, "appprojects", &key.namespace, &key.name]);
    let mut acts = Vec::new();
    let mut before: Option<&Cited<ObjectVersion>> = None;
    for (number, version) in versions {
        let known = before.replace(version);
        let (Some(known), Detail::Project(is)) = (known, &version.fact.detail) else { continue };
        let Detail::Project(was) = &known.fact.detail else { continue };
        let later = stamp_after(Some(&known.fact), versions.range(number..).map(|(_, v)| &v.fact));
        let fits = |w: &AuditWrite| !told.contains(w.audit_id.as_str());
        let found = writes.made(Some(&known.fact), &version.fact, later, fits);
        if let Made::By(write) = found {
            told.insert(&write.fact.audit_id);
        }
        for (field, what) in edits(&key.name, was, is) {
            let found = match found {
                Made::By(write) if !may_change(&write.fact, &known.fact, &field) => Made::Several,
                found => found,
            };
            let about = events.about(key, [known.fact.resource_version, *number]);
            let Some(mut act) = act(index, what, found, version, about) else { continue };
            act.namespace = Some(key.namespace.clone());
            act.cites.extend(&known.cites);
            act.cites.extend(&version.cites);
            acts.push(act);
        }
    }
    acts
}

/// A write by Argo CD's API server was for whom its Event names; one by its controllers is told with
/// their operations.
fn act(
    index: &Index<'_>,
    what: What,
    found: Made<'_>,
    version: &Cited<ObjectVersion>,
    event: Option<&Cited<ProjectEvent>>,
) -> Option<Act> {
    match found {
        Made::By(write) => match index.by(&write.fact) {
            By::ArgocdServer => {
                let mut act = index.act(what, write);
                (act.voice, act.who) = (Voice::Recorded, event.and_then(|e| who(index, e)));
                match event {
                    Some(event) => act.cites.extend(&event.cites),
                    None => act.notes.push(
                        "written by Argo CD's API server; for whom is not in the records"
                            .to_owned(),
                    ),
                }
                Some(act)
            }
            by => is_told(by).then(|| index.act(what, write)),
        },
        Made::Several => Some(unknown(what, version, SEVERAL_WRITERS)),
        Made::Unknown => {
            let Some(event) = event else { return Some(unknown(what, version, NO_WRITER)) };
            let mut act = Act::new(what, event.fact.time, Voice::Recorded, event.cites.clone());
            act.who = who(index, event);
            Some(act)
        }
    }
}

/// Whether a write may have changed that field since the version before: a patch names it, a whole
/// object is based on that version. If not, versions were not seen, and somebody else changed it.
fn may_change(write: &AuditWrite, before: &ObjectVersion, fields: &[String]) -> bool {
    match (&write.body, write.verb.as_str()) {
        (Some(body), "patch") => fields.iter().all(|field| body.spec.contains(field)),
        (_, "update") => write.version_before.is_none_or(|based| based == before.resource_version),
        _ => true,
    }
}

/// What was edited, and which fields of the specification that is.
fn edits(project: &str, was: &Project, is: &Project) -> Vec<(Vec<String>, What)> {
    let mut edits = Vec::new();
    if was.windows != is.windows {
        let what = What::SyncWindowEdit {
            project: project.to_owned(),
            added: only_in(&is.windows, &was.windows),
            removed: only_in(&was.windows, &is.windows),
        };
        edits.push((vec!["syncWindows".to_owned()], what));
    }
    let fields: BTreeSet<&String> = was.fields.keys().chain(is.fields.keys()).collect();
    let changed: Vec<String> = fields
        .into_iter()
        .filter(|field| was.fields.get(*field) != is.fields.get(*field))
        .cloned()
        .collect();
    if !changed.is_empty() {
        let fields = changed.clone();
        edits.push((fields, What::ProjectEdit { project: project.to_owned(), changed }));
    }
    edits
}

/// The windows of one list that the other has not, or not as often.
fn only_in(windows: &[(String, String)], of_other: &[(String, String)]) -> Vec<String> {
    let mut others: Vec<&String> = of_other.iter().map(|(_, whole)| whole).collect();
    let mut only = Vec::new();
    for (short, whole) in windows {
        match others.iter().position(|other| *other == whole) {
            Some(at) => drop(others.swap_remove(at)),
            None => only.push(short.clone()),
        }
    }
    only
}

fn by_body(index: &Index<'_>, write: &Cited<AuditWrite>) -> Vec<Act> {
    let (fact, project) = (&write.fact, write.fact.object.name.clone());
    if fact.verb == "create" || fact.code == Some(201) {
        return vec![index.act(What::ProjectCreated { project }, write)];
    }
    if fact.verb.starts_with("delete") {
        let what = What::ProjectEdit { project, changed: vec!["deleted".to_owned()] };
        return vec![index.act(what, write)];
    }
    let Some(body) = fact.body.as_deref() else { return Vec::new() };
    // A whole object names all fields, whether they changed or not.
    if fact.verb == "update" {
        let mut act = index.act(What::ProjectEdit { project, changed: Vec::new() }, write);
        act.notes.push(BY_BODY.to_owned());
        return vec![act];
    }
    let (windows, fields): (Vec<&String>, Vec<&String>) =
        body.spec.iter().partition(|field| *field == "syncWindows");
    let mut whats = Vec::new();
    if !windows.is_empty() {
        let (added, removed) = (Vec::new(), Vec::new());
        whats.push(What::SyncWindowEdit { project: project.clone(), added, removed });
    }
    if !fields.is_empty() {
        let changed = fields.into_iter().cloned().collect();
        whats.push(What::ProjectEdit { project, changed });
    }
    let act = |what| {
        let mut act = index.act(what, write);
        act.notes.push(BY_BODY.to_owned());
        act
    };
    whats.into_iter().map(act).collect()
}
