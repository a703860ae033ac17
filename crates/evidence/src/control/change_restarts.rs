//! Whether containers of the new pods restarted.

use std::collections::BTreeSet;

use super::asked::{Asked, covers};
use super::framework::{DORA_9_4_E, NIST_CM_3_2, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, not_met, open};
use crate::channel::Channel;
use crate::story::act::{Act, What};
use crate::story::wire::Cites;

/// No restart in the new pods.
pub const CONTROL: Control = Control {
    id: "change-restarts",
    condition: "no container restart in the new pods",
    statement: "No container of the pods that the change brought was seen to restart.",
    asks: "Was it looked at whether the change works after it went live?",
    fix: "Roll back; ask for a rollout in the environment before.",
    example: "New pods run out of memory and restart until they are rolled back.",
    limits: "Restarts later in a pod's life count too. That none was seen counts only as far as pods are watched.",
    inputs: &["kubernetes-object-watch"],
    relates: &[SOC2_CC8_1, NIST_CM_3_2, DORA_9_4_E],
    severity: Severity::Warning,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    let rollouts = asked.change.rollouts.iter().filter_map(|s| match &s.act.what {
        What::Rollout(rollout) => Some(rollout),
        _ => None,
    });
    let pods: BTreeSet<&str> = rollouts.flat_map(|r| r.pods.iter().map(String::as_str)).collect();
    if asked.change.rollouts.is_empty() {
        return open("no rollout of it is in the records");
    }
    let is_its = |act: &&Act| matches!(&act.what, What::ContainerRestarts { pod, .. } if pods.contains(pod.as_str()));
    let restarted: Vec<&Act> = asked.story().acts.iter().filter(is_its).collect();
    if !restarted.is_empty() {
        let mut cites = Cites::default();
        for act in &restarted {
            cites.extend(&act.cites);
        }
        let reason = format!("containers of {} of its pods restarted", restarted.len());
        return not_met(reason).at(&cites);
    }
    if pods.is_empty() {
        return open("none of its pods is in the records");
    }
    let at = asked.change.rollouts.iter().filter_map(|s| s.act.at).max();
    let channels = BTreeSet::from([Channel::KubernetesObjectWatch]);
    match covers(asked.story(), &channels, [at, at]) {
        Ok(()) => met("none seen"),
        Err(gap) => open(format!("none seen; one may have been missed ({gap})")),
    }
}
