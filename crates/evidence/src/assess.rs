//! Assessments: a population that is frozen before anybody draws from it, and samples that anybody
//! can draw again.
//!
//! ```text
//! story ──rows──► population ──digest──► assessment entry ──leaf hash──┐
//!                                         (under a checkpoint)          ├─► draw ──► rows
//!                                                         nonce ────────┘
//! ```
//!
//! The operator fixes the rows before the auditor says the nonce, and the auditor's nonce decides
//! which are drawn: neither of them can choose rows. What can be repeated is drawing again; every
//! draw is an entry that names the ones before it. Form and algorithm: `docs/formats/assessment.md`.

pub mod paper;
pub mod population;
pub mod sample;

use std::collections::BTreeMap;

use serde::Serialize;
use tlog::Hash;

use self::population::Row;
use crate::parse::ledger_assessment::{Assessment, Of, Population, Rules, Sample};
use crate::story::{self, change};

/// The version of the rules of rows, strata and draws. A later one may give other rows.
pub const RULES: u32 = 1;

/// The versions of the rules that this program follows.
pub const fn rules() -> Rules {
    Rules { story: story::VERSION, changes: change::RULES, assessment: RULES }
}

/// An assessment and the entry that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The index of the entry.
    pub entry: u64,
    /// The leaf hash of the entry.
    pub leaf: Hash,
    /// What it says.
    pub assessment: Assessment,
}

impl Kept {
    /// The population, if it is one.
    pub fn population(&self) -> Option<&Population> {
        match &self.assessment.of {
            Of::Population(population) => Some(population),
            Of::Sample(_) => None,
        }
    }

    /// The sample, if it is one.
    pub fn sample(&self) -> Option<&Sample> {
        match &self.assessment.of {
            Of::Sample(sample) => Some(sample),
            Of::Population(_) => None,
        }
    }
}

/// The draws from a population among the entries before `before`, in their order.
pub fn draws_of(kept: &[Kept], population: u64, before: u64) -> Vec<u64> {
    let of = |k: &&Kept| {
        k.entry < before && k.sample().is_some_and(|sample| sample.population == population)
    };
    kept.iter().filter(of).map(|k| k.entry).collect()
}

/// How what was recorded differs from what the records give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "difference", rename_all = "kebab-case")]
pub enum Difference {
    /// Other rules were followed: this program cannot say what they gave.
    Rules {
        /// The rules that were recorded.
        recorded: Rules,
        /// The rules of this program.
        known: Rules,
    },
    /// The tree of the population's size has another root.
    Root {
        /// The root that was recorded, in base64.
        recorded: String,
        /// The root of the entries, in base64.
        found: String,
    },
    /// A count of the population differs.
    Count {
        /// What is counted: `rows`, `excluded`, `unplaced` or a stratum.
        of: String,
        /// How many were recorded.
        recorded: u64,
        /// How many there are.
        found: u64,
    },
    /// The rows are others.
    Digest {
        /// The digest that was recorded, in hex.
        recorded: String,
        /// The digest of the rows, in hex.
        found: String,
    },
    /// The entry of the population is another.
    Leaf {
        /// The leaf hash that was recorded, in hex.
        recorded: String,
        /// The leaf hash of the entry, in hex.
        found: String,
    },
    /// Other rows are drawn.
    Drawn {
        /// The rows that were recorded.
        recorded: Vec<u64>,
        /// The rows that the draw gives.
        found: Vec<u64>,
    },
    /// Other draws came before.
    Earlier {
        /// The entries that were recorded.
        recorded: Vec<u64>,
        /// The entries of the draws before.
        found: Vec<u64>,
    },
}

/// Compares a frozen population with the listing derived again from the records.
///
/// `root` is the root of the tree of the population's size, in base64.
pub fn check_population(
    recorded: &Population,
    listing: &population::Listing<'_>,
    root: &str,
) -> Vec<Difference> {
    if recorded.rules != rules() {
        return vec![Difference::Rules { recorded: recorded.rules, known: rules() }];
    }
    let mut differences = Vec::new();
    if recorded.root != root {
        let (recorded, found) = (recorded.root.clone(), root.to_owned());
        differences.push(Difference::Root { recorded, found });
    }
    let mut count = |of: &str, recorded: u64, found: u64| {
        if recorded != found {
            differences.push(Difference::Count { of: of.to_owned(), recorded, found });
        }
    };
    count("rows", recorded.rows, listing.rows.len() as u64);
    count("excluded", recorded.excluded, listing.excluded.len() as u64);
    count("unplaced", recorded.unplaced, listing.unplaced.len() as u64);
    let strata = listing.strata();
    for stratum in recorded.strata.keys().chain(strata.keys()) {
        let of = |counts: &BTreeMap<String, u64>| counts.get(stratum).copied().unwrap_or(0);
        count(stratum, of(&recorded.strata), of(&strata));
    }
    let found = listing.digest();
    if recorded.digest != found {
        let recorded = recorded.digest.clone();
        differences.push(Difference::Digest { recorded, found });
    }
    differences
}

/// Draws a recorded sample again from the rows of its population and compares.
///
/// `leaf` is the leaf hash of the population's entry, `earlier` the entries of the draws from it
/// that came before. The rows are to be held to the population by [`check_population`] first.
pub fn check_sample<'r>(
    recorded: &Sample,
    rows: impl IntoIterator<Item = &'r Row>,
    leaf: &Hash,
    earlier: &[u64],
) -> Vec<Difference> {
    if recorded.rules != RULES {
        let of = Rules { assessment: recorded.rules, ..rules() };
        return vec![Difference::Rules { recorded: of, known: rules() }];
    }
    let mut differences = Vec::new();
    if recorded.leaf != leaf.to_string() {
        let (recorded, found) = (recorded.leaf.clone(), leaf.to_string());
        differences.push(Difference::Leaf { recorded, found });
    }
    let Sample { nonce, size, stratified, .. } = recorded;
    let found = sample::draw(rows, leaf, nonce, *size, *stratified);
    if recorded.rows != found {
        differences.push(Difference::Drawn { recorded: recorded.rows.clone(), found });
    }
    if recorded.earlier != earlier {
        let (recorded, found) = (recorded.earlier.clone(), earlier.to_vec());
        differences.push(Difference::Earlier { recorded, found });
    }
    differences
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rules { recorded, known } => write!(
                f,
                "it followed other rules (story {}, changes {}, assessment {}) than this program \
                 (story {}, changes {}, assessment {})",
                recorded.story,
                recorded.changes,
                recorded.assessment,
                known.story,
                known.changes,
                known.assessment
            ),
            Self::Root { recorded, found } => {
                write!(f, "the entries have root {found}, not {recorded}")
            }
            Self::Count { of, recorded, found } => {
                write!(f, "{of}: {recorded} were recorded, the records give {found}")
            }
            Self::Digest { recorded, found } => {
                write!(f, "the rows have digest {found}, not {recorded}")
            }
            Self::Leaf { recorded, found } => {
                write!(f, "the population's entry has leaf hash {found}, not {recorded}")
            }
            Self::Drawn { recorded, found } => {
                write!(f, "the draw gives rows {found:?}, recorded are {recorded:?}")
            }
            Self::Earlier { recorded, found } => {
                write!(f, "earlier draws are entries {found:?}, recorded are {recorded:?}")
            }
        }
    }
}

impl Difference {
    /// Whether it only says that this program cannot judge.
    pub const fn is_undetermined(&self) -> bool {
        matches!(self, Self::Rules { .. })
    }
}
