//! Developer tasks: `cargo xtask tidy` checks that the house is in order, `cargo xtask schemas` writes
//! the files of `docs/schema/` again.
//!
//! ```text
//! files of the checkout ──► tree ──► checks ──► report
//!                             ▲
//!          cargo tree ────────┘ (crate purity)
//! ```
//!
//! **In scope**: rules that neither the compiler nor clippy can hold: which crate may depend on
//! what, how long files and functions are, that every channel has its page, parser and test, that
//! no test is forgotten, that links resolve. **Out of scope**: formatting, lints, licences; rustfmt,
//! clippy and cargo-deny have them. Every rule reports all its problems at once, with the place and
//! the way to mend it.

mod check;
mod problem;
mod report;
mod rust;
mod tree;

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::tree::Tree;

const USAGE: &str = "usage: cargo xtask tidy|schemas\n\n  tidy      check the rules of the house; exit code 1 if one is broken\n  schemas   write docs/schema/ again, from the types that answers are made of";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["tidy"] => tidy(),
        ["schemas"] => schemas(),
        ["help" | "-h" | "--help"] => say(USAGE).map(|()| ExitCode::SUCCESS),
        _ => complain(USAGE).map(|()| ExitCode::from(2)),
    };
    done.unwrap_or_else(|e| {
        // If even this cannot be written, the exit code is all that is left to say it with.
        let _ = complain(&format!("could not run: {e}"));
        ExitCode::from(2)
    })
}

/// Runs every check on this checkout and prints what was checked and what is wrong.
fn tidy() -> io::Result<ExitCode> {
    let tree = Tree::read(&checkout())?;
    let outcomes = check::all(&tree)?;
    say(&report::render(&outcomes))?;
    let clean = outcomes.iter().all(|outcome| outcome.problems.is_empty());
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the schemas again. The program that has the types does it: a test of it compares.
fn schemas() -> io::Result<ExitCode> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let done = Command::new(cargo)
        .args(["run", "--locked", "--package", "countersign", "--example", "schemas", "--"])
        .arg(checkout().join("docs/schema"))
        .current_dir(checkout())
        .status()?;
    Ok(if done.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The checkout that `cargo xtask` was called in. Cargo names it at run time; what was compiled in is
/// of another checkout where two of them share a folder for build output.
fn checkout() -> PathBuf {
    let manifest = env::var("CARGO_MANIFEST_DIR");
    let manifest = manifest.as_deref().unwrap_or(env!("CARGO_MANIFEST_DIR"));
    Path::new(manifest).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

fn complain(text: &str) -> io::Result<()> {
    writeln!(io::stderr().lock(), "{text}")
}
