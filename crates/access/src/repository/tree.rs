//! The files of one commit, as they are looked up: by path and by folder.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The files by path.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree<'a> {
    files: BTreeMap<Arc<str>, &'a [u8]>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        Self { files: files.into_iter().map(|(path, bytes)| (path.into(), bytes)).collect() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &'a [u8])> {
        self.files.iter().map(|(path, bytes)| (path, *bytes))
    }

    pub(super) fn bytes(&self, path: &str) -> Option<&'a [u8]> {
        self.files.get(path).copied()
    }

    /// The tree's own copy of a path, so that the same path is kept once.
    pub(super) fn path(&self, path: &str) -> Option<Arc<str>> {
        self.files.get_key_value(path).map(|(path, _)| Arc::clone(path))
    }

    pub(super) fn has_folder(&self, folder: &str) -> bool {
        folder.is_empty() || self.under(folder).next().is_some()
    }

    /// The files of a folder and of those below it, by path.
    pub(super) fn under(&self, folder: &str) -> impl Iterator<Item = &Arc<str>> {
        let start: String = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let from: Arc<str> = start.as_str().into();
        let paths = self.files.range(from..).map(|(path, _)| path);
        paths.take_while(move |path| path.starts_with(&start))
    }

    /// The files of a folder itself.
    pub(super) fn within<'t>(&'t self, folder: &'t str) -> impl Iterator<Item = &'t Arc<str>> {
        let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
        self.under(folder).filter(move |path| !path[skip..].contains('/'))
    }

    /// The folders right below a folder.
    pub(super) fn folders(&self, folder: &str) -> Vec<String> {
        let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
        let mut found: Vec<String> = Vec::new();
        for path in self.under(folder) {
            if let Some(end) = path[skip..].find('/') {
                let name = &path[..skip + end];
                if found.last().is_none_or(|last| last != name) {
                    found.push(name.to_owned());
                }
            }
        }
        found
    }
}

/// The folder of a path; empty for the root.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a path.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// A path as written in a folder, from the root; `None` when it leaves the repository.
pub(super) fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { vec![folder] };
    parts.retain(|part| !part.is_empty());
    let mut whole: Vec<&str> = parts.iter().flat_map(|part| part.split('/')).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(whole.pop()?),
            name => whole.push(name),
        }
    }
    Some(whole.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_within_the_repository() {
        let table = [
            ("envs/prod", "../../base", Some("base")),
            ("envs/prod", "./a.yaml", Some("envs/prod/a.yaml")),
            ("", "a//b/", Some("a/b")),
            ("a", "../..", None),
            ("a/b", "/c", Some("c")),
            ("a", ".", Some("a")),
        ];
        for (folder, path, expected) in table {
            assert_eq!(resolve(folder, path).as_deref(), expected, "{folder} {path}");
        }
    }

    #[test]
    fn folders_list_their_own_files() {
        let files = ["a/b.yaml", "a/c/d.yaml", "a/c/e.yaml", "ab/f.yaml", "g.yaml"];
        let tree = Tree::new(files.map(|path| (path, &b""[..])));
        let texts =
            |paths: Vec<&Arc<str>>| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(tree.within("a").collect()), ["a/b.yaml"]);
        assert_eq!(texts(tree.under("a").collect()), ["a/b.yaml", "a/c/d.yaml", "a/c/e.yaml"]);
        assert_eq!(texts(tree.within("").collect()), ["g.yaml"]);
        assert_eq!(tree.folders(""), ["a", "ab"]);
        assert!(tree.has_folder("a/c") && !tree.has_folder("a/b"));
    }
}
