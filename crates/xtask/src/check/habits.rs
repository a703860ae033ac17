//! Habits: no ignored test, no unexplained sleep in a test, no silenced lint.

use crate::problem::{Outcome, Problem, count};
use crate::rust::{after_closing, functions, is_test_file, line_of, mask, test_code, words};
use crate::tree::Tree;

const SLEEP_REASON: &str = "// tidy: sleep because ";

/// Checks every Rust file of every crate.
pub(crate) fn check(tree: &Tree) -> Outcome {
    let (mut tests, mut problems) = (0, Vec::new());
    for (path, text) in tree.rust() {
        let code = mask(text);
        tests += words(&code, "#[test]").count();
        problems.extend(ignored(path, &code));
        problems.extend(silenced(path, &code));
        problems.extend(asleep(path, text, &code));
    }
    Outcome { name: "habits", checked: count(tests, "test"), problems }
}

fn ignored(path: &str, code: &str) -> Vec<Problem> {
    let fix = "make it pass and fast, or delete it: a test that does not run protects nothing";
    code.match_indices("#[ignore")
        .map(|(at, _)| Problem::line(path, line_of(code, at), "ignored test", fix))
        .collect()
}

/// Lints silenced with `allow`, which outlives its cause, or with `expect` and no reason.
fn silenced(path: &str, code: &str) -> Vec<Problem> {
    let fix = "mend the code, or write `#[expect(lint, reason = \"…\")]`";
    let mut problems = Vec::new();
    for (at, marker) in code.match_indices("[allow(").chain(code.match_indices("[expect(")) {
        let attribute = &code[at..after_closing(code, at)];
        if marker == "[allow(" || words(attribute, "reason").next().is_none() {
            let what = format!("lint silenced by #{marker}…)] without a reason that is checked");
            problems.push(Problem::line(path, line_of(code, at), what, fix));
        }
    }
    problems
}

/// Sleeps in tests without a reason on the line before.
fn asleep(path: &str, text: &str, code: &str) -> Vec<Problem> {
    // A test's own function that is called sleep is no sleep.
    if functions(code).iter().any(|f| f.name == "sleep") {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let tests = test_code(code);
    let is_reason = |line: &str| {
        line.trim().strip_prefix(SLEEP_REASON).is_some_and(|reason| !reason.trim().is_empty())
    };
    words(code, "sleep(")
        .map(|at| line_of(code, at))
        .filter(|&line| is_test_file(path) || tests.covers(line))
        .filter(|&line| line < 2 || !is_reason(lines[line - 2]))
        .map(|line| {
            let fix = format!("wait for the event itself, or write `{SLEEP_REASON}…` above");
            Problem::line(path, line, "sleep in a test", fix)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, source: &str) -> Vec<(usize, String)> {
        let tree = Tree::of("/x", &[(path, source)]);
        let problems = check(&tree).problems.into_iter();
        problems.map(|p| (p.line.unwrap_or(0), p.what)).collect()
    }

    #[test]
    fn ignored_tests_are_found() {
        let source = "#[test]\n#[ignore = \"slow\"]\nfn t() {} // #[ignore]\n";
        assert_eq!(found("crates/a/tests/it/t.rs", source), [(2, "ignored test".to_owned())]);
    }

    #[test]
    fn a_lint_is_silenced_with_a_checked_reason_only() {
        let source = "\
#![allow(dead_code)]
#[expect(dead_code)]
fn a() {}
#[expect(
    dead_code,
    reason = \"used by the next step\"
)]
fn b() {}
fn c() { let _ = \"#[allow(x)]\"; }
";
        let lines: Vec<_> = found("crates/a/src/lib.rs", source).into_iter().map(|f| f.0).collect();
        assert_eq!(lines, [1, 2]);
    }

    #[test]
    fn a_sleep_in_a_test_needs_a_reason() {
        let source = "\
fn product() { thread::sleep(d); }
#[cfg(test)]
mod tests {
    fn t() {
        thread::sleep(d);
        // tidy: sleep because the file system's clock has a resolution of 10 ms.
        std::thread::sleep(d);
        // tidy: sleep because
        sleep(d);
    }
}
";
        let lines: Vec<_> = found("crates/a/src/lib.rs", source).into_iter().map(|f| f.0).collect();
        assert_eq!(lines, [5, 9]);
        assert_eq!(found("crates/a/tests/it/t.rs", source).len(), 3);
    }
}
