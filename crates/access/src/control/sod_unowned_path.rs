//! Whether every file that production runs from has an owner who must be asked.

use evidence::control::framework::{ISO_5_3, NIST_AC_5, SOC2_CC6_3};
use evidence::control::{Control, Outcome, Severity};

use super::asked::Owned;
use super::{Asked, holds, missing, outcome};
use crate::codeowners::Ownership;
use crate::place::Place;
use crate::policy::FILE;

/// No production file without an owner.
pub const CONTROL: Control = Control {
    id: "sod-unowned-path",
    condition: "every production file has a code owner",
    statement: "Every file that decides what production runs has at least one code owner.",
    asks: "This file changes production. Who has to approve a change of it?",
    fix: "Add a rule to CODEOWNERS that covers the file, below the rules that are broader.",
    example: "A rule without owners stands below the one that names the team, and takes the files of production out of it.",
    limits: "Whether an owner counts for the forge is sod-weak-owner's question. Asked about are the files that Applications of production deploy, as far as they could be rendered, and the paths that the policy counts to it. Who owns CODEOWNERS is sod-owners-unowned's question, who owns the policy sod-policy-unowned's.",
    inputs: &["repository: deployed files", "CODEOWNERS", "policy: paths"],
    relates: &[SOC2_CC6_3, ISO_5_3, NIST_AC_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(owners) = asked.joined.sources.code_owners else {
        return missing(&CONTROL, "a CODEOWNERS file");
    };
    let one = |file: &Owned<'_>| {
        let by: Vec<Place> = file
            .ownership
            .parts()
            .map(|part| Place::line(owners.file(), part.rule.place.line))
            .collect();
        let places = if by.is_empty() { vec![Place::file(&file.path)] } else { by };
        let is_owned = matches!(file.ownership, Ownership::Owned { .. });
        let answer = holds(is_owned, "it has an owner", || match file.ownership {
            _ if !owners.loaded() => format!("the forge does not load {}", owners.file()),
            Ownership::Unmatched => format!("no rule of {} matches it", owners.file()),
            _ => "the rule that counts names nobody".to_owned(),
        });
        outcome(&CONTROL, &file.path, answer, &places)
    };
    // These two have controls of their own.
    let is_asked = |file: &&Owned<'_>| file.path != owners.file() && file.path != FILE;
    asked.files().iter().filter(is_asked).map(one).collect()
}
