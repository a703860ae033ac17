//! Drift: the live state left a desired one that had not moved.
//!
//! | kind | shown by |
//! |---|---|
//! | visible | Argo CD calls the Application out of sync, against the same commit as before |
//! | invisible | an audited write put a field there that is neither in git nor in last-applied: no difference to Argo CD (`argoproj/gitops-engine` `pkg/diff`, three-way), and a sync does not remove it |
//!
//! An Application that is out of sync because git moved on has not drifted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Around;
use super::act::{Act, DriftClass, What};
use super::claim::{Identity, Voice, acting, is_machine};
use super::fold::{Cited, Versions};
use super::initiator::Initiator;
use super::operation::{Applied, Kind, Operation};
use super::state::{StateChange, StateKind};
use super::timed::Timed;
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
    let known = Known { around, operations, changes, by_hand: ByHand::of(around) };
    let mut drift: Vec<Act> = visible.filter_map(|change| one(&known, change)).collect();
    drift.extend(invisible::acts(around, operations, acts, &drift));
    drift
}

/// The drift that begins with a change of state; `None` when the desired state had moved.
fn one(known: &Known<'_>, change: &StateChange) -> Option<Act> {
    let versions = known.around.facts.applications.get(&change.app.uid)?;
    let after = versions.get(&change.version)?;
    let before = versions.range(..change.version).next_back()?.1;
    let (was, is) = (&before.fact, &after.fact);
    if was.sync_revision != is.sync_revision || was.target_revision != is.target_revision {
        return None;
    }
    let mut drift = Drift::new(is);
    let edited = drift.by_hand(known, versions, change, is);
    drift.by_operation(known, change, is, edited);
    let end = known.end(change);
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

/// What drift is told from.
struct Known<'a> {
    around: Around<'a>,
    /// Ordered by Application and version.
    operations: &'a [Operation],
    /// Ordered by Application and version.
    changes: &'a [StateChange],
    by_hand: ByHand<'a>,
}

impl<'a> Known<'a> {
    /// The change of state that ends it.
    fn end(&self, from: &StateChange) -> Option<&'a StateChange> {
        let until = (from.app.uid.as_str(), from.version);
        let start = self.changes.partition_point(|c| (c.app.uid.as_str(), c.version) <= until);
        let later = &self.changes[start..];
        let mut of_app = later.iter().take_while(|c| c.app.uid == from.app.uid);
        of_app.find(|c| c.what == StateKind::Sync && c.to.as_deref() == Some("Synced"))
    }

    /// The last operation before it that applied something.
    fn last_applied(&self, change: &StateChange) -> Option<&'a Operation> {
        let uid = change.app.uid.as_str();
        let before = |o: &Operation| (o.app.uid.as_str(), o.set.version()) < (uid, change.version);
        let until = self.operations.partition_point(before);
        let of_app = self.operations[..until].iter().rev().take_while(|o| o.app.uid == uid);
        let applied = |o: &&Operation| {
            o.kind != Kind::DryRun && !matches!(o.applied, Applied::Nothing | Applied::Tried(_))
        };
        of_app.into_iter().find(applied)
    }
}

/// Writes by hand, by namespace and name of the object.
struct ByHand<'a>(BTreeMap<(&'a str, &'a str), Timed<Numbered<'a>>>);

/// A write, with its place among those to objects of one name.
type Numbered<'a> = (usize, &'a Cited<AuditWrite>);

impl<'a> ByHand<'a> {
    fn of(around: Around<'a>) -> Self {
        let mut by_name: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for write in around.facts.writes.values().filter(|w| is_by_hand(&w.fact)) {
            let object = &write.fact.object;
            let key = (object.namespace.as_str(), object.name.as_str());
            let writes = by_name.entry(key).or_default();
            writes.push((write.fact.time, (writes.len(), write)));
        }
        Self(by_name.into_iter().map(|(key, writes)| (key, Timed::of(writes))).collect())
    }

    /// The last write to an object between two moments, as far as they are known.
    fn last(
        &self,
        object: &LiveObject,
        since: Option<Moment>,
        until: Option<Moment>,
    ) -> Option<&'a Cited<AuditWrite>> {
        let writes = self.0.get(&(object.namespace.as_str(), object.name.as_str()))?;
        let since = since.map_or(Timestamp::MIN, |at| at.earliest());
        let until = until.map_or(Timestamp::MAX, |at| at.latest());
        let to_object = writes.within(since, until).filter(|(_, w)| is_of(&w.fact, object));
        to_object.max_by_key(|(place, w)| (w.fact.time.latest(), *place)).map(|(_, write)| write)
    }
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
        known: &Known<'_>,
        change: &StateChange,
        version: &ApplicationVersion,
        edited: Option<Moment>,
    ) {
        let Some(last) = known.last_applied(change) else { return };
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
        known: &Known<'_>,
        versions: &Versions,
        change: &StateChange,
        version: &ApplicationVersion,
    ) -> Option<Moment> {
        let mut edited: Option<Moment> = None;
        let since = in_sync_since(versions, change);
        for object in &version.out_of_sync {
            // The last one made the object what it is.
            let last = known.by_hand.last(object, since, change.at);
            if let Some(write) = last {
                let time = write.fact.time;
                edited = Some(edited.map_or(time, |at: Moment| at.max(time)));
                self.class = DriftClass::LiveEdit;
                self.actors.insert(Identity::of(acting(&write.fact), known.around.people));
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
