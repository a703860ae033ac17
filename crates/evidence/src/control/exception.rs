//! Exceptions: what somebody accepted, for how long, and whether that holds.
//!
//! An exception stands in git beside the policy. It names a control and a subject, an owner who
//! asks for it and an approver who is another person, and the last day on which it holds. A finding
//! under an exception is still shown, with it.

use jiff::civil::Date;
use serde::Serialize;

use super::baseline::Baseline;
use super::model::Finding;
use crate::people::People;

/// An exception, as a policy states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// The control's id.
    pub control: String,
    /// The subject, as whoever reads the policy matches subjects.
    pub subject: String,
    /// Who asks for it, by an account or a person's id.
    pub owner: String,
    /// Who approved it.
    pub approver: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
}

/// Why an exception does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHeld {
    /// Its owner approved it.
    #[error("its approver is its owner; another person has to approve it")]
    ByItsOwner,
    /// It may be that its owner approved it.
    #[error(
        "the people map does not know {0:?}: whether owner and approver are two people is undetermined"
    )]
    Unmapped(String),
    /// Its last day is over.
    #[error("it expired on {0}; remove it, or have it approved again")]
    Expired(Date),
    /// It names no control that there is.
    #[error("there is no control {0:?}; `countersign explain` lists them")]
    UnknownControl(String),
    /// It says not why.
    #[error("it gives no reason")]
    NoReason,
}

impl Exception {
    /// Whether it holds on a day. `controls` are the ids of all controls.
    pub fn check(&self, today: Date, people: &People, controls: &[&str]) -> Result<(), NotHeld> {
        if !controls.contains(&self.control.as_str()) {
            return Err(NotHeld::UnknownControl(self.control.clone()));
        }
        if self.reason.trim().is_empty() {
            return Err(NotHeld::NoReason);
        }
        let person = |who: &str| {
            let is_id = people.ids().any(|id| id == who);
            let known = if is_id { Some(who) } else { people.person_of(who) };
            known.map(str::to_owned).ok_or_else(|| NotHeld::Unmapped(who.to_owned()))
        };
        if self.owner == self.approver || person(&self.owner)? == person(&self.approver)? {
            return Err(NotHeld::ByItsOwner);
        }
        if today > self.expires {
            return Err(NotHeld::Expired(self.expires));
        }
        Ok(())
    }

    /// Whether it is about a finding; `matches` says whether its subject means another.
    pub fn covers(&self, finding: &Finding, matches: Matches) -> bool {
        self.control == finding.control && matches(&self.subject, &finding.subject)
    }
}

/// Whether the subject of an exception means the subject of a finding.
pub type Matches = fn(&str, &str) -> bool;

/// How a finding stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "standing", rename_all = "kebab-case")]
pub enum Standing {
    /// Nobody accepted it.
    New,
    /// The baseline has it: it was there when controls were adopted.
    Known,
    /// An exception covers it.
    Excepted {
        /// Which.
        exception: Exception,
    },
}

/// A finding, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// How it stands.
    #[serde(flatten)]
    pub standing: Standing,
}

/// An exception that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lapsed {
    /// The exception.
    pub exception: Exception,
    /// Why not.
    pub reason: NotHeld,
}

/// What findings are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// Exceptions.
    pub exceptions: &'a [Exception],
    /// How their subjects are read.
    pub matches: Matches,
    /// What was there when controls were adopted.
    pub baseline: &'a Baseline,
    /// The day.
    pub today: Date,
    /// Which accounts are one person.
    pub people: &'a People,
    /// The ids of all controls.
    pub controls: &'a [&'a str],
}

/// Says of every finding how it stands, and of every exception that does not hold why.
pub fn judge(findings: Vec<Finding>, by: &Judge<'_>) -> (Vec<Judged>, Vec<Lapsed>) {
    let Judge { exceptions, matches, baseline, today, people, controls } = *by;
    let (mut held, mut lapsed) = (Vec::new(), Vec::new());
    for exception in exceptions {
        match exception.check(today, people, controls) {
            Ok(()) => held.push(exception),
            Err(reason) => lapsed.push(Lapsed { exception: exception.clone(), reason }),
        }
    }
    let judged = findings.into_iter().map(|finding| {
        let standing = match held.iter().find(|e| e.covers(&finding, matches)) {
            Some(exception) => Standing::Excepted { exception: (*exception).clone() },
            None if baseline.has(&finding) => Standing::Known,
            None => Standing::New,
        };
        Judged { finding, standing }
    });
    (judged.collect(), lapsed)
}
