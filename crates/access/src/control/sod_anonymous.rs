//! Whether somebody who never signed in has any right in Argo CD.

use evidence::control::framework::{NIST_AC_6, PCI_8_2_1, RTS_21_C, SOC2_CC6_3};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, outcome};

/// Nobody without a name.
pub const CONTROL: Control = Control {
    id: "sod-anonymous",
    condition: "nobody uses Argo CD without signing in",
    statement: "Argo CD answers nobody who has not signed in.",
    asks: "Somebody looked at production, or changed it. Who, if they never signed in?",
    fix: "Remove users.anonymous.enabled from argocd-cm, or set it to \"false\".",
    example: "Anonymous access was switched on for a dashboard on the wall, and policy.default is what everybody on the network may.",
    limits: "What such a caller may is the default role; see sod-default-role. Who reaches the server's address is not seen.",
    inputs: &["argocd-cm"],
    relates: &[PCI_8_2_1, SOC2_CC6_3, NIST_AC_6, RTS_21_C],
    severity: Severity::Error,
};

const KEY: &str = "users.anonymous.enabled";

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some((argo, map)) =
        asked.joined.argo.as_ref().and_then(|a| Some((a, a.settings.as_ref()?)))
    else {
        return missing(&CONTROL, "argocd-cm");
    };
    let role = argo.rbac.default_role().unwrap_or("no role");
    let bad = || format!("whoever reaches the server has {role} without signing in");
    let answer = holds(!argo.rbac.settings().anonymous, "everybody has to sign in", bad);
    let place = map.data(KEY).map_or(&map.place, |node| &node.place);
    vec![outcome(&CONTROL, "argocd-cm", answer, std::slice::from_ref(place))]
}
