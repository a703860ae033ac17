//! Whether the file that names owners has an owner itself.

use evidence::control::framework::{ISO_5_3, NIST_AC_5, SOC2_CC6_3};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, outcome};
use crate::codeowners::Ownership;
use crate::place::Place;

/// CODEOWNERS has an owner.
pub const CONTROL: Control = Control {
    id: "sod-owners-unowned",
    condition: "the rules themselves have an owner",
    statement: "CODEOWNERS has a code owner itself.",
    asks: "Who has to approve a change of who has to approve?",
    fix: "Name the owners of CODEOWNERS in CODEOWNERS, in its last lines.",
    example: "CODEOWNERS has rules for each folder and none for itself.",
    limits: "Who owns the policy is sod-policy-unowned's question. Whether the owner counts for the forge is not asked here.",
    inputs: &["CODEOWNERS"],
    relates: &[SOC2_CC6_3, ISO_5_3, NIST_AC_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(owners) = asked.joined.sources.code_owners else {
        return missing(&CONTROL, "a CODEOWNERS file");
    };
    let path = owners.file();
    let is_owned = matches!(owners.owners_of(path), Ownership::Owned { .. });
    let bad = || format!("nobody has to approve a change of {path}");
    let answer = holds(is_owned, "it has an owner", bad);
    vec![outcome(&CONTROL, path, answer, &[Place::file(path)])]
}
