//! Every file read once: which objects it holds, or why it could not be read.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::chart::{self, Chart};
use super::kustomization::{Kustomization, is_kustomization};
use super::object::Object;
use super::rendering::{Rendering, Tool};
use super::tree::{Tree, folder_of, name_of};
use super::unassessed::Reason;
use crate::place::Place;
use crate::yaml::{self, Fault, Limits, Node, Parsed, Problem};

/// What the files hold.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    pub(super) by_file: BTreeMap<Arc<str>, Vec<Arc<Object>>>,
    /// Files, or documents in them, that could not be read.
    pub(super) unread: BTreeMap<Arc<str>, Reason>,
    pub(super) problems: Vec<Problem>,
    pub(super) kustomizations: BTreeMap<String, Kustomization>,
    pub(super) charts: BTreeMap<String, Chart>,
}

impl Manifests {
    pub(super) fn read(tree: &Tree<'_>, limits: &Limits) -> Self {
        let mut manifests = Self::default();
        manifests.read_charts(tree, limits);
        for (path, bytes) in tree.iter() {
            if is_kustomization(path) {
                manifests.read_kustomization(path, bytes, limits);
            } else if is_manifest_name(path) && name_of(path) != "Chart.yaml" {
                manifests.read_file(path, bytes, limits);
            }
        }
        manifests
    }

    fn read_charts(&mut self, tree: &Tree<'_>, limits: &Limits) {
        for (path, bytes) in tree.iter().filter(|(path, _)| name_of(path) == "Chart.yaml") {
            let node = self.first(path, yaml::parse(path, bytes, limits));
            if let Some(node) = node {
                let folder = folder_of(path);
                self.charts.insert(folder.to_owned(), Chart::of(folder, &node, tree));
            }
        }
    }

    fn read_kustomization(&mut self, path: &Arc<str>, bytes: &[u8], limits: &Limits) {
        let parsed = yaml::parse(path, bytes, limits);
        // An empty kustomization is one that holds nothing.
        if let Some(node) = self.first(path, parsed) {
            let folder = folder_of(path);
            self.kustomizations.insert(folder.to_owned(), Kustomization::of(folder, &node));
        }
    }

    fn first(&mut self, path: &Arc<str>, parsed: Parsed) -> Option<Node> {
        self.note(path, &parsed.problems);
        parsed.documents.into_iter().next()
    }

    fn read_file(&mut self, path: &Arc<str>, bytes: &[u8], limits: &Limits) {
        let text = std::str::from_utf8(bytes).ok();
        // Only what says its version and its kind can be an object; the rest of a repository (values,
        // settings of other tools, dashboards) is none of ours, and none of our errors.
        if !text.is_none_or(|text| text.contains("apiVersion") && text.contains("kind")) {
            return;
        }
        if let Some(text) = text.filter(|text| text.contains("{{"))
            && let Some(chart) = self.chart_of_template(path)
        {
            chart.templates.push(Arc::clone(path));
            chart.kinds.extend(chart::kinds_of(text));
            let kinds = chart::kinds_of(text).collect();
            self.unread.insert(Arc::clone(path), Reason::Template { kinds });
            return;
        }
        let parsed = yaml::parse(path, bytes, limits);
        self.note(path, &parsed.problems);
        let objects = parsed.documents.into_iter().flat_map(Object::of_document);
        let objects: Vec<_> = objects.map(Arc::new).collect();
        if !objects.is_empty() {
            self.by_file.insert(Arc::clone(path), objects);
        }
    }

    /// The chart whose template a file is.
    fn chart_of_template(&mut self, path: &str) -> Option<&mut Chart> {
        let mut folder = folder_of(path);
        loop {
            if name_of(folder) == "templates" && self.charts.contains_key(folder_of(folder)) {
                return self.charts.get_mut(folder_of(folder));
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder_of(folder);
        }
    }

    fn note(&mut self, path: &Arc<str>, problems: &[Problem]) {
        for problem in problems {
            let reason = match &problem.fault {
                Fault::Template => Reason::Template { kinds: Vec::new() },
                fault => Reason::Unreadable(fault.to_string()),
            };
            if problem.fault.hides() {
                self.unread.entry(Arc::clone(path)).or_insert(reason);
            }
            if problem.fault != Fault::Template {
                self.problems.push(problem.clone());
            }
        }
    }

    pub(super) fn objects(&self, path: &str) -> &[Arc<Object>] {
        self.by_file.get(path).map(Vec::as_slice).unwrap_or_default()
    }

    /// The chart or the kustomization of a rendering.
    pub(super) fn of_rendering(&self, rendering: &Rendering) -> Place {
        let folder = &rendering.folder;
        let place = match rendering.tool() {
            Tool::Helm => self.charts.get(folder).map(|chart| &chart.place),
            Tool::Kustomize => self.kustomizations.get(folder).map(|own| &own.place),
        };
        place.cloned().unwrap_or_else(|| Place::file(folder))
    }

    /// The files that kustomizations name as patches: what they hold are no objects of their own.
    pub(super) fn patch_files(&self) -> HashSet<String> {
        let mut files = HashSet::new();
        for kustomization in self.kustomizations.values() {
            for path in kustomization.patches.iter().filter_map(|patch| patch.path.as_ref()) {
                if let Some(path) = super::tree::resolve(&kustomization.folder, &path.value) {
                    files.insert(path);
                }
            }
        }
        files
    }
}

/// Whether Argo CD reads a file of this name as a manifest.
pub(super) fn is_manifest_name(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending))
}
