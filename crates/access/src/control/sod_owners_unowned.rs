//! Whether the file that names owners has an owner itself.

use evidence::control::framework::{ISO_5_3, NIST_AC_5, SOC2_CC6_3};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, outcome};
use crate::codeowners::Ownership;
use crate::place::Place;

/// CODEOWNERS and the policy have owners.
pub const CONTROL: Control = Control {
    id: "sod-owners-unowned",
    condition: "the rules themselves have an owner",
    statement: "CODEOWNERS and the policy file have a code owner.",
    asks: "Who has to approve a change of who has to approve?",
    fix: "Name the owners of CODEOWNERS and of countersign.yaml in CODEOWNERS, in its last lines.",
    example: "CODEOWNERS has rules for each folder and none for itself.",
    limits: "A policy that lives in another repository is not seen here.",
    inputs: &["CODEOWNERS", "repository: paths"],
    relates: &[SOC2_CC6_3, ISO_5_3, NIST_AC_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(owners) = asked.joined.sources.code_owners else {
        return missing(&CONTROL, "a CODEOWNERS file");
    };
    let has = |path: &&str| {
        asked.joined.sources.repository.is_some_and(|r| r.paths().any(|own| own == *path))
    };
    let policy = [crate::policy::FILE].into_iter().filter(has);
    let one = |path: &str| {
        let is_owned = matches!(owners.owners_of(path), Ownership::Owned { .. });
        let bad = || format!("nobody has to approve a change of {path}");
        let answer = holds(is_owned, "it has an owner", bad);
        outcome(&CONTROL, path, answer, &[Place::file(path)])
    };
    [owners.file()].into_iter().chain(policy).map(one).collect()
}
