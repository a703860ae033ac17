//! Commits and references, as `countersign` reads them from a git repository or a bundle.
//!
//! A commit names whom it likes as author and committer: both are the word of whoever made it.
//! Its id binds everything in it, so two records of one id can differ only in what they leave out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::forge::lenient_moment;
use super::{NotUnderstood, nullable, object_only, text};
use crate::time::Moment;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitLine {
    /// A commit.
    Commit(Box<Commit>),
    /// Where the references were.
    Refs(Refs),
}

/// A commit, as far as the record tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// Its tree.
    pub tree: Option<String>,
    /// Its parents; `None` when the record does not tell them.
    pub parents: Option<Vec<String>>,
    /// Who wrote it, by its own word.
    pub author: Option<Signature>,
    /// Who made the commit, by its own word.
    pub committer: Option<Signature>,
    /// Its message.
    pub message: Option<String>,
    /// Whether it bears a signature, which nobody has verified; `None` when not told.
    pub signed: Option<Signed>,
    /// What it changes against its first parent; `None` when the record does not tell.
    pub changes: Option<Vec<Change>>,
}

/// A name that a commit bears.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Signature {
    /// The name.
    #[serde(default, deserialize_with = "nullable")]
    pub name: String,
    /// The e-mail address.
    #[serde(default, deserialize_with = "nullable")]
    pub email: String,
    /// When, by the clock of whoever made it.
    #[serde(default, deserialize_with = "lenient_moment")]
    pub time: Option<Moment>,
}

/// Whether a commit bears a signature.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signed {
    /// It bears none.
    No,
    /// It bears one of this kind: `gpg`, `ssh`, `x509`. It has not been verified.
    Unverified(String),
}

/// A file that a commit changes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Change {
    /// Its path.
    pub path: String,
    /// `added`, `modified` or `removed`.
    pub status: String,
    /// The blob after it; `None` for a removed file, and where the record does not tell.
    #[serde(default)]
    pub blob: Option<String>,
}

/// Where the references of a repository were when it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Refs {
    /// Their full names and commits.
    #[serde(default, deserialize_with = "nullable")]
    pub refs: BTreeMap<String, String>,
    /// The reference that `HEAD` names, or its commit.
    #[serde(default)]
    pub head: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    git: String,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    tree: Option<String>,
    #[serde(default)]
    parents: Option<Vec<String>>,
    #[serde(default)]
    author: Option<Signature>,
    #[serde(default)]
    committer: Option<Signature>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    signature: Option<SignatureKind>,
    #[serde(default)]
    changes: Option<Vec<Change>>,
}

#[derive(Deserialize)]
struct SignatureKind {
    kind: String,
}

/// Reads a line.
pub fn parse(line: &[u8]) -> Result<GitLine, NotUnderstood> {
    let head: Head = serde_json::from_slice(object_only(line)?)?;
    match head.git.as_str() {
        "commit" => Ok(GitLine::Commit(Box::new(commit(serde_json::from_slice(line)?)?))),
        "refs" => Ok(GitLine::Refs(serde_json::from_slice(line)?)),
        _ => Err(NotUnderstood::Kind),
    }
}

fn commit(line: Line) -> Result<Commit, NotUnderstood> {
    let id = text(Some(line.id)).ok_or(NotUnderstood::Unidentified)?;
    let signed = line.signature.map_or(Signed::No, |s| Signed::Unverified(s.kind));
    Ok(Commit {
        id,
        tree: line.tree,
        parents: line.parents,
        author: line.author,
        committer: line.committer,
        message: line.message,
        signed: Some(signed),
        changes: line.changes,
    })
}
