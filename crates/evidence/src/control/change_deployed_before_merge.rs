//! Whether the merge came before the deployment.

use super::asked::{Asked, in_order};
use super::framework::{ISO_8_32, NIST_CM_3, PCI_6_5_4, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, open};

/// Deployed after the merge.
pub const CONTROL: Control = Control {
    id: "change-deployed-before-merge",
    condition: "deployed after the merge",
    statement: "No operation applied a revision of the change before it was merged.",
    asks: "How did this get into production before it was on the branch?",
    fix: "Let projects allow only protected branches as sources, and refuse syncs to other revisions (application.sync.requireOverridePrivilegeForRevisionSync).",
    example: "Somebody syncs to the head of an open pull request.",
    limits: "Clocks of one second leave open what came first within it.",
    inputs: &["github-webhook", "gitlab-webhook", "argocd-application-watch"],
    relates: &[PCI_6_5_4, SOC2_CC8_1, ISO_8_32, NIST_CM_3],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    let Some(merge) = &asked.change.merge else { return open("no merge is in the records") };
    match asked.first_applied() {
        Some(first) => in_order(merge.at, Some(first), "merged", "deployed").at(&merge.cites),
        None => open("no operation applied a revision of it"),
    }
}
