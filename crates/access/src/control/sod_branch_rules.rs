//! Whether the rules of the branch of record have holes.

use evidence::control::framework::{ISO_8_32, NIST_CM_5, PCI_6_2_3_1, SOC2_CC8_1};
use evidence::control::model::open;
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, outcome};
use crate::forge::{Known, Protected};
use crate::place::Place;

/// No hole in the rules of the branch.
pub const CONTROL: Control = Control {
    id: "sod-branch-rules",
    condition: "the branch of record has no hole in its rules",
    statement: "The branch of record asks for an approval of a code owner, drops approvals when the content changes, binds administrators, and lets nobody rewrite or delete it.",
    asks: "By which of these could one person change production without a second pair of eyes?",
    fix: "Close the hole in the forge's settings of the branch: the place names the setting.",
    example: "The rules of main do not bind administrators, and two developers are administrators.",
    limits: "What the token of the snapshot may not see is undetermined, and never taken for unprotected.",
    inputs: &["forge snapshot"],
    relates: &[PCI_6_2_3_1, SOC2_CC8_1, ISO_8_32, NIST_CM_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(forge) = asked.joined.sources.forge else {
        return missing(&CONTROL, "a snapshot of the forge");
    };
    let by_policy = asked.joined.sources.policy.map(|p| p.repository.branch.value.clone());
    let Some(name) = by_policy.or_else(|| forge.default_branch().value().cloned()) else {
        return missing(&CONTROL, "the name of the branch of record");
    };
    let branch = forge.branch(&name);
    if branch.protected() == Protected::No {
        let answer = holds(false, "", || format!("no rule protects {name}"));
        return vec![outcome(&CONTROL, &name, answer, &[Place::object("forge snapshot", "$")])];
    }
    let approvals = branch.approvals();
    let approvals = match &approvals {
        Known::Known { value, at } => Known::Known { value: *value > 0, at: at.clone() },
        Known::Unknown(why) => Known::Unknown(why.clone()),
    };
    let mut asked_of = vec![
        ("approval", approvals, true, "a merge needs no approval"),
        ("code-owner", branch.code_owners(), true, "a merge needs no approval of a code owner"),
        ("stale", branch.dismisses_stale(), true, "approvals stay when the content changes"),
        ("force-push", branch.force_push(), false, "history can be rewritten"),
        ("deletion", branch.deletion(), false, "it can be deleted"),
    ];
    for rule in branch.in_force() {
        let says = "its rules do not bind administrators";
        asked_of.push(("administrators", rule.binds_admins.clone(), true, says));
    }
    let one = |(part, known, good, bad): (&str, Known<bool>, bool, &str)| {
        let subject = format!("{name}:{part}");
        match known {
            Known::Known { value, at } => {
                let answer = holds(value == good, "it does", || format!("on {name}, {bad}"));
                outcome(&CONTROL, &subject, answer, &[Place::object("forge snapshot", &at)])
            }
            Known::Unknown(why) => outcome(&CONTROL, &subject, open(why.to_string()), &[]),
        }
    };
    asked_of.into_iter().map(one).collect()
}
