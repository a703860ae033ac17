//! What is wrong with a CODEOWNERS file, as data.

use serde::Serialize;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The file's path in the repository.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
}

/// Something that the forge skips, or reads otherwise than its author may think.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub kind: ProblemKind,
}

/// What is wrong. The text says what the forge makes of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// The whole file is too large.
    #[error("the file has {bytes} bytes: the forge does not load it, and nobody is asked")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The limit is not documented to the byte.
    #[error("the file has {bytes} bytes, at the forge's limit of 3 MB: it may not be loaded")]
    PerhapsTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The end of the file is not read.
    #[error("the file has {bytes} bytes, and the forge reads the first {read}")]
    CutOff {
        /// Its size.
        bytes: usize,
        /// What is read by default.
        read: usize,
    },
    /// The file has zero bytes in it.
    #[error("the file is binary: the forge reads it as empty")]
    Binary,
    /// The file begins with U+FEFF.
    #[error("a byte order mark, which becomes part of the first line")]
    ByteOrderMark,
    /// Not UTF-8.
    #[error("the line is not UTF-8: it is skipped")]
    NotText,
    /// The pattern cannot be read.
    #[error("invalid pattern {pattern:?}: {why}; the line is skipped")]
    InvalidPattern {
        /// The pattern.
        pattern: String,
        /// What about it.
        why: String,
    },
    /// Something of gitignore that the forge does not do.
    #[error("{what} has no effect in this file: {reading}")]
    NotSupported {
        /// What was written.
        what: &'static str,
        /// How it is read instead.
        reading: &'static str,
    },
    /// An owner of no form that the forge knows, where that spoils the line.
    #[error("invalid owner {owner:?}: the line is skipped")]
    InvalidOwner {
        /// The owner.
        owner: String,
    },
    /// An owner of no form that the forge knows, where the others still count.
    #[error("invalid owner {owner:?}: it is ignored")]
    IgnoredOwner {
        /// The owner.
        owner: String,
    },
    /// No owner where the forge needs one.
    #[error("a rule without owners: {reading}")]
    NoOwners {
        /// What the forge does with it.
        reading: &'static str,
    },
    /// The same pattern stands further down.
    #[error("the same pattern stands again in line {line}, and that one counts")]
    Repeated {
        /// The line that counts.
        line: u32,
    },
    /// GitLab: what follows a header that cannot be read belongs to the section above it.
    #[error(
        "a section header that cannot be read: it is skipped, and what follows belongs to the section above"
    )]
    BadHeader,
    /// GitLab: the header counts, but not all of it.
    #[error("a section header with {what}: {reading}")]
    OddHeader {
        /// What is odd.
        what: &'static str,
        /// How it is read.
        reading: &'static str,
    },
    /// GitLab reads owners out of what looks like a comment.
    #[error("comments at the end of a line are not supported: owners in it count")]
    CommentAfterRule,
}
