//! Webhook deliveries of GitLab: pushes and merge requests.
//!
//! Shapes: `gitlabhq/gitlabhq` `lib/gitlab/data_builder/push.rb`,
//! `lib/gitlab/hook_data/merge_request_builder.rb`, `doc/user/project/integrations/
//! webhook_events.md`. The body names its kind; the header is not needed.
//!
//! GitLab does not say which commit an approval covers: the head is that of the moment at which the
//! delivery was made. An approval that the forge resets after a push names the pusher as its user
//! and not whose approval it was.

use serde::Deserialize;

use super::forge::{
    ForgeDelivery, ForgeEvent, ProposalChange, ProposalEvent, ProposalId, Push, Review, commit_id,
    open,
};
use super::github_webhook::PushedCommit;
use super::{NotUnderstood, nullable, text};
use crate::time::Moment;

/// Reads a delivery.
pub fn parse(record: &[u8]) -> Result<ForgeDelivery, NotUnderstood> {
    let opened = open(record)?;
    let received_at = opened.received_at;
    let kind: Kind = serde_json::from_slice(opened.body)?;
    let named = kind.object_kind.or(kind.event_name);
    let event = match named.ok_or(NotUnderstood::Shape { column: 0 })?.as_str() {
        "push" | "tag_push" => {
            let payload: PushPayload = serde_json::from_slice(opened.body)?;
            ForgeEvent::Push(Box::new(payload.read(received_at)?))
        }
        "merge_request" => {
            let payload: MergeRequestPayload = serde_json::from_slice(opened.body)?;
            ForgeEvent::Proposal(Box::new(payload.read()?))
        }
        _ => ForgeEvent::Other,
    };
    Ok(ForgeDelivery { received_at, event })
}

#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    object_kind: Option<String>,
    /// System hooks name pushes by this alone.
    #[serde(default)]
    event_name: Option<String>,
}

#[derive(Deserialize)]
struct Project {
    #[serde(default)]
    path_with_namespace: Option<String>,
    #[serde(default)]
    default_branch: Option<String>,
}

impl Project {
    fn path(project: Option<&Self>) -> Option<String> {
        text(project?.path_with_namespace.clone())
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
    user_username: Option<String>,
    project: Project,
    #[serde(default, deserialize_with = "nullable")]
    commits: Vec<PushedCommit>,
    #[serde(default)]
    total_commits_count: Option<u64>,
}

impl PushPayload {
    fn read(self, received_at: Option<Moment>) -> Result<Push, NotUnderstood> {
        let repository = Project::path(Some(&self.project)).ok_or(NotUnderstood::Unidentified)?;
        let total = self.total_commits_count.unwrap_or(0);
        Ok(Push {
            repository,
            reference: self.reference,
            before: commit_id(self.before),
            after: commit_id(self.after),
            forced: None,
            who: text(self.user_username),
            truncated: total > self.commits.len() as u64,
            commits: self.commits.into_iter().map(PushedCommit::read).collect(),
            default_branch: text(self.project.default_branch),
            pushed_at: None,
            received_at,
        })
    }
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    username: Option<String>,
}

#[derive(Deserialize)]
struct MergeRequestPayload {
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    project: Option<Project>,
    object_attributes: Attributes,
}

#[derive(Deserialize)]
struct Attributes {
    iid: u64,
    #[serde(default)]
    action: Option<String>,
    /// Set when the action is an update that brought code.
    #[serde(default)]
    oldrev: Option<String>,
    #[serde(default)]
    author_id: Option<u64>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    source_branch: Option<String>,
    #[serde(default)]
    target_branch: Option<String>,
    #[serde(default)]
    source: Option<Project>,
    #[serde(default)]
    target: Option<Project>,
    #[serde(default)]
    last_commit: Option<LastCommit>,
    #[serde(default)]
    merge_commit_sha: Option<String>,
    #[serde(default)]
    squash_commit_sha: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
    /// When the action was, in newer versions.
    #[serde(default)]
    actioned_at: Option<String>,
    /// Whether the forge acted by itself.
    #[serde(default, deserialize_with = "nullable")]
    system: bool,
}

#[derive(Deserialize)]
struct LastCommit {
    #[serde(default)]
    id: Option<String>,
}

/// GitLab writes stamps in RFC 3339 or as `2026-01-02 03:04:05 UTC`.
fn moment(stamp: Option<&str>) -> Option<Moment> {
    let stamp = stamp?;
    let rfc = || {
        let (date, time) = stamp.strip_suffix(" UTC")?.split_once(' ')?;
        Moment::parse(&format!("{date}T{time}Z")).ok()
    };
    Moment::parse(stamp).ok().or_else(rfc)
}

impl MergeRequestPayload {
    fn read(self) -> Result<ProposalEvent, NotUnderstood> {
        let of = self.object_attributes;
        let repository = Project::path(of.target.as_ref())
            .or_else(|| Project::path(self.project.as_ref()))
            .ok_or(NotUnderstood::Unidentified)?;
        let user_id = self.user.as_ref().and_then(|u| u.id);
        let user = self.user.and_then(|u| text(u.username));
        // Only the account that acts is named; the author is known when it is the same.
        let is_author = of.author_id.is_some() && of.author_id == user_id;
        let created_at = moment(of.created_at.as_deref());
        let change = change(&of, user.as_ref());
        let stated = moment(of.actioned_at.as_deref()).or(moment(of.updated_at.as_deref()));
        let at = if change == ProposalChange::Opened { created_at.or(stated) } else { stated };
        let default_branch = self.project.as_ref().and_then(|p| text(p.default_branch.clone()));
        Ok(ProposalEvent {
            id: ProposalId { repository, number: of.iid },
            who: user.clone().filter(|_| !of.system),
            author: user.filter(|_| is_author && !of.system),
            change,
            at,
            head: of.last_commit.and_then(|c| commit_id(c.id)),
            head_ref: text(of.source_branch),
            head_repository: Project::path(of.source.as_ref()),
            base_ref: text(of.target_branch),
            base: None,
            title: text(of.title),
            body: text(of.description),
            url: text(of.url),
            created_at,
            commits: None,
            default_branch,
        })
    }
}

fn change(of: &Attributes, user: Option<&String>) -> ProposalChange {
    let review = |state: &str| {
        let by = user.cloned().filter(|_| !of.system);
        let commit = of.last_commit.as_ref().and_then(|c| commit_id(c.id.clone()));
        let state = state.to_owned();
        ProposalChange::Reviewed(Review { id: None, by, state, commit, by_forge: of.system })
    };
    match of.action.as_deref() {
        Some("open") => ProposalChange::Opened,
        Some("reopen") => ProposalChange::Reopened,
        Some("close") => ProposalChange::Closed,
        // One that completes the approvals is `approved`, one among several `approval`.
        Some("approved" | "approval") => review("approved"),
        Some("unapproved" | "unapproval") => review("dismissed"),
        Some("update") => match commit_id(of.oldrev.clone()) {
            Some(before) => ProposalChange::Updated { before: Some(before) },
            None => ProposalChange::Edited,
        },
        Some("merge") => {
            let last = || of.last_commit.as_ref().and_then(|c| c.id.clone());
            // A fast-forward makes no commit: the branch gets the head, or its squash.
            let made = of.merge_commit_sha.clone().or_else(|| of.squash_commit_sha.clone());
            ProposalChange::Merged { commit: commit_id(made.or_else(last)) }
        }
        _ => ProposalChange::Edited,
    }
}
