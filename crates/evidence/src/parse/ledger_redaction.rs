//! `ledger-redaction`: the ledger's own record of personal segments that were erased.
//!
//! Whether a record is intact rests on them, so they are read where integrity is checked.

pub use crate::record::redaction::{NotARedaction, Redaction, Segment, parse};
