//! Whether an alert fired soon after.

use std::collections::BTreeSet;

use super::asked::Asked;
use super::framework::{DORA_9_4_E, SOC2_CC7_1};
use super::model::{Answer, Control, Severity, met, not_met, open};
use crate::channel::Channel;
use crate::story::act::What;
use crate::story::coverage;
use crate::story::wire::Cites;

/// No alert soon after.
pub const CONTROL: Control = Control {
    id: "change-alerts",
    condition: "no alert within 15 minutes",
    statement: "No alert about the Applications of the change began within 15 minutes after it.",
    asks: "What did this change do to the service?",
    fix: "Look at the alert; roll back where the change caused it.",
    example: "The error ratio rises, and an alert fires.",
    limits: "That is a time, not a cause. Alerts are tied to Applications by their labels.",
    inputs: &["alertmanager-webhook"],
    relates: &[SOC2_CC7_1, DORA_9_4_E],
    severity: Severity::Note,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    let (mut names, mut cites) = (BTreeSet::new(), Cites::default());
    for step in asked.change.alerts.iter().filter(|step| !step.again) {
        if let What::Alert { name, .. } = &step.act.what {
            names.insert(name.as_str());
            cites.extend(&step.act.cites);
        }
    }
    let channel = Channel::AlertmanagerWebhook;
    if !names.is_empty() {
        let names: Vec<&str> = names.into_iter().collect();
        not_met(format!("{}; that is a time, not a cause", names.join(", "))).at(&cites)
    } else if coverage::of(&asked.story().coverage, channel).is_some() {
        met("none was delivered")
    } else {
        open(format!("no record of {channel}"))
    }
}
