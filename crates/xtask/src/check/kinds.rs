//! Kinds of operation: each has its section in the docs and is expected by the recorded evening.

use super::channels::literals;
use crate::problem::{Outcome, Problem, count};
use crate::tree::Tree;

const KINDS: &str = "crates/evidence/src/story/operation.rs";
const PAGE: &str = "docs/kinds.md";
const EXPECTED: &str = "captures/expected.jsonl";

/// Checks every kind that `fn word` names.
pub(crate) fn check(tree: &Tree) -> Outcome {
    let kinds = literals(tree.text(KINDS).unwrap_or_default(), "word");
    let mut problems = Vec::new();
    if kinds.is_empty() {
        let fix = "keep the words as literals in `fn word`, or teach tidy the new form";
        problems.push(Problem::file(KINDS, "no kind of operation found", fix));
    }
    let (page, expected) = (tree.text(PAGE).unwrap_or_default(), tree.text(EXPECTED));
    for (kind, line) in &kinds {
        let heading = format!("## {kind}");
        if !page.lines().any(|l| l.trim_end() == heading) {
            let fix = "say how it is recorded and told apart";
            problems.push(Problem::line(
                KINDS,
                *line,
                format!("{kind} has no section in {PAGE}"),
                fix,
            ));
        }
        let spellings = [format!("\"kind\": \"{kind}\""), format!("\"kind\":\"{kind}\"")];
        if !expected.is_some_and(|text| spellings.iter().any(|s| text.contains(s))) {
            let fix = "record an operation of that kind, or test it on one of another recording";
            let what = format!("{kind} is expected by no operation of {EXPECTED}");
            problems.push(Problem::line(KINDS, *line, what, fix));
        }
    }
    Outcome { name: "kinds", checked: count(kinds.len(), "kind"), problems }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Full => \"full\",
            Self::DryRun => \"dry-run\",
        }
    }
}
";

    #[test]
    fn a_kind_with_its_section_and_its_operation_passes() {
        let expected = "{\"kind\": \"full\"}\n{\"kind\":\"dry-run\"}\n";
        let files = [(KINDS, SOURCE), (PAGE, "## full\n\n## dry-run\n"), (EXPECTED, expected)];
        assert_eq!(check(&Tree::of("/x", &files)).problems, []);
    }

    #[test]
    fn what_a_kind_lacks_is_named_at_its_word() {
        let files = [(KINDS, SOURCE), (PAGE, "## full\n"), (EXPECTED, "{\"kind\": \"full\"}\n")];
        let found: Vec<_> =
            check(&Tree::of("/x", &files)).problems.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|p| p.contains("operation.rs:5") && p.contains("dry-run")));
    }
}
