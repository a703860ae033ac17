//! What forges report, in the words that GitHub and GitLab share.
//!
//! Both call the same things by other names: a pull request and a merge request are a *proposal*
//! here, the branch that it is to be merged into its *base*, the commit that it offers its *head*.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::git_commit::Commit;
use super::{NotUnderstood, object_only};
use crate::time::Moment;

/// What a delivery of a forge says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForgeEvent {
    /// A reference was moved.
    Push(Box<Push>),
    /// Something happened to a proposal.
    Proposal(Box<ProposalEvent>),
    /// An event of another kind: understood, and nothing is read from it.
    Other,
}

/// A delivery: when it was received, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgeDelivery {
    /// When it was received, by the receiver's clock.
    pub received_at: Option<Moment>,
    /// What it says.
    pub event: ForgeEvent,
}

/// Which proposal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalId {
    /// The repository that it is to be merged into, by its full name.
    pub repository: String,
    /// Its number there.
    pub number: u64,
}

/// A move of a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The repository's full name.
    pub repository: String,
    /// The reference's full name: `refs/heads/…`.
    pub reference: String,
    /// Where it was; `None` when the push created it.
    pub before: Option<String>,
    /// Where it is; `None` when the push deleted it.
    pub after: Option<String>,
    /// Whether commits were taken away from it; not every forge says so.
    pub forced: Option<bool>,
    /// The account that pushed, as the forge authenticated it.
    pub who: Option<String>,
    /// The commits that it brought, oldest first.
    pub commits: Vec<Commit>,
    /// Whether the list of commits is cut off.
    pub truncated: bool,
    /// The repository's default branch at that time.
    pub default_branch: Option<String>,
    /// When it was pushed, by the forge.
    pub pushed_at: Option<Moment>,
    /// When the delivery was received.
    pub received_at: Option<Moment>,
}

impl Push {
    /// The branch, when the reference is one.
    pub fn branch(&self) -> Option<&str> {
        self.reference.strip_prefix("refs/heads/")
    }

    /// Whether the branch is the repository's default branch; `None` when that is not known.
    pub fn is_to_default(&self) -> Option<bool> {
        let default = self.default_branch.as_deref()?;
        Some(self.branch() == Some(default))
    }

    /// When it was: by the forge, else by the receiver.
    pub fn at(&self) -> Option<Moment> {
        self.pushed_at.or(self.received_at)
    }
}

/// Something that happened to a proposal, and how the proposal was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalEvent {
    /// Which proposal.
    pub id: ProposalId,
    /// What happened.
    pub change: ProposalChange,
    /// The account that did it, as the forge authenticated it.
    pub who: Option<String>,
    /// When it was, by the forge.
    pub at: Option<Moment>,
    /// The commit that it offered then.
    pub head: Option<String>,
    /// The branch that it came from.
    pub head_ref: Option<String>,
    /// The repository that it came from.
    pub head_repository: Option<String>,
    /// The branch that it is to be merged into.
    pub base_ref: Option<String>,
    /// Where that branch was, as the forge had it.
    pub base: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// Its text.
    pub body: Option<String>,
    /// Its page.
    pub url: Option<String>,
    /// The account that opened it.
    pub author: Option<String>,
    /// When it was opened.
    pub created_at: Option<Moment>,
    /// How many commits it had.
    pub commits: Option<u64>,
    /// The repository's default branch at that time.
    pub default_branch: Option<String>,
}

/// What happened to a proposal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProposalChange {
    /// It was opened.
    Opened,
    /// It got another head.
    Updated {
        /// The head before.
        before: Option<String>,
    },
    /// It was reviewed, or a review was taken back.
    Reviewed(Review),
    /// It was merged.
    Merged {
        /// The commit that the base branch got.
        commit: Option<String>,
    },
    /// It was closed without a merge.
    Closed,
    /// It was opened again.
    Reopened,
    /// Something else: title, text, labels.
    Edited,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Review {
    /// The forge's id of it.
    pub id: Option<u64>,
    /// The account whose review it is.
    pub by: Option<String>,
    /// `approved`, `changes_requested`, `commented` or `dismissed`.
    pub state: String,
    /// The head that was reviewed, when the forge names it.
    pub commit: Option<String>,
    /// Whether the forge itself took it back.
    pub by_forge: bool,
}

/// The record of a delivery, as `intake::delivery` writes it.
#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow, default)]
    received_at: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// A record taken apart.
pub(crate) struct Opened<'a> {
    pub(crate) received_at: Option<Moment>,
    /// The event that the sender's headers named.
    pub(crate) event: Option<Cow<'a, str>>,
    /// The body, byte for byte.
    pub(crate) body: &'a [u8],
}

/// Takes a delivery's record apart. The body must be an object: serde would read a list as the
/// fields in their order.
pub(crate) fn open(record: &[u8]) -> Result<Opened<'_>, NotUnderstood> {
    let wrapped: Wrapped<'_> = serde_json::from_slice(object_only(record)?)?;
    let received_at = wrapped.received_at.and_then(|at| Moment::parse(&at).ok());
    let body = object_only(wrapped.body.get().as_bytes())?;
    Ok(Opened { received_at, event: wrapped.event, body })
}

/// A commit id; forges write forty zeros where there is no commit.
pub(crate) fn commit_id(id: Option<String>) -> Option<String> {
    id.filter(|id| id.bytes().any(|b| b != b'0'))
}

/// A stamp that says something; one that cannot be read says nothing.
pub(crate) fn lenient_moment<'de, D>(deserializer: D) -> Result<Option<Moment>, D::Error>
where
    D: Deserializer<'de>,
{
    let stamp: Option<Cow<'de, str>> = Option::deserialize(deserializer)?;
    Ok(stamp.and_then(|s| Moment::parse(&s).ok()))
}
