//! Commits: what a revision says of itself.
//!
//! Author, committer and times are the word of whoever made the commit; a signature that nobody
//! has verified is told by its kind.

use serde::Serialize;

use super::Around;
use super::claim::Identity;
use super::wire::Cites;
use crate::parse::git_commit::{Commit, Signature, Signed};
use crate::time::Moment;

/// Letters of a subject that are kept; git advises fifty.
const SUBJECT_CHARS_MAX: usize = 120;

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommitSeen {
    /// Its id.
    pub id: String,
    /// The first line of its message.
    pub subject: Option<String>,
    /// The name in its author field.
    pub author_name: Option<String>,
    /// The account in its author field: an e-mail address that anybody may write there.
    pub author: Option<Identity>,
    /// The account in its committer field, likewise.
    pub committer: Option<Identity>,
    /// `none`, or the kind of a signature that has not been verified; nothing when not told.
    pub signature: Option<String>,
    /// When it was committed, by the committer's clock.
    pub at: Option<Moment>,
    /// The records that show it.
    pub cites: Cites,
}

/// All commits, by id, each by the record that tells most of it.
pub(crate) fn commits(around: Around<'_>) -> Vec<CommitSeen> {
    let forge = &around.facts.forge;
    let seen = |id: &str| {
        let told = forge.commit(id)?;
        Some(seen(around, &told.fact, told.cites.clone()))
    };
    forge.commit_ids().into_iter().filter_map(seen).collect()
}

fn seen(around: Around<'_>, commit: &Commit, cites: Cites) -> CommitSeen {
    let account = |of: &Option<Signature>| {
        let email = of.as_ref().map(|s| s.email.as_str()).filter(|e| !e.is_empty())?;
        Some(Identity::of(email, around.people))
    };
    let subject = commit.message.as_deref().and_then(|m| m.lines().next());
    CommitSeen {
        id: commit.id.clone(),
        subject: subject.map(|line| line.chars().take(SUBJECT_CHARS_MAX).collect()),
        author_name: commit.author.as_ref().map(|a| a.name.clone()).filter(|n| !n.is_empty()),
        author: account(&commit.author),
        committer: account(&commit.committer),
        signature: commit.signed.as_ref().map(|signed| match signed {
            Signed::No => "none".to_owned(),
            Signed::Unverified(kind) => kind.clone(),
        }),
        at: commit.committer.as_ref().or(commit.author.as_ref()).and_then(|c| c.time),
        cites,
    }
}
