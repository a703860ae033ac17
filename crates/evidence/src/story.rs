//! The story: what follows from the records, and from nothing else.
//!
//! ```text
//! records ──fold──► facts ──episodes──► operations ──claims──► who started each
//!                     │                                   │
//!                     ├──► state changes, writes          └── coverage: what absence may say
//! ```
//!
//! [`derive()`] is pure: the same set of records gives the same bytes, whatever their order and
//! however often each of them came. Facts are keyed by identities (uid and resourceVersion, audit
//! id and stage), merging is set union, and every statement cites its records.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use self::act::Act;
use self::change::Change;
use self::change::population::{Transition, population};
use self::claim::Identity;
use self::commit::CommitSeen;
use self::coverage::Coverage;
use self::effect::Effect;
use self::fold::{Cited, Facts};
pub(crate) use self::forge::PUSH_DOUBTS;
use self::operation::Operation;
use self::state::StateChange;
use self::telling::Teller;
use self::wire::Cites;
use self::write::{Answer, Write};
use crate::channel::Channel;
use crate::parse::ResourceVersion;
use crate::parse::kubernetes_event_watch::ArgoEvent;
use crate::people::People;
use crate::record::Record;
use crate::time::Moment;

mod absence;
pub mod act;
mod argocd;
pub mod change;
pub mod claim;
mod cluster;
pub mod commit;
pub mod coverage;
mod drift;
pub mod effect;
mod episode;
mod fold;
mod forge;
mod graph;
pub mod header;
pub mod initiator;
mod metrics;
pub mod operation;
mod secrets;
pub mod state;
mod telling;
mod timed;
pub mod wire;
pub mod write;

/// The version of the rules by which a story follows from its records. It rises with every change
/// that may tell another story from the same records; a pack names it.
pub const RULES: u32 = 1;

/// The version of a story's JSON. A reader must refuse a version it does not know.
pub const VERSION: u32 = 1;

/// What the records show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Story {
    /// The version of this shape: [`VERSION`].
    pub story: u32,
    /// All operations of all Applications, ordered by uid and version.
    pub operations: Vec<Operation>,
    /// Starts that Argo CD's API server recorded, of operations not seen in any version.
    pub unmatched_starts: Vec<UnmatchedStart>,
    /// Changes of sync status and health, ordered by uid and version.
    pub state_changes: Vec<StateChange>,
    /// Successful writes by accounts that do not belong to software, in order of time.
    pub writes: Vec<Write>,
    /// Such writes that were refused, in order of time.
    pub refused: Vec<Write>,
    /// Everything else that somebody or something did, in order of time.
    pub acts: Vec<Act>,
    /// Commits that records tell of, by id.
    pub commits: Vec<CommitSeen>,
    /// What operations wrote and what was measured around them, in the order of the operations.
    pub effects: Vec<Effect>,
    /// Changes: proposals and pushes, with what followed from them.
    pub changes: Vec<Change>,
    /// Every transition of the live state, once.
    pub population: Vec<Transition>,
    /// What was seen of each channel, for every channel with a record.
    pub coverage: Vec<Coverage>,
    /// The ids of all persons that the story names.
    pub people: BTreeSet<String>,
}

/// A start that Argo CD's API server recorded, of an operation that no seen version shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnmatchedStart {
    /// The Application's uid.
    pub uid: String,
    /// The namespace of the Application object.
    pub namespace: String,
    /// The Application's name.
    pub name: String,
    /// The version at which the operation was set, by the Event.
    pub version: ResourceVersion,
    /// The caller, by the Event.
    pub who: Option<Identity>,
    /// When it was.
    pub at: Option<Moment>,
    /// The records that show it.
    pub cites: Cites,
}

/// Derives the story of a set of records.
pub fn derive(records: impl IntoIterator<Item = Record>, people: &People) -> Story {
    let mut derivation = Derivation::default();
    for record in records {
        derivation.add(&record);
    }
    derivation.story(people)
}

/// Derives the story of some of the records of a ledger. `left_out` says how many of each channel
/// there are besides: its silence then says nothing, because the record may be among those.
pub fn derive_part(
    records: impl IntoIterator<Item = Record>,
    left_out: &BTreeMap<Channel, usize>,
    people: &People,
) -> Story {
    let mut derivation = Derivation::default();
    for record in records {
        derivation.add(&record);
    }
    let mut coverage = derivation.coverage();
    coverage::leave_out(&mut coverage, left_out);
    told(&derivation.0, coverage, people)
}

/// A derivation under way: the records folded so far, one at a time, so that nobody has to hold all
/// of them. More may be added after a story was told; in any order they give the same story.
#[derive(Debug, Default)]
pub struct Derivation(Facts);

impl Derivation {
    /// Folds one record.
    pub fn add(&mut self, record: &Record) {
        self.0.add(record);
    }

    /// What was seen of each channel so far.
    pub fn coverage(&self) -> Vec<Coverage> {
        let mut coverage: Vec<Coverage> =
            self.0.seen.iter().map(|(c, seen)| seen.coverage(*c)).collect();
        coverage::spread_gaps(&mut coverage);
        coverage
    }

    /// The story of the records so far.
    pub fn story(&self, people: &People) -> Story {
        told(&self.0, self.coverage(), people)
    }
}

fn told(facts: &Facts, coverage: Vec<Coverage>, people: &People) -> Story {
    let teller = Teller::new(facts, people, &coverage);
    let operations = teller.operations();
    let unmatched = teller.unmatched(&operations);
    let unmatched_starts = unmatched.into_iter().map(|e| UnmatchedStart::of(e, people)).collect();
    let state_changes = state::changes(facts);
    let around = Around { facts, people, coverage: &coverage };
    let mut acts = around.acts();
    acts.extend(drift::acts(around, &operations, &state_changes, &acts));
    sort(&mut acts);
    let changes = change::changes(around, &operations, &acts);
    let population = population(&operations, &acts, &changes);
    let (commits, effects) = (commit::commits(around), effect::effects(around, &operations));
    let mut story = Story {
        story: VERSION,
        operations,
        unmatched_starts,
        state_changes,
        writes: write::writes(facts, people, Answer::Succeeded),
        refused: write::writes(facts, people, Answer::Refused),
        acts,
        commits,
        effects,
        changes,
        population,
        coverage,
        people: BTreeSet::new(),
    };
    story.people = story.persons();
    story
}

impl Story {
    /// The story as JSON: the same bytes for the same story.
    ///
    /// # Panics
    ///
    /// Never: JSON fails on keys that are no texts and on a full disk, and here is neither.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a story has text keys only and is written to memory")
    }

    /// The ids of all persons that the story names.
    pub(crate) fn persons(&self) -> BTreeSet<String> {
        let of_operations = self.operations.iter().flat_map(telling::persons);
        let starts = self.unmatched_starts.iter().filter_map(|s| s.who.as_ref());
        let writers = self.writes.iter().chain(&self.refused).flat_map(Write::identities);
        let actors = self.acts.iter().filter_map(|a| a.who.as_ref());
        let of_commits = self.commits.iter().flat_map(|c| c.author.iter().chain(&c.committer));
        let identities = starts.chain(writers).chain(actors).chain(of_commits);
        let identities = identities.filter_map(|i| i.person.as_deref());
        of_operations.chain(identities).map(str::to_owned).collect()
    }
}

/// What acts are told from.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) people: &'a People,
    pub(crate) coverage: &'a [Coverage],
}

impl Around<'_> {
    /// What the records show directly.
    fn acts(self) -> Vec<Act> {
        let families = [
            argocd::acts(self),
            cluster::acts(self),
            forge::acts(self),
            metrics::acts(self),
            secrets::acts(self),
        ];
        families.into_iter().flatten().collect()
    }
}

/// By time as far as the records say, else by what the acts say: never by the order of arrival.
fn sort(acts: &mut [Act]) {
    acts.sort_by(|a, b| {
        let at = |act: &Act| act.at.map(|at| (at.earliest(), at.latest()));
        at(a).cmp(&at(b)).then_with(|| a.what.cmp(&b.what)).then_with(|| a.cites.cmp(&b.cites))
    });
}

impl Write {
    fn identities(&self) -> impl Iterator<Item = &Identity> {
        let claimed = self.operation.as_ref().and_then(|o| o.claimed_by.as_ref());
        [Some(&self.writer.who), self.writer.impersonating.as_ref(), claimed].into_iter().flatten()
    }
}

impl UnmatchedStart {
    fn of(event: &Cited<ArgoEvent>, people: &People) -> Self {
        Self {
            uid: event.fact.application_uid.clone(),
            namespace: event.fact.namespace.clone(),
            name: event.fact.name.clone(),
            version: event.fact.application_version,
            who: event.fact.user.as_deref().map(|name| Identity::of(name, people)),
            at: event.fact.time,
            cites: event.cites.clone(),
        }
    }
}
