//! A stream, split into its documents at lines of `---`.

use std::sync::Arc;

use crate::place::{FilePlace, Place, Span};

/// One document's text.
pub(super) struct Part<'t> {
    pub(super) text: &'t str,
    /// How many lines of the file stand before it.
    pub(super) lines_before: usize,
}

impl Part<'_> {
    /// The place of its first line.
    pub(super) fn place(&self, file: &Arc<str>) -> Place {
        let line = u32::try_from(self.lines_before + 1).unwrap_or(u32::MAX);
        let span = Span { line, column: 1, end_line: line, end_column: 1 };
        Place::File(FilePlace { file: Arc::clone(file), span })
    }
}

/// The documents of a stream; the line of `---` belongs to the one that follows.
pub(super) fn documents(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = Some((text, 0));
    std::iter::from_fn(move || {
        let (text, lines_before) = rest.take()?;
        let (mut at, mut lines) = (0, 0);
        for line in text.split_inclusive('\n') {
            // Directives stand before the `---` that begins their document.
            if at > 0 && is_separator(line) && !only_directives(&text[..at]) {
                rest = Some((&text[at..], lines_before + lines));
                break;
            }
            at += line.len();
            lines += 1;
        }
        Some(Part { text: &text[..at], lines_before })
    })
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

fn only_directives(text: &str) -> bool {
    text.starts_with('%') && text.lines().all(|l| l.is_empty() || l.starts_with(['%', '#']))
}
