//! Crate docs: every crate opens with what it is.

use crate::problem::{Outcome, Problem, count};
use crate::tree::Tree;

/// Checks the first line of every crate's `lib.rs` and `main.rs`.
pub(crate) fn check(tree: &Tree) -> Outcome {
    let (mut roots, mut problems) = (0, Vec::new());
    for name in tree.crates() {
        let mut found = false;
        for file in ["lib.rs", "main.rs"] {
            let path = format!("crates/{name}/src/{file}");
            let Some(text) = tree.text(&path) else {
                continue;
            };
            (roots, found) = (roots + 1, true);
            let promise = text.lines().next().and_then(|line| line.strip_prefix("//! "));
            if promise.is_none_or(|promise| promise.split_whitespace().count() < 2) {
                let fix = "open with `//!` and one sentence that says what the crate is for";
                problems.push(Problem::line(&path, 1, "no crate documentation", fix));
            }
        }
        if !found {
            let manifest = format!("crates/{name}/Cargo.toml");
            problems.push(Problem::file(&manifest, "no lib.rs or main.rs", "add one under src/"));
        }
    }
    Outcome { name: "docs", checked: count(roots, "crate root"), problems }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_without_a_sentence_are_named() {
        let tree = Tree::of(
            "/x",
            &[
                ("crates/good/Cargo.toml", ""),
                ("crates/good/src/lib.rs", "//! What it is.\n"),
                ("crates/good/src/main.rs", "//! xtask\n"),
                ("crates/bare/Cargo.toml", ""),
                ("crates/bare/src/lib.rs", "use std::fmt;\n"),
                ("crates/empty/Cargo.toml", ""),
            ],
        );
        let outcome = check(&tree);
        let paths: Vec<_> = outcome.problems.iter().map(|p| p.path.as_str()).collect();
        let expected =
            ["crates/bare/src/lib.rs", "crates/empty/Cargo.toml", "crates/good/src/main.rs"];
        assert_eq!(paths, expected);
        assert_eq!(outcome.checked, "3 crate roots");
    }
}
