//! Whether a production file has more than one person who can approve a change of it as its owner.

use evidence::control::framework::{ISO_5_3, NIST_AC_5, PCI_6_2_3_1, SOC2_CC6_3};
use evidence::control::model::{Answer, met, not_met, open};
use evidence::control::{Control, Outcome, Severity};

use super::owners::Together;
use super::{Asked, missing, outcome};
use crate::codeowners::Ownership;
use crate::place::Place;

/// Two people or more.
pub const CONTROL: Control = Control {
    id: "sod-sole-owner",
    condition: "two people own each production file",
    statement: "Every production file that has code owners has at least two people among them, so that an owner's change can be approved by another owner.",
    asks: "The only owner of this file changes it. Whose approval is the owner's?",
    fix: "Name a team of two or more people in CODEOWNERS, or a second owner.",
    example: "The folder of an Application is owned by a team of one, who merges on the approval of somebody else's team.",
    limits: "People are counted, not accounts. Where members of a team are not in the snapshot, or an account is in no people map, it is undetermined unless two people are known. Files without owners are those of sod-unowned-path.",
    inputs: &["CODEOWNERS", "forge snapshot", "people map", "repository: deployed files"],
    relates: &[PCI_6_2_3_1, SOC2_CC6_3, ISO_5_3, NIST_AC_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(owners) = asked.joined.sources.code_owners else {
        return missing(&CONTROL, "a CODEOWNERS file");
    };
    if asked.joined.sources.people.is_none() {
        return missing(&CONTROL, "a people map");
    }
    if asked.joined.sources.forge.is_none() {
        return missing(&CONTROL, "a snapshot of the forge");
    }
    let mut all = Vec::new();
    for file in asked.files() {
        let Ownership::Owned { by, .. } = &file.ownership else { continue };
        let judged = by.iter().map(|part| (part, asked.together(part.rule)));
        // Of several sections, each asks for an approval of its own: the one with fewest people counts.
        let fewest = judged.min_by_key(|(_, together)| together.people.len());
        let Some((part, together)) = fewest else { continue };
        if let Some(answer) = judge(&together) {
            let place = Place::line(owners.file(), part.rule.place.line);
            all.push(outcome(&CONTROL, &file.path, answer, &[place]));
        }
    }
    all
}

/// `None` where no owner counts at all, which sod-weak-owner says.
fn judge(together: &Together<'_>) -> Option<Answer> {
    let mut people = together.people.iter();
    match (people.next(), people.next()) {
        (Some(_), Some(_)) => Some(met("two people or more own it")),
        (first, _) => match together.open.clone().or_else(|| together.unknown.clone()) {
            Some(why) => Some(open(why)),
            None => first.map(|id| {
                not_met(format!("only {id} owns it, and can approve no change of their own"))
            }),
        },
    }
}
