//! What commits reach, without walking to the first commit of a repository for every question.
//!
//! A commit's depth is higher than that of each of its parents. A walk that goes on from the deepest
//! commit first has come to a commit by all ways before it goes on from it, and may end where
//! nothing is left that matters, as `git rev-list` does by its generation numbers.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Commits and their parents.
pub(super) struct Ancestry<'a> {
    commits: BTreeMap<&'a str, Known<'a>>,
    /// Whether all have a depth. Commits that are said to be among their own ancestors, as no commit
    /// can be, have none: then every walk goes to the end.
    measured: bool,
}

/// A commit whose parents are known.
struct Known<'a> {
    parents: Vec<&'a str>,
    /// Higher than that of any parent; 0 for a commit without one.
    depth: u64,
    /// Whether the parents of all its ancestors are known too.
    whole: bool,
}

impl<'a> Ancestry<'a> {
    pub(super) fn of(parents: BTreeMap<&'a str, Vec<&'a str>>) -> Self {
        let known = |(commit, parents)| (commit, Known { parents, depth: 0, whole: false });
        let commits = parents.into_iter().map(known).collect();
        let mut ancestry = Self { commits, measured: true };
        ancestry.measured = ancestry.measure() == ancestry.commits.len();
        ancestry
    }

    /// Parents before their children, each commit once; how many these were.
    fn measure(&mut self) -> usize {
        let mut children: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
        let mut open: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut next, mut measured) = (Vec::new(), 0);
        for (commit, known) in &self.commits {
            let among = known.parents.iter().filter(|parent| self.commits.contains_key(**parent));
            let mut count = 0;
            for parent in among {
                children.entry(parent).or_default().push(commit);
                count += 1;
            }
            if count == 0 {
                next.push(*commit);
            }
            open.insert(commit, count);
        }
        while let Some(commit) = next.pop() {
            measured += 1;
            let parents = self.commits[commit].parents.iter();
            let depth = parents.clone().map(|p| self.depth(p) + 1).max().unwrap_or(0);
            let whole = parents.clone().all(|p| self.commits.get(p).is_some_and(|k| k.whole));
            if let Some(known) = self.commits.get_mut(commit) {
                (known.depth, known.whole) = (depth, whole);
            }
            for child in children.get(commit).into_iter().flatten() {
                if let Some(count) = open.get_mut(child) {
                    *count -= 1;
                    if *count == 0 {
                        next.push(child);
                    }
                }
            }
        }
        measured
    }

    /// Whether the parents of a commit are known.
    pub(super) fn is_known(&self, commit: &str) -> bool {
        self.commits.contains_key(commit)
    }

    /// Whether `from` is `to` or has it among its ancestors; `None` where a commit on the way is
    /// not known.
    pub(super) fn reaches(&self, from: &str, to: &str) -> Option<bool> {
        let lowest = self.depth(to);
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(commit) = next.pop() {
            if commit == to {
                return Some(true);
            }
            if (!self.measured || self.depth(commit) > lowest) && seen.insert(commit) {
                next.extend(self.parents(commit));
            }
        }
        let whole = if self.measured {
            self.commits.get(from).is_some_and(|known| known.whole)
        } else {
            seen.iter().all(|commit| self.is_known(commit))
        };
        whole.then_some(false)
    }

    /// The commits that `heads` reach and `bases` do not.
    pub(super) fn beyond<'c>(&'c self, heads: &[&'c str], bases: &[&'c str]) -> BTreeSet<&'c str> {
        if !self.measured {
            let outside = self.reached(bases);
            return self.reached(heads).difference(&outside).copied().collect();
        }
        let mut walk = Walk::default();
        for (commits, outside) in [(bases, true), (heads, false)] {
            for commit in commits {
                walk.come_to(commit, self.depth(commit), outside);
            }
        }
        while walk.inside > 0
            && let Some((commit, outside)) = walk.next()
        {
            for parent in self.parents(commit) {
                walk.come_to(parent, self.depth(parent), outside);
            }
        }
        walk.own
    }

    fn reached<'c>(&'c self, from: &[&'c str]) -> BTreeSet<&'c str> {
        let (mut reached, mut next) = (BTreeSet::new(), from.to_vec());
        while let Some(commit) = next.pop() {
            if reached.insert(commit) {
                next.extend(self.parents(commit));
            }
        }
        reached
    }

    fn parents(&self, commit: &str) -> impl Iterator<Item = &'a str> {
        let known: Option<&Known<'a>> = self.commits.get(commit);
        known.into_iter().flat_map(|known| known.parents.iter().copied())
    }

    /// The depth of a commit; 0 where its parents are not known.
    fn depth(&self, commit: &str) -> u64 {
        self.commits.get(commit).map_or(0, |known| known.depth)
    }
}

/// A walk from the deepest commit on.
#[derive(Default)]
struct Walk<'c> {
    next: BinaryHeap<(u64, &'c str)>,
    /// The commits that it has come to, and whether the bases reach them.
    outside: BTreeMap<&'c str, bool>,
    /// How many of those ahead the bases do not reach, as far as it is known.
    inside: usize,
    /// Those passed that the bases do not reach.
    own: BTreeSet<&'c str>,
}

impl<'c> Walk<'c> {
    fn come_to(&mut self, commit: &'c str, depth: u64, outside: bool) {
        match self.outside.get_mut(commit) {
            None => {
                self.outside.insert(commit, outside);
                self.inside += usize::from(!outside);
                self.next.push((depth, commit));
            }
            Some(known) if outside && !*known => {
                *known = true;
                self.inside -= 1;
            }
            Some(_) => {}
        }
    }

    fn next(&mut self) -> Option<(&'c str, bool)> {
        let (_, commit) = self.next.pop()?;
        let outside = self.outside.get(commit).copied().unwrap_or_default();
        if !outside {
            self.inside -= 1;
            self.own.insert(commit);
        }
        Some((commit, outside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

    /// Commits with up to three parents each, which may be unknown or, in a ring, later commits.
    fn commits(mut seed: usize, ring: bool) -> BTreeMap<&'static str, Vec<&'static str>> {
        let mut draw = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            (seed >> 33) % below
        };
        let mut commits = BTreeMap::new();
        for (at, name) in NAMES.into_iter().enumerate().filter(|(at, _)| at % 5 != 3) {
            let among = if ring { NAMES.len() } else { at.max(1) };
            let parents = (0..draw(4)).map(|_| NAMES[draw(among)]).filter(|p| ring || *p < name);
            commits.insert(name, parents.collect());
        }
        commits
    }

    /// The walk that ends early says what one to the end says.
    #[test]
    fn a_walk_from_the_deepest_on_finds_what_a_whole_one_finds() {
        for seed in 0..200 {
            let ancestry = Ancestry::of(commits(seed, seed % 4 == 0));
            for (from, to) in NAMES.into_iter().flat_map(|a| NAMES.map(|b| (a, b))) {
                let (reached, others) = (ancestry.reached(&[from]), ancestry.reached(&[to]));
                let own: BTreeSet<_> = reached.difference(&others).copied().collect();
                assert_eq!(ancestry.beyond(&[from], &[to]), own, "{seed}: {to}..{from}");
                let open = reached.iter().any(|commit| !ancestry.is_known(commit));
                let expected =
                    if reached.contains(to) { Some(true) } else { (!open).then_some(false) };
                assert_eq!(ancestry.reaches(from, to), expected, "{seed}: {from} to {to}");
            }
            let (heads, bases) = (&NAMES[8..], &NAMES[4..6]);
            let outside = ancestry.reached(bases);
            let own: BTreeSet<_> = ancestry.reached(heads).difference(&outside).copied().collect();
            assert_eq!(ancestry.beyond(heads, bases), own, "{seed}");
        }
    }
}
