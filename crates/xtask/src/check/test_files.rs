//! Test files: each is a module of its crate's one test binary, or it would never run.

use crate::problem::{Outcome, Problem, count};
use crate::rust::mask;
use crate::tree::Tree;

/// Checks every file under `crates/*/tests/it/`.
pub(crate) fn check(tree: &Tree) -> Outcome {
    let (mut files, mut problems) = (0, Vec::new());
    for (path, _) in tree.rust() {
        let Some((folder, inside)) = path.split_once("/tests/it/") else {
            continue;
        };
        if inside == "main.rs" {
            continue;
        }
        files += 1;
        problems.extend(forgotten(tree, &format!("{folder}/tests/it"), inside, path));
    }
    Outcome { name: "tests", checked: count(files, "test file"), problems }
}

fn forgotten(tree: &Tree, folder: &str, inside: &str, path: &str) -> Option<Problem> {
    let module = inside.strip_suffix("/mod.rs").or_else(|| inside.strip_suffix(".rs"))?;
    let (parents, name) = match module.rsplit_once('/') {
        Some((parent, name)) => {
            (vec![format!("{folder}/{parent}.rs"), format!("{folder}/{parent}/mod.rs")], name)
        }
        None => (vec![format!("{folder}/main.rs")], module),
    };
    let declared = |parent: &String| tree.text(parent).is_some_and(|text| declares(text, name));
    if parents.iter().any(declared) {
        return None;
    }
    let fix = format!("write `mod {name};` in {}", parents[0]);
    Some(Problem::file(path, "forgotten test file: no module includes it", fix))
}

fn declares(source: &str, name: &str) -> bool {
    let declaration = format!("mod {name};");
    mask(source).lines().any(|line| {
        line.trim()
            .strip_suffix(&declaration)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forgotten_of(main: &str) -> Vec<String> {
        let tree = Tree::of(
            "/x",
            &[
                ("crates/a/tests/it/main.rs", main),
                ("crates/a/tests/it/one.rs", ""),
                ("crates/a/tests/it/two.rs", "mod deep;"),
                ("crates/a/tests/it/two/deep.rs", ""),
                ("crates/a/tests/it/two/lost.rs", ""),
                ("crates/a/tests/crash.rs", ""),
            ],
        );
        check(&tree).problems.into_iter().map(|p| p.path).collect()
    }

    #[test]
    fn files_without_a_module_are_named() {
        let main = "//! Tests.\nmod one;\npub mod two;\n";
        assert_eq!(forgotten_of(main), ["crates/a/tests/it/two/lost.rs"]);
    }

    #[test]
    fn a_comment_or_a_longer_name_does_not_include_a_file() {
        let main = "// mod one;\nmod one_more;\nmod two;\n";
        let expected = ["crates/a/tests/it/one.rs", "crates/a/tests/it/two/lost.rs"];
        assert_eq!(forgotten_of(main), expected);
    }

    #[test]
    fn without_a_main_every_file_is_forgotten() {
        let tree = Tree::of("/x", &[("crates/a/tests/it/one.rs", "")]);
        assert_eq!(check(&tree).problems.len(), 1);
    }
}
