//! Drift that Argo CD cannot see: a field set by hand that is neither in git nor in last-applied.

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
    let rollouts: Vec<&Act> = acts.iter().filter(|a| matches!(a.what, What::Rollout(_))).collect();
    let mut drift = Vec::new();
    for edit in edits {
        let (Some(app), Some(at)) = (&edit.app, &edit.at) else { continue };
        let seen = visible.iter().any(|act| act.app.as_ref() == Some(app) && explains(act, at));
        let Some((brought, before)) = brought(edit, at, &rollouts) else { continue };
        if seen || is_end(brought, &rollouts) || !is_in_sync(operations, app) {
            continue;
        }
        drift.push(one(around, edit, at, brought, before, &rollouts));
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

/// Without an operation of the Application nothing says what its desired state was.
fn is_in_sync(operations: &[Operation], app: &str) -> bool {
    operations.iter().any(|o| o.app.name == app)
}

/// The rollout that an edit brought, and the one before it.
fn brought<'a>(
    edit: &Act,
    at: &Moment,
    rollouts: &[&'a Act],
) -> Option<(&'a Act, Option<&'a Act>)> {
    let same = of_workload(rollouts, edit.namespace.as_deref(), name(edit)?);
    let cites = |r: &Act| edit.cites.iter().any(|c| r.cites.iter().any(|other| other == c));
    let position = same.iter().position(|r| cites(r)).or_else(|| {
        let after = |r: &&Act| r.at.is_some_and(|t| t.sequence(at) != Sequence::Before);
        same.iter().position(after).filter(|_| edit.who.is_some())
    })?;
    Some((same[position], position.checked_sub(1).map(|before| same[before])))
}

fn of_workload<'a>(rollouts: &[&'a Act], namespace: Option<&str>, name: &str) -> Vec<&'a Act> {
    let of = |r: &&&Act| {
        matches!(&r.what, What::Rollout(rollout) if rollout.name == name)
            && r.namespace.as_deref() == namespace
    };
    let mut same: Vec<&Act> = rollouts.iter().filter(of).copied().collect();
    same.sort_by_key(|r| match &r.what {
        What::Rollout(rollout) => rollout.deployment_revision,
        _ => 0,
    });
    same
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
fn is_end(brought: &Act, rollouts: &[&Act]) -> bool {
    let What::Rollout(rollout) = &brought.what else { return false };
    let same = of_workload(rollouts, brought.namespace.as_deref(), &rollout.name);
    let earlier = same.iter().take_while(|r| **r != brought);
    let set = replica_set(brought);
    set.is_some() && earlier.clone().any(|r| replica_set(r) == set)
}

fn one(
    around: Around<'_>,
    edit: &Act,
    at: &Moment,
    brought: &Act,
    before: Option<&Act>,
    rollouts: &[&Act],
) -> Act {
    let rolled = name(edit).unwrap_or_default();
    let same = of_workload(rollouts, edit.namespace.as_deref(), rolled);
    let later = same.iter().skip_while(|r| **r != brought).skip(1);
    let set = before.and_then(replica_set);
    // The template from before the edit runs again, or Argo CD wrote another one.
    let end = later.clone().find(|r| set.is_some() && replica_set(r) == set);
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
