//! Whether the same images ran in the environment before.

use std::collections::{BTreeMap, BTreeSet};

use super::asked::{Asked, covers, environments};
use super::framework::{ISO_8_31, NIST_CM_3_2, PCI_6_5_1, PCI_6_5_3, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, not_met, open};
use crate::channel::Channel;
use crate::story::act::{Act, Rollout, What};
use crate::time::Sequence;

/// No environment skipped.
pub const CONTROL: Control = Control {
    id: "change-skips-environment",
    condition: "same images ran in the environment before",
    statement: "What was rolled out had run, as the same images of the same workload, in the environment that comes before in the order of promotion.",
    asks: "Where was this version tested before it went to production?",
    fix: "Promote in the order of environments; let the gate ask for a rollout in the one before.",
    example: "A version that only ran in development as a release candidate is promoted to production.",
    limits: "The order comes from the policy. Images are compared as they are written, tags or digests, which corroborates and does not show identity. That a version did not run before counts only where that environment's workload was watched; what ran before the records begin is not known.",
    inputs: &[
        "kubernetes-object-watch",
        "kubernetes-audit",
        "argocd-application-watch",
        "policy: environments in order of promotion",
    ],
    relates: &[PCI_6_5_1, PCI_6_5_3, SOC2_CC8_1, ISO_8_31, NIST_CM_3_2],
    severity: Severity::Error,
};

/// `None` where it rolled out nothing.
pub(super) fn assess(asked: &Asked<'_>) -> Option<Answer> {
    let rollouts: Vec<(&Act, &Rollout)> = asked
        .change
        .rollouts
        .iter()
        .filter_map(|s| match &s.act.what {
            What::Rollout(rollout) => Some((&s.act, rollout)),
            _ => None,
        })
        .collect();
    if rollouts.is_empty() {
        return None;
    }
    let order = &asked.settings().promotion;
    let environments = environments(asked.story());
    let (mut ran, mut unknown) = (BTreeSet::new(), None);
    for (act, rollout) in rollouts {
        let answer = if order.is_empty() {
            elsewhere(asked, act, rollout)
        } else {
            let Some(lower) = lower(order, &environments, act) else { continue };
            in_lower(asked, &environments, lower, act, rollout)
        };
        match answer.verdict {
            super::Verdict::NotMet => return Some(answer),
            super::Verdict::Undetermined => unknown = Some(answer),
            super::Verdict::Met => drop(ran.insert(answer.reason)),
        }
    }
    let said = ran.into_iter().collect::<Vec<_>>().join("; ");
    Some(unknown.unwrap_or_else(|| {
        if said.is_empty() {
            met("its environments are the first in the order, or not in it")
        } else {
            met(said)
        }
    }))
}

/// The environment before that of a rollout.
fn lower<'o>(
    order: &'o [String],
    environments: &BTreeMap<&str, &str>,
    act: &Act,
) -> Option<&'o str> {
    let own = environments.get(act.app.as_deref()?)?;
    let position = order.iter().position(|e| e == own)?;
    order.get(position.checked_sub(1)?).map(String::as_str)
}

fn others<'a>(asked: &Asked<'a>, own: &Rollout) -> impl Iterator<Item = (&'a Act, &'a Rollout)> {
    let name = own.name.clone();
    asked.story().acts.iter().filter_map(move |act| match &act.what {
        What::Rollout(r) if r.name == name => Some((act, r)),
        _ => None,
    })
}

fn in_lower(
    asked: &Asked<'_>,
    environments: &BTreeMap<&str, &str>,
    lower: &str,
    act: &Act,
    own: &Rollout,
) -> Answer {
    let in_lower = |a: &Act| a.app.as_deref().and_then(|app| environments.get(app)) == Some(&lower);
    let images = own.images.join(", ");
    let (mut watched, mut same_time) = (false, false);
    for (other, rollout) in others(asked, own).filter(|(a, _)| in_lower(a)) {
        let sequence = other.at.zip(act.at).map(|(a, b)| a.sequence(&b));
        watched |= sequence == Some(Sequence::Before);
        if rollout.images == own.images {
            match sequence {
                Some(Sequence::Before) => return met(format!("{images} ran in {lower}")),
                Some(Sequence::After) => {}
                _ => same_time = true,
            }
        }
    }
    if same_time {
        return open(format!(
            "{images} was rolled out in {lower} at the same time, as far as clocks resolve"
        ));
    }
    let channels = BTreeSet::from([Channel::KubernetesObjectWatch]);
    if let Err(gap) = covers(asked.story(), &channels, [act.at, act.at]) {
        return open(format!("{images} was not seen in {lower}; it may have been missed ({gap})"));
    }
    if !watched {
        return open(format!("no rollout of {} in {lower} is in the records before", own.name));
    }
    let app = act.app.as_deref().unwrap_or("an Application");
    not_met(format!("{images} was rolled out by {app} and not seen in {lower} before"))
        .at(&act.cites)
}

/// Without an order nothing is skipped; what ran elsewhere before is told.
fn elsewhere(asked: &Asked<'_>, act: &Act, own: &Rollout) -> Answer {
    let images = own.images.join(", ");
    let before = others(asked, own).find(|(other, rollout)| {
        let earlier = other.at.zip(act.at).is_some_and(|(a, b)| a.sequence(&b) == Sequence::Before);
        rollout.images == own.images && earlier && other.app != act.app
    });
    match before.and_then(|(other, _)| other.app.as_deref()) {
        Some(app) => met(format!("{images} ran in {app}")),
        None => open(format!(
            "{images} was not seen elsewhere before, and no policy tells the order of environments"
        )),
    }
}
