//! A commit as a line.

use std::io;

use gix::ObjectId;
use gix::objs::{CommitRef, Kind};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;

use super::changes::{Change, Unlisted, between};
use super::{Limits, object};

#[derive(Serialize)]
struct Line {
    git: &'static str,
    id: String,
    tree: String,
    parents: Vec<String>,
    author: Option<Signature>,
    committer: Option<Signature>,
    message: String,
    signature: Option<SignatureKind>,
    changes: Option<Vec<Change>>,
    /// Why there is no list of changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes_unknown: Option<&'static str>,
}

#[derive(Serialize)]
struct Signature {
    name: String,
    email: String,
    time: Option<String>,
}

#[derive(Serialize)]
struct SignatureKind {
    kind: &'static str,
}

/// The line of a commit that the walk has read.
pub(super) fn line(
    repository: &gix::Repository,
    limits: &Limits,
    id: ObjectId,
) -> io::Result<Vec<u8>> {
    let vanished = || io::Error::other(format!("commit {id} can no longer be read"));
    let object = object(repository, limits, id, Kind::Commit).ok_or_else(vanished)?;
    let commit = CommitRef::from_bytes(&object.data, id.kind()).map_err(io::Error::other)?;
    let (changes, changes_unknown) = match changes(repository, limits, &commit) {
        Ok(changes) => (Some(changes), None),
        Err(Unlisted::Missing) => (None, Some("a tree or the parent is not there")),
        Err(Unlisted::TooMany) => (None, Some("too many files")),
    };
    let line = Line {
        git: "commit",
        id: id.to_string(),
        tree: commit.tree().to_string(),
        parents: commit.parents().map(|parent| parent.to_string()).collect(),
        author: commit.author().ok().map(signature),
        committer: commit.committer().ok().map(signature),
        message: String::from_utf8_lossy(commit.message).into_owned(),
        signature: kind(&commit).map(|kind| SignatureKind { kind }),
        changes,
        changes_unknown,
    };
    let bytes = serde_json::to_vec(&line)?;
    if bytes.len() <= limits.line_bytes || line.changes.is_none() {
        return Ok(bytes);
    }
    let changes_unknown = Some("too many files");
    Ok(serde_json::to_vec(&Line { changes: None, changes_unknown, ..line })?)
}

fn changes(
    repository: &gix::Repository,
    limits: &Limits,
    commit: &CommitRef<'_>,
) -> Result<Vec<Change>, Unlisted> {
    let before = match commit.parents().next() {
        Some(parent) => {
            let parent_of = object(repository, limits, parent, Kind::Commit);
            let object = parent_of.ok_or(Unlisted::Missing)?;
            let parent = CommitRef::from_bytes(&object.data, parent.kind());
            Some(parent.map_err(|_| Unlisted::Missing)?.tree())
        }
        None => None,
    };
    between(repository, limits, before, commit.tree())
}

fn signature(signature: gix::actor::SignatureRef<'_>) -> Signature {
    let time = signature.time().ok().and_then(|time| {
        let stamp = Timestamp::from_second(time.seconds).ok()?;
        let offset = Offset::from_seconds(time.offset).unwrap_or(Offset::UTC);
        Some(stamp.display_with_offset(offset).to_string())
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Signature { name: text(signature.name), email: text(signature.email), time }
}

/// The kind of a commit's signature, by its armour (`git/git` `gpg-interface.c`). Nothing is
/// verified: whose key it is no repository can say.
fn kind(commit: &CommitRef<'_>) -> Option<&'static str> {
    let mut headers = commit.extra_headers.iter();
    let (_, value) = headers.find(|(name, _)| **name == "gpgsig" || **name == "gpgsig-sha256")?;
    let starts = |armour: &str| value.starts_with(armour.as_bytes());
    Some(if starts("-----BEGIN PGP ") {
        "gpg"
    } else if starts("-----BEGIN SSH SIGNATURE-----") {
        "ssh"
    } else if starts("-----BEGIN SIGNED MESSAGE-----") {
        "x509"
    } else {
        "other"
    })
}
