//! What tickets are called.
//!
//! A pattern is text in which `#` stands for one or more digits: `CHG-#`. That is what ticket
//! systems do, it has no costly cases, and nobody has to read a regular expression in an audit.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// What tickets of a system are called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TicketPattern(String);

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("has no letter before a #, which stands for the number: CHG-#")]
pub struct NoPattern;

impl FromStr for TicketPattern {
    type Err = NoPattern;

    fn from_str(text: &str) -> Result<Self, NoPattern> {
        // A pattern without text around the number would find a ticket in every date.
        let (before, after) = text.split_once('#').ok_or(NoPattern)?;
        let has_name = before.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_/.".contains(c);
        let is_pattern = has_name && before.chars().chain(after.chars()).all(is_plain);
        if is_pattern { Ok(Self(text.to_owned())) } else { Err(NoPattern) }
    }
}

impl TicketPattern {
    /// The tickets that a text names, in order. `CHG-#` is not found in `XCHG-1` nor in `CHG-1A`.
    pub fn find<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let (before, after) = self.0.split_once('#').unwrap_or((&self.0, ""));
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut found = Vec::new();
        for (at, _) in text.match_indices(before) {
            let digits = &text[at + before.len()..];
            let count = digits.bytes().take_while(u8::is_ascii_digit).count();
            let Some(rest) = digits[count..].strip_prefix(after).filter(|_| count > 0) else {
                continue;
            };
            let is_apart = !text[..at].ends_with(is_word) && !rest.starts_with(is_word);
            if is_apart {
                found.push(&text[at..text.len() - rest.len()]);
            }
        }
        found
    }
}

impl fmt::Display for TicketPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for TicketPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_are_found_as_words() {
        let table: [(&str, &str, &[&str]); 7] = [
            ("CHG-#", "CHG-2041 and (CHG-7)", &["CHG-2041", "CHG-7"]),
            ("CHG-#", "XCHG-1 CHG- CHG-1A CHG-1_", &[]),
            ("CHG-#", "[CHG-1]: done", &["CHG-1"]),
            ("CHG#", "CHG0012345", &["CHG0012345"]),
            ("RFC-#-P", "RFC-12-P RFC-12", &["RFC-12-P"]),
            ("CHG-#", "éCHG-1 CHG-2é", &[]),
            ("CHG-#", "", &[]),
        ];
        for (pattern, text, expected) in table {
            let pattern: TicketPattern = pattern.parse().expect("a pattern");
            assert_eq!(pattern.find(text), expected, "{pattern} in {text}");
        }
        for text in ["#", "1-#", "CHG-", "CHG #", "CHG-##"] {
            assert_eq!(text.parse::<TicketPattern>(), Err(NoPattern), "{text}");
        }
    }
}
