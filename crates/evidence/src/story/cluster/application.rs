//! Applications: made, deleted, and their specification changed otherwise than by Argo CD itself.

use std::collections::{BTreeMap, BTreeSet};

use super::index::{By, Index};
use crate::parse::argocd_application_watch::ApplicationVersion;
use crate::parse::kubernetes_audit::AuditWrite;
use crate::parse::kubernetes_event_watch::{ArgoAct, ArgoEvent, SERVER_COMPONENT};
use crate::parse::leaves::Leaves;
use crate::story::act::{Act, What};
use crate::story::claim::{Identity, Voice};
use crate::story::fold::{Cited, Versions};
use crate::time::Moment;

/// Seconds by which an Event may lie off the version that it is about.
const NEAR_SECONDS: i64 = 2;

type Events<'a> = BTreeMap<&'a str, Vec<&'a Cited<ArgoEvent>>>;

/// The acts.
pub(super) fn acts(index: &Index<'_>) -> Vec<Act> {
    let mut told = BTreeSet::new();
    let mut acts = Vec::new();
    let events = edits_by_server(index);
    for versions in index.around.facts.applications.values() {
        acts.extend(of_versions(index, &events, versions, &mut told));
    }
    for writes in index.written() {
        for write in writes.changing().filter(|w| w.fact.is_application()) {
            if !told.contains(write.fact.audit_id.as_str()) {
                acts.extend(by_body(index, write));
            }
        }
    }
    acts.extend(by_server(index));
    acts
}

fn server_events<'a>(index: &Index<'a>) -> impl Iterator<Item = &'a Cited<ArgoEvent>> + use<'a> {
    let events = index.around.facts.events.values();
    events.filter(|event| event.fact.component == SERVER_COMPONENT)
}

/// Edits by Argo CD's API server, by the Application's uid and in the order of versions.
fn edits_by_server<'a>(index: &Index<'a>) -> Events<'a> {
    let mut events: Events<'a> = BTreeMap::new();
    for event in server_events(index).filter(|e| e.fact.act == ArgoAct::SpecUpdated) {
        events.entry(&event.fact.application_uid).or_default().push(event);
    }
    for of_one in events.values_mut() {
        of_one.sort_by_key(|event| event.fact.application_version);
    }
    events
}

/// Applications made and deleted through Argo CD's API server.
fn by_server(index: &Index<'_>) -> Vec<Act> {
    let act = |event: &Cited<ArgoEvent>| {
        let what = match event.fact.act {
            ArgoAct::Created => What::ApplicationsCreated {},
            ArgoAct::Deleted => What::ApplicationsDeleted {},
            _ => return None,
        };
        let mut act = Act::new(what, event.fact.time, Voice::Recorded, event.cites.clone());
        act.app = Some(event.fact.name.clone());
        act.namespace = Some(event.fact.namespace.clone());
        act.who = who(index, event);
        Some(act)
    };
    server_events(index).filter_map(act).collect()
}

fn who(index: &Index<'_>, event: &Cited<ArgoEvent>) -> Option<Identity> {
    event.fact.user.as_deref().map(|user| Identity::of(user, index.around.people))
}

fn of_versions<'a>(
    index: &Index<'a>,
    events: &Events<'a>,
    versions: &'a Versions,
    told: &mut BTreeSet<&'a str>,
) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut before: Option<&Cited<ApplicationVersion>> = None;
    for version in versions.values() {
        let known = before.replace(version);
        let Some(known) = known.filter(|known| known.fact.spec != version.fact.spec) else {
            continue;
        };
        let fact = &version.fact;
        let writes = index.writes(["argoproj.io", "applications", &fact.namespace, &fact.name]);
        let write = writes.maker(fact.resource_version);
        told.extend(write.map(|w| w.fact.audit_id.as_str()));
        let changed = changed(&known.fact.spec, &fact.spec, write.map(|w| &w.fact));
        if changed.is_empty() {
            continue;
        }
        let what = What::ApplicationSpecEdit { changed };
        let Some(mut act) = act(index, events, what, write, (&known.fact, fact)) else { continue };
        act.app = Some(fact.name.clone());
        act.namespace = Some(fact.namespace.clone());
        act.cites.extend(&known.cites);
        act.cites.extend(&version.cites);
        acts.push(act);
    }
    acts
}

/// Of a change that neither the audit log nor Argo CD's API server tells of, it is not known
/// whether Argo CD made it itself, as the parent of an Application does: it is no act then.
fn act(
    index: &Index<'_>,
    events: &Events<'_>,
    what: What,
    write: Option<&Cited<AuditWrite>>,
    versions: (&ApplicationVersion, &ApplicationVersion),
) -> Option<Act> {
    let event = || event(events, versions, write.map(|w| w.fact.time));
    match (write, write.map(|w| index.by(&w.fact))) {
        (Some(write), Some(By::ArgocdServer)) => {
            let mut act = index.act(what, write);
            let event = event();
            // Without an Event only a write based on the version before surely made the change.
            if event.is_none() && write.fact.version_before != Some(versions.0.resource_version) {
                return None;
            }
            act.voice = Voice::Recorded;
            act.who = event.and_then(|e| who(index, e));
            match event {
                Some(event) => act.cites.extend(&event.cites),
                None => act.notes.push(
                    "written by Argo CD's API server; for whom is not in the records".to_owned(),
                ),
            }
            Some(act)
        }
        (Some(write), Some(By::Other | By::Software)) => {
            let based = write.fact.version_before;
            let unseen = based.is_some_and(|based| based != versions.0.resource_version);
            (!unseen || write.fact.verb == "patch").then(|| index.act(what, write))
        }
        (Some(_), _) => None,
        (None, _) => {
            let event = event()?;
            let mut act = Act::new(what, event.fact.time, Voice::Recorded, event.cites.clone());
            act.who = who(index, event);
            act.notes.push("no audited write of this version is known".to_owned());
            Some(act)
        }
    }
}

/// The server's Event names the version that it had in hand, which is the one before or, if the
/// watch left some out, an older one.
fn event<'a>(
    events: &Events<'a>,
    (before, after): (&ApplicationVersion, &ApplicationVersion),
    write: Option<Moment>,
) -> Option<&'a Cited<ArgoEvent>> {
    let of_one = events.get(after.uid.as_str())?;
    let until = of_one.partition_point(|e| e.fact.application_version < after.resource_version);
    let event = of_one[..until].last()?;
    let exact = event.fact.application_version == before.resource_version;
    let at = write.or(after.not_before);
    let near = at.zip(event.fact.time).is_some_and(|(at, time)| {
        let apart = |x: Moment, y: Moment| x.earliest().duration_since(y.latest()).as_secs();
        apart(at, time) <= NEAR_SECONDS && apart(time, at) <= NEAR_SECONDS
    });
    (exact || near).then_some(*event)
}

/// `path: before -> after`. Of a patch only what it names: where versions were not seen, the rest
/// was changed by somebody else.
fn changed(before: &Leaves, after: &Leaves, write: Option<&AuditWrite>) -> Vec<String> {
    let body = write.filter(|w| w.verb == "patch").and_then(|w| w.body.as_deref());
    let names = |path: &str| {
        body.is_none_or(|body| {
            let path = format!("spec.{path}");
            let above = |(named, _): &(String, String)| {
                path.strip_prefix(named.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            body.leaves.more > 0
                || body.leaves.known.iter().any(above)
                || body.leaves.under(&path).next().is_some()
        })
    };
    let paths = before.known.iter().chain(&after.known).map(|(path, _)| path.as_str());
    let paths: BTreeSet<&str> = paths.collect();
    let mut changed = Vec::new();
    for path in paths {
        let (was, is) = (before.get(path), after.get(path));
        if was != is && names(path) {
            changed.push(format!("{path}: {} -> {}", was.unwrap_or("none"), is.unwrap_or("none")));
        }
    }
    if before.more != after.more && body.is_none() {
        changed.push("more than is kept of a specification".to_owned());
    }
    changed
}

fn by_body(index: &Index<'_>, write: &Cited<AuditWrite>) -> Option<Act> {
    let fact = &write.fact;
    if !matches!(index.by(fact), By::Other | By::Software) {
        return None;
    }
    let mut notes = Vec::new();
    let what = if fact.verb == "create" || fact.code == Some(201) {
        What::ApplicationsCreated {}
    } else if fact.verb.starts_with("delete") {
        What::ApplicationsDeleted {}
    } else {
        // A whole object has a specification whether it changed or not.
        let body = fact.body.as_deref().filter(|b| fact.verb == "patch" && !b.spec.is_empty())?;
        // The versions were seen, and none of them has another specification.
        let uid = fact.object.uid.as_deref();
        let seen = uid.and_then(|uid| index.around.facts.applications.get(uid));
        if seen.zip(fact.resulting_version).is_some_and(|(seen, v)| seen.contains_key(&v)) {
            return None;
        }
        notes.push("told from the request alone: the versions before and after were not seen");
        let asked = body.leaves.under("spec");
        What::ApplicationSpecEdit {
            changed: asked.map(|(path, value)| format!("{path}: {value}")).collect(),
        }
    };
    let mut act = index.act(what, write);
    act.app = Some(fact.object.name.clone());
    act.notes.extend(notes.into_iter().map(str::to_owned));
    Some(act)
}
