//! Whether an approval is of the head that was merged.

use super::asked::Asked;
use super::framework::{NIST_CM_3, PCI_6_5_4, RTS_17_1_B, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, not_met, open};
use super::sod_author_approves::{counted, no_approval};
use crate::story::wire::Cites;

/// Approval of the merged head.
pub const CONTROL: Control = Control {
    id: "change-stale-approval",
    condition: "approval of the merged head",
    statement: "At least one approval names the very head that was merged.",
    asks: "Commits were pushed after the approval. Who approved those?",
    fix: "Let the forge dismiss approvals when commits are pushed, and ask for approval of the last push.",
    example: "A reviewer approves, the author pushes two more commits and merges.",
    limits: "Where the forge does not name the reviewed head, it is the head at that time.",
    inputs: &["github-webhook", "gitlab-webhook"],
    relates: &[PCI_6_5_4, SOC2_CC8_1, NIST_CM_3, RTS_17_1_B],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    if asked.change.is_push() {
        return super::sod_author_approves::assess(asked);
    }
    let approvals: Vec<_> = asked.approvals().collect();
    if approvals.is_empty() {
        return no_approval(asked);
    }
    if approvals.iter().any(|r| r.on_merged_head == Some(true)) {
        return met("an approval names the merged head");
    }
    if approvals.iter().all(|r| r.on_merged_head == Some(false)) {
        let mut cites = Cites::default();
        for approval in &approvals {
            cites.extend(&approval.cites);
        }
        let reason = "every approval names an earlier head; commits were pushed after it";
        return match counted(asked, reason.to_owned()) {
            answer if answer.verdict == super::Verdict::NotMet => not_met(reason).at(&cites),
            answer => answer,
        };
    }
    open("the merged head or the reviewed one is not in the records")
}
