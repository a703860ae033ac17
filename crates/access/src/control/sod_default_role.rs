//! Whether everybody who signs in to Argo CD may change production.

use evidence::control::framework::{NIST_AC_6, PCI_7_2_2, SOC2_CC6_3};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, open, outcome};

/// What can change production, as resource and action.
const ACTS: [(&str, &str); 5] = [
    ("applications", "sync"),
    ("applications", "update"),
    ("applications", "override"),
    ("applications", "delete"),
    ("exec", "create"),
];

/// The default role changes nothing.
pub const CONTROL: Control = Control {
    id: "sod-default-role",
    condition: "the default role changes nothing",
    statement: "Whoever merely signs in to Argo CD, or is not even signed in, may not change an Application of production.",
    asks: "Who in the company can sign in, and what can each of them do by that alone?",
    fix: "Set policy.default to role:readonly or to nothing, and switch anonymous access off.",
    example: "policy.default is role:admin, left from the first installation.",
    limits: "Who can sign in at the identity provider is not seen.",
    inputs: &["argocd-rbac-cm", "argocd-cm", "AppProjects"],
    relates: &[PCI_7_2_2, SOC2_CC6_3, NIST_AC_6],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(argo) = &asked.joined.argo else {
        return missing(&CONTROL, "argocd-rbac-cm");
    };
    let place = argo.rules.data("policy.default").map_or(&argo.rules.place, |node| &node.place);
    let one = |target: &crate::reach::scope::Target| {
        let object = target.rights.object();
        let mut open_ended = false;
        let may = ACTS.iter().filter(|(resource, action)| {
            let held = asked.holders(resource, action, &object);
            open_ended |= held.unweighed;
            held.anybody
        });
        let may: Vec<String> =
            may.map(|(resource, action)| format!("{action} {resource}")).collect();
        let bad = || format!("everybody who signs in may {}", may.join(", "));
        if may.is_empty() && open_ended {
            let why = "a line of the policy is not weighed, or the policy does not load";
            return outcome(&CONTROL, &target.name, open(why), std::slice::from_ref(place));
        }
        let answer = holds(may.is_empty(), "signing in gives no such right", bad);
        outcome(&CONTROL, &target.name, answer, std::slice::from_ref(place))
    };
    asked.scope.targets.iter().map(one).collect()
}
