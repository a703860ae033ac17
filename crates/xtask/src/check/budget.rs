//! Budget: what the integrity of a pack rests on stays short enough to be read in an evening.
//!
//! Counted are the lines of code, without tests, blank lines and comments, of `tlog`, of the records
//! and the pack in `evidence`, of `verify`, and of every other module of `evidence` that these name
//! as `crate::…`. Not counted are the second verdict, which re-derives the story, and the files of
//! `NOT_INTEGRITY`, each with its reason. The crates outside that these three name are few, too.

use std::collections::BTreeSet;

use crate::problem::{Outcome, Problem, thousands};
use crate::rust::{is_test_file, mask, test_code, words};
use crate::tree::Tree;

/// The limit that the design sets.
const LINES_MAX: usize = 3_000;
const EVIDENCE: &str = "crates/evidence/src/";
/// The modules of `evidence` that integrity begins with.
const ROOTS: [&str; 2] = ["record", "pack"];
/// The modules that belong to the second verdict.
const SECOND_VERDICT: [&str; 4] = ["ask", "control", "parse", "story"];
/// Files that no verification of a pack's integrity calls: of `tlog` what writers, tiles and single
/// entries need; of records the stored form, which `record/check.rs` reads by itself; of packs the
/// second verdict, how a verdict is said, and what makes packs.
const NOT_INTEGRITY: [&str; 13] = [
    "crates/tlog/src/note/signer.rs",
    "crates/tlog/src/proof/inclusion.rs",
    "crates/tlog/src/tile.rs",
    "crates/tlog/src/tile/entries.rs",
    "crates/tlog/src/tile/hashes.rs",
    "crates/tlog/src/tile/layout.rs",
    "crates/tlog/src/tile/path.rs",
    "crates/tlog/src/tree/frontier.rs",
    "crates/evidence/src/pack/report.rs",
    "crates/evidence/src/pack/select.rs",
    "crates/evidence/src/pack/tell.rs",
    "crates/evidence/src/pack/write.rs",
    "crates/evidence/src/record/payload.rs",
];
/// Crates from outside that integrity may name: a dozen.
const DEPENDENCIES_MAX: usize = 12;
/// The crates that a verifier is made of.
const CRATES: [&str; 3] = ["tlog", "evidence", "verify"];

/// Counts, and names the largest files if the budget is exceeded.
pub(crate) fn check(tree: &Tree) -> Outcome {
    let modules = modules(tree);
    let mut files: Vec<(usize, &str)> = tree
        .rust()
        .filter(|(path, _)| is_counted(path, &modules))
        .map(|(path, text)| (lines_of_code(tree, path, text), path))
        .collect();
    files.sort_by(|a, b| b.cmp(a));
    let total: usize = files.iter().map(|(lines, _)| lines).sum();
    let outside = outside(tree);
    let checked = format!(
        "{} of {} lines for integrity, {} of {DEPENDENCIES_MAX} crates from outside",
        thousands(total),
        thousands(LINES_MAX),
        outside.len()
    );
    let mut problems = Vec::new();
    if outside.len() > DEPENDENCIES_MAX {
        let what = format!("{} crates from outside, not {DEPENDENCIES_MAX}", outside.len());
        let fix = format!("do without one of {}", Vec::from_iter(outside).join(", "));
        problems.push(Problem::file("crates/verify", what, fix));
    }
    if total >= LINES_MAX {
        let largest: Vec<_> =
            files.iter().take(5).map(|(lines, path)| format!("{path} {lines}")).collect();
        let what = format!("{} lines, not under {}", thousands(total), thousands(LINES_MAX));
        let fix = format!("move what integrity does not need; largest: {}", largest.join(", "));
        problems.push(Problem::file("crates/verify", what, fix));
    }
    Outcome { name: "budget", checked, problems }
}

/// The crates from outside of the workspace that a verifier's crates name as dependencies.
fn outside(tree: &Tree) -> BTreeSet<String> {
    let manifests =
        CRATES.iter().filter_map(|name| tree.text(&format!("crates/{name}/Cargo.toml")));
    let named = manifests.flat_map(|manifest| {
        let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
        let lines = lines.take_while(|line| !line.starts_with('['));
        lines.filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|name| !name.is_empty())
    });
    named.filter(|name| !CRATES.contains(name)).map(str::to_owned).collect()
}

/// The modules of `evidence` that records and packs need, themselves included.
fn modules(tree: &Tree) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = ROOTS.iter().map(|root| (*root).to_owned()).collect();
    while let Some(module) = open.pop() {
        if SECOND_VERDICT.contains(&module.as_str()) || !known.insert(module.clone()) {
            continue;
        }
        let counted = |path: &str| module_of(path) == Some(&module) && !is_left_out(path);
        for (path, text) in tree.rust().filter(|(path, _)| counted(path)) {
            open.extend(named_modules(path, text));
        }
    }
    known
}

/// The module of `evidence`, right below its root, that a file belongs to.
fn module_of(path: &str) -> Option<&str> {
    path.strip_prefix(EVIDENCE)?.split(['/', '.']).next()
}

/// The modules that the product code of a file names as `crate::module`.
fn named_modules(path: &str, text: &str) -> Vec<String> {
    if is_test_file(path) {
        return Vec::new();
    }
    let code = mask(text);
    let tests = test_code(&code);
    words(&code, "crate::")
        .filter(|&at| !tests.covers(crate::rust::line_of(&code, at)))
        .flat_map(|at| {
            let rest = &code[at + "crate::".len()..];
            let grouped = rest.starts_with('{');
            let end = if grouped { crate::rust::after_closing(rest, 0) } else { rest.len() };
            let names = rest[..end].split(|c: char| !crate::rust::is_word(c));
            let names: Vec<String> = names.filter(|n| !n.is_empty()).map(Into::into).collect();
            if grouped { names } else { names.into_iter().take(1).collect() }
        })
        .collect()
}

fn is_left_out(path: &str) -> bool {
    NOT_INTEGRITY.contains(&path)
}

fn is_counted(path: &str, modules: &BTreeSet<String>) -> bool {
    let whole = ["crates/tlog/src/", "crates/verify/src/"];
    !is_test_file(path)
        && !is_left_out(path)
        && (whole.iter().any(|folder| path.starts_with(folder))
            || module_of(path).is_some_and(|module| modules.contains(module)))
}

/// Lines that are neither blank, nor comment, nor test.
fn lines_of_code(tree: &Tree, path: &str, text: &str) -> usize {
    if is_test_module(tree, path) {
        return 0;
    }
    let code = mask(text);
    let tests = test_code(&code);
    let lines = code.lines().enumerate().map(|(n, line)| (n + 1, line));
    lines.filter(|(number, line)| !line.trim().is_empty() && !tests.covers(*number)).count()
}

/// Whether the parent of a file includes it behind `#[cfg(test)]`.
fn is_test_module(tree: &Tree, path: &str) -> bool {
    let Some((folder, file)) = path.rsplit_once('/') else {
        return false;
    };
    let name = file.trim_end_matches(".rs");
    let beside = format!("{folder}.rs");
    let parents = [
        beside,
        format!("{folder}/lib.rs"),
        format!("{folder}/main.rs"),
        format!("{folder}/mod.rs"),
    ];
    parents
        .iter()
        .filter_map(|parent| tree.text(parent))
        .any(|text| test_code(&mask(text)).modules.iter().any(|module| module == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree_of(record: &str) -> Tree {
        Tree::of(
            "/x",
            &[
                ("crates/tlog/src/lib.rs", "//! Docs.\n\nfn a() {\n}\n#[cfg(test)]\nmod oracle;\n"),
                ("crates/tlog/src/oracle.rs", "fn test_only() {}\n"),
                ("crates/verify/src/main.rs", "fn main() {\n    /* one */\n\n    call();\n}\n"),
                ("crates/evidence/src/record.rs", record),
                ("crates/evidence/src/record/tests.rs", "use crate::story;\n"),
                ("crates/evidence/src/json.rs", "use crate::limit::MAX;\nfn json() {}\n"),
                ("crates/evidence/src/limit.rs", "pub const MAX: u8 = 64;\n"),
                ("crates/evidence/src/story.rs", "fn story() {}\n"),
                ("crates/evidence/src/unused.rs", "fn unused() {}\n"),
                ("crates/evidence/src/pack/tell.rs", "use crate::unused;\n"),
                (
                    "crates/evidence/Cargo.toml",
                    "[package]\nname = \"x\"\n[dependencies]\nsha2.workspace = true\ntlog = \"1\"\n[lints]\n",
                ),
            ],
        )
    }

    #[test]
    fn code_is_counted_without_tests_blanks_and_comments() {
        assert_eq!(
            check(&tree_of("//! Docs.\n")).checked,
            "5 of 3,000 lines for integrity, 1 of 12 crates from outside"
        );
    }

    #[test]
    fn modules_that_records_name_count_too() {
        let record = "use crate::{json::parse, story};\n#[cfg(test)]\nuse crate::unused;\n";
        let tree = tree_of(record);
        assert_eq!(Vec::from_iter(modules(&tree)), ["json", "limit", "pack", "record"]);
        assert_eq!(
            check(&tree).checked,
            "9 of 3,000 lines for integrity, 1 of 12 crates from outside"
        );
    }

    #[test]
    fn over_the_budget_the_largest_files_are_named() {
        let outcome = check(&tree_of(&"fn a() {}\n".repeat(2_995)));
        assert_eq!(outcome.problems.len(), 1);
        assert!(outcome.problems[0].fix.contains("record.rs 2995, "));
        assert_eq!(check(&tree_of(&"fn a() {}\n".repeat(2_994))).problems, []);
    }
}
