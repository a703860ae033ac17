//! Pushes that no proposal stands behind.
//!
//! | push | belongs to a proposal when |
//! |---|---|
//! | to the default branch | it brought the commit that a merge made, or a head that was proposed for this branch; then so do the commits that came with it |
//! | to another branch | its commit was ever a head of a proposal, or is reached from one or from the default branch |
//!
//! A merge and its push are two deliveries that arrive in any order, so all records are judged
//! together. GitHub names the merge commit, the squash or the last of the rebased commits alike as
//! `merge_commit_sha` (`github/rest-api-description`, `pulls/get`).

use std::collections::{BTreeMap, BTreeSet};

use super::{ForgeFacts, Proposal, ProposalId, Push, act};
use crate::story::Around;
use crate::story::act::{Act, What};
use crate::story::fold::Cited;

/// Branches that GitHub makes for its merge queue, and removes again
/// (`github/docs` `content/repositories/…/managing-a-merge-queue.md`).
const MERGE_QUEUE: &str = "gh-readonly-queue/";

const BESIDE_PROPOSED: &str =
    "it came with the head of a proposal: it may be its merge, of which no delivery was seen";
const NO_PROPOSAL_SEEN: &str = "no delivery about any proposal of this repository was seen: whether one stands behind it cannot be told";
const MAY_BE_MISSED: &str = "a proposal behind it may have been missed";

/// How notes begin that leave open whether a proposal stands behind a push.
pub(crate) const DOUBTS: [&str; 3] = [BESIDE_PROPOSED, NO_PROPOSAL_SEEN, MAY_BE_MISSED];

/// The acts of pushing past proposals.
pub(super) fn acts(around: Around<'_>) -> Vec<Act> {
    let forge = &around.facts.forge;
    let proposals = forge.proposals();
    let judge = Judge::new(around, &proposals);
    forge.pushes.values().flat_map(|push| judge.acts(push)).collect()
}

struct Judge<'a> {
    around: Around<'a>,
    /// Proposals by the commit that merging them made.
    merged: BTreeMap<&'a str, &'a Proposal<'a>>,
    /// Branches by the heads that were proposed for them.
    proposed: BTreeSet<(&'a str, &'a str)>,
    /// Every head of every proposal, and everything on a default branch, with what they reach.
    belonging: BTreeSet<&'a str>,
    /// Where pushes that took nothing away went on from: repository, reference, commit.
    went_on: BTreeMap<(&'a str, &'a str, &'a str), Vec<&'a str>>,
    /// Repositories with any proposal.
    repositories: BTreeSet<&'a str>,
    default_branches: BTreeMap<&'a str, &'a str>,
}

impl<'a> Judge<'a> {
    fn new(around: Around<'a>, proposals: &'a BTreeMap<&'a ProposalId, Proposal<'a>>) -> Self {
        let forge = &around.facts.forge;
        let merged = proposals.values().filter_map(|p| Some((p.merge_commit?, p)));
        let merged: BTreeMap<&str, &Proposal<'_>> = merged.collect();
        let mut proposed = BTreeSet::new();
        let mut known: BTreeSet<&str> = merged.keys().copied().collect();
        for proposal in proposals.values() {
            known.extend(&proposal.heads);
            for base in &proposal.base_refs {
                proposed.extend(proposal.heads.iter().map(|head| (*base, *head)));
            }
        }
        known.extend(on_default(forge));
        let mut went_on: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for push in forge.pushes.values().map(|p| &p.fact).filter(|p| p.forced != Some(true)) {
            if let (Some(before), Some(after)) = (&push.before, &push.after) {
                let from = (push.repository.as_str(), push.reference.as_str(), before.as_str());
                went_on.entry(from).or_default().push(after);
            }
        }
        let belonging = forge.reached(known);
        let repositories = proposals.keys().map(|id| id.repository.as_str()).collect();
        let default_branches = forge.default_branches();
        Self { around, merged, proposed, belonging, went_on, repositories, default_branches }
    }

    fn acts(&self, push: &Cited<Push>) -> Vec<Act> {
        let fact = &push.fact;
        let (Some(branch), Some(after)) = (fact.branch(), fact.after.as_deref()) else {
            return Vec::new();
        };
        let default = self.default_of(fact);
        match default {
            Some(default) if default == branch => self.direct(push, branch, after),
            Some(_) if !self.belongs(fact, branch, after) => {
                let (branch, commit) = (branch.to_owned(), after.to_owned());
                vec![self.act(What::BranchPushWithoutProposal { branch, commit }, push, after)]
            }
            _ => Vec::new(),
        }
    }

    fn default_of(&self, push: &'a Push) -> Option<&'a str> {
        let told = push.default_branch.as_deref();
        told.or_else(|| self.default_branches.get(push.repository.as_str()).copied())
    }

    fn direct(&self, push: &Cited<Push>, branch: &str, after: &str) -> Vec<Act> {
        let mut commits: Vec<&str> = push.fact.commits.iter().map(|c| c.id.as_str()).collect();
        // A push that only takes commits away brings none.
        let moved_back = commits.is_empty();
        if !commits.contains(&after) {
            commits.push(after);
        }
        let of_proposals = self.of_proposals(&commits, branch);
        let direct = commits.iter().filter(|c| moved_back || !of_proposals.contains(*c));
        let acts = direct.map(|commit| {
            let (name, id) = (branch.to_owned(), (*commit).to_owned());
            let what = What::DirectPush { branch: name, commit: id };
            let mut act = self.act(what, push, commit);
            if moved_back {
                act.notes.push("the push brought no commit, it moved the branch".to_owned());
            } else if commits.iter().any(|c| self.proposed.contains(&(branch, c))) {
                act.notes.push(BESIDE_PROPOSED.to_owned());
            }
            act
        });
        acts.collect()
    }

    /// The pushed commits that came with the merge of a proposal, or are a proposal themselves.
    fn of_proposals<'c>(&self, commits: &[&'c str], branch: &str) -> BTreeSet<&'c str> {
        let pushed: BTreeMap<&str, usize> =
            commits.iter().enumerate().map(|(at, commit)| (*commit, at)).collect();
        let mut of_proposals = BTreeSet::new();
        for (at, commit) in commits.iter().enumerate() {
            let head = self.proposed.contains(&(branch, commit));
            let merged = self.merged.get(commit).copied();
            if head || merged.is_some() || self.merges_proposed(branch, commit) {
                self.bring(commits, &pushed, at, merged, head, &mut of_proposals);
            }
        }
        of_proposals
    }

    /// Whether a commit merges what was proposed for the branch: the delivery of a merge may be
    /// missing, and a forge takes such a commit for one, whoever made it.
    fn merges_proposed(&self, branch: &str, commit: &str) -> bool {
        let parents = self.around.facts.forge.parents_of(commit).unwrap_or_default();
        parents.iter().skip(1).any(|parent| self.proposed.contains(&(branch, parent.as_str())))
    }

    /// Adds the commits that one merged or proposed commit brought with it.
    fn bring<'c>(
        &self,
        commits: &[&'c str],
        pushed: &BTreeMap<&str, usize>,
        at: usize,
        merged: Option<&Proposal<'_>>,
        head: bool,
        brought: &mut BTreeSet<&'c str>,
    ) {
        let forge = &self.around.facts.forge;
        brought.insert(commits[at]);
        let Some(parents) = forge.parents_of(commits[at]) else {
            // Forges list commits oldest first; without the graph, what came before came with it.
            brought.extend(&commits[..at]);
            return;
        };
        let (first, others) = parents.split_first().map_or((None, parents), |(f, o)| (Some(f), o));
        let within = |id: &String| pushed.get(id.as_str()).copied();
        if head || !others.is_empty() {
            // All that the head reaches is the proposal's; a merge's first parent is the branch.
            let from = others.iter().chain(first.filter(|_| head));
            let mut next: Vec<usize> = from.filter_map(within).collect();
            while let Some(at) = next.pop() {
                if brought.insert(commits[at]) {
                    let parents = forge.parents_of(commits[at]).unwrap_or_default();
                    next.extend(parents.iter().filter_map(within));
                }
            }
            return;
        }
        // A squash is one commit, a rebase as many as the proposal had: which it was is not told.
        let most = merged.and_then(|p| p.commits).unwrap_or(1);
        let mut next = first.and_then(within);
        for _ in 1..most {
            let Some(at) = next else { break };
            brought.insert(commits[at]);
            next = forge.parents_of(commits[at]).and_then(|p| p.first()).and_then(within);
        }
    }

    /// Whether a commit on a branch was ever offered, or is on a default branch.
    fn belongs(&self, push: &Push, branch: &str, after: &str) -> bool {
        if branch.starts_with(MERGE_QUEUE) || self.belonging.contains(after) {
            return true;
        }
        // Without the graph: later pushes went on from it and took nothing away.
        let mut seen = BTreeSet::new();
        let mut next = vec![after];
        while let Some(commit) = next.pop() {
            if self.belonging.contains(commit) {
                return true;
            }
            if seen.insert(commit) {
                let from = (push.repository.as_str(), push.reference.as_str(), commit);
                next.extend(self.went_on.get(&from).into_iter().flatten());
            }
        }
        false
    }

    fn act(&self, what: What, push: &Cited<Push>, commit: &str) -> Act {
        let fact = &push.fact;
        let mut act = act(self.around, what, fact.at(), fact.who.as_deref(), push);
        let channel = push.cites.first().map(|c| c.channel.id());
        act.cites.extend(&self.around.facts.forge.git_cites(commit));
        if fact.pushed_at.is_none() {
            act.notes.push("the time is that of the delivery's receipt".to_owned());
        }
        if fact.truncated {
            act.notes.push("the forge lists only some of the commits of this push".to_owned());
        }
        if fact.forced == Some(true) {
            act.notes.push("forced: commits were taken off the branch".to_owned());
        }
        act.notes.extend(self.doubt(fact, channel));
        act
    }

    /// Why the silence about a proposal may say little.
    fn doubt(&self, push: &Push, channel: Option<&str>) -> Option<String> {
        if !self.repositories.contains(push.repository.as_str()) {
            return Some(NO_PROPOSAL_SEEN.to_owned());
        }
        let coverage = self.around.coverage.iter().find(|c| Some(c.channel) == channel)?;
        let reason = coverage.at(push.at().as_ref()).err()?;
        Some(format!("{MAY_BE_MISSED}: {reason}"))
    }
}

/// Commits that default branches are known to have had.
fn on_default(forge: &ForgeFacts) -> impl Iterator<Item = &str> {
    let pushes = forge.pushes.values().map(|p| &p.fact);
    let to_default = pushes.filter(|p| p.is_to_default() == Some(true));
    to_default.flat_map(|push| {
        let listed = push.commits.iter().map(|c| c.id.as_str());
        listed.chain(push.before.as_deref()).chain(push.after.as_deref())
    })
}
