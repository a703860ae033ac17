//! Puts paths under whom they belong to, and counts people.

use std::collections::{BTreeMap, BTreeSet};

use super::Question;
use super::answer::{Answer, Gap, Holder, Hop, Need, Part, Path, Person, Verb};
use super::scope::Scope;
use super::world::Joined;

/// To whom a path belongs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// A person of the map.
    Person(String),
    /// Software.
    Machine(String),
    /// An account or a group of nobody in the map.
    Unmapped(String),
}

/// Paths on their way to an answer.
pub(super) struct Gather<'j> {
    joined: &'j Joined<'j>,
    verb: Verb,
    found: BTreeMap<Owner, Vec<Path>>,
    /// People who can put a commit into the repository.
    pub(super) writers: BTreeSet<String>,
    pub(super) notes: Vec<Hop>,
    pub(super) gaps: BTreeSet<Gap>,
}

impl<'j> Gather<'j> {
    pub(super) fn new(joined: &'j Joined<'j>, verb: Verb) -> Self {
        Self {
            joined,
            verb,
            found: BTreeMap::new(),
            writers: BTreeSet::new(),
            notes: Vec::new(),
            gaps: BTreeSet::new(),
        }
    }

    /// Adds a path.
    pub(super) fn add(&mut self, owner: Owner, path: Path) {
        let own = self.found.entry(owner).or_default();
        if !own.contains(&path) {
            own.push(path);
        }
    }

    /// Adds a note, once.
    pub(super) fn note(&mut self, note: Hop) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The answer.
    pub(super) fn answer(self, question: &Question, scope: &Scope) -> Answer {
        let (mut people, mut machines, mut unmapped) = (Vec::new(), Vec::new(), Vec::new());
        for (owner, mut paths) in self.found {
            paths.sort_by_key(|path| (path.needs.len(), path.world, path.part));
            match owner {
                Owner::Person(id) => {
                    let name = self.joined.sources.people.and_then(|p| p.name(&id));
                    let alone = alone(self.verb, &paths, self.writers.contains(&id));
                    people.push(Person { name: name.map(str::to_owned), id, alone, paths });
                }
                Owner::Machine(account) => machines.push(Holder { account, paths }),
                Owner::Unmapped(account) => unmapped.push(Holder { account, paths }),
            }
        }
        Answer {
            verb: question.verb,
            environment: scope.environment.clone(),
            applications: scope.reached(),
            people,
            machines,
            unmapped,
            notes: self.notes,
            undetermined: self.gaps.into_iter().collect(),
        }
    }
}

/// The paths that suffice together: one that needs nothing; a sync of a commit of one's own; or a
/// merge without anybody's approval, and the sync after it. What is held at a commit is deployed by
/// whoever deploys its Application, whose own paths say so.
fn alone(verb: Verb, paths: &[Path], is_writer: bool) -> Option<Vec<usize>> {
    if !matches!(verb, Verb::Deploy | Verb::Merge) {
        return None;
    }
    let needs = |path: &Path, allowed: &[Need]| path.needs.iter().all(|n| allowed.contains(n));
    let after_merge: &[Need] = if verb == Verb::Merge { &[Need::Pin, Need::Sync] } else { &[] };
    if let Some(at) = paths.iter().position(|path| needs(path, after_merge)) {
        return Some(vec![at]);
    }
    let syncs = || paths.iter().enumerate().filter(|(_, path)| path.part == Part::Sync);
    let own = syncs().find(|(_, path)| is_writer && needs(path, &[Need::Commit]));
    if let Some((at, _)) = own {
        return Some(vec![at]);
    }
    let merges = paths.iter().enumerate().filter(|(_, path)| needs(path, &[Need::Sync]));
    for (merge, first) in merges {
        let own: BTreeSet<&String> = first.applications.iter().collect();
        let shares = |path: &Path| path.applications.iter().any(|a| own.contains(a));
        let then =
            syncs().find(|(_, path)| needs(path, &[Need::Merged, Need::Commit]) && shares(path));
        if let Some((sync, _)) = then {
            return Some(vec![merge, sync]);
        }
    }
    None
}
