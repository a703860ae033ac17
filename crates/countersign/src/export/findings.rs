//! Findings as JSON, and what the exit code of a check says.

use evidence::control::exception::{Exception, Judged, Lapsed};
use evidence::control::{Finding, NotAssessed};
use serde::Serialize;

use crate::ask::check::Checked;
use crate::cli::Outcome;
use crate::sources::render::Used;

/// The version of the JSON. A reader must refuse one that it does not know.
pub const VERSION: u32 = 1;

/// The answer of a check.
#[derive(Debug, Serialize)]
pub struct Findings<'a> {
    /// The version of this shape: [`VERSION`].
    pub findings_version: u32,
    /// The commit of the repository that was read, when it was one.
    pub commit: Option<&'a str>,
    /// The tools that rendered charts and kustomizations, when they were asked to.
    #[serde(skip_serializing_if = "<[Used]>::is_empty")]
    pub rendered: &'a [Used],
    /// How often a condition was found met.
    pub met: usize,
    /// What was found, and how each stands.
    pub findings: &'a [Judged],
    /// What could not be said.
    pub not_assessed: &'a [NotAssessed],
    /// Exceptions that do not hold, with the reason.
    pub lapsed: Vec<LapsedView<'a>>,
    /// Exceptions that cover nothing that was found.
    pub unused: &'a [Exception],
    /// What the baseline knows and nobody finds any more, as control and subject.
    pub gone: &'a [(String, String)],
    /// Controls that the policy switches off.
    pub off: &'a [String],
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

impl<'a> LapsedView<'a> {
    fn of(lapsed: &'a Lapsed) -> Self {
        let Exception { control, subject, .. } = &lapsed.exception;
        Self { control, subject, reason: lapsed.reason.to_string() }
    }
}

/// The answer as JSON: the same bytes for the same answer.
pub fn to_json(checked: &Checked, commit: Option<&str>) -> Vec<u8> {
    let findings = Findings {
        findings_version: VERSION,
        commit,
        rendered: &checked.rendered,
        met: checked.met,
        findings: &checked.judged,
        not_assessed: &checked.not_assessed,
        lapsed: checked.lapsed.iter().map(LapsedView::of).collect(),
        unused: &checked.unused,
        gone: &checked.gone,
        off: &checked.off,
    };
    serde_json::to_vec(&findings).unwrap_or_default()
}

/// What the exit code says: a new finding or an exception that does not hold is one to report; with
/// neither, something that could not be said makes it undetermined.
pub fn outcome(checked: &Checked) -> Outcome {
    let new: Option<&Finding> = checked.new_findings().next();
    if new.is_some() || !checked.lapsed.is_empty() {
        Outcome::Findings
    } else if !checked.not_assessed.is_empty() {
        Outcome::Undetermined
    } else {
        Outcome::Done
    }
}
