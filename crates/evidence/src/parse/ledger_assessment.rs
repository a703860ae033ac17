//! `ledger-assessment`: what somebody set down about the ledger's records, at a tree size.
//!
//! Two kinds: a *population* that was frozen, and a *sample* that was drawn from one. Both hold
//! parameters, counts and digests, and no row: the rows are derived again from the records. No
//! derivation reads an assessment, so freezing changes no story. Form: `docs/formats/assessment.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An assessment record's payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// Version of this form: 1.
    pub assessment: u32,
    /// What was set down.
    pub of: Of,
}

/// What was set down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    /// A population was frozen.
    Population(Population),
    /// A sample was drawn.
    Sample(Sample),
}

/// A frozen population: what was asked for, from which records, and what came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Only transitions of this environment.
    pub environment: Option<String>,
    /// Only transitions that began then or later: RFC 3339, UTC.
    pub from: Option<String>,
    /// Only transitions that began before: RFC 3339, UTC.
    pub to: Option<String>,
    /// The tree size: derived from the entries before this index.
    pub size: u64,
    /// The root of the tree of that size, in base64.
    pub root: String,
    /// The program that extracted the rows, and its version.
    pub program: String,
    /// The versions of the rules that it followed.
    pub rules: Rules,
    /// How many rows the population has.
    pub rows: u64,
    /// SHA-256 of the canonical rows, in hex.
    pub digest: String,
    /// How many rows each stratum has; the sum is `rows`.
    pub strata: BTreeMap<String, u64>,
    /// How many transitions changed nothing, and are no part of the population.
    pub excluded: u64,
    /// How many transitions lack the environment or the time that was asked for.
    pub unplaced: u64,
}

/// Versions of rules: a later version may give other rows from the same records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Of stories.
    pub story: u32,
    /// Of the links between the steps of a change.
    pub changes: u32,
    /// Of rows, strata and draws.
    pub assessment: u32,
}

/// A sample that was drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The entry of the population.
    pub population: u64,
    /// The leaf hash of that entry, in hex: what the draw rests on, with the nonce.
    pub leaf: String,
    /// What the auditor said.
    pub nonce: String,
    /// How many rows were asked for.
    pub size: u64,
    /// Whether strata were taken whole.
    pub stratified: bool,
    /// The version of the rules of the draw.
    pub rules: u32,
    /// The numbers of the rows drawn, ascending.
    pub rows: Vec<u64>,
    /// The entries of the draws from the same population before this one.
    pub earlier: Vec<u64>,
}

/// The payload is not an assessment record of a known version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an assessment record: {0}")]
pub struct NotAnAssessment(String);

/// Reads an assessment record.
pub fn parse(payload: &[u8]) -> Result<Assessment, NotAnAssessment> {
    let read: Assessment =
        serde_json::from_slice(payload).map_err(|e| NotAnAssessment(e.to_string()))?;
    if read.assessment == 1 {
        Ok(read)
    } else {
        Err(NotAnAssessment(format!("version {} is not known", read.assessment)))
    }
}

impl Assessment {
    /// An assessment of the version that this program writes.
    pub const fn new(of: Of) -> Self {
        Self { assessment: 1, of }
    }
}
