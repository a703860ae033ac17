//! `countersign.yaml`: what an organisation asks of changes to its environments.
//!
//! The file judges the developers, so it is read from a protected commit; where that is the case is
//! for controls to say, not for this module. [`Policy::read`] takes bytes and gives either a whole
//! policy or every problem with its place: an unknown key is one, because a misspelt rule that is
//! passed over protects nothing. Its schema for editors is `docs/schema/countersign.schema.json`,
//! its page `docs/policy.md`.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::Date;
use serde::Serialize;

use crate::glob;
use crate::place::{Located, Place};
use crate::yaml::{self, Limits};

mod fields;
mod read;
pub mod ticket;

pub use self::ticket::TicketPattern;

/// The name of the file, at the root of its repository.
pub const FILE: &str = "countersign.yaml";

/// The version of the schema that this module reads.
pub const VERSION: u64 = 1;

/// A policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Policy {
    /// The file.
    pub place: Place,
    /// The repository that it is about.
    pub repository: RepositoryName,
    /// Environments, in the order in which a change is promoted through them.
    pub environments: Vec<Environment>,
    /// What each criticality asks of drift.
    pub criticalities: Vec<Criticality>,
    /// Teams of people.
    pub teams: Vec<Team>,
    /// What is asked of changes; see [`Policy::rule_for`].
    pub rules: Vec<Rule>,
    /// Ticket systems.
    pub tickets: Vec<TicketSystem>,
    /// When production rests.
    pub calendar: Calendar,
    /// Controls whose severity is not their own.
    pub controls: BTreeMap<String, Located<Severity>>,
    /// Findings that somebody granted for a time.
    pub exceptions: Vec<Exception>,
}

/// The repository that a policy is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepositoryName {
    /// Where it stands.
    pub place: Place,
    /// The addresses by which Applications name it.
    pub addresses: Vec<Located<String>>,
    /// The forge.
    pub forge: Option<Located<Forge>>,
    /// Its name there: `platform/gitops`.
    pub name: Option<Located<String>>,
    /// The branch of record.
    pub branch: Located<String>,
}

/// The kinds of forge whose rules are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forge {
    /// GitHub.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea or Forgejo.
    Gitea,
    /// Bitbucket.
    Bitbucket,
}

/// An environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Environment {
    /// Its name.
    pub name: Located<String>,
    /// Whether it is production. When no environment says so, the last one is.
    pub is_production: bool,
    /// Which Applications belong to it; the first that matches decides.
    pub applications: Vec<ApplicationRule>,
    /// Paths that belong to it beside those that its Applications deploy: globs.
    pub paths: Vec<Located<String>>,
    /// Namespaces that belong to it beside those of its Applications: globs.
    pub namespaces: Vec<Located<String>>,
    /// The secret stores that its manifests may use; `None` when the policy says nothing of it.
    pub secret_stores: Option<Vec<StoreRule>>,
}

/// Which Applications belong to an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApplicationRule {
    /// A glob of names.
    pub name: Located<String>,
    /// How critical they are.
    pub criticality: Located<String>,
}

/// A secret store that an environment may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreRule {
    /// `SecretStore` or `ClusterSecretStore`; either when it is not said.
    pub kind: Option<Located<String>>,
    /// A glob of names.
    pub name: Located<String>,
    /// Globs of the keys that may be taken from it; any when there are none.
    pub keys: Vec<Located<String>>,
}

/// How critical something is, and what that asks of drift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Criticality {
    /// Its name.
    pub name: Located<String>,
    /// What is asked of drift.
    pub drift: DriftPolicy,
}

/// What is asked of drift.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DriftPolicy {
    /// How long a difference may last before it is one.
    pub grace: Option<SignedDuration>,
    /// How soon it has to be gone or explained.
    pub resolve_within: Option<SignedDuration>,
    /// Whether self-heal has to be on.
    pub self_heal: Option<bool>,
}

/// A team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Team {
    /// Its name.
    pub name: Located<String>,
    /// Its people, by the ids of the people map.
    pub people: Vec<Located<String>>,
    /// The teams of the forge that are this team: `platform/sre`.
    pub forge_teams: Vec<Located<String>>,
    /// The groups of the identity provider that are this team.
    pub groups: Vec<Located<String>>,
}

/// What is asked of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file, asked by itself")]
pub struct Rule {
    /// Where it stands.
    pub place: Place,
    /// The environments that it is about; all when it names none.
    pub environments: Vec<Located<String>>,
    /// The criticalities that it is about; all when it names none.
    pub criticalities: Vec<Located<String>>,
    /// How many different people have to approve, the author not counted.
    pub approvals: u64,
    /// Which of them have to be independent of request, implementation and sync.
    pub independent: Independence,
    /// Whether an owner of every changed path has to be among them.
    pub owner_approval: bool,
    /// Teams that may merge; any when it names none.
    pub merge_teams: Vec<Located<String>>,
    /// Teams that may sync; any when it names none.
    pub sync_teams: Vec<Located<String>>,
    /// Whether whoever merges and whoever syncs have to be of different teams.
    pub disjoint_teams: bool,
    /// Who starts a sync.
    pub sync: Option<SyncMode>,
    /// Whether an approved ticket is needed.
    pub ticket: bool,
    /// Whether the same content has to have run in the environment before.
    pub promotion: bool,
}

/// Which approvers have to be independent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Independence {
    /// Every one.
    Every,
    /// At least one.
    #[default]
    AtLeastOne,
}

/// Who starts a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SyncMode {
    /// A person.
    Manual,
    /// Argo CD by itself.
    Automated,
}

/// A ticket system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TicketSystem {
    /// Its name.
    pub name: Located<String>,
    /// What its tickets are called.
    pub patterns: Vec<Located<TicketPattern>>,
    /// The statuses that mean approval.
    pub approved: Vec<Located<String>>,
    /// Whether its tickets are for emergencies.
    pub is_emergency: bool,
}

/// When production rests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Calendar {
    /// The time zone of its days; UTC when it is not said.
    pub time_zone: Option<Located<String>>,
    /// Files of calendars, from the root of the policy's repository.
    pub files: Vec<Located<String>>,
    /// Freezes.
    pub freezes: Vec<Freeze>,
}

/// A time in which nothing is to be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Freeze {
    /// Its name.
    pub name: Located<String>,
    /// The first day.
    pub from: Date,
    /// The last day, included.
    pub to: Date,
    /// The environments that rest; production when it names none.
    pub environments: Vec<Located<String>>,
}

/// How severe findings of a control are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The control is not run.
    Off,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// A finding that somebody granted for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// Where it stands.
    pub place: Place,
    /// The control.
    pub control: Located<String>,
    /// What it is granted for: a glob of what the finding is about.
    pub subject: Located<String>,
    /// Why.
    pub reason: Located<String>,
    /// Who asked for it and answers for it, by the id of the people map.
    pub owner: Located<String>,
    /// Who granted it; never the owner.
    pub approver: Located<String>,
    /// The last day on which it holds.
    pub expires: Located<Date>,
}

/// What came of a policy file.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The policy, when nothing is wrong with it.
    pub policy: Option<Policy>,
    /// Everything that is wrong with it, in the order of the file.
    pub problems: Vec<Problem>,
}

/// What is wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, as a fragment.
    pub what: String,
    /// What to do.
    pub help: Option<String>,
}

impl Policy {
    /// Reads a policy file.
    pub fn read(file: &str, bytes: &[u8]) -> Reading {
        let limits = Limits { bytes: 1 << 20, depth: 20, nodes: 100_000, documents: 2 };
        let parsed = yaml::parse(file, bytes, &limits);
        let problem = |p: &yaml::Problem| Problem {
            place: p.place.clone(),
            what: p.fault.to_string(),
            help: None,
        };
        let mut problems: Vec<Problem> = parsed.problems.iter().map(problem).collect();
        let whole = |what: &str| Problem {
            place: Place::file(file),
            what: what.to_owned(),
            help: Some("write one document; `countersign init` drafts it".to_owned()),
        };
        let policy = match parsed.documents.as_slice() {
            [] if problems.is_empty() => {
                problems.push(whole("holds nothing"));
                None
            }
            [document] => read::policy(document, &mut problems),
            [] => None,
            _ => {
                problems.push(whole("has more than one document"));
                None
            }
        };
        problems.sort_by(|a, b| (&a.place, &a.what).cmp(&(&b.place, &b.what)));
        Reading { policy: policy.filter(|_| problems.is_empty()), problems }
    }

    /// The environment that an Application belongs to by its name, and how critical it is there.
    pub fn environment_of(&self, application: &str) -> Option<(&Environment, &str)> {
        self.environments.iter().find_map(|environment| {
            let rules = environment.applications.iter();
            let rule = rules.clone().find(|rule| glob::matches(&rule.name.value, application))?;
            Some((environment, rule.criticality.value.as_str()))
        })
    }

    /// An environment by its name.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name.value == name)
    }

    /// The environment from which changes are promoted to this one; `None` for the first.
    pub fn environment_before(&self, name: &str) -> Option<&Environment> {
        let at = self.environments.iter().position(|e| e.name.value == name)?;
        self.environments.get(at.checked_sub(1)?)
    }

    /// The environments that are production.
    pub fn production(&self) -> impl Iterator<Item = &Environment> {
        self.environments.iter().filter(|environment| environment.is_production)
    }

    /// What is asked of a change in an environment to something so critical: the first rule that is
    /// about both. `None` asks nothing.
    pub fn rule_for(&self, environment: &str, criticality: &str) -> Option<&Rule> {
        let holds = |names: &[Located<String>], name: &str| {
            names.is_empty() || names.iter().any(|n| n.value == name)
        };
        self.rules.iter().find(|rule| {
            holds(&rule.environments, environment) && holds(&rule.criticalities, criticality)
        })
    }

    /// A criticality by its name.
    pub fn criticality(&self, name: &str) -> Option<&Criticality> {
        self.criticalities.iter().find(|criticality| criticality.name.value == name)
    }

    /// The teams that somebody belongs to, by the id of the people map.
    pub fn teams_of<'p>(&'p self, person: &'p str) -> impl Iterator<Item = &'p Team> {
        let is_in = move |team: &&Team| team.people.iter().any(|p| p.value == person);
        self.teams.iter().filter(is_in)
    }

    /// Controls that the policy names and nobody knows.
    pub fn unknown_controls(&self, known: &[&str]) -> Vec<Problem> {
        let named = self.controls.iter().map(|(id, severity)| (id.as_str(), &severity.place));
        let excepted = self.exceptions.iter().map(|e| (e.control.value.as_str(), &e.control.place));
        let unknown = named.chain(excepted).filter(|(id, _)| !known.contains(id));
        unknown.map(|(id, place)| fields::unknown("control", id, known, place)).collect()
    }
}
