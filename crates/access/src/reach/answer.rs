//! The shape of an answer.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::place::Place;

/// What somebody may be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Change what runs, by any way.
    Deploy,
    /// Change the files that are deployed.
    Merge,
    /// Make Argo CD apply what git holds.
    Sync,
    /// Make Argo CD apply something else.
    Override,
    /// Run commands in what runs.
    Exec,
    /// Read the secrets of what runs.
    ReadSecrets,
}

/// In which world a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// The forge: a merge, a push, a change of the rules.
    Forge,
    /// Argo CD's own rights.
    ArgoCd,
    /// Kubernetes' rights, around Argo CD.
    Cluster,
}

/// The part that a path does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Merges a proposal.
    Merge,
    /// Pushes to the branch without a proposal.
    Push,
    /// Changes the rules of the branch.
    Rules,
    /// Syncs.
    Sync,
    /// Makes Argo CD apply what is not in git.
    Override,
    /// Changes the project.
    Project,
    /// Goes around Argo CD.
    Bypass,
    /// Gains everything in the cluster first.
    Escalation,
    /// Runs commands in containers.
    Exec,
    /// Reads secrets.
    ReadSecrets,
}

/// What a path needs besides whoever goes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Approval of somebody else.
    Approval {
        /// How many; `None` where the snapshot does not say.
        count: Option<u32>,
        /// Whether a code owner has to be among them.
        owner: bool,
    },
    /// A change of the commit at which the Applications are held. Whoever deploys them brings it.
    Pin,
    /// A sync, since the Applications do not sync by themselves.
    Sync,
    /// A merged change.
    Merged,
    /// A deployment of before, to go back to. It brings nothing new.
    Earlier,
    /// A commit in the repository, on whichever branch.
    Commit,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hop {
    /// What it is, as a sentence without its full stop.
    pub says: String,
    /// Where that stands.
    pub at: Vec<Place>,
}

/// One path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Path {
    /// Where it begins.
    pub world: World,
    /// What it does.
    pub part: Part,
    /// The account that goes it, as its system knows it.
    pub account: String,
    /// By which right, in a few words: `role admin`, `role:sre`, `ClusterRoleBinding x`.
    pub by: String,
    /// The Applications that it reaches; none is whatever the cluster runs. Paths share the list:
    /// there are as many of them as people.
    #[serde(serialize_with = "names")]
    pub applications: Arc<[String]>,
    /// What it needs besides; none, and the account suffices.
    pub needs: Vec<Need>,
    /// The steps, in order.
    pub hops: Vec<Hop>,
}

/// A person who can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The id in the people map.
    pub id: String,
    /// The name, when the map has one.
    pub name: Option<String>,
    /// The paths, by their number from 0, that suffice together without anybody else. Told of
    /// *deploy* and *merge*.
    pub alone: Option<Vec<usize>>,
    /// Every path.
    pub paths: Vec<Path>,
}

/// Somebody who can and is no person of the map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Who, in words: `service account ns/name`, `group x`.
    pub account: String,
    /// Every path.
    pub paths: Vec<Path>,
}

/// Something that could not be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// What is undetermined.
    pub what: String,
    /// Why.
    pub why: String,
    /// Where, if it stands somewhere.
    pub at: Option<Place>,
}

/// An Application that the question is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub at: Place,
    /// Whether a change of git reaches the cluster by itself.
    pub syncs_itself: bool,
    /// Whether it is only asked about because it deploys one that is.
    pub is_root: bool,
}

/// Who can, by which paths, and what is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What was asked.
    pub verb: Verb,
    /// The environment, if one was named or taken.
    pub environment: Option<String>,
    /// The Applications that it is about.
    pub applications: Vec<Reached>,
    /// People who can, by id.
    pub people: Vec<Person>,
    /// Accounts of software.
    pub machines: Vec<Holder>,
    /// Accounts and groups that the people map gives to nobody.
    pub unmapped: Vec<Holder>,
    /// What is weak about the rules themselves.
    pub notes: Vec<Hop>,
    /// What is undetermined.
    pub undetermined: Vec<Gap>,
}

fn names<S: Serializer>(names: &Arc<[String]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter())
}

/// Names that are told one by one; of more, the rest is counted.
const NAMES_MAX: usize = 12;

/// Names as a list.
pub fn listed(names: &[String]) -> String {
    first(names, NAMES_MAX)
}

/// The first names of a list, and how many more there are.
pub(crate) fn first<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl Verb {
    /// The word of the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Merge => "merge",
            Self::Sync => "sync",
            Self::Override => "override",
            Self::Exec => "exec",
            Self::ReadSecrets => "read-secrets",
        }
    }

    /// The words in a sentence: `who can …`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ReadSecrets => "read the secrets of",
            Self::Exec => "run commands in",
            Self::Merge => "merge to",
            other => other.word(),
        }
    }
}

impl World {
    /// A word for tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Forge => "forge",
            Self::ArgoCd => "Argo CD",
            Self::Cluster => "cluster",
        }
    }
}

impl Part {
    /// A word for tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Push => "push",
            Self::Rules => "rules",
            Self::Sync => "sync",
            Self::Override => "override",
            Self::Project => "project",
            Self::Bypass => "bypass",
            Self::Escalation => "escalation",
            Self::Exec => "exec",
            Self::ReadSecrets => "secrets",
        }
    }
}

impl Need {
    /// What it is, as a fragment.
    pub fn words(self) -> String {
        match self {
            Self::Approval { count, owner } => {
                let count = count.map_or_else(
                    || "approval (how many is not known)".to_owned(),
                    |n| format!("{n} approval{} of others", if n == 1 { "" } else { "s" }),
                );
                if owner { format!("{count}, a code owner's among them") } else { count }
            }
            Self::Pin => "a new commit to be held at".to_owned(),
            Self::Sync => "a sync".to_owned(),
            Self::Merged => "a merged change".to_owned(),
            Self::Earlier => "an earlier deployment to go back to".to_owned(),
            Self::Commit => "a commit on any branch".to_owned(),
        }
    }
}

impl Hop {
    pub(super) fn new(says: impl Into<String>, at: Vec<Place>) -> Self {
        Self { says: says.into(), at }
    }
}

impl Gap {
    pub(super) fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), at: None }
    }
}
