//! Whether what production takes from elsewhere is named by a version that stays what it is.

use std::collections::BTreeMap;

use evidence::control::framework::{ISO_8_32, NIST_CM_3, PCI_6_5_1, SOC2_CC8_1};
use evidence::control::model::{met, not_met};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, missing, outcome};
use crate::place::{Located, Place};
use crate::reach::scope::Target;
use crate::repository::Repository;

/// Versions, and no ranges.
pub const CONTROL: Control = Control {
    id: "sod-floating-version",
    condition: "what comes from elsewhere has a version",
    statement: "Charts, bases and tags that production takes from elsewhere are named by one version, and by no range, and by no address without one.",
    asks: "Nobody changed this repository, and production changed. Who approved that?",
    fix: "Name the version in full: `1.2.3` and not `1.*`, `?ref=` with a commit or a tag in the address of a base, and commit Chart.lock.",
    example: "An Application takes the chart `redis` at `*`, and each release of it reaches production at the next sync.",
    limits: "That a publisher does not replace what a version stands for is not seen. Whether a `?ref=` is a branch or a tag is not told, and Kustomize's own helmCharts are not read.",
    inputs: &["Applications", "repository: charts and kustomizations"],
    relates: &[PCI_6_5_1, SOC2_CC8_1, ISO_8_32, NIST_CM_3],
    severity: Severity::Warning,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    if asked.scope.targets.is_empty() {
        return missing(&CONTROL, "an Application of production");
    }
    let mut shared = BTreeMap::new();
    let mut all = Vec::new();
    for target in &asked.scope.targets {
        let mut floating = of_sources(target);
        if let Some((repository, at)) = asked.joined.sources.repository.zip(target.index) {
            for folder in &repository.deployment(at).folders {
                let found = shared.entry(folder.as_str());
                floating.extend(found.or_insert_with(|| of_folder(repository, folder)).clone());
            }
        }
        if floating.is_empty() {
            let answer = met("every version is named");
            all.push(outcome(&CONTROL, &target.name, answer, std::slice::from_ref(&target.place)));
            continue;
        }
        let (words, places): (Vec<String>, Vec<Place>) = floating.into_iter().unzip();
        all.push(outcome(&CONTROL, &target.name, not_met(words.join("; ")), &places));
    }
    all
}

type Floating = Vec<(String, Place)>;

fn of_sources(target: &Target) -> Floating {
    let mut found = Vec::new();
    for source in &target.sources {
        let revision = source.target_revision.as_ref();
        let at = revision.map_or(&source.place, |revision| &revision.place);
        match (&source.chart, source.revision()) {
            (Some(chart), "HEAD" | "") => {
                found.push((format!("the chart {} names no version", chart.value), at.clone()));
            }
            (Some(chart), range) if is_range(range) => {
                found
                    .push((format!("the chart {} may be any of {range}", chart.value), at.clone()));
            }
            (None, range) if is_range(range) => {
                found.push((format!("the revision may be any tag of {range}"), at.clone()));
            }
            _ => {}
        }
    }
    found
}

/// What a folder of this repository takes from elsewhere.
fn of_folder(repository: &Repository, folder: &str) -> Floating {
    let mut found = Vec::new();
    if let Some(chart) = repository.charts().get(folder) {
        let lock = [folder, "Chart.lock"].join("/");
        let is_locked = repository.paths().any(|path| path == lock.trim_start_matches('/'));
        let remote = chart
            .dependencies
            .iter()
            .filter(|d| d.repository.as_ref().is_some_and(|from| !from.value.starts_with("file:")));
        for dependency in remote.filter(|_| !is_locked) {
            let version = dependency.version.as_ref().map_or("", |version| &version.value);
            if version.is_empty() || is_range(version) {
                let shown = if version.is_empty() { "any version" } else { version };
                let says = format!("the chart {} may be any of {shown}", dependency.name);
                found.push((says, dependency.place.clone()));
            }
        }
    }
    for folder in repository.kustomizations_below(folder) {
        let bases = repository.kustomizations().get(&folder).into_iter().flat_map(|k| &k.resources);
        found.extend(bases.filter_map(base));
    }
    found
}

/// A base of another repository that names no revision, or one that moves.
fn base(resource: &Located<String>) -> Option<(String, Place)> {
    let address = resource.value.as_str();
    if is_file(address) {
        let says = moving(address)?;
        return Some((format!("the file {address} is of {says}"), resource.place.clone()));
    }
    let path = address.split('?').next().unwrap_or(address);
    let is_git = address.starts_with("git@")
        || address.starts_with("github.com/")
        || path.strip_suffix(".git").is_some()
        || path.contains(".git/")
        || address.contains("://");
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let names = |key: &str| {
        query.split('&').any(|part| part.strip_prefix(key).is_some_and(|value| !value.is_empty()))
    };
    let is_named = names("ref=") || names("version=");
    (is_git && !is_named)
        .then(|| (format!("the base {address} names no revision"), resource.place.clone()))
}

/// One file of a web server.
fn is_file(address: &str) -> bool {
    let path = address.split('?').next().unwrap_or(address);
    address.contains("://") && [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end))
}

/// Names of branches that nobody takes for a version.
const BRANCHES: [&str; 7] = ["main", "master", "HEAD", "develop", "development", "trunk", "latest"];

/// What moves in the address of a file, where its form tells: a branch of a forge, or the latest
/// release. Of other addresses a revision cannot be told from the rest of the path.
fn moving(address: &str) -> Option<String> {
    let path = address.split_once("://")?.1;
    let parts: Vec<&str> = path.split('/').collect();
    let revision = match parts.as_slice() {
        ["raw.githubusercontent.com", _, _, "refs", "heads", branch, ..] => {
            return Some(format!("the branch {branch}"));
        }
        ["github.com", _, _, "releases", "latest", ..] => {
            return Some("the latest release".to_owned());
        }
        ["raw.githubusercontent.com", _, _, revision, ..]
        | ["github.com", _, _, "raw" | "blob", revision, ..] => revision,
        _ => parts.iter().skip_while(|part| **part != "-").nth(2)?,
    };
    BRANCHES.contains(revision).then(|| format!("the branch {revision}"))
}

/// Whether a version is a range, as Helm and Argo CD read one (Masterminds/semver).
pub(super) fn is_range(version: &str) -> bool {
    let version = version.trim();
    let starts = ['^', '~', '>', '<', '!'].iter().any(|c| version.starts_with(*c));
    let is_part = |part: &str| matches!(part, "*" | "x" | "X");
    let bare = version.strip_prefix('v').unwrap_or(version);
    starts || version.contains("||") || version.contains(" - ") || bare.split('.').any(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_by_what_moves_in_them() {
        let table = [
            ("https://raw.githubusercontent.com/o/r/v1.2.0/install.yaml", None),
            (
                "https://raw.githubusercontent.com/o/r/master/install.yaml",
                Some("the branch master"),
            ),
            (
                "https://raw.githubusercontent.com/o/r/refs/heads/next/a.yaml",
                Some("the branch next"),
            ),
            ("https://raw.githubusercontent.com/o/r/refs/tags/v1/a.yaml", None),
            ("https://github.com/o/r/releases/download/v1.2.0/a.yaml", None),
            ("https://github.com/o/r/releases/latest/download/a.yaml", Some("the latest release")),
            ("https://gitlab.example/g/p/-/raw/main/a.yaml", Some("the branch main")),
            ("https://gitlab.example/g/p/-/raw/v2/a.yaml", None),
            ("https://example.com/install.yaml", None),
            ("https://github.com/o/r/deploy", Some("names no revision")),
            ("https://github.com/o/r/deploy?ref=v1", None),
            ("https://github.com/o/r.git//deploy", Some("names no revision")),
            ("git@github.com:o/r.git?ref=main", None),
            ("../base", None),
            ("deployment.yaml", None),
        ];
        for (address, expected) in table {
            let found = base(&Located::new(address.to_owned(), &Place::file("k.yaml")));
            let says = found.map(|(says, _)| says);
            match expected {
                None => assert_eq!(says, None, "{address}"),
                Some(part) => assert!(says.clone().is_some_and(|s| s.contains(part)), "{says:?}"),
            }
        }
    }
}
