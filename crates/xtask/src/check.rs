//! The rules, one module each.

mod budget;
mod channels;
mod controls;
mod crate_docs;
mod habits;
mod kinds;
mod links;
mod machine;
mod purity;
mod size;
mod test_files;

use std::io;

use crate::problem::Outcome;
use crate::tree::Tree;

/// Runs every check; none hides the problems of another.
pub(crate) fn all(tree: &Tree) -> io::Result<Vec<Outcome>> {
    Ok(vec![
        purity::check(tree)?,
        size::check(tree),
        channels::check(tree),
        controls::check(tree),
        kinds::check(tree),
        test_files::check(tree),
        crate_docs::check(tree),
        links::check(tree),
        machine::check(tree),
        habits::check(tree),
        budget::check(tree),
    ])
}
