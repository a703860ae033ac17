//! The commits of a change: whom they name, and which files they change.
//!
//! A commit names whom it likes as author, committer and co-author; that is the word of whoever
//! made it, and no control counts it against somebody.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Change;
use crate::parse::git_commit::{Commit, Signature};
use crate::people::People;
use crate::story::Around;
use crate::story::claim::Identity;
use crate::story::fold::Cited;
use crate::story::graph::Graph;
use crate::story::wire::Cites;

/// The trailer by which a commit names further authors (`git/git`
/// `Documentation/git-interpret-trailers.adoc`; GitHub reads it so).
const CO_AUTHOR: &str = "co-authored-by:";

/// A commit, and whom it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommitBy {
    /// The commit.
    pub commit: String,
    /// Whom it names as author.
    pub author: Option<Identity>,
    /// Whom it names as committer.
    pub committer: Option<Identity>,
    /// Whom its message names as co-authors.
    pub co_authors: Vec<Identity>,
    /// The files that it changes, sorted; `None` when no record tells.
    pub files: Option<BTreeSet<String>>,
    /// The records that show it.
    pub cites: Cites,
}

/// Puts a change's commits together. The merge itself is none of them.
pub(super) fn gather(around: Around<'_>, graph: &Graph<'_>, change: &mut Change) {
    let forge = &around.facts.forge;
    let (own, whole) = graph.own_commits(change.repository.as_deref(), change.number);
    let heads = change.heads.iter().map(|h| h.commit.clone());
    let all: BTreeSet<String> = own.into_iter().chain(heads).collect();
    let commits: Vec<CommitBy> = all
        .iter()
        .filter_map(|id| forge.commit(id))
        .map(|commit| one(commit, around.people))
        .collect();
    let listed = whole || change.is_push();
    let told = commits.len() == all.len() && commits.iter().all(|c| c.files.is_some());
    change.commits_whole = listed && told && !commits.is_empty();
    change.commits = commits;
}

fn one(commit: &Cited<Commit>, people: &People) -> CommitBy {
    let fact = &commit.fact;
    let by = |signature: &Option<Signature>| {
        let email = signature.as_ref().map(|s| s.email.as_str()).filter(|e| !e.is_empty());
        email.map(|email| Identity::of(email, people))
    };
    let files = fact.changes.as_ref();
    CommitBy {
        commit: fact.id.clone(),
        author: by(&fact.author),
        committer: by(&fact.committer),
        co_authors: co_authors(fact.message.as_deref().unwrap_or_default())
            .map(|email| Identity::of(email, people))
            .collect(),
        files: files.map(|changes| changes.iter().map(|c| c.path.clone()).collect()),
        cites: commit.cites.clone(),
    }
}

fn co_authors(message: &str) -> impl Iterator<Item = &str> {
    message.lines().filter_map(|line| {
        let (head, rest) = line.trim().split_at_checked(CO_AUTHOR.len())?;
        let named = head.eq_ignore_ascii_case(CO_AUTHOR).then_some(rest)?;
        let (_, email) = named.rsplit_once('<')?;
        email.strip_suffix('>').filter(|e| !e.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::co_authors;

    #[test]
    fn co_authors_are_read_from_trailers_alone() {
        let message = "Fix\n\nCo-authored-by: A <a@x.example>\nco-authored-by: no address\n\
                       see Co-authored-by: B <b@x.example>\nCO-AUTHORED-BY: C <c@x.example>";
        assert_eq!(co_authors(message).collect::<Vec<_>>(), ["a@x.example", "c@x.example"]);
    }
}
