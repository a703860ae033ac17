//! Webhook deliveries of GitHub: pushes, pull requests and their reviews.
//!
//! Shapes: `octokit/webhooks` `payload-schemas/api.github.com/{push,pull_request,
//! pull_request_review}`. GitHub names the event in a header, which stands in the record beside the
//! body; a body that came without it is known by its members.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use super::forge::{
    ForgeDelivery, ForgeEvent, Opened, ProposalChange, ProposalEvent, ProposalId, Push, Review,
    commit_id, lenient_moment, open,
};
use super::git_commit::{Change, Commit, Signature};
use super::{NotUnderstood, nullable, text};
use crate::time::Moment;

/// The most commits that GitHub lists in one push (`github/rest-api-description`, `webhook-push`).
const PUSHED_COMMITS_MAX: usize = 2048;

/// Reads a delivery.
pub fn parse(record: &[u8]) -> Result<ForgeDelivery, NotUnderstood> {
    let opened = open(record)?;
    let received_at = opened.received_at;
    let event = match event(&opened)?.as_ref() {
        "push" => {
            let payload: PushPayload = serde_json::from_slice(opened.body)?;
            ForgeEvent::Push(Box::new(payload.read(received_at)))
        }
        "pull_request" => {
            let payload: PullPayload = serde_json::from_slice(opened.body)?;
            payload.pull().map_or(ForgeEvent::Other, |e| ForgeEvent::Proposal(Box::new(e)))
        }
        "pull_request_review" => {
            let payload: PullPayload = serde_json::from_slice(opened.body)?;
            payload.review()?.map_or(ForgeEvent::Other, |e| ForgeEvent::Proposal(Box::new(e)))
        }
        _ => ForgeEvent::Other,
    };
    Ok(ForgeDelivery { received_at, event })
}

#[derive(Deserialize)]
struct Peek {
    review: Option<serde::de::IgnoredAny>,
    pull_request: Option<serde::de::IgnoredAny>,
    comment: Option<serde::de::IgnoredAny>,
    before: Option<serde::de::IgnoredAny>,
    after: Option<serde::de::IgnoredAny>,
    commits: Option<serde::de::IgnoredAny>,
}

/// The event, by the header or by the members that no other event has.
fn event<'a>(opened: &Opened<'a>) -> Result<Cow<'a, str>, NotUnderstood> {
    if let Some(event) = &opened.event {
        return Ok(event.clone());
    }
    let peek: Peek = serde_json::from_slice(opened.body)?;
    Ok(Cow::Borrowed(match peek {
        Peek { before: Some(_), after: Some(_), commits: Some(_), .. } => "push",
        Peek { review: Some(_), pull_request: Some(_), comment: None, .. } => "pull_request_review",
        Peek { pull_request: Some(_), comment: None, .. } => "pull_request",
        _ => "other",
    }))
}

#[derive(Deserialize)]
struct Account {
    #[serde(default)]
    login: Option<String>,
}

fn login(account: Option<Account>) -> Option<String> {
    text(account?.login)
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
    #[serde(default)]
    default_branch: Option<String>,
    /// In pushes a number of seconds, elsewhere a stamp.
    #[serde(default)]
    pushed_at: Option<serde_json::Value>,
}

impl Repository {
    fn pushed_at(&self) -> Option<Moment> {
        let seconds = self.pushed_at.as_ref()?.as_i64()?;
        Moment::parse(&Timestamp::from_second(seconds).ok()?.to_string()).ok()
    }
}

#[derive(Deserialize)]
struct PushPayload {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    before: Option<String>,
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    forced: Option<bool>,
    #[serde(default, deserialize_with = "nullable")]
    commits: Vec<PushedCommit>,
    #[serde(default)]
    sender: Option<Account>,
    repository: Repository,
}

impl PushPayload {
    fn read(self, received_at: Option<Moment>) -> Push {
        let truncated = self.commits.len() >= PUSHED_COMMITS_MAX;
        Push {
            pushed_at: self.repository.pushed_at(),
            repository: self.repository.full_name,
            reference: self.reference,
            before: commit_id(self.before),
            after: commit_id(self.after),
            forced: self.forced,
            who: login(self.sender),
            commits: self.commits.into_iter().map(PushedCommit::read).collect(),
            truncated,
            default_branch: text(self.repository.default_branch),
            received_at,
        }
    }
}

/// A commit in a push, of GitHub or of GitLab, which leaves tree and committer out.
#[derive(Deserialize)]
pub(super) struct PushedCommit {
    id: String,
    #[serde(default)]
    tree_id: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    author: Option<Signature>,
    #[serde(default)]
    committer: Option<Signature>,
    #[serde(default, deserialize_with = "nullable")]
    added: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    removed: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    modified: Vec<String>,
}

impl PushedCommit {
    pub(super) fn read(self) -> Commit {
        let time = self.timestamp.and_then(|t| Moment::parse(&t).ok());
        let stamped = |signature: Option<Signature>| signature.map(|s| Signature { time, ..s });
        let of = |status: &'static str| {
            move |path| Change { path, status: status.to_owned(), blob: None }
        };
        let changes = self.added.into_iter().map(of("added"));
        let changes = changes.chain(self.removed.into_iter().map(of("removed")));
        let changes = changes.chain(self.modified.into_iter().map(of("modified")));
        let mut changes: Vec<Change> = changes.collect();
        changes.sort_by(|a, b| (&a.path, &a.status).cmp(&(&b.path, &b.status)));
        Commit {
            id: self.id,
            tree: text(self.tree_id),
            parents: None,
            author: stamped(self.author),
            committer: stamped(self.committer),
            message: self.message,
            signed: None,
            changes: Some(changes),
        }
    }
}

#[derive(Deserialize)]
struct PullPayload {
    #[serde(default)]
    action: Option<String>,
    pull_request: Pull,
    #[serde(default)]
    review: Option<ReviewPayload>,
    #[serde(default)]
    before: Option<String>,
    #[serde(default)]
    sender: Option<Account>,
    repository: Repository,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<Account>,
    #[serde(default, deserialize_with = "lenient_moment")]
    created_at: Option<Moment>,
    #[serde(default, deserialize_with = "lenient_moment")]
    updated_at: Option<Moment>,
    #[serde(default, deserialize_with = "lenient_moment")]
    closed_at: Option<Moment>,
    #[serde(default, deserialize_with = "lenient_moment")]
    merged_at: Option<Moment>,
    #[serde(default)]
    merge_commit_sha: Option<String>,
    #[serde(default)]
    merged: Option<bool>,
    #[serde(default)]
    merged_by: Option<Account>,
    #[serde(default)]
    commits: Option<u64>,
    head: Side,
    base: Side,
}

#[derive(Deserialize)]
struct Side {
    #[serde(default, rename = "ref")]
    reference: Option<String>,
    #[serde(default)]
    sha: Option<String>,
    /// Absent when the repository of the head was deleted.
    #[serde(default)]
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct ReviewPayload {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    user: Option<Account>,
    #[serde(default)]
    commit_id: Option<String>,
    #[serde(default, deserialize_with = "lenient_moment")]
    submitted_at: Option<Moment>,
    state: String,
}

impl PullPayload {
    fn pull(mut self) -> Option<ProposalEvent> {
        let sender = login(self.sender.take());
        let pull = &mut self.pull_request;
        let closed = pull.closed_at.or(pull.updated_at);
        // The merge commit of a pull request that is not merged is one made for tests only.
        let merged = pull.merged.unwrap_or(pull.merged_at.is_some());
        let (change, at, who) = match self.action.as_deref()? {
            "opened" => (ProposalChange::Opened, pull.created_at, sender),
            "synchronize" => {
                let before = commit_id(self.before.take());
                (ProposalChange::Updated { before }, pull.updated_at, sender)
            }
            "closed" if merged => {
                let commit = commit_id(pull.merge_commit_sha.take());
                let who = login(pull.merged_by.take()).or(sender);
                (ProposalChange::Merged { commit }, pull.merged_at.or(closed), who)
            }
            "closed" => (ProposalChange::Closed, closed, sender),
            "reopened" => (ProposalChange::Reopened, pull.updated_at, sender),
            _ => (ProposalChange::Edited, pull.updated_at, sender),
        };
        Some(self.event(change, at, who))
    }

    fn review(mut self) -> Result<Option<ProposalEvent>, NotUnderstood> {
        let sender = login(self.sender.take());
        let Some(review) = self.review.take() else {
            return Err(NotUnderstood::Shape { column: 0 });
        };
        let dismissed = match self.action.as_deref() {
            Some("submitted") => false,
            Some("dismissed") => true,
            // An edit changes the words of a review, not its state.
            _ => return Ok(None),
        };
        let by = login(review.user);
        // A review that is taken back keeps the time at which it was given.
        let at = if dismissed { self.pull_request.updated_at } else { review.submitted_at };
        let who = if dismissed { sender } else { by.clone().or(sender) };
        let state = if dismissed { "dismissed".to_owned() } else { review.state.to_lowercase() };
        let commit = commit_id(review.commit_id);
        let review = Review { id: review.id, by, state, commit, by_forge: false };
        Ok(Some(self.event(ProposalChange::Reviewed(review), at, who)))
    }

    fn event(
        self,
        change: ProposalChange,
        at: Option<Moment>,
        who: Option<String>,
    ) -> ProposalEvent {
        let pull = self.pull_request;
        let number = pull.number;
        ProposalEvent {
            id: ProposalId { repository: self.repository.full_name, number },
            change,
            who,
            at,
            head: commit_id(pull.head.sha),
            head_ref: text(pull.head.reference),
            head_repository: pull.head.repo.map(|r| r.full_name),
            base_ref: text(pull.base.reference),
            base: commit_id(pull.base.sha),
            title: text(pull.title),
            body: text(pull.body),
            url: text(pull.html_url),
            author: login(pull.user),
            created_at: pull.created_at,
            commits: pull.commits,
            default_branch: text(self.repository.default_branch),
        }
    }
}
