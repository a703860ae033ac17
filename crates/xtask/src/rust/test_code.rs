//! Tells test code from product code.

use std::ops::RangeInclusive;

use super::{after_closing, body_or_end, line_of};

/// The test code of one source file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestCode {
    /// Lines, from 1, of items behind `#[cfg(test)]`.
    pub(crate) lines: Vec<RangeInclusive<usize>>,
    /// Modules behind `#[cfg(test)]` whose code is in a file of their own.
    pub(crate) modules: Vec<String>,
}

impl TestCode {
    /// Whether a line, from 1, is test code.
    pub(crate) fn covers(&self, line: usize) -> bool {
        self.lines.iter().any(|lines| lines.contains(&line))
    }
}

/// Whether a whole file is tests or benchmarks, by its path.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.contains("/benches/") || path.ends_with("/tests.rs")
}

/// Finds the items behind `#[cfg(test)]` or `#[cfg(all(test, …))]` in masked code.
pub(crate) fn test_code(code: &str) -> TestCode {
    let mut found = TestCode::default();
    for marker in ["#[cfg(test)]", "#[cfg(all(test,"] {
        for (at, _) in code.match_indices(marker) {
            let item = skip_attributes(code, at);
            let (end, module) = end_of_item(code, item);
            found.modules.extend(module);
            found.lines.push(line_of(code, at)..=line_of(code, end.max(1) - 1));
        }
    }
    found
}

/// The position of the item that the attributes at `at` belong to.
fn skip_attributes(code: &str, mut at: usize) -> usize {
    while code[at..].starts_with("#[") {
        at = after_closing(code, at + 1);
        at += code[at..].len() - code[at..].trim_start().len();
    }
    at
}

/// The position after an item, and the name of the file's module if the item is one.
fn end_of_item(code: &str, item: usize) -> (usize, Option<String>) {
    const KEYWORDS: [&str; 12] = [
        "async", "const", "enum", "extern", "fn", "impl", "mod", "pub", "static", "struct", "type",
        "use",
    ];
    let first: String = code[item..].chars().take_while(|&c| super::is_word(c)).collect();
    if !KEYWORDS.contains(&first.as_str()) {
        // A field or a statement: its first line is enough.
        return (code[item..].find('\n').map_or(code.len(), |at| item + at), None);
    }
    match body_or_end(code, item) {
        Some(at) if code.as_bytes()[at] == b';' => {
            let mut words = code[item..at].split_whitespace().rev();
            let (name, keyword) = (words.next(), words.next());
            (at + 1, name.filter(|_| keyword == Some("mod")).map(Into::into))
        }
        Some(open) => (after_closing(code, open), None),
        None => (code.len(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust::mask;

    #[test]
    fn items_behind_cfg_test_are_found() {
        let source = "\
fn product() {}
#[cfg(test)]
mod tests {
    #[test]
    fn t() { \"}\"; }
}
fn product_too() {}
#[cfg(test)]
use std::{fs, io};
#[cfg(all(test, unix))]
#[path = \"x.rs\"]
mod unix_tests;
struct S {
    #[cfg(test)]
    seen: u8,
    real: u8,
}
";
        let found = test_code(&mask(source));
        let lines: Vec<usize> = (1..=17).filter(|&line| found.covers(line)).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 14, 15]);
        assert_eq!(found.modules, ["unix_tests"]);
    }

    #[test]
    fn a_comment_is_no_attribute() {
        assert_eq!(test_code(&mask("// #[cfg(test)]\nfn f() {}\n")), TestCode::default());
    }

    #[test]
    fn test_files_are_known_by_their_path() {
        assert!(
            is_test_file("crates/a/tests/it/main.rs") && is_test_file("crates/a/src/b/tests.rs")
        );
        assert!(is_test_file("crates/a/benches/b.rs") && !is_test_file("crates/a/src/contests.rs"));
    }
}
