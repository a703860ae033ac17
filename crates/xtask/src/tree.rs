//! The files of a checkout, read once.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders that hold no source where git cannot say so.
const NOT_SOURCE: [&str; 2] = [".git", "target"];

/// One file: its text, or nothing where it is not text.
pub(crate) type Text = Option<String>;

/// Every file of a checkout that git does not ignore, by its path from the root.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    root: PathBuf,
    files: BTreeMap<String, Text>,
}

impl Tree {
    /// Reads the checkout at `root`: the files that git tracks or would track. Where git cannot
    /// list them (an unpacked archive, a folder of another owner), every file but build output.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for path in list_by_git(root).map_or_else(|| list_by_walk(root), Ok)? {
            let whole = root.join(&path);
            // A tracked file may be deleted and a link may lead anywhere: neither is a source file.
            if fs::symlink_metadata(&whole).is_ok_and(|m| m.is_file()) {
                files.insert(path, String::from_utf8(fs::read(&whole)?).ok());
            }
        }
        Ok(Self { root: root.to_owned(), files })
    }

    /// A tree made of fixtures.
    #[cfg(test)]
    pub(crate) fn of(root: &str, files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).into(), Some((*text).into())));
        Self { root: root.into(), files: files.collect() }
    }

    /// Where the checkout is.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Every text file, by path.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// Every Rust file of every crate, by path.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| path.starts_with("crates/") && has_extension(path, "rs"))
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether a file, text or not, or a folder with a file in it is there.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self
                .files
                .range(folder.clone()..)
                .next()
                .is_some_and(|(p, _)| p.starts_with(&folder))
    }

    /// The names of the crates: the folders under `crates/` with a manifest.
    pub(crate) fn crates(&self) -> Vec<&str> {
        let manifests = self.files.keys().filter_map(|path| {
            path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml").filter(|n| !n.contains('/'))
        });
        manifests.collect()
    }
}

/// Whether a path ends in `.extension`.
pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

fn list_by_git(root: &Path) -> Option<Vec<String>> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()?;
    let text = String::from_utf8(listing.stdout).ok()?;
    let paths: Vec<String> = text.split('\0').filter(|p| !p.is_empty()).map(Into::into).collect();
    (listing.status.success() && !paths.is_empty()).then_some(paths)
}

fn list_by_walk(root: &Path) -> io::Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if !entry.file_type()?.is_dir() {
                paths.push(path);
            } else if !NOT_SOURCE.contains(&name.as_str()) {
                folders.push(path);
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_there_if_a_file_is_in_it() {
        let tree = Tree::of("/x", &[("docs/a/b.md", ""), ("docs/a-b.md", "")]);
        assert!(tree.holds("docs") && tree.holds("docs/a") && tree.holds("docs/a/b.md"));
        assert!(!tree.holds("doc") && !tree.holds("docs/a/b") && !tree.holds("docs/b.md"));
    }

    #[test]
    fn crates_are_the_folders_with_a_manifest() {
        let tree = Tree::of(
            "/x",
            &[
                ("Cargo.toml", ""),
                ("crates/b/Cargo.toml", ""),
                ("crates/a/Cargo.toml", ""),
                ("crates/a/fuzz/Cargo.toml", ""),
                ("crates/c/src/lib.rs", ""),
            ],
        );
        assert_eq!(tree.crates(), ["a", "b"]);
    }

    #[test]
    fn git_and_the_walk_see_this_very_file() {
        let root = &crate::checkout();
        let here = "crates/xtask/src/tree.rs".to_owned();
        assert!(list_by_walk(root).expect("readable").contains(&here));
        assert!(Tree::read(root).expect("readable").text(&here).is_some());
    }
}
