//! Whether the policy that judges changes is owned by somebody whom it does not judge alone.

use std::collections::BTreeSet;

use evidence::control::framework::{ISO_5_3, NIST_AC_5, NIST_CM_5, SOC2_CC6_3};
use evidence::control::model::{Answer, met, not_met, open};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, missing, outcome, several};
use crate::codeowners::{Owner, Ownership, Part};
use crate::place::Place;
use crate::policy::FILE;

/// An owner of its own.
pub const CONTROL: Control = Control {
    id: "sod-policy-unowned",
    condition: "the policy has an owner of its own",
    statement: "The policy file, where it lies in the repository that it judges, has a code owner who does not own what production runs from.",
    asks: "Who could change what is asked of changes, and would anybody else have to agree?",
    fix: "Name an owner of countersign.yaml in the last lines of CODEOWNERS who deploys nothing: a platform team, risk, or audit. Or keep the policy in a repository of its own.",
    example: "The team that deploys to production owns countersign.yaml too, and lowers the number of approvals.",
    limits: "What production runs from are the files of its Applications, without those that deploy these. A policy that lies in another repository is not asked about. Two owners of different names whose people are not known make it undetermined.",
    inputs: &["CODEOWNERS", "repository: paths", "forge snapshot", "people map"],
    relates: &[SOC2_CC6_3, ISO_5_3, NIST_AC_5, NIST_CM_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(owners) = asked.joined.sources.code_owners else {
        return missing(&CONTROL, "a CODEOWNERS file");
    };
    let is_here = asked.joined.sources.repository.is_some_and(|r| r.paths().any(|p| p == FILE));
    if !is_here {
        return Vec::new();
    }
    let (answer, places) = match owners.owners_of(FILE) {
        Ownership::Owned { by, .. } => {
            let places = by.iter().map(|part| Place::line(owners.file(), part.rule.place.line));
            (judge(asked, &by), places.collect())
        }
        _ => {
            (not_met(format!("nobody has to approve a change of {FILE}")), vec![Place::file(FILE)])
        }
    };
    vec![outcome(&CONTROL, FILE, answer, &places)]
}

fn judge(asked: &Asked<'_>, by: &[Part<'_>]) -> Answer {
    let own = named(by);
    let mut judged: BTreeSet<&Owner> = BTreeSet::new();
    let deployed: BTreeSet<&str> =
        asked.applications().flat_map(|t| &t.files).map(String::as_str).collect();
    for file in asked.files().iter().filter(|file| deployed.contains(file.path.as_str())) {
        if let Ownership::Owned { by, .. } = &file.ownership {
            judged.extend(named(by));
        }
    }
    let independent: BTreeSet<&Owner> = own.difference(&judged).copied().collect();
    if independent.is_empty() {
        let names: Vec<String> = own.iter().map(ToString::to_string).collect();
        let names = several(names.iter().map(String::as_str));
        return not_met(format!("{names} own what production runs from as well"));
    }
    people_differ(asked, &independent, &judged)
}

/// Whether an owner of another name is another person.
fn people_differ(
    asked: &Asked<'_>,
    independent: &BTreeSet<&Owner>,
    judged: &BTreeSet<&Owner>,
) -> Answer {
    let mut why = None;
    let mut people = |owners: &BTreeSet<&Owner>| {
        let mut people = BTreeSet::new();
        for owner in owners {
            let standing = asked.standing(owner);
            people.extend(standing.people.iter().copied());
            let open = standing.open.clone().or_else(|| match &standing.force {
                super::owners::Force::Unknown(why) => Some(why.clone()),
                _ => None,
            });
            why = why.take().or(open);
        }
        people
    };
    let (first, second) = (people(independent), people(judged));
    match (first.difference(&second).next(), why) {
        (_, Some(why)) => open(why),
        (Some(_), None) => met("somebody owns it who does not own what production runs from"),
        (None, None) => not_met("whoever owns it also owns what production runs from".to_owned()),
    }
}

fn named<'p>(by: &[Part<'p>]) -> BTreeSet<&'p Owner> {
    by.iter().flat_map(|part| &part.rule.owners).map(|named| &named.owner).collect()
}
