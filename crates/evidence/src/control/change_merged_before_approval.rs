//! Whether the approval came before the merge.

use super::asked::{Asked, in_order};
use super::framework::{NIST_CM_3, PCI_6_5_1, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, open};
use super::sod_author_approves::{counted, no_approval};
use crate::time::Moment;

/// Merged after approval.
pub const CONTROL: Control = Control {
    id: "change-merged-before-approval",
    condition: "merged after approval",
    statement: "The first approval was given before the change was merged.",
    asks: "Was it approved before it was merged, or was the approval added afterwards?",
    fix: "Ask for an approval on the branch, for administrators too.",
    example: "An administrator merges, and a colleague approves the next morning.",
    limits: "Clocks of one second leave open what came first within it.",
    inputs: &["github-webhook", "gitlab-webhook"],
    relates: &[PCI_6_5_1, SOC2_CC8_1, NIST_CM_3],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    if asked.change.is_push() {
        return super::sod_author_approves::assess(asked);
    }
    let Some(merge) = &asked.change.merge else { return open("no merge is in the records") };
    if asked.approvals().next().is_none() {
        return no_approval(asked);
    }
    let first = asked.approvals().filter_map(|r| r.at).min_by_key(Moment::latest);
    let answer = in_order(first, merge.at, "approved", "merged");
    if answer.verdict == super::Verdict::NotMet { counted(asked, answer.reason) } else { answer }
}
