//! Drift: the live state left a desired one that had not moved.
//!
//! | kind | shown by |
//! |---|---|
//! | visible | Argo CD calls the Application out of sync, against the same commit as before |
//! | invisible | an audited write put a field there that is neither in git nor in last-applied: no difference to Argo CD (`argoproj/gitops-engine` `pkg/diff`, three-way), and a sync does not remove it |
//!
//! An Application that is out of sync because git moved on has not drifted.

use std::collections::BTreeSet;

use super::Around;
use super::act::{Act, DriftClass, What};
use super::claim::{Identity, Voice, acting, is_machine};
use super::fold::{Cited, Versions};
use super::initiator::Initiator;
use super::operation::{Applied, Kind, Operation};
use super::state::{StateChange, StateKind};
use super::wire::Cites;
use crate::parse::argocd_application_watch::{ApplicationVersion, LiveObject};
use crate::parse::kubernetes_audit::AuditWrite;
use crate::time::Moment;

mod invisible;

/// All drift, of both kinds.
pub(crate) fn acts(
    around: Around<'_>,
    operations: &[Operation],
    changes: &[StateChange],
    acts: &[Act],
) -> Vec<Act> {
    let of_sync = |c: &&StateChange| c.what == StateKind::Sync;
    let left = |c: &&StateChange| {
        c.from.as_deref() == Some("Synced") && c.to.as_deref() == Some("OutOfSync")
    };
    let visible = changes.iter().filter(of_sync).filter(left);
    let mut drift: Vec<Act> =
        visible.filter_map(|change| one(around, operations, changes, change)).collect();
    drift.extend(invisible::acts(around, operations, acts, &drift));
    drift
}

/// The drift that begins with a change of state; `None` when the desired state had moved.
fn one(
    around: Around<'_>,
    operations: &[Operation],
    changes: &[StateChange],
    change: &StateChange,
) -> Option<Act> {
    let versions = around.facts.applications.get(&change.app.uid)?;
    let after = versions.get(&change.version)?;
    let before = versions.range(..change.version).next_back()?.1;
    let (was, is) = (&before.fact, &after.fact);
    if was.sync_revision != is.sync_revision || was.target_revision != is.target_revision {
        return None;
    }
    let mut drift = Drift::new(is);
    let edited = drift.by_hand(around, versions, change, is);
    drift.by_operation(operations, change, is, edited);
    let end = end(changes, change);
    let at = match (change.at, end.and_then(|e| e.at)) {
        (Some(from), Some(to)) => Some(Moment::between(from, to)),
        (from, _) => from,
    };
    let mut cites = change.cites.clone();
    cites.extend(&drift.cites);
    if let Some(end) = end {
        cites.extend(&end.cites);
    }
    let what = What::Drift {
        version: Some(change.version.0),
        class: drift.class,
        objects: drift.objects.into_iter().collect(),
        actors: drift.actors.into_iter().collect(),
        state: change.from.clone().zip(change.to.clone()),
        ended: end.is_some(),
    };
    let mut act = Act::new(what, at, Voice::Recorded, cites);
    act.app = Some(change.app.name.clone());
    act.namespace.clone_from(&change.app.destination_namespace);
    act.notes = drift.notes;
    Some(act)
}

/// The change of state that ends it.
fn end<'s>(changes: &'s [StateChange], from: &StateChange) -> Option<&'s StateChange> {
    let of_app = |c: &&StateChange| c.app.uid == from.app.uid && c.what == StateKind::Sync;
    let later = |c: &&StateChange| c.version > from.version && c.to.as_deref() == Some("Synced");
    changes.iter().filter(of_app).filter(later).min_by_key(|c| c.version)
}

/// What is known of one drift.
struct Drift {
    class: DriftClass,
    objects: BTreeSet<String>,
    actors: BTreeSet<Identity>,
    notes: Vec<String>,
    cites: Cites,
}

impl Drift {
    fn new(version: &ApplicationVersion) -> Self {
        let objects = version.out_of_sync.iter().map(|o| format!("{}/{}", o.kind, o.name));
        Self {
            class: DriftClass::Undetermined,
            objects: objects.collect(),
            actors: BTreeSet::new(),
            notes: Vec::new(),
            cites: Cites::default(),
        }
    }

    /// The last operation that applied something applied something else than what is compared, and
    /// no edit of the objects came after it.
    fn by_operation(
        &mut self,
        operations: &[Operation],
        change: &StateChange,
        version: &ApplicationVersion,
        edited: Option<Moment>,
    ) {
        let of_app = |o: &&Operation| {
            o.app.uid == change.app.uid
                && o.set.version() < change.version
                && o.kind != Kind::DryRun
                && !matches!(o.applied, Applied::Nothing | Applied::Tried(_))
        };
        let last = operations.iter().filter(of_app).max_by_key(|o| o.set.version());
        let Some(last) = last else { return };
        let other = last.revision.is_some() && last.revision != version.sync_revision;
        let overtaken =
            edited.is_some_and(|at| last.from().is_none_or(|from| from.earliest() <= at.latest()));
        if overtaken || (!other && last.kind != Kind::LocalManifests) {
            return;
        }
        // Git moving on without touching the Application makes revisions differ, and no drift.
        if last.automated {
            return;
        }
        self.class = DriftClass::OtherRevision;
        self.actors.clear();
        self.notes.clear();
        self.cites.extend(&last.cites);
        match &last.initiator {
            Initiator::Determined { who, .. } => drop(self.actors.insert(who.clone())),
            Initiator::Contradicted { writer, .. } => {
                self.actors.insert(writer.acting().clone());
            }
            other => self.notes.push(format!(
                "the operation of version {} that brought it about: {}",
                last.set.version(),
                why_nobody(other)
            )),
        }
    }

    /// Writes by people to the very objects that differ, since the Application was last in sync.
    fn by_hand(
        &mut self,
        around: Around<'_>,
        versions: &Versions,
        change: &StateChange,
        version: &ApplicationVersion,
    ) -> Option<Moment> {
        let mut edited: Option<Moment> = None;
        let since = in_sync_since(versions, change);
        for object in &version.out_of_sync {
            let before = |w: &&Cited<AuditWrite>| {
                since.is_none_or(|since| w.fact.time.latest() >= since.earliest())
                    && change.at.is_none_or(|at| w.fact.time.earliest() <= at.latest())
            };
            // The last one made the object what it is.
            let last =
                writes_to(around, object).filter(before).max_by_key(|w| w.fact.time.latest());
            if let Some(write) = last {
                let time = write.fact.time;
                edited = Some(edited.map_or(time, |known: Moment| known.max(time)));
                self.class = DriftClass::LiveEdit;
                self.actors.insert(Identity::of(acting(&write.fact), around.people));
                self.cites.extend(&write.cites);
            }
        }
        if self.class == DriftClass::Undetermined {
            self.notes.push("no audited write to the objects that differ is known".to_owned());
        }
        edited
    }
}

fn why_nobody(initiator: &Initiator) -> &'static str {
    match initiator {
        Initiator::Automated { .. } => "automated",
        Initiator::Machine { .. } => "no human in the record",
        _ => "its initiator is undetermined",
    }
}

/// A time at which the period in sync had begun: an earlier write cannot be the cause.
fn in_sync_since(versions: &Versions, change: &StateChange) -> Option<Moment> {
    let before = versions.range(..change.version).rev();
    let synced = before.take_while(|(_, v)| v.fact.sync_status.as_deref() == Some("Synced"));
    synced.last().and_then(|(_, v)| v.fact.not_before)
}

/// Whether an account that is no software of the cluster wrote it, and the write succeeded.
pub(super) fn is_by_hand(write: &AuditWrite) -> bool {
    write.succeeded() && !is_machine(acting(write))
}

/// Whether a write was to that object, or to a part of it such as its scale.
pub(super) fn is_of(write: &AuditWrite, object: &LiveObject) -> bool {
    let written = &write.object;
    written.name == object.name
        && written.namespace == object.namespace
        && is_plural(&written.resource, &object.kind)
}

/// Whether `resource` is the plural of `kind`, as Kubernetes builds it
/// (`kubernetes/apimachinery` `pkg/api/meta/restmapper.go`, `UnsafeGuessKindToResource`).
fn is_plural(resource: &str, kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let plural = match kind.as_bytes().last() {
        Some(b's') => format!("{kind}es"),
        Some(b'y') => format!("{}ies", &kind[..kind.len() - 1]),
        _ => format!("{kind}s"),
    };
    resource == plural
}

/// The writes to one object by people, in order of time.
pub(super) fn writes_to<'f>(
    around: Around<'f>,
    object: &'f LiveObject,
) -> impl Iterator<Item = &'f Cited<AuditWrite>> {
    around.facts.writes.values().filter(|w| is_by_hand(&w.fact) && is_of(&w.fact, object))
}
