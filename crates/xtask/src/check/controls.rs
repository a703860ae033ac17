//! Controls: one id names a control everywhere, so each has a module, a test, a fixture and a page
//! of its name, and stands in its crate's catalogue.

use std::collections::BTreeSet;

use crate::problem::{Outcome, Problem, count};
use crate::tree::Tree;

const PAGES: &str = "docs/controls/";
const MARK: &str = "pub const CONTROL: Control";
const CRATES: [&str; 2] = ["evidence", "access"];

/// A control, as its module declares it.
struct Declared<'t> {
    krate: &'static str,
    path: &'t str,
    module: &'t str,
    id: String,
    line: usize,
}

/// Checks every module that declares a control, and that no page speaks of another.
pub(crate) fn check(tree: &Tree) -> Outcome {
    let declared: Vec<Declared<'_>> =
        CRATES.into_iter().flat_map(|krate| declared(tree, krate)).collect();
    let mut problems: Vec<Problem> = declared.iter().flat_map(|c| missing(tree, c)).collect();
    let known: BTreeSet<&str> = declared.iter().map(|c| c.id.as_str()).collect();
    if known.len() < declared.len() {
        let fix = "an id belongs to one control of all crates: rename one of them";
        problems.push(Problem::file(declared[0].path, "two controls have one id", fix));
    }
    for (path, _) in tree.texts() {
        let id = path.strip_prefix(PAGES).and_then(|name| name.strip_suffix(".md"));
        if id.is_some_and(|id| id != "README" && !known.contains(id)) {
            let fix = "rename it to a control's id, or remove it";
            problems.push(Problem::file(path, "page of no control", fix));
        }
    }
    Outcome { name: "controls", checked: count(declared.len(), "control"), problems }
}

fn declared<'t>(tree: &'t Tree, krate: &'static str) -> Vec<Declared<'t>> {
    let folder = format!("crates/{krate}/src/control/");
    let modules = tree.rust().filter_map(|(path, text)| {
        let module = path.strip_prefix(&folder)?.strip_suffix(".rs")?;
        let at = text.find(MARK).filter(|_| !module.contains('/'))?;
        let id = text[at..].split_once("id: \"")?.1.split_once('"')?.0.to_owned();
        let line = text[..at].matches('\n').count() + 1;
        Some(Declared { krate, path, module, id, line })
    });
    modules.collect()
}

fn missing(tree: &Tree, control: &Declared<'_>) -> Vec<Problem> {
    let Declared { krate, path, module, id, line } = control;
    let mut problems = Vec::new();
    let mut lacks = |what: String, fix: String| {
        problems.push(Problem::line(path, *line, format!("{id} has no {what}"), fix));
    };
    if *module != id.replace('-', "_") {
        lacks("module of its name".to_owned(), format!("name the module {}", id.replace('-', "_")));
    }
    let catalogue = format!("crates/{krate}/src/control.rs");
    let names = [format!("entry!({module},"), format!("{module}::CONTROL")];
    if !tree.text(&catalogue).is_some_and(|text| names.iter().any(|n| text.contains(n))) {
        lacks(format!("entry in {catalogue}"), "add it to the list of all controls".to_owned());
    }
    let test = format!("crates/{krate}/tests/it/control/{module}.rs");
    if !tree.text(&test).is_some_and(|text| text.contains("#[test]")) {
        lacks(format!("test {test}"), "write one that it can fail and one that it can pass".into());
    }
    let fixture = format!("crates/{krate}/tests/fixtures/control/{id}");
    if !tree.holds(&fixture) && !tree.holds(&format!("{fixture}.json")) {
        lacks(format!("fixture {fixture}.json"), "add what its test reads".to_owned());
    }
    let page = format!("{PAGES}{id}.md");
    if !tree.text(&page).is_some_and(|text| text.contains(id.as_str())) {
        lacks(format!("page {page}"), "write it with `countersign explain`".to_owned());
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: (&str, &str) = (
        "crates/evidence/src/control/sod_two.rs",
        "//! Doc.\npub const CONTROL: Control = Control {\n    id: \"sod-two\",\n};\n",
    );

    #[test]
    fn a_complete_control_passes() {
        let files = [
            MODULE,
            ("crates/evidence/src/control/model.rs", "pub struct Control;"),
            ("crates/evidence/src/control.rs", "entry!(sod_two, Changes(assess)),"),
            ("crates/evidence/tests/it/control/sod_two.rs", "#[test]\nfn t() {}\n"),
            ("crates/evidence/tests/fixtures/control/sod-two.json", "{}"),
            ("docs/controls/sod-two.md", "# sod-two\n"),
            ("docs/controls/README.md", ""),
        ];
        let outcome = check(&Tree::of("/x", &files));
        assert_eq!(outcome.problems, []);
        assert_eq!(outcome.checked, "1 control");
    }

    #[test]
    fn everything_missing_is_named_at_the_control() {
        let other = (
            "crates/access/src/control/repo_x.rs",
            "pub const CONTROL: Control = Control { id: \"sod-other\" };",
        );
        let tree = Tree::of("/x", &[MODULE, other, ("docs/controls/old.md", "")]);
        let found: Vec<String> = check(&tree).problems.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 4 + 5 + 1, "{found:#?}");
        assert!(found[0].contains("sod_two.rs:2: sod-two has no entry"));
        assert!(found[4].contains("sod-other has no module of its name"));
        assert!(found.iter().any(|p| p.contains("docs/controls/old.md: page of no control")));
    }

    #[test]
    fn one_id_is_one_control() {
        let twin = (
            "crates/access/src/control/sod_two.rs",
            "pub const CONTROL: Control = Control { id: \"sod-two\" };",
        );
        let found = check(&Tree::of("/x", &[MODULE, twin])).problems;
        assert!(found.iter().any(|p| p.to_string().contains("two controls have one id")));
    }
}
