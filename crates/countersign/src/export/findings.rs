//! Findings as JSON, and what the exit code of a check says.

use evidence::control::exception::{Judged, Lapsed, Standing};
use evidence::control::{NotAssessed, Report};
use serde::Serialize;

use crate::cli::Outcome;

/// The version of the JSON. A reader must refuse one that it does not know.
pub const VERSION: u32 = 1;

/// The answer of a check.
#[derive(Debug, Serialize)]
pub struct Findings<'a> {
    /// The version of this shape: [`VERSION`].
    pub findings_version: u32,
    /// How often a condition was found met.
    pub met: usize,
    /// What was found, and how each stands.
    pub findings: &'a [Judged],
    /// What could not be said.
    pub not_assessed: &'a [NotAssessed],
    /// Exceptions that do not hold, with the reason.
    pub lapsed: Vec<LapsedView<'a>>,
}

/// An exception that does not hold.
#[derive(Debug, Serialize)]
pub struct LapsedView<'a> {
    /// Its control.
    pub control: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// Why it does not hold.
    pub reason: String,
}

/// The answer as JSON: the same bytes for the same answer.
pub fn to_json(report: &Report, judged: &[Judged], lapsed: &[Lapsed]) -> Vec<u8> {
    let lapsed = lapsed.iter().map(|l| LapsedView {
        control: &l.exception.control,
        subject: &l.exception.subject,
        reason: l.reason.to_string(),
    });
    let findings = Findings {
        findings_version: VERSION,
        met: report.met,
        findings: judged,
        not_assessed: &report.not_assessed,
        lapsed: lapsed.collect(),
    };
    serde_json::to_vec(&findings).unwrap_or_default()
}

/// What the exit code says: a new finding or an exception that does not hold is one to report; with
/// neither, something that could not be said makes it undetermined.
pub fn outcome(report: &Report, judged: &[Judged], lapsed: &[Lapsed]) -> Outcome {
    if judged.iter().any(|j| j.standing == Standing::New) || !lapsed.is_empty() {
        Outcome::Findings
    } else if !report.not_assessed.is_empty() {
        Outcome::Undetermined
    } else {
        Outcome::Done
    }
}
