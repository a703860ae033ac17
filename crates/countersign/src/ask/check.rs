//! Checking: from what the controls say to findings, and how each stands under policy and baseline.

use access::glob;
use access::policy::{self, Policy};
use evidence::control::baseline::Baseline;
use evidence::control::exception::{Exception, Judge, Judged, Lapsed, Standing, judge};
use evidence::control::{Finding, NotAssessed, Outcome, Report, Severity};
use evidence::people::People;
use jiff::civil::Date;

use crate::controls;
use crate::sources::render::Used;

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// How often a condition was found met.
    pub met: usize,
    /// What was found, heaviest first, and how each stands.
    pub judged: Vec<Judged>,
    /// What could not be said.
    pub not_assessed: Vec<NotAssessed>,
    /// The tools that rendered; none when they were not asked to.
    pub rendered: Vec<Used>,
    /// Exceptions that do not hold.
    pub lapsed: Vec<Lapsed>,
    /// Exceptions that hold and cover nothing that was found.
    pub unused: Vec<Exception>,
    /// What the baseline knows and nobody finds any more, as control and subject.
    pub gone: Vec<(String, String)>,
    /// Controls that the policy switches off.
    pub off: Vec<String>,
}

/// What outcomes are judged by.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// Severities and exceptions.
    pub policy: Option<&'a Policy>,
    /// What was there when controls were adopted.
    pub baseline: &'a Baseline,
    /// The day on which exceptions have to hold.
    pub today: Date,
    /// Which accounts are one person.
    pub people: &'a People,
}

impl Checked {
    /// Judges what the controls said.
    pub fn of(mut outcomes: Vec<Outcome>, by: &By<'_>) -> Self {
        let weight = |id: &str| by.policy.and_then(|p| p.controls.get(id)).map(|s| s.value);
        let is_off = |id: &str| weight(id) == Some(policy::Severity::Off);
        outcomes.retain(|o| !is_off(o.control));
        let catalogue = controls::catalogue();
        let mut report = Report::of(outcomes, &catalogue);
        report.weigh(|id| weight(id).map(severity));
        let exceptions: Vec<Exception> =
            by.policy.iter().flat_map(|p| &p.exceptions).map(exception).collect();
        let ids: Vec<&str> = catalogue.iter().map(|control| control.id).collect();
        let judge_by = Judge {
            exceptions: &exceptions,
            matches: means,
            baseline: by.baseline,
            today: by.today,
            people: by.people,
            controls: &ids,
        };
        let gone = by.baseline.gone(&report.findings);
        let gone = gone.map(|(control, subject)| (control.to_owned(), subject.to_owned()));
        let gone = gone.filter(|(control, _)| !is_off(control)).collect();
        let (judged, lapsed) = judge(report.findings, &judge_by);
        let holds = |e: &&Exception| !lapsed.iter().any(|l| l.exception == **e);
        let is_used = |e: &&Exception| judged.iter().any(|j| e.covers(&j.finding, means));
        let held = exceptions.iter().filter(holds);
        let unused = held.filter(|e| !is_used(e) && !is_off(&e.control)).cloned().collect();
        let off = ids.iter().filter(|id| is_off(id)).map(|id| (*id).to_owned()).collect();
        let (met, not_assessed) = (report.met, report.not_assessed);
        let rendered = Vec::new();
        Self { met, judged, not_assessed, rendered, lapsed, unused, gone, off }
    }

    /// Findings that nobody accepted.
    pub fn new_findings(&self) -> impl Iterator<Item = &Finding> {
        let new = self.judged.iter().filter(|j| j.standing == Standing::New);
        new.map(|judged| &judged.finding)
    }

    /// Findings that an exception covers, with it.
    pub fn excepted(&self) -> impl Iterator<Item = (&Finding, &Exception)> {
        self.judged.iter().filter_map(|judged| match &judged.standing {
            Standing::Excepted { exception } => Some((&judged.finding, exception)),
            _ => None,
        })
    }

    /// Findings that the baseline knows.
    pub fn known(&self) -> impl Iterator<Item = &Finding> {
        let known = self.judged.iter().filter(|j| j.standing == Standing::Known);
        known.map(|judged| &judged.finding)
    }
}

/// The policy names four weights, findings have three, as SARIF has.
const fn severity(of: policy::Severity) -> Severity {
    match of {
        policy::Severity::Off | policy::Severity::Low => Severity::Note,
        policy::Severity::Medium => Severity::Warning,
        policy::Severity::High | policy::Severity::Critical => Severity::Error,
    }
}

fn exception(of: &policy::Exception) -> Exception {
    Exception {
        control: of.control.value.clone(),
        subject: of.subject.value.clone(),
        owner: of.owner.value.clone(),
        approver: of.approver.value.clone(),
        reason: of.reason.value.clone(),
        expires: of.expires.value,
    }
}

/// Whether an exception's subject means a finding's: the same, a lone star, or a glob.
fn means(pattern: &str, subject: &str) -> bool {
    pattern == "*" || pattern == subject || glob::matches(pattern, subject)
}
