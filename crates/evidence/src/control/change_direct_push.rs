//! Whether a change came by a proposal.

use super::asked::Asked;
use super::framework::{ISO_8_32, NIST_CM_3, PCI_6_5_1, PCI_6_5_4, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, not_met, open};

/// A proposal.
pub const CONTROL: Control = Control {
    id: "change-direct-push",
    condition: "proposal",
    statement: "The change got onto the default branch by a pull or merge request.",
    asks: "There is no pull request for this commit. Who looked at it, and where does it say so?",
    fix: "Forbid pushes to every branch that is deployed, for administrators too; revert, and bring it again by a request.",
    example: "An administrator whom branch protection does not bind pushes to main.",
    limits: "A request behind the push may have been missed where the forge's deliveries are not complete: then undetermined.",
    inputs: &["github-webhook", "gitlab-webhook", "git-commit"],
    relates: &[PCI_6_5_1, PCI_6_5_4, SOC2_CC8_1, ISO_8_32, NIST_CM_3],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    match (asked.change.number, asked.push_doubt()) {
        (Some(number), _) => met(format!("PR {number}")),
        (None, Some(doubt)) => open(doubt),
        (None, None) => not_met("pushed to the default branch without one").at(&asked.change.cites),
    }
}
