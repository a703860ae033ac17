//! The baseline: findings that were there when controls were adopted.
//!
//! A finding is known again by its control and its subject, never by its words or its line. What is
//! in the baseline is shown and is no reason for a failing exit code; what is in it and no longer
//! found is told, so that it can be taken out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::model::Finding;

/// The version of the file. A reader must refuse one that it does not know.
pub const VERSION: u32 = 1;

/// Known findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(BTreeSet<(String, String)>);

/// Why a file is no baseline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// The bytes are no JSON of that form.
    #[error("not a baseline: {0}; write a new one with `countersign check --write-baseline`")]
    NotOne(String),
    /// Another version.
    #[error("a baseline of version {0}, and this program reads version {VERSION}")]
    Version(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    baseline: u32,
    known: Vec<Known>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    control: String,
    subject: String,
}

impl Baseline {
    /// Reads the file.
    pub fn from_json(bytes: &[u8]) -> Result<Self, BaselineError> {
        let file: File =
            serde_json::from_slice(bytes).map_err(|e| BaselineError::NotOne(e.to_string()))?;
        if file.baseline != VERSION {
            return Err(BaselineError::Version(file.baseline));
        }
        Ok(Self(file.known.into_iter().map(|k| (k.control, k.subject)).collect()))
    }

    /// The baseline of these findings.
    pub fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let key = |f: &Finding| (f.control.to_owned(), f.subject.clone());
        Self(findings.into_iter().map(key).collect())
    }

    /// The file's bytes: one finding a line, sorted, for readable differences in git.
    pub fn to_json(&self) -> Vec<u8> {
        let known = self
            .0
            .iter()
            .map(|(control, subject)| Known { control: control.clone(), subject: subject.clone() });
        let file = File { baseline: VERSION, known: known.collect() };
        let mut bytes = serde_json::to_vec_pretty(&file).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Whether it has a finding.
    pub fn has(&self, finding: &Finding) -> bool {
        self.0.contains(&(finding.control.to_owned(), finding.subject.clone()))
    }

    /// What it has and nobody finds any more, as control and subject.
    pub fn gone<'b>(
        &'b self,
        findings: &[Finding],
    ) -> impl Iterator<Item = (&'b str, &'b str)> + use<'b> {
        let found = Self::of(findings);
        let gone: Vec<_> = self.0.iter().filter(|known| !found.0.contains(*known)).collect();
        gone.into_iter().map(|(control, subject)| (control.as_str(), subject.as_str()))
    }
}
