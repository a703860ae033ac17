//! The graph of commits, as far as records show it.

use std::collections::BTreeSet;

use self::ancestry::Ancestry;
use super::forge::ForgeFacts;

mod ancestry;

/// Commits and their parents.
pub(crate) struct Graph<'a> {
    forge: &'a ForgeFacts,
    ancestry: Ancestry<'a>,
}

impl<'a> Graph<'a> {
    /// The graph of all commits whose parents are known.
    pub(crate) fn of(forge: &'a ForgeFacts) -> Self {
        Self { forge, ancestry: Ancestry::of(forge.parents().collect()) }
    }

    /// Whether `from` is `to` or has it among its ancestors; `None` where a commit on the way is
    /// not known.
    pub(crate) fn reaches(&self, from: &str, to: &str) -> Option<bool> {
        self.ancestry.reaches(from, to)
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
        let own = self.ancestry.beyond(&heads, &bases);
        // Without the base's own parents the walk could run past it: then only the heads are sure.
        if own.iter().any(|commit| !self.ancestry.is_known(commit)) {
            return (heads.into_iter().map(str::to_owned).collect(), false);
        }
        (own.into_iter().map(str::to_owned).collect(), true)
    }

    /// The files that the commits change which `to` reaches and `from` does not, sorted.
    pub(crate) fn changed_between(&self, from: &str, to: &str) -> Vec<String> {
        let [to, from] = [to, from].map(|c| Some(c).filter(|c| self.ancestry.is_known(c)));
        let between = self.ancestry.beyond(to.as_slice(), from.as_slice());
        let files: BTreeSet<&str> = between.iter().flat_map(|c| self.forge.files_of(c)).collect();
        files.into_iter().map(str::to_owned).collect()
    }
}
