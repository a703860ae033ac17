//! The graph of commits, as far as records show it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::forge::ForgeFacts;

/// Commits and their parents.
pub(crate) struct Graph<'a> {
    forge: &'a ForgeFacts,
    parents: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Graph<'a> {
    /// The graph of all commits whose parents are known.
    pub(crate) fn of(forge: &'a ForgeFacts) -> Self {
        Self { forge, parents: forge.parents().collect() }
    }

    /// Whether `from` is `to` or has it among its ancestors; `None` where a commit on the way is
    /// not known.
    pub(crate) fn reaches(&self, from: &str, to: &str) -> Option<bool> {
        let mut open = false;
        let mut seen = BTreeSet::new();
        let mut next = VecDeque::from([from]);
        while let Some(commit) = next.pop_front() {
            if commit == to {
                return Some(true);
            }
            if !seen.insert(commit) {
                continue;
            }
            match self.parents.get(commit) {
                Some(parents) => next.extend(parents.iter().copied()),
                None => open = true,
            }
        }
        (!open).then_some(false)
    }

    /// The commits that a proposal's heads reach and its base does not.
    pub(crate) fn commits_of(&self, repository: Option<&str>, number: Option<u64>) -> Vec<String> {
        self.own_commits(repository, number).0
    }

    /// The same, and whether these are all of them.
    pub(crate) fn own_commits(
        &self,
        repository: Option<&str>,
        number: Option<u64>,
    ) -> (Vec<String>, bool) {
        let none = (Vec::new(), false);
        let (Some(repository), Some(number)) = (repository, number) else { return none };
        let Some((heads, bases)) = self.forge.reach_of(repository, number) else { return none };
        let mut outside = BTreeSet::new();
        self.walk(bases, &mut outside);
        let mut own = outside.clone();
        self.walk(heads.clone(), &mut own);
        // Without the base's own parents the walk could run past it: then only the heads are sure.
        if own.iter().any(|c| !outside.contains(c) && !self.is_whole(c)) {
            return (heads.into_iter().map(str::to_owned).collect(), false);
        }
        (own.difference(&outside).map(|c| (*c).to_owned()).collect(), true)
    }

    fn is_whole(&self, commit: &str) -> bool {
        self.parents.contains_key(commit)
    }

    fn walk(&self, from: Vec<&'a str>, seen: &mut BTreeSet<&'a str>) {
        let mut next: Vec<&str> = from;
        while let Some(commit) = next.pop() {
            if seen.insert(commit) {
                next.extend(self.parents.get(commit).into_iter().flatten().copied());
            }
        }
    }

    /// The files that the commits change which `to` reaches and `from` does not, sorted.
    pub(crate) fn changed_between(&self, from: &str, to: &str) -> Vec<String> {
        let mut known = BTreeSet::new();
        let owned = |c: &str| self.parents.get_key_value(c).map(|(k, _)| *k);
        self.walk(owned(from).into_iter().collect(), &mut known);
        let mut all = known.clone();
        self.walk(owned(to).into_iter().collect(), &mut all);
        let between = all.difference(&known);
        let files: BTreeSet<&str> = between.flat_map(|c| self.forge.files_of(c)).collect();
        files.into_iter().map(str::to_owned).collect()
    }
}
