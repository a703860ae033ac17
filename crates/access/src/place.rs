//! Where something stands: in a file, or in an object of an API.
//!
//! Every value that a reader of this crate returns can say where it was read, so that an answer can
//! point at the line that gives somebody a right. A place in a file is one-based, in characters.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In a file of the repository.
    File(FilePlace),
    /// In an object as an API told it.
    Object(ObjectPlace),
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FilePlace {
    /// The path from the root of the repository, with `/`.
    #[serde(rename = "path", serialize_with = "as_text")]
    pub file: Arc<str>,
    /// Where it begins and ends.
    #[serde(flatten)]
    pub span: Span,
}

/// From the first character to after the last, one-based.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// The line; 1 is the first, 0 means the whole file.
    pub line: u32,
    /// The character in the line.
    pub column: u32,
    /// The line of the end.
    pub end_line: u32,
    /// The character after the last one.
    pub end_column: u32,
}

/// A place in an object of an API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ObjectPlace {
    /// Which object: `AppProject argocd/prod`.
    #[serde(serialize_with = "as_text")]
    pub object: Arc<str>,
    /// The path in it, empty for the whole: `spec.roles[0].policies`.
    #[serde(serialize_with = "as_text")]
    pub path: Arc<str>,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<T> Located<T> {
    /// A value at a place.
    pub fn new(value: T, place: &Place) -> Self {
        Self { value, place: place.clone() }
    }
}

impl Place {
    /// A whole file.
    pub fn file(file: &str) -> Self {
        Self::File(FilePlace { file: file.into(), span: Span::default() })
    }

    /// A line of a file.
    pub fn line(file: &str, line: u32) -> Self {
        let span = Span { line, column: 1, end_line: line, end_column: 1 };
        Self::File(FilePlace { file: file.into(), span })
    }

    /// An object of an API, or a part of it.
    pub fn object(object: &str, path: &str) -> Self {
        Self::Object(ObjectPlace { object: object.into(), path: path.into() })
    }

    /// The path of the file; `None` in an API.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::File(place) => Some(&place.file),
            Self::Object(_) => None,
        }
    }

    /// Where in the file; `None` in an API.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::File(place) => Some(place.span),
            Self::Object(_) => None,
        }
    }

    /// The line in the file; `None` in an API and for a whole file.
    pub fn line_number(&self) -> Option<u32> {
        self.span().map(|span| span.line).filter(|line| *line > 0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(place) if place.span.line == 0 => f.write_str(&place.file),
            Self::File(place) => write!(f, "{}:{}", place.file, place.span.line),
            Self::Object(place) if place.path.is_empty() => f.write_str(&place.object),
            Self::Object(place) => write!(f, "{}: {}", place.object, place.path),
        }
    }
}

fn as_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}
