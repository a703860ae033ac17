//! Whether what deploys an Application is owned by somebody else than what the Application deploys.

use std::collections::{BTreeSet, HashMap};

use evidence::control::framework::{ISO_5_3, NIST_AC_5, NIST_AC_6, SOC2_CC6_3};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, holds, missing, outcome, several};
use crate::codeowners::{CodeOwners, Owner, Ownership, Part};
use crate::place::Place;
use crate::reach::scope::Target;

/// The level above is owned apart.
pub const CONTROL: Control = Control {
    id: "sod-app-of-apps",
    condition: "Applications are owned apart from what they deploy",
    statement: "Where an Application is deployed by another (app-of-apps), the owners of its manifest are not the owners of the files that it deploys, by itself or through further Applications: its manifest names project, repository, revision and cluster, and no project bounds what a child may name.",
    asks: "The team owns its folder. Could it also point its Application at another project, repository or revision?",
    fix: "Let a platform team own the folder of Applications in CODEOWNERS, and the teams the folders that these deploy.",
    example: "Whoever owns envs/prod also owns apps/prod, where a change of one line moves an Application into the project default.",
    limits: "Owners are compared by name; whether two teams share people is sod-sole-owner's and the people map's. Files without owners are those of sod-unowned-path. Applications that somebody applied by hand, or that deploy themselves, are not among those asked about, and manifests of Applications do not count as what one deploys: what these deploy does.",
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
    let mut children: HashMap<&str, Vec<&Target>> = HashMap::new();
    for target in &asked.scope.targets {
        for parent in above(target) {
            children.entry(parent).or_default().push(target);
        }
    }
    let mut all = Vec::new();
    for target in &asked.scope.targets {
        if above(target).next().is_none() {
            continue;
        }
        let Some(manifest) = target.place.path() else { continue };
        let own = parts(manifest);
        let below = below(target, &children);
        let below = below.iter().flat_map(|target| workload(asked, target));
        let below: BTreeSet<&Owner> = below.flat_map(parts).flat_map(named).collect();
        if own.is_empty() || below.is_empty() {
            continue;
        }
        let both: BTreeSet<&Owner> =
            own.iter().flat_map(named).filter(|owner| below.contains(owner)).collect();
        let both: Vec<String> = both.iter().map(ToString::to_string).collect();
        let bad = || {
            let names = several(both.iter().map(String::as_str));
            format!(
                "{names} own both what it deploys and its manifest, which {} deploys",
                several(above(target))
            )
        };
        let answer = holds(both.is_empty(), "its manifest is owned by others", bad);
        let rules = own.iter().map(|part| Place::line(file, part.rule.place.line));
        let places: Vec<Place> = [target.place.clone()].into_iter().chain(rules).collect();
        all.push(outcome(&CONTROL, &target.name, answer, &places));
    }
    all
}

/// The Applications that deploy another. What deploys itself has nothing above it by that.
fn above(target: &Target) -> impl Iterator<Item = &str> {
    target.parents.iter().map(String::as_str).filter(|parent| *parent != target.name)
}

/// An Application and all that it deploys, however deep.
fn below<'t>(target: &'t Target, children: &HashMap<&str, Vec<&'t Target>>) -> Vec<&'t Target> {
    let (mut found, mut seen) = (vec![target], BTreeSet::from([target.name.as_str()]));
    let mut at = 0;
    while let Some(one) = found.get(at).copied() {
        let deployed = children.get(one.name.as_str()).into_iter().flatten();
        found.extend(deployed.filter(|child| seen.insert(child.name.as_str())));
        at += 1;
    }
    found
}

/// The files of an Application that decide what runs, and not which Applications there are.
fn workload<'t>(asked: &Asked<'_>, target: &'t Target) -> Vec<&'t str> {
    let files = target.files.iter().map(String::as_str);
    let Some((repository, at)) = asked.joined.sources.repository.zip(target.index) else {
        return files.collect();
    };
    let deployment = repository.deployment(at);
    if deployment.applications.is_empty() {
        return files.collect();
    }
    let is_application = |kind: &str| ["Application", "ApplicationSet"].contains(&kind);
    if deployment.objects.iter().all(|one| is_application(&one.object.kind)) {
        return Vec::new();
    }
    let own = deployment.applications.iter().map(|at| &repository.applications()[*at]);
    let manifests: BTreeSet<&str> = own.filter_map(|one| one.place().path()).collect();
    files.filter(|path| !manifests.contains(path)).collect()
}

fn named<'p>(part: &Part<'p>) -> impl Iterator<Item = &'p Owner> {
    part.rule.owners.iter().map(|named| &named.owner)
}
