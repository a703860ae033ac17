//! Records: what a source sent, as it came, in the sealed form in which it is kept.
//!
//! ```text
//! envelope (the leaf) ──commits to──► payload (beside the tree): kept, personal, cut
//! ```
//!
//! A record is not interpreted before it is logged: a parser's bug is never frozen into the tree.

use std::fmt;

use crate::channel::Channel;

pub mod check;
pub mod envelope;
pub mod payload;
pub mod redaction;

/// A record's natural key within its channel: what makes a redelivery recognisable.
///
/// Non-empty printable ASCII without spaces, at most [`RecordId::MAX_BYTES`] long. Never personal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(String);

/// A text that cannot be a record id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record id is 1 to 512 printable ASCII characters without spaces, not {0:?}")]
pub struct BadRecordId(pub String);

impl RecordId {
    /// The longest id: two UUIDs and change fit thirty times into an envelope's limit.
    pub const MAX_BYTES: usize = 512;

    /// Takes a text as a record id, or says why it cannot be one.
    pub fn new(text: impl Into<String>) -> Result<Self, BadRecordId> {
        let text = text.into();
        let fits = (1..=Self::MAX_BYTES).contains(&text.len());
        if fits && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text))
        } else {
            Err(BadRecordId(text.chars().take(80).collect()))
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A reference to a record that stays the same in every ledger that holds it.
///
/// Shown as `channel:id`. Stories cite records so, because an entry's index depends on the order in
/// which files arrived and a story must not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cite {
    /// The channel that the record came through.
    pub channel: Channel,
    /// The record's natural key within that channel.
    pub id: RecordId,
}

impl fmt::Display for Cite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.channel, self.id)
    }
}

/// A record as a derivation reads it: which one it is, and its payload put together again.
///
/// In the payload, a secret that was cut reads [`CUT`] and a personal segment that was erased reads
/// [`REDACTED`]; both stand inside JSON strings, so the payload stays valid JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which record it is.
    pub cite: Cite,
    /// The payload's bytes: JSON.
    pub payload: Vec<u8>,
}

/// What stands in a payload where a secret or an address was cut before storage.
pub const CUT: &str = "[cut]";
/// What stands in a payload where a personal segment was erased later.
pub const REDACTED: &str = "[redacted]";
