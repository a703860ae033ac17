//! Whether what deploys an Application is owned by somebody else than what the Application deploys.

use std::collections::{BTreeSet, HashMap};

use evidence::control::framework::{ISO_5_3, NIST_AC_5, NIST_AC_6, SOC2_CC6_3};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, outcome, several};
use crate::codeowners::{CodeOwners, Owner, Ownership, Part};
use crate::place::Place;

/// The level above is owned apart.
pub const CONTROL: Control = Control {
    id: "sod-app-of-apps",
    condition: "Applications are owned apart from what they deploy",
    statement: "Where an Application is deployed by another (app-of-apps), the owners of its manifest are not the owners of the files that it deploys: its manifest names project, repository, revision and cluster, and no project bounds what a child may name.",
    asks: "The team owns its folder. Could it also point its Application at another project, repository or revision?",
    fix: "Let a platform team own the folder of Applications in CODEOWNERS, and the teams the folders that these deploy.",
    example: "Whoever owns envs/prod also owns apps/prod, where a change of one line moves an Application into the project default.",
    limits: "Owners are compared by name; whether two teams share people is sod-sole-owner's and the people map's. Files without owners are those of sod-unowned-path. Applications that somebody applied by hand are not among those asked about.",
    inputs: &["CODEOWNERS", "repository: Applications and deployed files"],
    relates: &[SOC2_CC6_3, ISO_5_3, NIST_AC_5, NIST_AC_6],
    severity: Severity::Warning,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(file) = asked.joined.sources.code_owners.map(CodeOwners::file) else {
        return missing(&CONTROL, "a CODEOWNERS file");
    };
    let by_path: HashMap<&str, &Ownership<'_>> =
        asked.files().iter().map(|file| (file.path.as_str(), &file.ownership)).collect();
    let parts = |path: &str| -> &[Part<'_>] {
        match by_path.get(path) {
            Some(Ownership::Owned { by, .. }) => by,
            _ => &[],
        }
    };
    let mut all = Vec::new();
    for target in asked.scope.targets.iter().filter(|target| !target.parents.is_empty()) {
        let Some(manifest) = target.place.path() else { continue };
        let above = parts(manifest);
        let below: BTreeSet<&Owner> =
            target.files.iter().flat_map(|path| parts(path)).flat_map(named).collect();
        if above.is_empty() || below.is_empty() {
            continue;
        }
        let both: BTreeSet<&Owner> =
            above.iter().flat_map(named).filter(|owner| below.contains(owner)).collect();
        let both: Vec<String> = both.iter().map(ToString::to_string).collect();
        let bad = || {
            let names = several(both.iter().map(String::as_str));
            format!(
                "{names} own both what it deploys and its manifest, which {} deploys",
                several(target.parents.iter().map(String::as_str))
            )
        };
        let answer = holds(both.is_empty(), "its manifest is owned by others", bad);
        let rules = above.iter().map(|part| Place::line(file, part.rule.place.line));
        let places: Vec<Place> = [target.place.clone()].into_iter().chain(rules).collect();
        all.push(outcome(&CONTROL, &target.name, answer, &places));
    }
    all
}

fn named<'p>(part: &Part<'p>) -> impl Iterator<Item = &'p Owner> {
    part.rule.owners.iter().map(|named| &named.owner)
}
