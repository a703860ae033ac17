//! What a check found: problems with a place and a way to mend them.

use std::fmt;

/// One broken rule at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// Path from the checkout's root, with forward slashes.
    pub(crate) path: String,
    /// Line, from 1; `None` where the file is missing or the whole file is meant.
    pub(crate) line: Option<usize>,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) fix: String,
}

impl Problem {
    /// A problem of a whole file, or of a file that should exist.
    pub(crate) fn file(path: &str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, what: what.into(), fix: fix.into() }
    }

    /// A problem on one line.
    pub(crate) fn line(
        path: &str,
        line: usize,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { line: Some(line), ..Self::file(path, what, fix) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}\n    fix: {}", self.what, self.fix)
    }
}

/// What one check looked at, and what it found.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The check's name, one word.
    pub(crate) name: &'static str,
    /// What was looked at, with counts.
    pub(crate) checked: String,
    /// Everything that is wrong.
    pub(crate) problems: Vec<Problem>,
}

/// `1 file`, `2 files`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{} {noun}s", thousands(n)) }
}

/// `2,345`.
pub(crate) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_place_and_its_fix() {
        let problem = Problem::line("src/a.rs", 7, "too long", "split it");
        assert_eq!(problem.to_string(), "src/a.rs:7: too long\n    fix: split it");
        let problem = Problem::file("docs/b.md", "missing", "write it");
        assert_eq!(problem.to_string(), "docs/b.md: missing\n    fix: write it");
    }

    #[test]
    fn counts_read_as_english() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(0, "file"), "0 files");
        assert_eq!(count(1_234_567, "line"), "1,234,567 lines");
    }
}
