//! A first `countersign.yaml` for a repository that has none, read from what is there.
//!
//! ```text
//! files ──► repository ──► guesses, each with its reason and place ──► text of a policy
//! ```
//!
//! **In scope**: what files show: environments, their order and Applications, teams, stores. **Out of
//! scope**: what an organisation wants; that is left open, and the draft says so. What was guessed
//! has its reason beside it, what could not be told is a comment `not told: …`. The same files give
//! the same text, and the text is one that [`crate::policy::Policy::read`] takes.

use serde::Serialize;

use crate::codeowners::{CodeOwners, Dialect, Owner};
use crate::place::{Located, Place};
use crate::policy::Forge;
use crate::repository::{self, Address, File, Options, Repository, url};

mod applications;
mod environment;
mod text;

/// What is known without guessing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The forge.
    pub forge: Option<Forge>,
    /// The repository's path there.
    pub name: Option<String>,
    /// The address by which Applications name it.
    pub address: Option<String>,
    /// The branch of record.
    pub branch: Option<String>,
    /// The environments in the order of promotion; the last is production.
    pub environments: Vec<String>,
}

/// A drafted policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Draft {
    /// The text of the policy file.
    pub text: String,
    /// What stands in it, in its order.
    pub guesses: Vec<Guess>,
    /// What could not be told.
    pub not_told: Vec<String>,
}

/// Something that the draft says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Guess {
    /// What it is about: `environment`.
    pub what: &'static str,
    /// What the draft says.
    pub value: String,
    /// Why.
    pub why: String,
    /// Where that was read.
    pub at: Option<Place>,
}

impl Guess {
    fn new(what: &'static str, value: &str, why: String, at: Option<&Place>) -> Self {
        Self { what, value: value.to_owned(), why, at: at.cloned() }
    }
}

/// What a draft is made of.
struct Found {
    addresses: Vec<Guess>,
    forge: Option<(Forge, Guess)>,
    name: Option<Guess>,
    branch: Guess,
    environments: Vec<environment::Environment>,
    teams: Vec<Guess>,
    /// Accounts that own paths by themselves.
    accounts: Vec<Located<String>>,
    owners: Option<String>,
    not_told: Vec<String>,
}

/// Drafts a policy; `None` where there is no Application to read it from.
pub fn draft(files: &[File<'_>], told: &Told) -> Option<Draft> {
    let addresses = told.address.iter().cloned().collect();
    let repository = Repository::read(files, &Options { addresses, ..Options::default() });
    if repository.applications().is_empty() {
        return None;
    }
    let address = address(&repository, told);
    let forge = forge(&repository, told, address.as_ref());
    let owners = owners(files, forge.as_ref().map(|(forge, _)| *forge));
    let mut found = Found {
        name: name(told, address.as_ref()),
        addresses: address.into_iter().collect(),
        forge,
        branch: branch(&repository, told),
        environments: Vec::new(),
        teams: Vec::new(),
        accounts: Vec::new(),
        owners: owners.as_ref().map(|o| o.file().to_owned()),
        not_told: Vec::new(),
    };
    if let Some(owners) = &owners {
        teams(owners, &mut found);
    }
    environment::find(&repository, told, &mut found);
    Some(text::write(found))
}

/// The address as it is written first.
fn address(repository: &Repository, told: &Told) -> Option<Guess> {
    if let Some(address) = &told.address {
        return Some(Guess::new("address", address, "as told".to_owned(), None));
    }
    let Address::Guessed { address, sources, found } = repository.address() else { return None };
    let all = repository.applications().iter().flat_map(|a| &a.sources);
    let own =
        all.filter_map(|s| s.repo_url.as_ref()).find(|u| url::normal(&u.value) == *address)?;
    let why = format!("of {sources} sources that name it, {found} name a path that is here");
    Some(Guess::new("address", &own.value, why, Some(&own.place)))
}

/// The forge by its own files, or by the host's name.
fn forge(repository: &Repository, told: &Told, address: Option<&Guess>) -> Option<(Forge, Guess)> {
    let guess = |forge: Forge, why: String, at: Option<&Place>| {
        let name = text::forge(forge);
        Some((forge, Guess::new("forge", name, why, at)))
    };
    if let Some(forge) = told.forge {
        return guess(forge, "as told".to_owned(), None);
    }
    let folders = [
        (".github/", Forge::Github),
        (".gitlab/", Forge::Gitlab),
        (".gitlab-ci.yml", Forge::Gitlab),
        (".gitea/", Forge::Gitea),
        (".forgejo/", Forge::Gitea),
        (".bitbucket/", Forge::Bitbucket),
        ("bitbucket-pipelines.yml", Forge::Bitbucket),
    ];
    for (start, forge) in folders {
        if let Some(path) = repository.paths().find(|path| path.starts_with(start)) {
            return guess(forge, format!("it reads {path}"), Some(&Place::file(path)));
        }
    }
    let address = address?;
    let normal = url::normal(&address.value);
    let host = normal.split('/').next().unwrap_or_default();
    let hosts = [
        ("github", Forge::Github),
        ("gitlab", Forge::Gitlab),
        ("gitea", Forge::Gitea),
        ("forgejo", Forge::Gitea),
        ("codeberg", Forge::Gitea),
        ("bitbucket", Forge::Bitbucket),
    ];
    let (_, forge) = hosts.into_iter().find(|(part, _)| host.contains(part))?;
    guess(forge, format!("the host is {host}"), address.at.as_ref())
}

fn name(told: &Told, address: Option<&Guess>) -> Option<Guess> {
    if let Some(name) = &told.name {
        return Some(Guess::new("name", name, "as told".to_owned(), None));
    }
    let address = address?;
    let normal = url::normal(&address.value);
    let (_, path) = normal.split_once('/')?;
    path.contains('/').then(|| {
        Guess::new("name", path, "the path of the address".to_owned(), address.at.as_ref())
    })
}

/// The branch that most sources of this repository follow.
fn branch(repository: &Repository, told: &Told) -> Guess {
    if let Some(branch) = &told.branch {
        return Guess::new("branch", branch, "as told".to_owned(), None);
    }
    let own = repository.applications().iter().flat_map(|a| &a.sources).filter(|s| {
        s.repo_url.as_ref().is_some_and(|u| repository.address().is(&u.value)) && !s.is_pinned()
    });
    let mut counts: Vec<(usize, &Located<String>)> = Vec::new();
    for revision in own.filter_map(|s| s.target_revision.as_ref()).filter(|r| r.value != "HEAD") {
        match counts.iter_mut().find(|(_, known)| known.value == revision.value) {
            Some((count, _)) => *count += 1,
            None => counts.push((1, revision)),
        }
    }
    let most = counts.iter().max_by(|a, b| (a.0, &b.1.value).cmp(&(b.0, &a.1.value)));
    match most {
        Some((1, first)) => Guess::new(
            "branch",
            &first.value,
            "one source follows it".to_owned(),
            Some(&first.place),
        ),
        Some((count, first)) => Guess::new(
            "branch",
            &first.value,
            format!("{count} sources follow it"),
            Some(&first.place),
        ),
        None => {
            Guess::new("branch", "main", "no source names one: the usual name".to_owned(), None)
        }
    }
}

fn owners(files: &[File<'_>], forge: Option<Forge>) -> Option<CodeOwners> {
    let all = || files.iter().map(|file| file.path);
    let dialects = match forge {
        Some(Forge::Gitlab) => vec![Dialect::GitLab],
        Some(Forge::Gitea) => vec![Dialect::Gitea, Dialect::Forgejo],
        Some(Forge::Bitbucket) => vec![Dialect::Bitbucket],
        Some(Forge::Github) | None => vec![Dialect::GitHub],
    };
    let (path, dialect) = dialects.iter().find_map(|d| Some((d.locate(all())?, *d)))?;
    let file = files.iter().find(|file| file.path == path)?;
    Some(CodeOwners::parse(path, dialect, file.bytes))
}

/// Teams and accounts in the order in which CODEOWNERS names them first.
fn teams(owners: &CodeOwners, found: &mut Found) {
    for rule in owners.rules() {
        let at = Place::line(owners.file(), rule.place.line);
        for owner in &rule.owners {
            let (team, is_team) = match &owner.owner {
                Owner::Team { organisation, team } => (format!("{organisation}/{team}"), true),
                Owner::Group(name) => (name.clone(), true),
                other => (other.to_string(), false),
            };
            let known = found.teams.iter().any(|g| g.value == team)
                || found.accounts.iter().any(|a| a.value == team);
            if known {
            } else if is_team {
                let why = format!("owns {}", rule.pattern);
                found.teams.push(Guess::new("team", &team, why, Some(&at)));
            } else {
                found.accounts.push(Located::new(team, &at));
            }
        }
    }
}

/// Where an Application stands, when that is in a file.
fn folder_of(application: &repository::Application) -> Option<&str> {
    let path = application.place().path()?;
    Some(path.rsplit_once('/').map_or("", |(folder, _)| folder))
}
