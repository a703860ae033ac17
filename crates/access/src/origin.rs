//! Where a statement came from: the text that holds it, and the line in it.

use std::fmt;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// A place in a source: a file at a commit, a key of a `ConfigMap`, an object of the API.
///
/// `source` is whatever the caller calls it; cloning is cheap, since thousands of lines share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The name of the text or the object.
    pub source: Arc<str>,
    /// The line in it, counted from 1; 0 when the source as a whole is meant.
    pub line: u32,
}

impl Origin {
    /// A line of a source, counted from 1.
    pub fn new(source: &str, line: u32) -> Self {
        Self { source: Arc::from(source), line }
    }

    /// A source as a whole, such as an object of the API that has no lines.
    pub fn whole(source: &str) -> Self {
        Self::new(source, 0)
    }

    /// The same source, `lines` further down; a whole stays a whole.
    #[must_use]
    pub fn down(&self, lines: usize) -> Self {
        let lines = u32::try_from(lines).unwrap_or(u32::MAX);
        let line = if self.line == 0 { 0 } else { self.line.saturating_add(lines) };
        Self { source: Arc::clone(&self.source), line }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => out.write_str(&self.source),
            line => write!(out, "{}:{line}", self.source),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Origin", 2)?;
        fields.serialize_field("source", self.source.as_ref())?;
        fields.serialize_field("line", &self.line)?;
        fields.end()
    }
}
