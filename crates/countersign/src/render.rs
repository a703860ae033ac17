//! Renderers: answers as text for people.
//!
//! Text must read the same without colour: words carry the meaning, styles only lead the eye.
//! Which words an answer may use is settled in `docs/`; a renderer states what the records show
//! and leaves conclusions to the reader.

use anstyle::{AnsiColor, Style};
use evidence::record::Cite;
use evidence::story::wire::Cites;
use evidence::time::Moment;
use jiff::tz::TimeZone;

pub mod answers;
pub mod check;
pub mod collect;
pub mod explain;
pub mod init;
pub mod people;
pub mod reach;
pub mod status;
pub mod timeline;

/// How an answer is to be rendered.
#[derive(Clone)]
pub struct RenderOptions<'a> {
    /// How many columns a line may take.
    pub width: usize,
    /// Whether styles are written.
    pub colour: bool,
    /// The zone that times are shown in.
    pub tz: TimeZone,
    /// How many entries the checkpoint signs that the answer rests on.
    pub checkpoint: Option<u64>,
    /// The ledger's entry number of a record, when the ledger at hand has it.
    pub entry_of: &'a dyn Fn(&Cite) -> Option<u64>,
}

impl RenderOptions<'static> {
    /// Options of an answer that rests on no ledger.
    pub fn without_ledger(width: usize, colour: bool) -> Self {
        Self { width, colour, tz: TimeZone::UTC, checkpoint: None, entry_of: &|_| None }
    }
}

impl RenderOptions<'_> {
    /// Eight columns: a time, or nothing but its absence.
    fn clock(&self, at: Option<&Moment>) -> String {
        at.map_or_else(|| "--:--:--".to_owned(), |at| self.zoned(at, "%H:%M:%S"))
    }

    /// The beginning of a moment in the zone of the answer.
    fn zoned(&self, at: &Moment, form: &str) -> String {
        at.earliest().to_zoned(self.tz.clone()).strftime(form).to_string()
    }

    /// The first of the entries that records stand in.
    fn number(&self, cites: &Cites) -> String {
        let numbers = cites.iter().filter_map(|cite| (self.entry_of)(cite));
        numbers.min().map_or_else(String::new, |number| format!("#{number:04}"))
    }
}

/// Lines of text under construction.
struct Sheet {
    text: String,
    width: usize,
    colour: bool,
}

/// A warning that must not be overlooked.
const ALERT: Style = AnsiColor::Red.on_default().bold();
/// The answer's title.
const TITLE: Style = Style::new().bold();
/// What only helps to find one's way.
const QUIET: Style = Style::new().dimmed();
/// No style at all.
const PLAIN: Style = Style::new();

impl Sheet {
    fn new(options: &RenderOptions<'_>) -> Self {
        Self { text: String::new(), width: options.width.max(40), colour: options.colour }
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A line with a label on the left, a text that wraps under itself, and a note on the right.
    fn entry(&mut self, label: &str, text: &str, note: &str, style: Style) {
        let indent = columns(label);
        let noted = if note.is_empty() { 0 } else { columns(note) + 1 };
        let room = self.width.saturating_sub(indent + noted).max(20);
        for (number, part) in wrapped(text, room).into_iter().enumerate() {
            let (label, note) = if number == 0 { (label, note) } else { ("", "") };
            self.push(label, if number == 0 { PLAIN } else { QUIET });
            self.text.push_str(&" ".repeat(indent - columns(label)));
            self.push(&part, style);
            if !note.is_empty() {
                let used = indent + columns(&part) + columns(note);
                self.text.push_str(&" ".repeat(self.width.saturating_sub(used).max(1)));
                self.push(note, QUIET);
            }
            self.text.push('\n');
        }
    }

    fn push(&mut self, text: &str, style: Style) {
        if self.colour && style != PLAIN && !text.is_empty() {
            let (on, off) = (style.render().to_string(), style.render_reset().to_string());
            self.text.extend([on.as_str(), text, off.as_str()]);
        } else {
            self.text.push_str(text);
        }
    }
}

/// Columns that a text takes; the sheets use no characters of double width.
fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Breaks a text at spaces; a word longer than a line is broken inside.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && columns(&line) + 1 + columns(word) > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for character in word.chars() {
            if columns(&line) == room {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    lines.push(line);
    lines
}

/// A text from outside, safe to print: control characters would steer the terminal.
fn printable(text: &str) -> String {
    let shown = |c: char| {
        if c.is_control() || is_bidi(c) { '\u{fffd}' } else { c }
    };
    text.chars().map(shown).collect()
}

/// Characters that change the direction of text could make one account look like another.
const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A commit as people quote it.
fn short(revision: &str) -> String {
    let is_commit = revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit());
    printable(if is_commit { &revision[..8] } else { revision })
}

#[cfg(test)]
mod tests {
    use super::{printable, wrapped};

    #[test]
    fn text_wraps_at_spaces_and_long_words_inside() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn text_from_outside_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n\u{202e}c"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c");
    }
}
