//! `kubernetes-object-watch`: watch lines of objects that no rule reads yet.
//!
//! They are kept whole and counted, so that a later parser finds them. Only the line's type is
//! read, because a watch that broke off is a gap whatever its objects are.

use serde::de::IgnoredAny;

use super::{NotUnderstood, WatchLine, watch_line};

/// Reads the type of a watch line and nothing of its object.
pub fn parse(line: &[u8]) -> Result<WatchLine<IgnoredAny>, NotUnderstood> {
    watch_line(line)
}
