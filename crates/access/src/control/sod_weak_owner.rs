//! Whether the owners of a production file are owners by the forge's own rules.

use evidence::control::framework::{ISO_5_3, NIST_AC_5, SOC2_CC6_3};
use evidence::control::model::{Answer, met, not_met, open};
use evidence::control::{Control, Outcome, Severity, Verdict};

use super::{Asked, missing, outcome};
use crate::codeowners::{CodeOwners, Force, Ownership, Part, Problem, ProblemKind};
use crate::place::Place;

/// The owners count.
pub const CONTROL: Control = Control {
    id: "sod-weak-owner",
    condition: "code owners count for the forge",
    statement: "Every production file that has code owners has one whom the forge accepts as such, and no line of CODEOWNERS is left out by the forge.",
    asks: "The file names an owner. Would the forge have asked them?",
    fix: "Give the owner the right to write, name a team that exists and has members, or mend the line of CODEOWNERS that the forge skips.",
    example: "A rule names a team that was renamed. The forge skips it without a word, and any approval will do.",
    limits: "Without a snapshot of the forge, or where it does not show the account or the team, it is undetermined. Whether a team is hidden from the forge's own members is not seen.",
    inputs: &["CODEOWNERS", "forge snapshot", "repository: deployed files", "people map"],
    relates: &[SOC2_CC6_3, ISO_5_3, NIST_AC_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(owners) = asked.joined.sources.code_owners else {
        return missing(&CONTROL, "a CODEOWNERS file");
    };
    let mut all = lines(owners);
    if asked.joined.sources.forge.is_none() {
        all.extend(missing(&CONTROL, "a snapshot of the forge"));
        return all;
    }
    // Where each part has to approve, each needs an owner; where nobody has to, any will do.
    let each = owners.dialect().force() == Force::ByProtection;
    for file in asked.files() {
        let Ownership::Owned { by, .. } = &file.ownership else { continue };
        let answers = by.iter().map(|part| (judge(asked, part), part));
        let ranked = answers.max_by_key(|(answer, _)| match (answer.verdict, each) {
            (Verdict::NotMet, true) | (Verdict::Met, false) => 2,
            (Verdict::Undetermined, _) => 1,
            (Verdict::Met, true) | (Verdict::NotMet, false) => 0,
        });
        let Some((answer, part)) = ranked else { continue };
        let place = Place::line(owners.file(), part.rule.place.line);
        all.push(outcome(&CONTROL, &file.path, answer, &[place]));
    }
    all
}

fn judge(asked: &Asked<'_>, part: &Part<'_>) -> Answer {
    let together = asked.together(part.rule);
    if together.counts {
        return met("an owner counts");
    }
    match together.unknown {
        Some(why) => open(why),
        None => not_met(format!("no owner counts: {}", together.weak.join("; "))),
    }
}

/// What the forge leaves out of the file.
fn lines(owners: &CodeOwners) -> Vec<Outcome> {
    let found: Vec<Outcome> =
        owners.problems().iter().filter_map(|problem| line(owners, problem)).collect();
    if found.is_empty() {
        let answer = met("the forge reads every line");
        return vec![outcome(&CONTROL, owners.file(), answer, &[Place::file(owners.file())])];
    }
    found
}

fn line(owners: &CodeOwners, problem: &Problem) -> Option<Outcome> {
    use ProblemKind as P;
    let (what, answer): (&str, fn(String) -> Answer) = match &problem.kind {
        P::TooLarge { .. } | P::CutOff { .. } | P::Binary => ("", |why| not_met(why)),
        P::PerhapsTooLarge { .. } => ("", |why| open(why)),
        P::InvalidOwner { owner } => (owner, |why| not_met(why)),
        P::InvalidPattern { pattern, .. } => (pattern, |why| not_met(why)),
        P::NotText => ("a line that is not UTF-8", |why| not_met(why)),
        P::ByteOrderMark => ("the first line", |why| not_met(why)),
        P::BadHeader => ("a section", |why| not_met(why)),
        _ => return None,
    };
    let subject = match what {
        "" => owners.file().to_owned(),
        what => format!("{}: {what}", owners.file()),
    };
    let place = Place::line(owners.file(), problem.place.line);
    Some(outcome(&CONTROL, &subject, answer(problem.kind.to_string()), &[place]))
}
