//! Drift that Argo CD cannot see: a field set by hand that is neither in git nor in last-applied.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::Cite;
use crate::story::Around;
use crate::story::act::{Act, DriftClass, What};
use crate::story::operation::Operation;
use crate::time::{Moment, Sequence};

/// Seconds within which Argo CD shows a difference that it can see: its watch of live objects
/// refreshes the Application at once, and a refresh takes this long at the most under load.
const SHOWN_WITHIN_SECONDS: i64 = 60;

/// Edits by hand of a deployed workload that brought new pods, and that no drift in sight explains.
pub(super) fn acts(
    around: Around<'_>,
    operations: &[Operation],
    acts: &[Act],
    visible: &[Act],
) -> Vec<Act> {
    let edits = acts.iter().filter(|act| {
        matches!(&act.what, What::WorkloadEdit { restart: false, verb, .. } if verb != "create")
    });
    let rollouts = Rollouts::of(acts);
    let mut seen: BTreeMap<&str, Vec<&Act>> = BTreeMap::new();
    for act in visible {
        if let Some(app) = &act.app {
            seen.entry(app).or_default().push(act);
        }
    }
    // Without an operation of the Application nothing says what its desired state was.
    let operated: BTreeSet<&str> = operations.iter().map(|o| o.app.name.as_str()).collect();
    let mut drift = Vec::new();
    for edit in edits {
        let (Some(app), Some(at)) = (&edit.app, &edit.at) else { continue };
        let Some(of_workload) = rollouts.of_edited(edit) else { continue };
        let Some((position, brought)) = brought(edit, at, of_workload) else { continue };
        let of_app = seen.get(app.as_str()).into_iter().flatten();
        if is_end(brought, &of_workload.in_order[..position])
            || !operated.contains(app.as_str())
            || of_app.into_iter().any(|drift| explains(drift, at))
        {
            continue;
        }
        drift.push(one(around, edit, at, position, &of_workload.in_order));
    }
    drift
}

/// Whether a drift in sight began with the edit or was there already.
fn explains(drift: &Act, edit: &Moment) -> bool {
    let Some(at) = &drift.at else { return true };
    let after = at.earliest().duration_since(edit.earliest()).as_secs();
    let ended = matches!(drift.what, What::Drift { ended: true, .. });
    let during = at.earliest() <= edit.latest() && (!ended || edit.earliest() <= at.latest());
    during || (-1..=SHOWN_WITHIN_SECONDS).contains(&after)
}

/// The rollouts of each workload, by namespace and name.
struct Rollouts<'a>(BTreeMap<(Option<&'a str>, &'a str), OfWorkload<'a>>);

/// The rollouts of one workload.
#[derive(Default)]
struct OfWorkload<'a> {
    /// In the order of their revisions.
    in_order: Vec<&'a Act>,
    /// Where the first stands that cites a record.
    citing: BTreeMap<&'a Cite, usize>,
}

impl<'a> Rollouts<'a> {
    fn of(acts: &'a [Act]) -> Self {
        let mut by_name: BTreeMap<_, OfWorkload<'a>> = BTreeMap::new();
        for act in acts {
            if let What::Rollout(rollout) = &act.what {
                let key = (act.namespace.as_deref(), rollout.name.as_str());
                by_name.entry(key).or_default().in_order.push(act);
            }
        }
        for of_workload in by_name.values_mut() {
            of_workload.in_order.sort_by_key(|act| match &act.what {
                What::Rollout(rollout) => rollout.deployment_revision,
                _ => 0,
            });
            for (position, act) in of_workload.in_order.iter().enumerate() {
                for cite in act.cites.iter() {
                    of_workload.citing.entry(cite).or_insert(position);
                }
            }
        }
        Self(by_name)
    }

    /// Those of the workload that an edit was to.
    fn of_edited<'s>(&'s self, edit: &'s Act) -> Option<&'s OfWorkload<'a>> {
        let rollouts: &BTreeMap<(Option<&'s str>, &'s str), OfWorkload<'a>> = &self.0;
        rollouts.get(&(edit.namespace.as_deref(), name(edit)?))
    }
}

/// The rollout that an edit brought, and its place.
fn brought<'a>(edit: &Act, at: &Moment, of: &OfWorkload<'a>) -> Option<(usize, &'a Act)> {
    let citing = edit.cites.iter().filter_map(|cite| of.citing.get(cite).copied()).min();
    let position = citing.or_else(|| {
        let after = |r: &&Act| r.at.is_some_and(|t| t.sequence(at) != Sequence::Before);
        of.in_order.iter().position(after).filter(|_| edit.who.is_some())
    })?;
    Some((position, of.in_order[position]))
}

fn name(edit: &Act) -> Option<&str> {
    match &edit.what {
        What::WorkloadEdit { name, .. } => Some(name),
        _ => None,
    }
}

fn replica_set(rollout: &Act) -> Option<&str> {
    match &rollout.what {
        What::Rollout(rollout) => rollout.replica_set.as_deref(),
        _ => None,
    }
}

/// Whether a rollout went back to a template that had run before an edit by hand: then the edit
/// undid another.
fn is_end(brought: &Act, earlier: &[&Act]) -> bool {
    let set = replica_set(brought);
    set.is_some() && earlier.iter().any(|r| replica_set(r) == set)
}

fn one(around: Around<'_>, edit: &Act, at: &Moment, position: usize, of_workload: &[&Act]) -> Act {
    let (before, later) = (&of_workload[..position], &of_workload[position + 1..]);
    let (rolled, brought) = (name(edit).unwrap_or_default(), of_workload[position]);
    let set = before.last().and_then(|before| replica_set(before));
    // The template from before the edit runs again, or Argo CD wrote another one.
    let end = later.iter().find(|r| set.is_some() && replica_set(r) == set);
    let mut cites = edit.cites.clone();
    cites.extend(&brought.cites);
    let during = match end {
        Some(end) => {
            cites.extend(&end.cites);
            end.at.map_or(*at, |end| Moment::between(*at, end))
        }
        None => *at,
    };
    let kind = match &edit.what {
        What::WorkloadEdit { object_kind, .. } => object_kind.as_str(),
        _ => "",
    };
    let what = What::Drift {
        version: None,
        class: DriftClass::Invisible,
        objects: vec![format!("{kind}/{rolled}")],
        actors: edit.who.clone().into_iter().collect(),
        state: None,
        ended: end.is_some(),
    };
    let mut act = Act::new(what, Some(during), edit.voice, cites);
    act.app.clone_from(&edit.app);
    act.namespace.clone_from(&edit.namespace);
    act.notes.push(not_reported(around));
    act
}

fn not_reported(around: Around<'_>) -> String {
    let watch = crate::channel::Channel::ArgocdApplicationWatch.id();
    let complete = around.coverage.iter().any(|c| c.channel == watch && c.is_whole());
    if complete {
        "Argo CD reported no difference: to it, a field that is neither in git nor in last-applied is none".to_owned()
    } else {
        "whether Argo CD reported a difference is not known: its watch is missing or broke off"
            .to_owned()
    }
}
