//! Whether a right to sync is a right to sync anything.

use evidence::control::framework::{NIST_CM_5, PCI_6_5_4, SOC2_CC8_1};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, outcome};

/// A sync of another revision needs a right of its own.
pub const CONTROL: Control = Control {
    id: "sod-revision-sync",
    condition: "a sync of another revision needs a right of its own",
    statement: "Whoever may sync may not, by that alone, sync a revision that the Application does not name.",
    asks: "Could this person deploy a commit that nobody reviewed?",
    fix: "Set application.sync.requireOverridePrivilegeForRevisionSync to \"true\" in argocd-cm, and give override to nobody.",
    example: "Somebody pushes a branch and syncs production to it, with nothing but the right to sync.",
    limits: "Argo CD knows the setting from 3.2 on; what an older server does with it is not seen.",
    inputs: &["argocd-cm"],
    relates: &[PCI_6_5_4, SOC2_CC8_1, NIST_CM_5],
    severity: Severity::Error,
};

const KEY: &str = "application.sync.requireOverridePrivilegeForRevisionSync";

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some((argo, map)) =
        asked.joined.argo.as_ref().and_then(|a| Some((a, a.settings.as_ref()?)))
    else {
        return missing(&CONTROL, "argocd-cm");
    };
    let is_met = argo.rbac.settings().revision_needs_override;
    let bad = || format!("{KEY} is not \"true\"");
    let answer = holds(is_met, "it needs override", bad);
    let place = map.data(KEY).map_or(&map.place, |node| &node.place);
    vec![outcome(&CONTROL, "argocd-cm", answer, std::slice::from_ref(place))]
}
