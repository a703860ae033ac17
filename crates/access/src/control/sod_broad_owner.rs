//! Whether anything but the rule for everything names the owners of a production file.

use evidence::control::framework::{ISO_5_3, NIST_AC_5, SOC2_CC6_3};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, outcome};
use crate::codeowners::Ownership;
use crate::place::Place;

/// Owners of its own.
pub const CONTROL: Control = Control {
    id: "sod-broad-owner",
    condition: "production files have owners of their own",
    statement: "A rule of CODEOWNERS about production names the owners of a production file, and not the rule for every file alone.",
    asks: "These owners answer for everything in the repository. Did anybody decide that they answer for production?",
    fix: "Add a rule to CODEOWNERS for the folders of production.",
    example: "CODEOWNERS has the one line `* @acme/everybody`.",
    limits: "Files without owners are those of sod-unowned-path. A pattern that is not the one for every file is taken for a decision, however wide it is.",
    inputs: &["CODEOWNERS", "repository: deployed files"],
    relates: &[SOC2_CC6_3, ISO_5_3, NIST_AC_5],
    severity: Severity::Warning,
};

/// Patterns for every file, in the words of all dialects.
const EVERYTHING: [&str; 6] = ["*", "**", "/**", "/**/*", "**/*", ".*"];

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(owners) = asked.joined.sources.code_owners else {
        return missing(&CONTROL, "a CODEOWNERS file");
    };
    let mut all = Vec::new();
    for file in asked.files() {
        let Ownership::Owned { by, .. } = &file.ownership else { continue };
        let own = by.iter().find(|part| !EVERYTHING.contains(&part.rule.pattern.as_str()));
        let Some(part) = own.or(by.first()) else { continue };
        let bad = || format!("only the rule {} names its owners", part.rule.pattern);
        let answer = holds(own.is_some(), "a rule of its own names its owners", bad);
        let place = Place::line(owners.file(), part.rule.place.line);
        all.push(outcome(&CONTROL, &file.path, answer, &[place]));
    }
    all
}
