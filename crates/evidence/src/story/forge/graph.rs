//! The graph of commits, as far as records show it.

use std::collections::{BTreeMap, BTreeSet};

use super::{ForgeFacts, ProposalChange, ProposalEvent, ProposalId, ToldBy};
use crate::parse::git_commit::Commit;
use crate::story::fold::Cited;
use crate::story::wire::Cites;
use crate::time::Moment;

impl ForgeFacts {
    /// A commit, by the record that tells most of it.
    pub(crate) fn commit(&self, id: &str) -> Option<&Cited<Commit>> {
        let told = |by| self.commits.get(&(id.to_owned(), by));
        told(ToldBy::Git).or_else(|| told(ToldBy::Forge))
    }

    /// The ids of all commits that some record tells of, sorted.
    pub(crate) fn commit_ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.commits.keys().map(|(id, _)| id.as_str()).collect();
        ids.dedup();
        ids
    }

    /// The records of the commit itself, from a repository.
    pub(crate) fn git_cites(&self, id: &str) -> Cites {
        let told = self.commits.get(&(id.to_owned(), ToldBy::Git));
        told.map(|c| c.cites.clone()).unwrap_or_default()
    }

    /// The parents of a commit, when a record tells them.
    pub(crate) fn parents_of(&self, id: &str) -> Option<&[String]> {
        self.commit(id)?.fact.parents.as_deref()
    }

    /// The parents of all commits whose parents are known.
    pub(crate) fn parents(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.commits.iter().filter(|((_, by), _)| *by == ToldBy::Git).filter_map(|((id, _), c)| {
            let parents = c.fact.parents.as_ref()?;
            Some((id.as_str(), parents.iter().map(String::as_str).collect()))
        })
    }

    /// The files that a commit changes against its first parent.
    pub(crate) fn files_of(&self, id: &str) -> impl Iterator<Item = &str> {
        let changes = self.commit(id).and_then(|c| c.fact.changes.as_deref());
        changes.unwrap_or_default().iter().map(|c| c.path.as_str())
    }

    /// The heads that a proposal had, oldest first, and the places that its base branch had then.
    pub(crate) fn reach_of(&self, repository: &str, number: u64) -> Option<(Vec<&str>, Vec<&str>)> {
        let id = ProposalId { repository: repository.to_owned(), number };
        let proposal = self.proposal(&id);
        let heads = proposal.heads_in_order();
        let known = !heads.is_empty();
        known.then(|| (heads, proposal.bases.into_iter().collect()))
    }

    /// What a proposal says in its title and text, in all its versions.
    pub(crate) fn text_of(&self, repository: Option<&str>, number: Option<u64>) -> Vec<&str> {
        let (Some(repository), Some(number)) = (repository, number) else { return Vec::new() };
        let id = ProposalId { repository: repository.to_owned(), number };
        let events = self.events_of(&id);
        let texts = events.flat_map(|e| [e.fact.title.as_deref(), e.fact.body.as_deref()]);
        texts.flatten().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// All events of a proposal, in order of time.
    pub(super) fn events_of(&self, id: &ProposalId) -> impl Iterator<Item = &Cited<ProposalEvent>> {
        let first = (id.clone(), None, ProposalChange::Opened, None, None);
        let id = id.clone();
        self.events.range(first..).take_while(move |(key, _)| key.0 == id).map(|(_, e)| e)
    }

    /// What some commits reach, themselves among it, as far as the parents are known.
    pub(crate) fn reached<'a>(
        &'a self,
        from: impl IntoIterator<Item = &'a str>,
    ) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&str> = from.into_iter().collect();
        while let Some(commit) = next.pop() {
            if reached.insert(commit) {
                next.extend(self.parents_of(commit).unwrap_or_default().iter().map(String::as_str));
            }
        }
        reached
    }

    /// The default branch of each repository, by the latest delivery that names it.
    pub(crate) fn default_branches(&self) -> BTreeMap<&str, &str> {
        let pushed = self
            .pushes
            .values()
            .map(|p| (&p.fact.repository, p.fact.at(), p.fact.default_branch.as_deref()));
        let proposed = self
            .events
            .values()
            .map(|e| (&e.fact.id.repository, e.fact.at, e.fact.default_branch.as_deref()));
        let mut latest: BTreeMap<&str, (Option<Moment>, &str)> = BTreeMap::new();
        for (repository, at, branch) in pushed.chain(proposed) {
            if let Some(branch) = branch {
                let known = latest.entry(repository).or_insert((at, branch));
                *known = (*known).max((at, branch));
            }
        }
        latest.into_iter().map(|(repository, (_, branch))| (repository, branch)).collect()
    }
}
