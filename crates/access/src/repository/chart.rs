//! Helm charts in the repository, unrendered.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::tree::Tree;
use super::unassessed::{NotAssessed, Reason};
use crate::place::{Located, Place};
use crate::yaml::Node;

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Its folder.
    pub folder: String,
    /// Its `Chart.yaml`.
    pub place: Place,
    /// Its name.
    pub name: Option<Located<String>>,
    /// Its version.
    pub version: Option<Located<String>>,
    /// The charts that it brings along.
    pub dependencies: Vec<Dependency>,
    /// Files of values beside it.
    pub value_files: Vec<Arc<str>>,
    /// Files that have to be rendered.
    pub templates: Vec<Arc<str>>,
    /// The kinds that those files mention.
    pub kinds: BTreeSet<String>,
}

/// A chart that a chart brings along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Where it stands.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Where it is fetched from; none or `file://…` for a folder.
    pub repository: Option<Located<String>>,
    /// Its version, which may be a range.
    pub version: Option<Located<String>>,
}

impl Chart {
    pub(super) fn of(folder: &str, node: &Node, tree: &Tree<'_>) -> Self {
        let dependencies = node.get("dependencies").map(Node::items).unwrap_or_default();
        let dependencies = dependencies.iter().map(|item| Dependency {
            place: item.place.clone(),
            name: item.get("name").and_then(Node::scalar_text).unwrap_or_default().to_owned(),
            repository: item.located("repository"),
            version: item.located("version"),
        });
        let values = |path: &&Arc<str>| is_values(path);
        Self {
            folder: folder.to_owned(),
            place: node.place.clone(),
            name: node.located("name"),
            version: node.located("version"),
            dependencies: dependencies.collect(),
            value_files: tree.within(folder).filter(values).cloned().collect(),
            templates: Vec::new(),
            kinds: BTreeSet::new(),
        }
    }

    /// What of it was not assessed.
    pub fn not_assessed(&self) -> impl Iterator<Item = NotAssessed> {
        let templates = (!self.templates.is_empty()).then(|| NotAssessed {
            place: self.place.clone(),
            reason: Reason::Template { kinds: self.kinds.iter().cloned().collect() },
        });
        let remote = self.dependencies.iter().filter_map(|dependency| {
            let from = dependency.repository.as_ref()?;
            let is_here = from.value.starts_with("file:") || from.value.starts_with("alias:");
            let shown = format!("{} of {}", dependency.name, from.value);
            let place = dependency.place.clone();
            (!is_here).then_some(NotAssessed { place, reason: Reason::Chart(shown) })
        });
        templates.into_iter().chain(remote)
    }
}

/// Whether a file is named as values are.
fn is_values(path: &str) -> bool {
    let name = super::tree::name_of(path);
    name.starts_with("values") && [".yaml", ".yml"].iter().any(|ending| name.ends_with(ending))
}

/// The kinds that a template mentions: `kind: X` at the beginning of a line.
pub(super) fn kinds_of(text: &str) -> impl Iterator<Item = String> {
    let kinds = text.lines().filter_map(|line| line.strip_prefix("kind:"));
    let words = kinds.map(|kind| kind.trim().trim_matches(['"', '\'']));
    words
        .filter(|kind| kind.chars().all(char::is_alphanumeric) && !kind.is_empty())
        .map(str::to_owned)
}
