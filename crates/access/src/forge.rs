//! What a forge's settings allow: who may merge, who may push past review, who may change the rules.
//!
//! ```text
//! snapshot (API answers, refusals included) ──► answers ──► one model ──► who can, and by which way
//!                                                  └── by forge: GitHub, GitLab, Gitea
//! ```
//!
//! Everything cites the place in the snapshot, as a JSON path. What the token could not see is
//! [`Known::Unknown`] with the reason, and never counts as *not protected*: GitHub answers 404 to a
//! reader of branch protection without administration rights.
//!
//! The file format is described in `docs/formats/forge-snapshot.md`.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

mod answers;
pub mod collect;
mod gitea;
mod github;
mod gitlab;
mod names;
mod reach;
mod tag;

pub use self::answers::NotASnapshot;
pub use self::reach::{Reach, Way, WhoCan};

/// A JSON path into the snapshot, such as `$.answers[3].body.enforce_admins.enabled`.
pub type JsonPath = String;

/// A forge whose snapshots are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Forge {
    /// GitHub and GitHub Enterprise Server, REST API of 2022-11-28.
    GitHub,
    /// GitLab, REST API v4.
    GitLab,
    /// Gitea and Forgejo, API v1.
    Gitea,
}

/// Something that the snapshot shows with its place, or not, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// The snapshot shows it.
    Known {
        /// What it is.
        value: T,
        /// Where it stands.
        at: JsonPath,
    },
    /// The snapshot does not show it.
    Unknown(Unknown),
}

/// Why the snapshot does not show something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Unknown {
    /// The request is not in the snapshot.
    #[error("the snapshot has no answer to {request}")]
    NotAsked {
        /// The request, from the root of the API.
        request: String,
    },
    /// The forge answered with an error.
    #[error("the forge answered {status} to {request}{}", hint(*.status))]
    Refused {
        /// The request.
        request: String,
        /// The HTTP status.
        status: u16,
        /// Where the answer stands.
        at: JsonPath,
    },
    /// The answer lacks what a token with more rights would see.
    #[error("{member} is missing at {at}: the token may not see it")]
    Missing {
        /// The member.
        member: String,
        /// Where it would stand.
        at: JsonPath,
    },
    /// Somebody is named by what the snapshot does not resolve.
    #[error("{what} at {at} is not resolved by the snapshot")]
    NotResolved {
        /// Who: `team 7`, `organisation administrators`.
        what: String,
        /// Where it stands.
        at: JsonPath,
    },
}

/// What a status says beside its number.
const fn hint(status: u16) -> &'static str {
    match status {
        500.. => ": it was out of order",
        _ => ": the token may not see it, or it does not exist",
    }
}

/// What an account may do in a repository, by the forges' roles; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Reads. GitLab's guest.
    Read,
    /// Sorts issues. GitLab's reporter.
    Triage,
    /// Pushes to what is not protected. GitLab's developer.
    Write,
    /// Manages without the most sensitive settings. GitLab's maintainer, who may change protection.
    Maintain,
    /// Administers. GitLab's owner.
    Admin,
}

/// An account and its right in the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its login.
    pub login: String,
    /// The forge's number of it.
    pub id: Option<u64>,
    /// Whether the forge says that software owns it.
    pub machine: bool,
    /// Its right.
    pub level: Level,
    /// Where that stands.
    pub at: JsonPath,
}

/// A team with rights in the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its slug, or its name where the forge has no slugs.
    pub name: String,
    /// The forge's number of it.
    pub id: Option<u64>,
    /// Its right in the repository.
    pub level: Level,
    /// Its members' logins, each with its place.
    pub members: Known<Vec<(String, JsonPath)>>,
    /// Where the team stands.
    pub at: JsonPath,
}

/// Somebody whom a setting names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grantee {
    /// One account.
    Account(String),
    /// The account with this number.
    AccountId(u64),
    /// A team, by slug or name.
    Team(String),
    /// The team with this number.
    TeamId(u64),
    /// Everybody with at least this right.
    Level(Level),
    /// An app, integration or deploy key: no person.
    Machine(String),
    /// Somebody who is nowhere in the snapshot.
    Other(String),
}

/// A grantee and where it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whom.
    pub to: Grantee,
    /// Where.
    pub at: JsonPath,
}

/// A condition that a push or a merge has to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// What it is, as a fragment: `review is required`.
    pub what: &'static str,
    /// Who passes.
    pub only: Known<Vec<Grant>>,
}

impl Gate {
    /// Whether it is the review itself.
    pub fn is_review(&self) -> bool {
        self.what == github::REVIEW
    }
}

/// One rule about branches: a branch protection, a ruleset, a protected branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// Its name: a branch, a pattern, or a ruleset's.
    pub name: String,
    /// Where it stands.
    pub at: JsonPath,
    /// Whether it has effect.
    pub enforced: bool,
    /// Whether it is a ruleset in *evaluate*, which looks like a rule and has no effect.
    pub evaluated: bool,
    /// Approvals that a merge needs.
    pub approvals: Known<u32>,
    /// Whether a code owner has to approve.
    pub code_owners: Known<bool>,
    /// Whether a push makes approvals void.
    pub dismisses_stale: Known<bool>,
    /// Whether somebody else than the last pusher has to approve.
    pub last_push_approval: Known<bool>,
    /// Whether the author's own approval counts.
    pub author_may_approve: Known<bool>,
    /// Whether the rule binds administrators too.
    pub binds_admins: Known<bool>,
    /// Whether history may be rewritten.
    pub force_push: Known<bool>,
    /// Whether the branch may be deleted.
    pub deletion: Known<bool>,
    /// Names of the checks that have to pass.
    pub status_checks: Known<Vec<String>>,
    /// Those of them that any app may report, whatever reports them today; GitHub alone binds a check
    /// to its app.
    pub checks_of_anybody: Vec<(String, JsonPath)>,
    /// Whether they have to pass on top of the branch's newest commit; `None` where the forge has no
    /// such setting, as for the next two.
    pub checks_on_newest: Option<Known<bool>>,
    /// Whether only some may dismiss a review.
    pub dismissal_limited: Option<Known<bool>>,
    /// Whether a proposal may change who has to approve it.
    pub approvers_overridden: Option<Known<bool>>,
    /// Whether commits have to be signed.
    pub signatures: Known<bool>,
    /// Files that may be pushed past it (Gitea's `unprotected_file_patterns`).
    pub unprotected_files: Vec<String>,
    /// What a direct push has to pass: every one. None means that a right to write is enough.
    pub push: Vec<Gate>,
    /// What a merge has to pass, besides review.
    pub merge: Vec<Gate>,
    /// Who may merge without the review.
    pub skips_review: Known<Vec<Grant>>,
}

/// What workflows of the forge may do by default (GitHub Actions).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflows {
    /// Whether they may approve proposals.
    pub approve: Known<bool>,
    /// Whether their tokens may write to the repository.
    pub write: Known<bool>,
}

/// What a snapshot shows of one repository.
#[derive(Clone, Debug)]
pub struct Snapshot {
    forge: Forge,
    repository: String,
    taken_at: Option<Timestamp>,
    default_branch: Known<String>,
    accounts: Known<Vec<Account>>,
    teams: Known<Vec<Team>>,
    answers: answers::Answers,
}

/// The rules of one branch.
#[derive(Clone, Debug)]
pub struct Branch {
    /// The branch.
    pub name: String,
    /// The rules that cover it, those without effect included.
    pub protections: Vec<Protection>,
    /// What could hide more rules. Where this is not empty, *no rule* is not *not protected*.
    pub unknown: Vec<Unknown>,
}

/// Whether a branch is protected. Three answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protected {
    /// A rule with effect covers it.
    Yes,
    /// None does, and the snapshot would show it.
    No,
    /// The snapshot does not say.
    Unknown,
}

impl Snapshot {
    /// Reads a snapshot: this program's format, or the plain form with `repository`,
    /// `branch_protection`, `rulesets`, `teams` and `collaborators` of GitHub.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotASnapshot> {
        let answers = answers::Answers::parse(bytes)?;
        let (forge, repository) = (answers.forge, answers.repository.clone());
        let taken_at = answers.taken_at;
        let default_branch = match answers.one("") {
            Ok((body, at)) => names::member_text(body, "default_branch", &at),
            Err(why) => Known::Unknown(why),
        };
        let (accounts, teams) = match forge {
            Forge::GitHub => (github::accounts(&answers), github::teams(&answers)),
            Forge::GitLab => (gitlab::accounts(&answers), gitlab::groups(&answers)),
            Forge::Gitea => (gitea::accounts(&answers), gitea::teams(&answers)),
        };
        Ok(Self { forge, repository, taken_at, default_branch, accounts, teams, answers })
    }

    /// The forge.
    pub const fn forge(&self) -> Forge {
        self.forge
    }

    /// The repository's path on the forge: `organisation/name`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// When it was taken, if it says so.
    pub const fn taken_at(&self) -> Option<Timestamp> {
        self.taken_at
    }

    /// The branch that a bare `HEAD` means.
    pub const fn default_branch(&self) -> &Known<String> {
        &self.default_branch
    }

    /// Accounts with a right in the repository. Of GitHub and GitLab all of them; of Gitea those
    /// that were added by name, without the members of teams.
    pub const fn accounts(&self) -> &Known<Vec<Account>> {
        &self.accounts
    }

    /// Teams with a right in the repository; of GitLab the groups that were asked for.
    pub const fn teams(&self) -> &Known<Vec<Team>> {
        &self.teams
    }

    /// A group that GitLab shares the repository with, by its path; `None` where none is shown.
    pub fn shared_group(&self, path: &str) -> Option<Team> {
        (self.forge == Forge::GitLab).then(|| gitlab::shared_group(&self.answers, path))?
    }

    /// What workflows may do; `None` for a forge without this setting.
    pub fn workflows(&self) -> Option<Workflows> {
        (self.forge == Forge::GitHub).then(|| github::workflows(&self.answers))
    }

    /// Whether a tag is kept from being moved to another commit.
    pub fn tag_protected(&self, name: &str) -> Known<bool> {
        tag::protected(self.forge, &self.answers, name)
    }

    /// The rules of a branch.
    pub fn branch(&self, name: &str) -> Branch {
        let (protections, unknown) = match self.forge {
            Forge::GitHub => github::protections(&self.answers, name, &self.default_branch),
            Forge::GitLab => gitlab::protections(&self.answers, name),
            Forge::Gitea => gitea::protections(&self.answers, name),
        };
        Branch { name: name.to_owned(), protections, unknown }
    }
}

impl Branch {
    /// Whether the branch is protected.
    pub fn protected(&self) -> Protected {
        match (self.in_force().next(), self.unknown.is_empty()) {
            (Some(_), _) => Protected::Yes,
            (None, true) => Protected::No,
            (None, false) => Protected::Unknown,
        }
    }

    /// The rules with effect. All of them bind: the strictest counts.
    pub fn in_force(&self) -> impl Iterator<Item = &Protection> {
        self.protections.iter().filter(|rule| rule.enforced)
    }

    /// Approvals that a merge needs: the largest number of any rule.
    pub fn approvals(&self) -> Known<u32> {
        self.strictest(|rule| &rule.approvals, |n| *n, 0)
    }

    /// Whether a code owner has to approve.
    pub fn code_owners(&self) -> Known<bool> {
        self.strictest(|rule| &rule.code_owners, |b| u32::from(*b), false)
    }

    /// Whether a push makes approvals void.
    pub fn dismisses_stale(&self) -> Known<bool> {
        self.strictest(|rule| &rule.dismisses_stale, |b| u32::from(*b), false)
    }

    /// Whether somebody else than the last pusher has to approve.
    pub fn last_push_approval(&self) -> Known<bool> {
        self.strictest(|rule| &rule.last_push_approval, |b| u32::from(*b), false)
    }

    /// Whether the author's own approval counts: only if every rule lets it.
    pub fn author_may_approve(&self) -> Known<bool> {
        self.strictest(|rule| &rule.author_may_approve, |b| u32::from(!*b), true)
    }

    /// Whether commits have to be signed.
    pub fn signatures(&self) -> Known<bool> {
        self.strictest(|rule| &rule.signatures, |b| u32::from(*b), false)
    }

    /// The checks that have to pass: those of every rule that names one.
    pub fn status_checks(&self) -> Known<bool> {
        let rules = self.in_force().map(|rule| &rule.status_checks);
        let mut unknown = self.unknown.first();
        let mut none = None;
        for checks in rules {
            match checks {
                Known::Known { value, at } if value.is_empty() => none = none.or(Some(at)),
                Known::Known { at, .. } => return Known::at(true, at.clone()),
                Known::Unknown(why) => unknown = unknown.or(Some(why)),
            }
        }
        match unknown {
            Some(why) => Known::Unknown(why.clone()),
            None => Known::at(false, none.map_or("$", String::as_str)),
        }
    }

    /// The strictest answer of a setting that not every rule has; `None` if no rule has it.
    pub fn setting(
        &self,
        of: impl Fn(&Protection) -> Option<&Known<bool>>,
        strict: bool,
    ) -> Option<Known<bool>> {
        let all: Vec<&Known<bool>> = self.in_force().filter_map(of).collect();
        let best = all.iter().find(|known| known.value() == Some(&strict));
        let unknown = || all.iter().find(|known| known.unknown().is_some());
        best.or_else(unknown).or(all.first()).map(|known| (*known).clone())
    }

    /// Whether history may be rewritten: only if every rule lets it.
    pub fn force_push(&self) -> Known<bool> {
        self.strictest(|rule| &rule.force_push, |b| u32::from(!*b), true)
    }

    /// Whether the branch may be deleted: only if every rule lets it.
    pub fn deletion(&self) -> Known<bool> {
        self.strictest(|rule| &rule.deletion, |b| u32::from(!*b), true)
    }

    /// The strictest of the rules. Something unknown matters unless nothing could be stricter.
    fn strictest<T: Clone>(
        &self,
        of: impl Fn(&Protection) -> &Known<T>,
        rank: impl Fn(&T) -> u32,
        without: T,
    ) -> Known<T> {
        let mut best: Option<(&T, &JsonPath)> = None;
        let mut unknown = self.unknown.first();
        for rule in self.in_force() {
            match of(rule) {
                Known::Known { value, at } if best.is_none_or(|(b, _)| rank(value) > rank(b)) => {
                    best = Some((value, at));
                }
                Known::Known { .. } => {}
                Known::Unknown(why) => unknown = unknown.or(Some(why)),
            }
        }
        match (best, unknown) {
            (Some((value, at)), None) => Known::Known { value: value.clone(), at: at.clone() },
            // What is known to be demanded stays demanded, whatever else there may be.
            (Some((value, at)), Some(_)) if rank(value) > 0 => {
                Known::Known { value: value.clone(), at: at.clone() }
            }
            (_, Some(why)) => Known::Unknown(why.clone()),
            (None, None) => Known::Known { value: without, at: "$".to_owned() },
        }
    }
}

impl<T> Known<T> {
    /// What is known, without its place.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Why it is not known.
    pub const fn unknown(&self) -> Option<&Unknown> {
        match self {
            Self::Known { .. } => None,
            Self::Unknown(why) => Some(why),
        }
    }

    fn at(value: T, at: impl Into<JsonPath>) -> Self {
        Self::Known { value, at: at.into() }
    }

    fn map<U>(self, with: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Known { value, at } => Known::Known { value: with(value), at },
            Self::Unknown(why) => Known::Unknown(why),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        })
    }
}

/// The newest snapshot of a repository that was taken at or before a moment: what held then, as far
/// as snapshots show. A later one says nothing about the moment, and one without a time neither.
pub fn as_of<'s>(
    snapshots: impl IntoIterator<Item = &'s Snapshot>,
    repository: &str,
    moment: Timestamp,
) -> Option<&'s Snapshot> {
    let own = snapshots.into_iter().filter(|s| s.repository.eq_ignore_ascii_case(repository));
    own.filter(|s| s.taken_at.is_some_and(|at| at <= moment)).max_by_key(|s| s.taken_at)
}
