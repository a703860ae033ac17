//! Forms that go-yaml reads and the YAML 1.2 grammar refuses, brought into a form that both read.
//!
//! Manifests that run everywhere hold them: a bracket that closes no deeper than its key, the lines
//! of a quoted text at the margin, a comment right behind a quote. Only white space is added, and
//! only where it has no meaning: within brackets, within quotes, before a comment.

use std::collections::HashMap;

/// Repairs of one document that are tried before its fault is told.
const REPAIRS_MAX: usize = 64;

/// More than manifests are ever indented.
const INDENT: usize = 64;

/// A text under repair, with where each line was shifted.
#[derive(Default)]
pub(super) struct Repairs {
    /// By line of the part, one-based: from which column, by how much.
    shifted: HashMap<usize, (usize, usize)>,
    count: usize,
}

impl Repairs {
    /// The column that a column had before the repairs.
    pub(super) fn original(&self, line: usize, column: usize) -> usize {
        match self.shifted.get(&line) {
            Some((from, by)) if column > *from => (column - *from).saturating_sub(*by) + from,
            _ => column,
        }
    }

    /// The text without what the parser refused at a line; `None` when it is no such form.
    pub(super) fn repair(&mut self, text: &str, message: &str, line: usize) -> Option<String> {
        self.count += 1;
        if self.count > REPAIRS_MAX {
            return None;
        }
        if message.contains("quoted scalar") && message.contains("indentation") {
            // The message tells where the text begins; which of its lines is meant is tried.
            let next =
                (line + 1..=line + REPAIRS_MAX).find(|next| !self.shifted.contains_key(next))?;
            return self.shift(text, next, 0, INDENT);
        }
        if message.contains("invalid indentation") {
            return self.shift(text, line, 0, INDENT);
        }
        if message.contains("comments must be separated") {
            let shown = text.lines().nth(line - 1)?;
            let close = ['"', '\'', ']', '}'];
            let at = shown.char_indices().zip(shown.chars().skip(1));
            let (at, _) = at
                .map(|((at, c), next)| (at, (c, next)))
                .find(|(_, (c, next))| close.contains(c) && *next == '#')?;
            return self.shift(text, line, at + 1, 1);
        }
        None
    }

    /// Adds spaces to a line, once.
    fn shift(&mut self, text: &str, line: usize, at: usize, by: usize) -> Option<String> {
        let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let column = text.get(start..start + at)?.chars().count();
        if start >= text.len() || self.shifted.insert(line, (column, by)).is_some() {
            return None;
        }
        let (before, after) = text.split_at(start + at);
        Some(format!("{before}{}{after}", " ".repeat(by)))
    }
}
