//! What a control is, and what it gives.

use serde::Serialize;

use super::framework::Relation;
use crate::record::Cite;
use crate::story::wire::Cites;

/// A control: one question, the reason for it, and the way to mend what it finds.
///
/// One kebab-case id names its module, its test, its fixture and its page under `docs/controls/`.
/// Controls over the repository and over rights, in crate `access`, are of this very type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Control {
    /// The kebab-case id: family, then subject.
    pub id: &'static str,
    /// The condition in a few words, as `change show` prints it.
    pub condition: &'static str,
    /// What is asked, in full.
    pub statement: &'static str,
    /// Why an auditor asks it.
    pub asks: &'static str,
    /// How to mend what it finds.
    pub fix: &'static str,
    /// One case in which it is not met.
    pub example: &'static str,
    /// When it says *undetermined*, and what it cannot see.
    pub limits: &'static str,
    /// What it reads.
    pub inputs: &'static [&'static str],
    /// What it relates to.
    pub relates: &'static [Relation],
    /// How much a finding weighs.
    pub severity: Severity,
}

impl Control {
    /// The family: the id up to its first hyphen.
    pub fn family(&self) -> &'static str {
        self.id.split_once('-').map_or(self.id, |(family, _)| family)
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// An auditor will ask.
    Warning,
    /// An auditor will write it down.
    Error,
}

/// What the records show of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Met.
    Met,
    /// Not met.
    NotMet,
    /// The records do not say.
    Undetermined,
}

impl Verdict {
    /// The words for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::Undetermined => "undetermined",
        }
    }
}

/// A verdict with its reason and the records behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the records show.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// The records behind it.
    pub cites: Cites,
}

impl Answer {
    /// Adds the records behind it.
    #[must_use]
    pub fn at(mut self, cites: &Cites) -> Self {
        self.cites.extend(cites);
        self
    }

    fn new(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self { verdict, reason: reason.into(), cites: Cites::default() }
    }
}

/// The condition is met.
pub fn met(reason: impl Into<String>) -> Answer {
    Answer::new(Verdict::Met, reason)
}

/// The condition is not met.
pub fn not_met(reason: impl Into<String>) -> Answer {
    Answer::new(Verdict::NotMet, reason)
}

/// The records do not say.
pub fn open(reason: impl Into<String>) -> Answer {
    Answer::new(Verdict::Undetermined, reason)
}

/// What a control says of one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The control's id.
    pub control: &'static str,
    /// What it is said of: a change's id, `operation:app@version`, an act with its record, a file.
    /// It names no line and no moment of asking, so that a baseline knows it again.
    pub subject: String,
    /// What the records show.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub places: Vec<Place>,
}

impl Outcome {
    /// An answer about a subject.
    pub fn of(control: &Control, subject: impl Into<String>, answer: Answer) -> Self {
        let Answer { verdict, reason, cites } = answer;
        let places = cites.iter().map(Place::record).collect();
        Self { control: control.id, subject: subject.into(), verdict, reason, places }
    }
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "place", rename_all = "kebab-case")]
pub enum Place {
    /// A line of a file of the repository.
    File {
        /// The path from the root.
        path: String,
        /// The line, from 1, when it is known.
        line: Option<u32>,
    },
    /// A member of a JSON document, such as a snapshot of a forge or of an API object.
    Json {
        /// The document.
        document: String,
        /// The member, as a JSON pointer (RFC 6901).
        pointer: String,
    },
    /// A record of the ledger, as `channel:id`.
    Record {
        /// Which record.
        cite: String,
    },
}

impl Place {
    /// A record.
    pub fn record(cite: &Cite) -> Self {
        Self::Record { cite: cite.to_string() }
    }
}

/// What a control found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The control's id.
    pub control: &'static str,
    /// What it is about.
    pub subject: String,
    /// What was found.
    pub message: String,
    /// Where it stands.
    pub places: Vec<Place>,
    /// What the auditor will ask.
    pub asks: &'static str,
    /// How to mend it.
    pub fix: &'static str,
    /// How much it weighs.
    pub severity: Severity,
}

/// What a control could not say: neither a finding nor its absence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotAssessed {
    /// The control's id.
    pub control: &'static str,
    /// What it is about.
    pub subject: String,
    /// Why not.
    pub reason: String,
}

/// Outcomes, told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How often a condition was found met.
    pub met: usize,
    /// What was found, heaviest first.
    pub findings: Vec<Finding>,
    /// What could not be said.
    pub not_assessed: Vec<NotAssessed>,
}

impl Report {
    /// Tells outcomes apart; `catalogue` has the controls that they come from. An outcome of a
    /// control that is not in it is kept, with the least weight.
    pub fn of(outcomes: Vec<Outcome>, catalogue: &[&'static Control]) -> Self {
        let mut report = Self::default();
        for outcome in outcomes {
            report.add(outcome, catalogue);
        }
        report.sort();
        report.not_assessed.sort_by(|a, b| {
            (a.control, &a.subject, &a.reason).cmp(&(b.control, &b.subject, &b.reason))
        });
        report
    }

    /// Gives findings another weight than their controls do: `weight` says which, or `None`.
    pub fn weigh(&mut self, weight: impl Fn(&str) -> Option<Severity>) {
        for finding in &mut self.findings {
            finding.severity = weight(finding.control).unwrap_or(finding.severity);
        }
        self.sort();
    }

    fn sort(&mut self) {
        self.findings.sort_by(|a, b| {
            let key = |f: &Finding| (std::cmp::Reverse(f.severity), f.control);
            key(a).cmp(&key(b)).then_with(|| a.subject.cmp(&b.subject))
        });
    }

    fn add(&mut self, outcome: Outcome, catalogue: &[&'static Control]) {
        let Outcome { control: id, subject, verdict, reason, places } = outcome;
        let control = catalogue.iter().find(|c| c.id == id);
        match verdict {
            Verdict::Met => self.met += 1,
            Verdict::NotMet => self.findings.push(Finding {
                control: id,
                subject,
                message: reason,
                places,
                asks: control.map_or("", |c| c.asks),
                fix: control.map_or("", |c| c.fix),
                severity: control.map_or(Severity::Note, |c| c.severity),
            }),
            Verdict::Undetermined => {
                self.not_assessed.push(NotAssessed { control: id, subject, reason });
            }
        }
    }
}
