//! A proposal, put together from all that was delivered about it.

use std::collections::{BTreeMap, BTreeSet};

use super::{ForgeFacts, ProposalChange, ProposalEvent, ProposalId, act};
use crate::parse::forge::Review;
use crate::story::Around;
use crate::story::act::{Act, What};
use crate::story::fold::Cited;

/// What pushes and links are judged by. Who did what is told by the acts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proposal<'a> {
    /// The branches that it was to be merged into.
    pub(crate) base_refs: BTreeSet<&'a str>,
    /// The places of the base branch that deliveries name.
    pub(crate) bases: BTreeSet<&'a str>,
    /// All heads that any delivery names.
    pub(crate) heads: BTreeSet<&'a str>,
    /// The heads that it was opened with and updated to.
    versions: Vec<HeadVersion<'a>>,
    /// The commit that merging it made.
    pub(crate) merge_commit: Option<&'a str>,
    /// How many commits it had, by the latest delivery that says so.
    pub(crate) commits: Option<u64>,
}

/// A head that a proposal got.
#[derive(Clone, Copy, Debug)]
struct HeadVersion<'a> {
    commit: &'a str,
    /// The head before, when the forge names it.
    before: Option<&'a str>,
    /// Whether the proposal was opened with it.
    opened: bool,
}

impl ForgeFacts {
    /// All proposals, by repository and number.
    pub(crate) fn proposals(&self) -> BTreeMap<&ProposalId, Proposal<'_>> {
        let mut proposals: BTreeMap<&ProposalId, Proposal<'_>> = BTreeMap::new();
        // Events are in order of time within a proposal.
        for event in self.events.values() {
            proposals.entry(&event.fact.id).or_default().add(&event.fact);
        }
        proposals
    }

    /// One proposal; empty when no delivery tells of it.
    pub(crate) fn proposal(&self, id: &ProposalId) -> Proposal<'_> {
        let mut proposal = Proposal::default();
        self.events_of(id).for_each(|event| proposal.add(&event.fact));
        proposal
    }
}

impl<'a> Proposal<'a> {
    fn add(&mut self, event: &'a ProposalEvent) {
        self.commits = event.commits.or(self.commits);
        self.base_refs.extend(event.base_ref.as_deref());
        self.bases.extend(event.base.as_deref());
        self.heads.extend(event.head.as_deref());
        match &event.change {
            ProposalChange::Opened => self.headed(event, None, true),
            ProposalChange::Updated { before } => {
                self.heads.extend(before.as_deref());
                self.headed(event, before.as_deref(), false);
            }
            ProposalChange::Merged { commit } => self.merge_commit = commit.as_deref(),
            _ => {}
        }
    }

    fn headed(&mut self, event: &'a ProposalEvent, before: Option<&'a str>, opened: bool) {
        if let Some(commit) = event.head.as_deref() {
            self.versions.push(HeadVersion { commit, before, opened });
        }
    }

    /// The heads, oldest first: that with which it was opened, then each after the one that it
    /// replaced, and by time where that is not told. Stamps of one second could not order them.
    pub(crate) fn heads_in_order(&self) -> Vec<&'a str> {
        let versions = &self.versions;
        let mut after: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for (at, version) in versions.iter().enumerate() {
            after.entry(version.before.unwrap_or_default()).or_default().insert(at);
        }
        let mut left: BTreeSet<usize> = (0..versions.len()).collect();
        let mut order = Vec::with_capacity(versions.len());
        let opened = versions.iter().position(|v| v.opened);
        let mut next = opened.or_else(|| left.first().copied());
        while let Some(at) = next {
            left.remove(&at);
            let version = &versions[at];
            if let Some(of) = after.get_mut(version.before.unwrap_or_default()) {
                of.remove(&at);
            }
            order.push(version.commit);
            let follower = after.get(version.commit).and_then(|f| f.first().copied());
            next = follower.or_else(|| left.first().copied());
        }
        let told: BTreeSet<&str> = order.iter().copied().collect();
        order.extend(self.heads.iter().filter(|head| !told.contains(*head)));
        order
    }
}

/// What was done with proposals.
pub(super) fn acts(around: Around<'_>) -> Vec<Act> {
    around.facts.forge.events.values().filter_map(|event| one(around, event)).collect()
}

fn one(around: Around<'_>, event: &Cited<ProposalEvent>) -> Option<Act> {
    let fact = &event.fact;
    let (number, repository) = (fact.id.number, fact.id.repository.clone());
    let head = fact.head.clone();
    let mut notes = Vec::new();
    let what = match &fact.change {
        ProposalChange::Opened => {
            let (head, title) = (head?, fact.title.clone());
            What::ProposalOpened { number, repository, head, title }
        }
        ProposalChange::Updated { .. } => What::ProposalUpdated { number, repository, head: head? },
        ProposalChange::Reviewed(review) => {
            notes.extend(notes_of(review));
            let (commit, state) = (review.commit.clone(), review.state.clone());
            What::Review { number, repository, commit, state }
        }
        ProposalChange::Merged { commit } => {
            let head = head.unwrap_or_default();
            What::Merge { number, repository, commit: commit.clone(), head }
        }
        ProposalChange::Closed => What::ProposalClosed { number, repository },
        ProposalChange::Reopened | ProposalChange::Edited => return None,
    };
    let mut act = act(around, what, fact.at, fact.who.as_deref(), event);
    act.notes = notes;
    Some(act)
}

fn notes_of(review: &Review) -> Vec<String> {
    let mut notes = Vec::new();
    if review.by_forge {
        notes.push("taken back by the forge itself after a push; it does not say whose".to_owned());
    }
    if review.id.is_none() && review.commit.is_some() {
        let note = "the forge does not name the reviewed commit: this was the head then";
        notes.push(note.to_owned());
    }
    notes
}
