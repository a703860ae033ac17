//! The rows of a population: one a transition of the live state, in one canonical form.
//!
//! A row holds what the transition is, where, when and in which class, and cites its records. It
//! names no account, so neither the people map nor an erasure of a name changes it by itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tlog::{Hash, TreeSize};

use super::rules;
use crate::parse::ledger_assessment::Population;
use crate::story::Story;
use crate::story::change::population::{Class, Transition};
use crate::story::change::{Change, Content};
use crate::time::{Moment, Sequence};

/// Which transitions belong to a population.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Only this environment.
    pub environment: Option<String>,
    /// Only what began then or later.
    pub from: Option<Timestamp>,
    /// Only what began before.
    pub to: Option<Timestamp>,
}

/// A part of a population that may be tested whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stratum {
    /// In a change of which the records show no approval before this transition, or with content
    /// that no approved head holds.
    Emergency,
    /// In no change: past git.
    OutsideGit,
    /// Everything else.
    Other,
}

impl Stratum {
    /// The word for it, as serialised.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::OutsideGit => "outside-git",
            Self::Other => "other",
        }
    }

    /// Whether a stratified draw takes all of it.
    pub const fn is_taken_whole(self) -> bool {
        !matches!(self, Self::Other)
    }
}

/// A row. The members stand in the order that RFC 8785 asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The Application.
    pub app: Option<String>,
    /// The records that show it, sorted.
    pub cites: Vec<String>,
    /// The class: `change`, `self-heal`, `outside-git`, `excluded` or `undetermined`.
    pub class: &'static str,
    /// The change's id, or why it is in its class.
    pub detail: Option<String>,
    /// The environment that the Application's label names.
    pub environment: Option<String>,
    /// The first instant at which it may have begun: RFC 3339, UTC.
    pub from: Option<String>,
    /// How finely the clock resolves: `subsecond`, `second` or `bounds`.
    pub resolution: Option<&'static str>,
    /// Its number within the list, from 1.
    pub row: u64,
    /// The stratum.
    pub stratum: Stratum,
    /// The instant by which it had ended.
    pub to: Option<String>,
    /// What it is: `app@version` of an operation, or the kind of an act.
    pub what: String,
}

/// A row with the transition that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<'s> {
    /// The row.
    pub row: Row,
    /// The transition.
    pub transition: &'s Transition,
}

/// All transitions within some parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing<'s> {
    /// The population.
    pub rows: Vec<Listed<'s>>,
    /// What changed nothing.
    pub excluded: Vec<Listed<'s>>,
    /// What lacks the environment or the time that the parameters ask for.
    pub unplaced: Vec<Listed<'s>>,
}

/// Where a transition stands with respect to the parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Inside,
    Outside,
    Unknown,
}

/// Lists the transitions of a story.
pub fn list<'s>(story: &'s Story, parameters: &Parameters) -> Listing<'s> {
    let changes: BTreeMap<&str, &Change> =
        story.changes.iter().map(|c| (c.id.as_str(), c)).collect();
    list_of(&story.population, &changes, parameters)
}

fn list_of<'s>(
    transitions: impl IntoIterator<Item = &'s Transition>,
    changes: &BTreeMap<&str, &Change>,
    parameters: &Parameters,
) -> Listing<'s> {
    let mut listing = Listing::default();
    for transition in transitions {
        let listed = Listed { row: Row::of(transition, changes), transition };
        match (parameters.place(transition), &transition.class) {
            (Place::Outside, _) => {}
            (Place::Unknown, _) => listing.unplaced.push(listed),
            (Place::Inside, Class::Excluded { .. }) => listing.excluded.push(listed),
            (Place::Inside, _) => listing.rows.push(listed),
        }
    }
    for list in [&mut listing.rows, &mut listing.excluded, &mut listing.unplaced] {
        number(list);
    }
    listing
}

/// Sorts by what the rows say, never by where they came from, and numbers them.
fn number(list: &mut [Listed<'_>]) {
    list.sort_by_cached_key(|l| {
        let began = l.transition.at.map(|at| (at.earliest(), at.latest()));
        (began, l.row.line())
    });
    for (number, listed) in (1..).zip(list) {
        listed.row.row = number;
    }
}

impl Parameters {
    fn place(&self, transition: &Transition) -> Place {
        let environment = match (&self.environment, &transition.environment) {
            (None, _) => Place::Inside,
            (Some(_), None) => Place::Unknown,
            (Some(asked), Some(named)) if asked == named => Place::Inside,
            (Some(_), Some(_)) => Place::Outside,
        };
        let time = match (self.from, self.to, transition.at) {
            (None, None, _) => Place::Inside,
            (_, _, None) => Place::Unknown,
            (from, to, Some(at)) => {
                let late = from.is_none_or(|from| at.earliest() >= from);
                let early = to.is_none_or(|to| at.earliest() < to);
                if late && early { Place::Inside } else { Place::Outside }
            }
        };
        match (environment, time) {
            (Place::Outside, _) | (_, Place::Outside) => Place::Outside,
            (Place::Unknown, _) | (_, Place::Unknown) => Place::Unknown,
            (Place::Inside, Place::Inside) => Place::Inside,
        }
    }

    /// The parameters that a frozen population names.
    ///
    /// Fails with the member that is no time.
    pub fn of(population: &Population) -> Result<Self, &'static str> {
        let time = |text: &Option<String>, member| {
            text.as_deref().map(str::parse).transpose().map_err(|_| member)
        };
        Ok(Self {
            environment: population.environment.clone(),
            from: time(&population.from, "from")?,
            to: time(&population.to, "to")?,
        })
    }
}

impl Row {
    fn of(transition: &Transition, changes: &BTreeMap<&str, &Change>) -> Self {
        let detail = match &transition.class {
            Class::Change { id } => Some(id.clone()),
            Class::SelfHeal {} => None,
            Class::OutsideGit { reason }
            | Class::Excluded { reason }
            | Class::Undetermined { reason } => Some(reason.clone()),
        };
        Self {
            app: transition.app.clone(),
            cites: transition.cites.iter().map(ToString::to_string).collect(),
            class: transition.class.word(),
            detail,
            environment: transition.environment.clone(),
            from: transition.at.map(|at| at.earliest().to_string()),
            resolution: transition.at.map(|at| at.resolution().word()),
            row: 0,
            stratum: stratum(transition, changes),
            to: transition.at.map(|at| at.latest().to_string()),
            what: transition.what.clone(),
        }
    }

    /// The canonical bytes: RFC 8785, without a line end.
    ///
    /// # Panics
    ///
    /// Never: a row has text keys only and is written to memory.
    pub fn line(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a row has text keys only and is written to memory")
    }
}

/// An approval counts for a transition only if the records show that it came first.
fn stratum(transition: &Transition, changes: &BTreeMap<&str, &Change>) -> Stratum {
    match &transition.class {
        Class::OutsideGit { .. } => Stratum::OutsideGit,
        Class::Change { id } => {
            let approved = changes.get(id.as_str()).is_some_and(|change| {
                let mut times = change.approved().filter_map(|review| review.at);
                times.any(|at| came_first(at, transition.at))
                    && !deploys_unapproved(change, transition)
            });
            if approved { Stratum::Other } else { Stratum::Emergency }
        }
        _ => Stratum::Other,
    }
}

/// Whether the records show that this transition deployed what no approved head holds.
fn deploys_unapproved(change: &Change, transition: &Transition) -> bool {
    change.operations.iter().any(|deployed| {
        matches!(deployed.content, Content::NotApproved { .. })
            && transition.what == format!("{}@{}", deployed.app.name, deployed.version)
    })
}

fn came_first(approval: Moment, transition: Option<Moment>) -> bool {
    transition.is_some_and(|at| approval.sequence(&at) == Sequence::Before)
}

impl Listing<'_> {
    /// The canonical bytes of the population: a row a line.
    pub fn lines(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for listed in &self.rows {
            bytes.extend(listed.row.line());
            bytes.push(b'\n');
        }
        bytes
    }

    /// SHA-256 of [`Listing::lines`], in hex: what `sha256sum` says of the file.
    pub fn digest(&self) -> String {
        Hash::from_bytes(Sha256::digest(self.lines()).into()).to_string()
    }

    /// How many rows each stratum has.
    pub fn strata(&self) -> BTreeMap<String, u64> {
        let mut strata = BTreeMap::new();
        for listed in &self.rows {
            *strata.entry(listed.row.stratum.word().to_owned()).or_insert(0) += 1;
        }
        strata
    }

    /// How many rows each class has.
    pub fn classes(&self) -> BTreeMap<&'static str, u64> {
        let mut classes = BTreeMap::new();
        for listed in &self.rows {
            *classes.entry(listed.row.class).or_insert(0) += 1;
        }
        classes
    }

    /// What is recorded when the population is frozen.
    ///
    /// `size` and `root` are those of the tree whose entries gave the story, `program` the name and
    /// version of the one that extracts.
    pub fn freeze(
        &self,
        parameters: &Parameters,
        size: TreeSize,
        root: &Hash,
        program: &str,
    ) -> Population {
        Population {
            environment: parameters.environment.clone(),
            from: parameters.from.map(|t| t.to_string()),
            to: parameters.to.map(|t| t.to_string()),
            size: size.get(),
            root: root.to_base64(),
            program: program.to_owned(),
            rules: rules(),
            rows: self.rows.len() as u64,
            digest: self.digest(),
            strata: self.strata(),
            excluded: self.excluded.len() as u64,
            unplaced: self.unplaced.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::Channel;
    use crate::record::{Cite, RecordId};

    fn transition(what: u8, at: u8, class: u8, environment: u8) -> Transition {
        let id = RecordId::new(format!("r{what}")).expect("an id");
        let reason = "a reason".to_owned();
        let stamp = format!("2026-01-05T10:{:02}:00Z", at % 60);
        Transition {
            what: format!("web@{what}"),
            app: Some("web".to_owned()),
            environment: (environment > 0).then(|| format!("env{}", environment % 3)),
            at: (at > 0).then(|| Moment::parse(&stamp).expect("a stamp")),
            class: match class % 4 {
                0 => Class::Change { id: "pr:a/b#1".to_owned() },
                1 => Class::OutsideGit { reason },
                2 => Class::Excluded { reason },
                _ => Class::Undetermined { reason },
            },
            cites: Cite { channel: Channel::KubernetesAudit, id }.into(),
        }
    }

    fn prod(from: &str, to: &str) -> Parameters {
        let time = |text: &str| (!text.is_empty()).then(|| text.parse().expect("a time"));
        Parameters { environment: Some("env1".to_owned()), from: time(from), to: time(to) }
    }

    proptest! {
        /// The order in which transitions come changes neither rows nor digest, and nothing is in
        /// two lists or in none.
        #[test]
        fn rows_do_not_depend_on_the_order(
            made in prop::collection::vec((0u8..9, 0u8..9, any::<u8>(), 0u8..4), 0..30),
            turn in 0usize..30,
        ) {
            let all: Vec<Transition> =
                made.iter().map(|(w, a, c, e)| transition(*w, *a, *c, *e)).collect();
            let mut turned = all.clone();
            turned.rotate_left(turn % all.len().max(1));
            turned.reverse();
            let (none, whole) = (BTreeMap::new(), Parameters::default());
            let (a, b) = (list_of(&all, &none, &whole), list_of(&turned, &none, &whole));
            prop_assert_eq!(a.digest(), b.digest());
            prop_assert_eq!(a.rows.len() + a.excluded.len(), all.len());
            prop_assert!(a.rows.iter().zip(1..).all(|(l, n)| l.row.row == n));
        }

        /// Two periods that meet share no row and lose none.
        #[test]
        fn periods_that_meet_divide_the_rows(
            made in prop::collection::vec((0u8..9, 0u8..9, any::<u8>(), 0u8..4), 0..30),
            at in 0u8..10,
        ) {
            let all: Vec<Transition> =
                made.iter().map(|(w, a, c, e)| transition(*w, *a, *c, *e)).collect();
            let (none, cut) = (BTreeMap::new(), format!("2026-01-05T10:{at:02}:00Z"));
            let count = |from: &str, to: &str| {
                let listing = list_of(&all, &none, &prod(from, to));
                (listing.rows.len(), listing.unplaced.len())
            };
            let far = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
            let (whole, first, second) = (count(far.0, far.1), count(far.0, &cut), count(&cut, far.1));
            prop_assert_eq!(first.0 + second.0, whole.0);
        }
    }

    #[test]
    fn what_lacks_the_asked_is_listed_apart() {
        let all = [transition(1, 1, 1, 0), transition(2, 0, 1, 1), transition(3, 1, 1, 1)];
        let none = BTreeMap::new();
        let of = |parameters: &Parameters| {
            let listing = list_of(&all, &none, parameters);
            (listing.rows.len(), listing.unplaced.len())
        };
        assert_eq!(of(&Parameters::default()), (3, 0));
        assert_eq!(of(&prod("", "")), (2, 1));
        assert_eq!(of(&prod("2026-01-05T10:00:00Z", "")), (1, 2));
        assert_eq!(of(&prod("2026-01-05T11:00:00Z", "")), (0, 1), "known to be outside is outside");
    }

    #[test]
    fn a_row_is_the_canonical_json_of_rfc_8785() {
        let listing = list_of(&[], &BTreeMap::new(), &Parameters::default());
        assert_eq!(listing.lines(), b"");
        let odd = Transition {
            app: Some("w\u{e4}\u{1}\"b\u{2028}".to_owned()),
            ..transition(1, 1, 0, 1)
        };
        let line = Row::of(&odd, &BTreeMap::new()).line();
        let value: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
        assert_eq!(serde_json_canonicalizer::to_vec(&value).expect("canonical"), line);
    }
}
