//! Redaction records: the ledger's own record of personal segments that were erased.
//!
//! It names entries and segment numbers, never what stood there. A segment that is gone and is
//! named by no such record is a fault; one that is named is REDACTED, and every proof still holds.

use serde::{Deserialize, Serialize};

/// A redaction record's payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    /// Version of this form: 1.
    pub redaction: u32,
    /// Why, in the operator's words.
    pub reason: String,
    /// What was erased.
    pub segments: Vec<Segment>,
}

/// One erased segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Index of the entry.
    pub entry: u64,
    /// Number of the personal segment within it, from 1.
    pub segment: u32,
}

/// The payload is not a redaction record of a known version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a redaction record: {0}")]
pub struct NotARedaction(String);

/// Reads a redaction record.
pub fn parse(payload: &[u8]) -> Result<Redaction, NotARedaction> {
    let read: Redaction =
        serde_json::from_slice(payload).map_err(|e| NotARedaction(e.to_string()))?;
    if read.redaction == 1 {
        Ok(read)
    } else {
        Err(NotARedaction(format!("version {} is not known", read.redaction)))
    }
}
