//! Whether syncs applied what their revision asks for.

use super::asked::Asked;
use super::framework::{DORA_9_4_E, NIST_CM_3, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, not_met, open};

/// Syncs applied something.
pub const CONTROL: Control = Control {
    id: "change-applied",
    condition: "applied what the revision asks for",
    statement: "At least one sync of the change touched resources.",
    asks: "The sync says Succeeded. Did it do anything?",
    fix: "Look at the result of the sync; sync again with a refresh.",
    example: "A sync trusts a stale Synced, succeeds, and applies nothing.",
    limits: "By Argo CD's own result; a resource that was as asked for already counts as touched when Argo CD lists it.",
    inputs: &["argocd-application-watch"],
    relates: &[SOC2_CC8_1, NIST_CM_3, DORA_9_4_E],
    severity: Severity::Warning,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    let first = || asked.change.operations.iter().filter(|d| !d.again);
    match (first().count(), first().filter(|d| !d.applied).count()) {
        (0, _) => open("no operation of it is in the records"),
        (_, 0) => met("every sync of it touched resources"),
        (all, idle) if idle == all => match asked.operations_are_whole() {
            Ok(()) => not_met("no sync of it applied anything").at(&asked.change.cites),
            Err(gap) => open(format!(
                "no sync of it applied anything; another may have been missed ({gap})"
            )),
        },
        (all, idle) => {
            met(format!("{} of {all} syncs touched resources; {idle} applied nothing", all - idle))
        }
    }
}
