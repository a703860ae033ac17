//! Inputs: the story, the settings, and what other crates can answer.

use std::collections::BTreeSet;

use super::settings::Settings;
use crate::story::Story;
use crate::story::claim::Identity;
use crate::time::Moment;

/// What controls read.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// What the records show.
    pub story: &'a Story,
    /// What the policy says.
    pub settings: &'a Settings,
    /// Who owns which path; `None` when CODEOWNERS was not read.
    pub owners: Option<&'a dyn Owners>,
    /// Who was allowed what; `None` when no rules of that day were read.
    pub entitlements: Option<&'a dyn Entitlements>,
}

impl<'a> Inputs<'a> {
    /// A story under settings, and nothing else.
    pub const fn new(story: &'a Story, settings: &'a Settings) -> Self {
        Self { story, settings, owners: None, entitlements: None }
    }
}

/// Who owns which path of a repository: CODEOWNERS as the forge reads it.
pub trait Owners {
    /// The owners of `path`, whose approval the forge asks for when something is merged as
    /// `commit`: those of the base branch as it was before that commit. Teams are resolved to their
    /// members as of then.
    fn owners_of(&self, path: &str, commit: &str) -> Owned;
}

/// Who owns a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owned {
    /// Any one of these.
    By(BTreeSet<Identity>),
    /// Nobody: no rule matches, or the rule that does names nobody.
    Nobody,
    /// Not known, with the reason.
    Unknown(String),
}

/// Who was allowed what at some moment, by the rules in force then.
pub trait Entitlements {
    /// Whether an account was allowed an act.
    fn entitled(&self, who: &Identity, to: &Act<'_>, at: &Moment) -> Entitled;
}

/// What somebody has to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act<'a> {
    /// To merge into the default branch of a repository.
    Merge {
        /// The repository's full name.
        repository: &'a str,
    },
    /// To sync an Application.
    Sync {
        /// The project.
        project: &'a str,
        /// The Application's name.
        app: &'a str,
    },
}

/// Whether somebody was allowed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entitled {
    /// Yes, by this path.
    Yes(String),
    /// No: the rules in force then are whole, and none of them allows it.
    No(String),
    /// Not known, with the reason.
    Unknown(String),
}
