//! Whether every file that production runs from has an owner who must be asked.

use evidence::control::framework::{ISO_5_3, NIST_AC_5, SOC2_CC6_3};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, outcome};
use crate::codeowners::Ownership;
use crate::place::Place;

/// No production file without an owner.
pub const CONTROL: Control = Control {
    id: "sod-unowned-path",
    condition: "every production file has a code owner",
    statement: "Every file that decides what production runs has at least one code owner.",
    asks: "This file changes production. Who has to approve a change of it?",
    fix: "Add a rule to CODEOWNERS that covers the file, below the rules that are broader.",
    example: "A rule without owners stands below the one that names the team, and takes the files of production out of it.",
    limits: "Whether an owner exists and may approve is known to the forge alone. Files of what could not be rendered are not among those asked about.",
    inputs: &["repository: deployed files", "CODEOWNERS"],
    relates: &[SOC2_CC6_3, ISO_5_3, NIST_AC_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(owners) = asked.joined.sources.code_owners else {
        return missing(&CONTROL, "a CODEOWNERS file");
    };
    let files = asked.scope.targets.iter().flat_map(|target| &target.files);
    let files: std::collections::BTreeSet<&String> = files.collect();
    let one = |file: &String| {
        let ownership = owners.owners_of(file);
        let by: Vec<Place> = ownership
            .parts()
            .map(|part| Place::line(owners.file(), part.rule.place.line))
            .collect();
        let places = if by.is_empty() { vec![Place::file(file)] } else { by };
        let is_owned = matches!(ownership, Ownership::Owned { .. });
        let answer = holds(is_owned, "it has an owner", || match ownership {
            Ownership::Unmatched => format!("no rule of {} matches it", owners.file()),
            _ => "the rule that counts names nobody".to_owned(),
        });
        outcome(&CONTROL, file, answer, &places)
    };
    files.into_iter().map(one).collect()
}
