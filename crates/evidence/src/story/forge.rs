//! Proposals, reviews, merges, pushes, commits and tickets.
//!
//! Deliveries are facts of their own, keyed by what they say; a proposal is put together from all
//! of them when it is asked for, so that the order of arrival cannot matter.

use std::collections::BTreeMap;

use super::Around;
use super::act::{Act, What};
use super::claim::{Identity, Voice};
use super::fold::{Cited, Noted, merge};
use crate::channel::Channel;
use crate::parse::forge::{ForgeDelivery, ForgeEvent};
use crate::parse::git_commit::{self, Commit, GitLine, Refs};
use crate::parse::jira_webhook::{self, TicketStatus};
use crate::parse::{NotUnderstood, github_webhook, gitlab_webhook};
use crate::record::Cite;
use crate::time::Moment;

mod graph;
mod proposal;
mod pushes;

pub(crate) use self::proposal::Proposal;
pub(crate) use self::pushes::DOUBTS as PUSH_DOUBTS;
pub(crate) use crate::parse::forge::{ProposalChange, ProposalEvent, ProposalId, Push};

/// How one event of a proposal is told from another.
type EventKey = (ProposalId, Option<Moment>, ProposalChange, Option<String>, Option<String>);
/// How one push is told from another: repository, reference, before, after, who, when by the forge.
type PushKey = (String, String, Option<String>, Option<String>, Option<String>, Option<Moment>);
/// How one change of a ticket's status is told from another.
type TicketKey = (String, Option<Moment>, Option<String>, String, Option<String>);

/// Which record tells of a commit. The order is that of how much it tells, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ToldBy {
    /// The commit itself, from a repository.
    Git,
    /// A forge, in a push.
    Forge,
}

/// Proposals, reviews, merges, pushes, commits and tickets.
#[derive(Debug, Default)]
pub(crate) struct ForgeFacts {
    events: BTreeMap<EventKey, Cited<ProposalEvent>>,
    pushes: BTreeMap<PushKey, Cited<Push>>,
    commits: BTreeMap<(String, ToldBy), Cited<Commit>>,
    tickets: BTreeMap<TicketKey, Cited<TicketStatus>>,
    refs: BTreeMap<String, Cited<Refs>>,
}

impl ForgeFacts {
    /// Adds what a record says.
    pub(crate) fn add(&mut self, cite: &Cite, payload: &[u8]) -> Result<Noted, NotUnderstood> {
        let at = match cite.channel {
            Channel::GithubWebhook => self.delivery(cite, github_webhook::parse(payload)?),
            Channel::GitlabWebhook => self.delivery(cite, gitlab_webhook::parse(payload)?),
            Channel::JiraWebhook => self.tickets(cite, jira_webhook::parse(payload)?),
            _ => self.git(cite, git_commit::parse(payload)?),
        };
        Ok(Noted::At(at))
    }

    fn delivery(&mut self, cite: &Cite, delivery: ForgeDelivery) -> Option<Moment> {
        match delivery.event {
            ForgeEvent::Push(push) => self.push(cite, *push, delivery.received_at),
            ForgeEvent::Proposal(event) => {
                let at = event.at.or(delivery.received_at);
                let (head, who) = (event.head.clone(), event.who.clone());
                let key = (event.id.clone(), event.at, event.change.clone(), head, who);
                merge(&mut self.events, key, *event, cite);
                at
            }
            ForgeEvent::Other => delivery.received_at,
        }
    }

    fn push(&mut self, cite: &Cite, mut push: Push, received: Option<Moment>) -> Option<Moment> {
        for commit in &push.commits {
            let key = (commit.id.clone(), ToldBy::Forge);
            merge(&mut self.commits, key, commit.clone(), cite);
        }
        let at = push.at().or(received);
        let key = (
            push.repository.clone(),
            push.reference.clone(),
            push.before.clone(),
            push.after.clone(),
            push.who.clone(),
            push.pushed_at,
        );
        // Two hooks may deliver one push: it was before the first of the receptions.
        if let Some(known) = self.pushes.get_mut(&key) {
            let first = [known.fact.received_at, push.received_at].into_iter().flatten().min();
            known.fact.received_at = first;
            push.received_at = first;
        }
        merge(&mut self.pushes, key, push, cite);
        at
    }

    fn git(&mut self, cite: &Cite, line: GitLine) -> Option<Moment> {
        match line {
            GitLine::Commit(commit) => {
                let at = commit.committer.as_ref().and_then(|c| c.time);
                merge(&mut self.commits, (commit.id.clone(), ToldBy::Git), *commit, cite);
                at
            }
            GitLine::Refs(refs) => {
                merge(&mut self.refs, cite.id.as_str().to_owned(), refs, cite);
                None
            }
        }
    }

    fn tickets(&mut self, cite: &Cite, delivery: jira_webhook::TicketDelivery) -> Option<Moment> {
        for status in delivery.changes {
            let TicketStatus { key, before, after, who, at, .. } = status.clone();
            merge(&mut self.tickets, (key, at, before, after, who), status, cite);
        }
        delivery.at
    }
}

/// The acts that follow from it.
pub(crate) fn acts(around: Around<'_>) -> Vec<Act> {
    let mut acts = proposal::acts(around);
    acts.extend(pushes::acts(around));
    acts.extend(around.facts.forge.tickets.values().map(|status| ticket_act(around, status)));
    acts
}

fn ticket_act(around: Around<'_>, status: &Cited<TicketStatus>) -> Act {
    let TicketStatus { key, before, after, who, at, .. } = &status.fact;
    let what =
        What::TicketStatus { key: key.clone(), before: before.clone(), status: after.clone() };
    act(around, what, *at, who.as_deref(), status)
}

/// An act by an account that the forge or the ticket system authenticated.
fn act<T>(
    around: Around<'_>,
    what: What,
    at: Option<Moment>,
    who: Option<&str>,
    told: &Cited<T>,
) -> Act {
    let mut act = Act::new(what, at, Voice::Authenticated, told.cites.clone());
    act.who = who.map(|account| Identity::of(account, around.people));
    act
}
