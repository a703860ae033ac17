//! Whether an alert fired soon after.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::asked::{Asked, covers};
use super::framework::{DORA_9_4_E, SOC2_CC7_1};
use super::model::{Answer, Control, Severity, met, not_met, open};
use crate::channel::Channel;
use crate::story::act::What;
use crate::story::change::ALERT_WINDOW_SECONDS;
use crate::story::wire::Cites;
use crate::time::Moment;

/// No alert soon after.
pub const CONTROL: Control = Control {
    id: "change-alerts",
    condition: "no alert within 15 minutes",
    statement: "No alert about the Applications of the change began within 15 minutes after it.",
    asks: "What did this change do to the service?",
    fix: "Look at the alert; roll back where the change caused it.",
    example: "The error ratio rises, and an alert fires.",
    limits: "That is a time, not a cause. Alerts are tied to Applications by their labels. That there was none counts only where the deliveries of alerts reach from the change to 15 minutes after it.",
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
    if !names.is_empty() {
        let names: Vec<&str> = names.into_iter().collect();
        return not_met(format!("{}; that is a time, not a cause", names.join(", "))).at(&cites);
    }
    match covers(asked.story(), &BTreeSet::from([Channel::AlertmanagerWebhook]), window(asked)) {
        Ok(()) => met("none was delivered"),
        Err(reason) => open(format!("none was delivered, and {reason}")),
    }
}

/// From the first application of the change to the end of the time in which an alert counts.
fn window(asked: &Asked<'_>) -> [Option<Moment>; 2] {
    let last = asked.applied().filter_map(|d| d.at).map(|at| at.latest()).max();
    let end =
        last.and_then(|at| at.checked_add(SignedDuration::from_secs(ALERT_WINDOW_SECONDS)).ok());
    [asked.first_applied(), end.map(|at| Moment::window(at, at))]
}
