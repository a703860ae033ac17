//! Crate purity: what each crate may depend on, and what the pure crates may name.
//!
//! `tlog ← evidence ← {verify, access ← countersign}`, and no pure crate knows a runtime, a database,
//! the network, git, a clock or randomness. `cargo tree` is the witness: a rule about direct
//! dependencies alone would miss what they bring along.

use std::collections::BTreeSet;
use std::env;
use std::io;
use std::process::Command;

use crate::problem::{Outcome, Problem, count};
use crate::rust::{is_test_file, line_of, mask, test_code, words};
use crate::tree::Tree;

/// Packages that would make a pure crate impure.
const IMPURE: [&str; 11] = [
    "clap",
    "getrandom",
    "git2",
    "gix",
    "hyper",
    "libsqlite3-sys",
    "rand",
    "reqwest",
    "rusqlite",
    "tokio",
    "tokio-postgres",
];

/// Paths that would make a pure crate impure without any dependency.
const IMPURE_PATHS: [&str; 8] = [
    "Instant::now",
    "SystemTime",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "clippy::disallowed_methods",
];

/// What one crate must and must not depend on.
struct Rule {
    name: &'static str,
    pure: bool,
    needs: &'static [&'static str],
    refuses: &'static [&'static str],
}

const RULES: [Rule; 5] = [
    Rule {
        name: "tlog",
        pure: true,
        needs: &[],
        refuses: &["access", "evidence", "verify", "countersign", "xtask"],
    },
    Rule {
        name: "evidence",
        pure: true,
        needs: &["tlog"],
        refuses: &["access", "verify", "countersign", "xtask"],
    },
    Rule {
        name: "access",
        pure: true,
        needs: &["evidence"],
        refuses: &["verify", "countersign", "xtask"],
    },
    // An auditor builds this crate and nothing else: it is as pure as what it calls.
    Rule {
        name: "verify",
        pure: false,
        needs: &["evidence", "tlog"],
        refuses: &[
            "access",
            "countersign",
            "xtask",
            "clap",
            "libsqlite3-sys",
            "reqwest",
            "rusqlite",
            "tokio",
        ],
    },
    Rule {
        name: "countersign",
        pure: false,
        needs: &["access", "evidence", "tlog"],
        refuses: &["verify", "xtask"],
    },
];

/// Asks `cargo tree` for the dependencies of every crate that has a rule.
pub(crate) fn check(tree: &Tree) -> io::Result<Outcome> {
    let (mut problems, mut seen) = (Vec::new(), BTreeSet::new());
    for rule in &RULES {
        let packages = packages(&cargo_tree(tree, rule.name)?);
        problems.extend(broken(rule, &packages));
        seen.extend(packages);
    }
    let pure: Vec<&Rule> = RULES.iter().filter(|rule| rule.pure).collect();
    problems.extend(pure.iter().flat_map(|rule| impure_sources(tree, rule.name)));
    let crates = count(RULES.len(), "crate");
    let checked = format!("{crates}, {}, {} pure", count(seen.len(), "package"), pure.len());
    Ok(Outcome { name: "purity", checked, problems })
}

fn cargo_tree(tree: &Tree, package: &str) -> io::Result<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--all-features", "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}", "--package", package])
        .current_dir(tree.root())
        .output()?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(io::Error::other(format!("cargo tree --package {package} failed: {why}")))
    }
}

/// The package names in the output of `cargo tree --prefix none --format '{p}'`.
fn packages(listing: &str) -> BTreeSet<String> {
    listing.lines().filter_map(|line| line.split_whitespace().next()).map(Into::into).collect()
}

fn broken(rule: &Rule, packages: &BTreeSet<String>) -> Vec<Problem> {
    let manifest = format!("crates/{}/Cargo.toml", rule.name);
    let impure = if rule.pure { IMPURE.as_slice() } else { &[] };
    let mut problems = Vec::new();
    for refused in rule.refuses.iter().chain(impure).filter(|name| packages.contains(**name)) {
        let what = format!("{} must not depend on {refused}", rule.name);
        let fix = format!(
            "`cargo tree -e normal -p {} -i {refused}` shows what brings it; take what it does as \
             an argument, or move the code to the crate that may",
            rule.name
        );
        problems.push(Problem::file(&manifest, what, fix));
    }
    for needed in rule.needs.iter().filter(|name| !packages.contains(**name)) {
        let what = format!("{} does not depend on {needed}", rule.name);
        problems.push(Problem::file(&manifest, what, format!("add `{needed}.workspace = true`")));
    }
    problems
}

/// I/O, clocks and randomness that a pure crate's own code names.
fn impure_sources(tree: &Tree, name: &str) -> Vec<Problem> {
    let folder = format!("crates/{name}/src/");
    let mut problems = Vec::new();
    for (path, text) in tree.rust().filter(|(p, _)| p.starts_with(&folder) && !is_test_file(p)) {
        let code = mask(text);
        let tests = test_code(&code);
        for named in IMPURE_PATHS {
            let lines = words(&code, named).map(|at| line_of(&code, at));
            for line in lines.filter(|&line| !tests.covers(line)) {
                let what = format!("{name} is pure and must not name {named}");
                let fix = "take the value from the caller, or move the code to countersign";
                problems.push(Problem::line(path, line, what, fix));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(rule: &Rule, listing: &str) -> Vec<String> {
        broken(rule, &packages(listing)).into_iter().map(|p| p.what).collect()
    }

    #[test]
    fn names_are_the_first_word_of_a_line() {
        let listing = "tlog v0.1.0 (/x/crates/tlog)\nsha2 v0.11.1\nsha2 v0.11.1 (*)\n\n";
        assert_eq!(packages(listing).into_iter().collect::<Vec<_>>(), ["sha2", "tlog"]);
    }

    #[test]
    fn a_pure_crate_refuses_what_is_impure_and_what_is_above_it() {
        let listing = "tlog v0\nsha2 v0\ngetrandom v0\nevidence v0\n";
        let expected = ["tlog must not depend on evidence", "tlog must not depend on getrandom"];
        assert_eq!(whats(&RULES[0], listing), expected);
        assert_eq!(whats(&RULES[0], "tlog v0\nsha2 v0\ngetrandom-shim v0\n"), [""; 0]);
    }

    #[test]
    fn a_missing_edge_is_a_problem_too() {
        assert_eq!(whats(&RULES[1], "evidence v0\n"), ["evidence does not depend on tlog"]);
        assert_eq!(
            whats(&RULES[3], "verify v0\nevidence v0\ntlog v0\nclap v4\n"),
            ["verify must not depend on clap"]
        );
    }

    #[test]
    fn the_shell_may_be_impure() {
        assert_eq!(
            whats(&RULES[4], "countersign v0\naccess v0\nevidence v0\ntlog v0\nrusqlite v0\n"),
            [""; 0]
        );
    }

    #[test]
    fn pure_sources_name_no_io_outside_their_tests() {
        let source = "//! std::fs\nuse std::fs;\n#[cfg(test)]\nmod tests {\n use std::fs;\n}\n";
        let tree = Tree::of("/x", &[("crates/tlog/src/a.rs", source)]);
        let problems = impure_sources(&tree, "tlog");
        let lines: Vec<_> = problems.iter().map(|p| p.line).collect();
        assert_eq!(lines, [Some(2)]);
        assert_eq!(impure_sources(&tree, "evidence"), []);
    }
}
