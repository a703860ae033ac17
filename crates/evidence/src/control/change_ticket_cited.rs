//! Whether a change cites a ticket.

use super::asked::Asked;
use super::framework::{NIST_CM_3, PCI_6_5_1, RTS_17_1_D, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, not_met, open};

/// A ticket is cited.
pub const CONTROL: Control = Control {
    id: "change-ticket-cited",
    condition: "ticket cited",
    statement: "The title or text of the proposal, or the info of an operation, names a ticket.",
    asks: "Which request does this change belong to?",
    fix: "Name the ticket in the pull request, and let the gate ask for it.",
    example: "A pull request without a word about why.",
    limits: "A key in Jira's default form is taken for a ticket. Where the opening of the proposal is not in the records, its text is not known.",
    inputs: &["github-webhook", "gitlab-webhook", "argocd-application-watch"],
    relates: &[PCI_6_5_1, SOC2_CC8_1, NIST_CM_3, RTS_17_1_D],
    severity: Severity::Note,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    let keys: Vec<&str> = asked.change.tickets.iter().map(|t| t.key.as_str()).collect();
    if !keys.is_empty() {
        return met(keys.join(", "));
    }
    let known = asked.change.is_push() || asked.change.title.is_some();
    if known {
        not_met("no ticket key in its text or in an operation's info").at(&asked.change.cites)
    } else {
        open("its text is not in the records")
    }
}
