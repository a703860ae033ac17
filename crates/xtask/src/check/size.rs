//! Size: no file over 800 lines, no function over 70.
//!
//! Exceptions stand in `crates/xtask/ratchet.txt`, one a line: `path limit reason` for a file,
//! `path::function limit reason` for a function. The limit is today's length, so a line can only be
//! lowered or removed.

use std::collections::BTreeMap;

use crate::problem::{Outcome, Problem, count};
use crate::rust::{functions, mask};
use crate::tree::Tree;

/// Median files of code that reads well have 100 to 220 lines, nine of ten under 800.
const FILE_LINES_MAX: usize = 800;
/// A function that fits on a screen.
const FUNCTION_LINES_MAX: usize = 70;
const RATCHET: &str = "crates/xtask/ratchet.txt";

/// A length that was measured, and the limit for its kind.
struct Measured {
    path: String,
    line: Option<usize>,
    shown: String,
    lines: usize,
    limit: usize,
}

/// Measures every Rust file and function of every crate.
pub(crate) fn check(tree: &Tree) -> Outcome {
    let (mut files, mut all) = (0, BTreeMap::new());
    for (path, text) in tree.rust() {
        files += 1;
        measure(path, text, &mut all);
    }
    let checked = format!("{}, {}", count(files, "file"), count(all.len() - files, "function"));
    let (exceptions, mut problems) = ratchet(tree.text(RATCHET).unwrap_or_default());
    problems.extend(judge(&all, &exceptions));
    Outcome { name: "size", checked, problems }
}

/// Adds a file and its functions; of functions of one name in one file, the longest counts.
fn measure(path: &str, text: &str, all: &mut BTreeMap<String, Measured>) {
    let file = Measured {
        path: path.to_owned(),
        line: None,
        shown: "file".to_owned(),
        lines: text.lines().count(),
        limit: FILE_LINES_MAX,
    };
    all.insert(path.to_owned(), file);
    for function in functions(&mask(text)) {
        let key = format!("{path}::{}", function.name);
        if all.get(&key).is_none_or(|longest| longest.lines < function.lines) {
            let measured = Measured {
                path: path.to_owned(),
                line: Some(function.line),
                shown: format!("function `{}`", function.name),
                lines: function.lines,
                limit: FUNCTION_LINES_MAX,
            };
            all.insert(key, measured);
        }
    }
}

/// Reads the exceptions: each with its line and its limit.
fn ratchet(text: &str) -> (BTreeMap<&str, (usize, usize)>, Vec<Problem>) {
    let (mut exceptions, mut problems) = (BTreeMap::new(), Vec::new());
    for (number, line) in text.lines().enumerate().map(|(n, line)| (n + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.splitn(3, ' ');
        let (path, limit) = (words.next().unwrap_or_default(), words.next().map(str::parse));
        match (limit, words.next()) {
            (Some(Ok(limit)), Some(_reason)) => {
                exceptions.insert(path, (number, limit));
            }
            _ => problems.push(Problem::line(
                RATCHET,
                number,
                "not an exception",
                "write `path limit reason` or `path::function limit reason`",
            )),
        }
    }
    (exceptions, problems)
}

fn judge(
    all: &BTreeMap<String, Measured>,
    exceptions: &BTreeMap<&str, (usize, usize)>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, m) in all {
        let limit = exceptions.get(key.as_str()).map_or(m.limit, |&(_, limit)| limit.max(m.limit));
        if m.lines > limit {
            let what = format!("{} has {} lines, more than {limit}", m.shown, m.lines);
            let fix = "split it where its subject changes".to_owned();
            problems.push(Problem { path: m.path.clone(), line: m.line, what, fix });
        }
    }
    for (key, &(number, limit)) in exceptions {
        let fix = match all.get(*key) {
            Some(m) if m.lines > m.limit && m.lines >= limit => continue,
            Some(m) if m.lines > m.limit => format!("lower its limit to {}", m.lines),
            _ => "remove the line".to_owned(),
        };
        problems.push(Problem::line(RATCHET, number, format!("{key} is looser than it is"), fix));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "crates/a/src/lib.rs";

    fn problems(lines_in_function: usize, lines_after: usize, ratchet: &str) -> Vec<String> {
        let body = "\n".repeat(lines_in_function - 1);
        let source = format!("fn f() {{{body}}}\n{}", "\n".repeat(lines_after));
        let tree = Tree::of("/x", &[(PATH, &source), (RATCHET, ratchet)]);
        check(&tree).problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lengths_up_to_the_limit_pass() {
        assert_eq!(problems(70, 730, "# empty at best\n\n"), [""; 0]);
    }

    #[test]
    fn longer_ones_are_named_with_their_place() {
        let found = problems(71, 730, "");
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("crates/a/src/lib.rs: file has 801 lines, more than 800"));
        assert!(found[1].starts_with("crates/a/src/lib.rs:1: function `f` has 71 lines"));
    }

    #[test]
    fn the_ratchet_excuses_exactly_todays_length() {
        let excuse = |limit| format!("{PATH}::f {limit} a table of one row per case\n");
        assert_eq!(problems(90, 0, &excuse(90)), [""; 0]);
        assert!(problems(91, 0, &excuse(90))[0].contains("more than 90"));
        assert!(problems(89, 0, &excuse(90))[0].contains("lower its limit to 89"));
        assert!(problems(60, 0, &excuse(90))[0].contains("remove the line"));
        assert!(problems(60, 0, "crates/gone.rs 900 gone\n")[0].contains("remove the line"));
    }

    #[test]
    fn an_exception_needs_a_limit_and_a_reason() {
        for line in ["crates/a/src/lib.rs 900", "crates/a/src/lib.rs many lines of it", "word"] {
            assert!(problems(5, 0, line)[0].contains("ratchet.txt:1: not an exception"), "{line}");
        }
    }
}
