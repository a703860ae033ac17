//! Whether a deny of Argo CD's policy can be gone around by another group.

use evidence::control::framework::{ISO_5_3, NIST_AC_5, NIST_AC_6, SOC2_CC6_3};
use evidence::control::model::{met, open};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, outcome};
use crate::argocd::rbac::Who;

/// What denies are tried with.
const ACTIONS: [(&str, &str); 3] =
    [("applications", "sync"), ("applications", "override"), ("applications", "update")];

/// No deny that others go around.
pub const CONTROL: Control = Control {
    id: "sod-ineffective-deny",
    condition: "no deny that another group goes around",
    statement: "Whoever a deny of Argo CD's policy is meant for does not hold the same right as a member of another group.",
    asks: "This line says that they may not. Why could they?",
    fix: "Do not rely on deny: give rights to groups that share no members, and keep the on-call group apart from the developers.",
    example: "Developers are denied to sync production, and one of them is in the on-call group, which is allowed to.",
    limits: "Members of groups come from the people map. Where it does not say in which groups somebody is, and knows none who is in both, it is undetermined.",
    inputs: &["argocd-rbac-cm", "AppProjects", "people map"],
    relates: &[SOC2_CC6_3, ISO_5_3, NIST_AC_5, NIST_AC_6],
    severity: Severity::Warning,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(argo) = &asked.joined.argo else {
        return missing(&CONTROL, "argocd-rbac-cm");
    };
    if asked.joined.sources.people.is_none() {
        return missing(&CONTROL, "a people map, which says who is in which groups,");
    }
    let objects: Vec<String> = asked.scope.targets.iter().map(|t| t.rights.object()).collect();
    let found = argo.rbac.ineffective_denies(&objects, &ACTIONS);
    if found.is_empty() {
        return vec![outcome(&CONTROL, "argocd-rbac-cm", met("no deny has a way around"), &[])];
    }
    let one = |deny: &crate::argocd::IneffectiveDeny| {
        let around = deny.around.iter().filter_map(|holder| match &holder.who {
            Who::Name { name, .. } => Some(name),
            _ => None,
        });
        let around: Vec<_> = around.flat_map(|name| asked.joined.members(name)).collect();
        let denied = deny.binds.iter().flat_map(|name| asked.joined.members(name));
        let both: std::collections::BTreeSet<&str> =
            denied.filter(|id| around.contains(id)).collect();
        let names: Vec<&str> = both.iter().copied().collect();
        let bad =
            || format!("{}: denied and allowed all the same: {}", names.join(", "), deny.deny.text);
        let answer = match asked.joined.without_groups().first() {
            Some(id) if both.is_empty() => {
                open(format!("the people map does not say in which groups {id} is"))
            }
            _ => holds(both.is_empty(), "nobody of the map is in both", bad),
        };
        let place = asked.joined.places.place(&deny.deny.origin);
        outcome(&CONTROL, &deny.object, answer, &[place])
    };
    found.iter().map(one).collect()
}
