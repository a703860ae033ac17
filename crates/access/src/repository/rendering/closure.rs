//! What a kustomization reads: every file that it names, through all that it takes in. One that
//! names anything remote, a plugin, or a field that this reading does not know, is not handed to
//! kustomize at all: kustomize would fetch it, or have git do it.
//!
//! How kustomize reads a name: `kubernetes-sigs/kustomize` `api/internal/git/repospec.go`
//! (`NewRepoSpecFromURL` comes before the folder of that name), `api/internal/loader/fileloader.go`
//! (`Load` fetches any file that is an address).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::repository::kustomization::FILES;
use crate::repository::render::DEPTH_MAX;
use crate::repository::tree::{Tree, resolve};
use crate::repository::unassessed::Reason;
use crate::yaml::{self, Limits, Node, Value};

/// Fields that name nothing but what stands in the kustomization.
const PLAIN: [&str; 15] = [
    "apiVersion",
    "kind",
    "metadata",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "images",
    "replicas",
    "vars",
    "sortOptions",
    "generatorOptions",
    "buildMetadata",
];
/// Fields that name files, folders, or both.
const NAMES: [&str; 5] = ["resources", "bases", "components", "crds", "configurations"];
/// Fields of an item that stands there or in a file. Kustomize reads a name of any case, so that a
/// `Path` would be a path to it: what is spelled otherwise is not known.
const ITEM: [&str; 6] = ["path", "patch", "target", "options", "source", "targets"];
/// Fields of a generator.
const GENERATOR: [&str; 9] =
    ["name", "namespace", "behavior", "files", "literals", "envs", "env", "options", "type"];

/// Walks a kustomization and what it takes in.
pub(super) struct Closure<'t> {
    pub(super) tree: &'t Tree<'t>,
    pub(super) limits: &'t Limits,
    pub(super) files: BTreeSet<Arc<str>>,
    open: Vec<String>,
    done: BTreeSet<String>,
}

impl<'t> Closure<'t> {
    pub(super) fn new(tree: &'t Tree<'t>, limits: &'t Limits) -> Self {
        Self { tree, limits, files: BTreeSet::new(), open: Vec::new(), done: BTreeSet::new() }
    }

    /// The kustomization of a folder: its path, and what stands in it.
    pub(super) fn file(&self, folder: &str) -> Result<(Arc<str>, Node), Reason> {
        let named = FILES.iter().filter_map(|name| self.tree.path(&joined(folder, name)));
        let found: Vec<Arc<str>> = named.collect();
        let [file] = &found[..] else {
            return Err(Reason::Missing(format!("one kustomization in {folder}")));
        };
        let parsed = yaml::parse(file, self.tree.bytes(file).unwrap_or_default(), self.limits);
        if let Some(problem) = parsed.problems.first() {
            return Err(Reason::Unreadable(problem.fault.to_string()));
        }
        let [node] = &parsed.documents[..] else {
            return Err(Reason::Unreadable("holds not one kustomization".to_owned()));
        };
        Ok((Arc::clone(file), node.clone()))
    }

    /// Adds what the kustomization of a folder reads.
    fn folder(&mut self, folder: &str) -> Result<(), Reason> {
        if self.done.contains(folder) {
            return Ok(());
        }
        if self.open.iter().any(|open| open == folder) || self.open.len() >= DEPTH_MAX {
            return Err(Reason::Cycle);
        }
        let (file, node) = self.file(folder)?;
        self.files.insert(file);
        self.node(folder, &node)
    }

    /// Adds what a kustomization reads that stands, or would stand, in a folder.
    pub(super) fn node(&mut self, folder: &str, node: &Node) -> Result<(), Reason> {
        if !matches!(node.value, Value::Mapping(_)) {
            return Err(Reason::Unreadable("holds no mapping".to_owned()));
        }
        self.open.push(folder.to_owned());
        for entry in node.entries().iter().filter(|entry| !is_empty(&entry.value)) {
            self.field(folder, &entry.key.text, &entry.value)?;
        }
        self.open.pop();
        self.done.insert(folder.to_owned());
        Ok(())
    }

    fn field(&mut self, folder: &str, key: &str, value: &Node) -> Result<(), Reason> {
        match key {
            _ if PLAIN.contains(&key) => Ok(()),
            _ if NAMES.contains(&key) => {
                let takes_folders = matches!(key, "resources" | "bases" | "components");
                value.items().iter().try_for_each(|item| {
                    let name = item.as_text().ok_or_else(|| Reason::Field(key.to_owned()))?;
                    self.name(folder, name, takes_folders)
                })
            }
            "patches" | "patchesJson6902" | "replacements" => {
                value.items().iter().try_for_each(|item| {
                    known(item, &ITEM)?;
                    item.get("path").map_or(Ok(()), |path| self.file_at(folder, path))
                })
            }
            "patchesStrategicMerge" => value.items().iter().try_for_each(|item| {
                let text = item.as_text().ok_or_else(|| Reason::Field(key.to_owned()))?;
                if text.contains('\n') { Ok(()) } else { self.name(folder, text, false) }
            }),
            "openapi" => value
                .entries()
                .iter()
                .filter(|entry| &*entry.key.text == "path")
                .try_for_each(|entry| self.file_at(folder, &entry.value)),
            "configMapGenerator" | "secretGenerator" => {
                value.items().iter().try_for_each(|item| self.generator(folder, item))
            }
            _ => Err(Reason::Field(key.to_owned())),
        }
    }

    fn generator(&mut self, folder: &str, node: &Node) -> Result<(), Reason> {
        known(node, &GENERATOR)?;
        for key in ["files", "envs"] {
            for item in node.get(key).map(Node::items).unwrap_or_default() {
                let text = item.as_text().ok_or_else(|| Reason::Field(key.to_owned()))?;
                let path = text.split_once('=').map_or(text, |(_, path)| path);
                self.name(folder, path, false)?;
            }
        }
        node.get("env").map_or(Ok(()), |env| self.file_at(folder, env))
    }

    fn file_at(&mut self, folder: &str, node: &Node) -> Result<(), Reason> {
        let name = node.as_text().ok_or_else(|| Reason::Field("path".to_owned()))?;
        self.name(folder, name, false)
    }

    /// Adds a file, or what the kustomization of a folder reads.
    fn name(&mut self, folder: &str, name: &str, takes_folders: bool) -> Result<(), Reason> {
        if !is_local(name) {
            return Err(Reason::Remote(name.to_owned()));
        }
        let path = resolve(folder, name).ok_or_else(|| Reason::Remote(name.to_owned()))?;
        match self.tree.path(&path) {
            Some(file) => {
                self.files.insert(file);
                Ok(())
            }
            None if takes_folders && self.tree.has_folder(&path) => self.folder(&path),
            None => Err(Reason::Missing(name.to_owned())),
        }
    }
}

/// Whether an item is a mapping without fields but these.
fn known(item: &Node, fields: &[&str]) -> Result<(), Reason> {
    if !matches!(item.value, Value::Mapping(_)) {
        return Err(Reason::Field("patches, as text".to_owned()));
    }
    let unknown = item.entries().iter().find(|entry| !fields.contains(&&*entry.key.text));
    unknown.map_or(Ok(()), |entry| Err(Reason::Field(entry.key.text.to_string())))
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn is_empty(node: &Node) -> bool {
    node.is_null()
        || node.as_text() == Some("")
        || matches!(&node.value, Value::Sequence(items) if items.is_empty())
        || matches!(&node.value, Value::Mapping(entries) if entries.is_empty())
}

/// Whether kustomize takes a name for a path, and for nothing else. It takes `github.com/a/b` for a
/// repository even where a folder of that name is there.
fn is_local(name: &str) -> bool {
    let lower = name.to_lowercase();
    let host = ["github.com/", "github.com:", "git::", "-", "/"];
    !name.is_empty()
        && !name.contains(['\n', '\0', '?', '@', '\\'])
        && !lower.contains("://")
        && !host.iter().any(|start| lower.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_kustomize_may_fetch_are_not_local() {
        for name in ["a.yaml", "../base", "./x/", "a/b.yaml", "example.com/a", "a//b", "a.git/b"] {
            assert!(is_local(name), "{name}");
        }
        for name in [
            "https://a.example/b.yaml",
            "HTTP://a",
            "ssh://git@a/b",
            "file:///a",
            "git@a.example:b/c",
            "org@a.example:b",
            "github.com/a/b",
            "GitHub.com/a/b//c?ref=v1",
            "github.com:a/b",
            "git::https://a",
            "git::a/b",
            "a/b?ref=c",
            "/a",
            "-f",
            "",
        ] {
            assert!(!is_local(name), "{name}");
        }
    }
}
