//! Machine: no file tells of the machine it was written on, nor of where packages come from.
//!
//! A path of one machine breaks on the next, and the host of a registry is the builder's choice.

use std::env;

use crate::problem::{Outcome, Problem, count};
use crate::tree::Tree;

/// Written in two halves, so that this file does not break its own rule.
const HOMES: [&str; 3] = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Use", "rs/")];
const REGISTRIES: [&str; 8] = [
    concat!("crates", ".io"),
    concat!("npm", "js.org"),
    concat!("npm", "js.com"),
    concat!("pypi", ".org"),
    concat!("golang", ".org"),
    concat!("maven", ".org"),
    concat!("ruby", "gems.org"),
    concat!("nuget", ".org"),
];
/// Cargo writes the registry into it.
const LOCK_FILE: &str = "Cargo.lock";

/// Searches every text file of the checkout.
pub(crate) fn check(tree: &Tree) -> Outcome {
    let mut paths: Vec<String> = HOMES.iter().map(|home| (*home).to_owned()).collect();
    // A home or a checkout of one or two characters says nothing about a machine.
    let here = [Some(tree.root().display().to_string()), env::var("HOME").ok()];
    paths.extend(here.into_iter().flatten().filter(|path| path.len() > 3).map(|p| p + "/"));
    let (mut files, mut problems) = (0, Vec::new());
    for (path, text) in tree.texts() {
        files += 1;
        for (number, line) in text.lines().enumerate() {
            if let Some(what) = told(line, &paths, path.ends_with(LOCK_FILE)) {
                let fix = "write a path from the checkout's root, or leave it out";
                problems.push(Problem::line(path, number + 1, what, fix));
            }
        }
    }
    Outcome { name: "machine", checked: count(files, "text file"), problems }
}

/// What a line tells of a machine, if anything.
fn told(line: &str, paths: &[String], is_lock_file: bool) -> Option<String> {
    if let Some(path) = paths.iter().find(|path| names_path(line, path)) {
        return Some(format!("path of one machine: {path}"));
    }
    let registry = REGISTRIES.iter().find(|host| line.contains(**host) && !is_lock_file)?;
    Some(format!("host of a package registry: {registry}"))
}

/// Whether a line holds an absolute path that begins so; `a/home/b` and `~/home/` are others.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.~/}$*".contains(c))
            && after.is_some_and(|c| c.is_alphanumeric() || "_.".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(path: &str, text: &str) -> Vec<Option<usize>> {
        let tree = Tree::of(concat!("/src/of", "/checkout"), &[(path, text)]);
        check(&tree).problems.into_iter().map(|p| p.line).collect()
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        let text = format!(
            "ok\ncd /{home}/ann/x\n(/src/of{checkout}/a)\nsee {root}x\n",
            home = "home",
            checkout = "/checkout",
            root = HOMES[1],
        );
        assert_eq!(lines_of("docs/a.md", &text), [Some(2), Some(3), Some(4)]);
    }

    #[test]
    fn other_paths_pass() {
        let text = format!("docs{0}a\n$X{0}a\n`{0}`\n{0}*\n/etc/passwd\n", HOMES[0]);
        assert_eq!(lines_of("docs/a.md", &text), []);
    }

    #[test]
    fn registries_may_stand_in_the_lock_file_alone() {
        let text = format!("source = \"https://{}-index\"\n", REGISTRIES[0]);
        assert_eq!(lines_of("deny.toml", &text), [Some(1)]);
        assert_eq!(lines_of("Cargo.lock", &text), []);
    }
}
