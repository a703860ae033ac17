//! A GitOps repository to begin with, which meets every control of this crate.
//!
//! ```text
//! names ──► checked ──► templates filled in ──► path, text, what it is for
//! ```
//!
//! **In scope**: which files, and what stands in them. **Out of scope**: writing them. The same
//! names give the same bytes. What was decided, and why, is told in
//! `docs/decisions/0010-the-layout-of-init.md`.
//!
//! ```
//! use access::layout::{Said, layout, Names};
//! use access::policy::Forge;
//! let said = Said::new(Forge::Github, "acme/gitops", "https://git.example/acme/gitops.git");
//! let made = layout(&Names::check(&said).unwrap());
//! assert!(made.contains_key("countersign.yaml") && made.contains_key(".github/CODEOWNERS"));
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::codeowners::Dialect;
use crate::policy::Forge;

mod files;
mod name;
mod owners;
mod rules;

pub use self::name::{BadName, Name};

/// Names as somebody said them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The forge.
    pub forge: Forge,
    /// The repository's path there.
    pub repository: String,
    /// The address that Argo CD reads it from.
    pub address: String,
    /// The branch of record.
    pub branch: String,
    /// The systems that run.
    pub systems: Vec<String>,
    /// The environments in the order of promotion; the last is production.
    pub environments: Vec<String>,
    /// The team that owns everything that has no other owner.
    pub developers: String,
    /// The teams that own what production runs.
    pub owners: Vec<String>,
    /// The team that syncs production, and merges nothing.
    pub operators: String,
    /// The team that owns the rules.
    pub platform: String,
    /// The team that owns what is asked of changes, and nothing else.
    pub auditors: String,
}

/// Names that make a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    forge: Forge,
    repository: Name,
    address: Name,
    branch: Name,
    systems: Vec<Name>,
    environments: Vec<Name>,
    developers: Name,
    owners: Vec<Name>,
    operators: Name,
    platform: Name,
    auditors: Name,
}

/// A file of a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What stands in it.
    pub text: String,
    /// What it is for, as a fragment.
    pub says: String,
}

impl Said {
    /// Names with those that are rarely others: one system `shop`, three environments, five teams.
    pub fn new(forge: Forge, repository: &str, address: &str) -> Self {
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            forge,
            repository: repository.to_owned(),
            address: address.to_owned(),
            branch: "main".to_owned(),
            systems: all(&["shop"]),
            environments: all(&["dev", "staging", "prod"]),
            developers: "developers".to_owned(),
            owners: all(&["release"]),
            operators: "operators".to_owned(),
            platform: "platform".to_owned(),
            auditors: "auditors".to_owned(),
        }
    }
}

impl Names {
    /// Checks names: each by itself, and then beside the others.
    pub fn check(said: &Said) -> Result<Self, Vec<BadName>> {
        let mut bad = Vec::new();
        let mut take = |name: Result<Name, BadName>| name.map_err(|e| bad.push(e)).ok();
        let repository = take(Name::repository(&said.repository, said.forge == Forge::Gitlab));
        let (address, branch) =
            (take(Name::address(&said.address)), take(Name::branch(&said.branch)));
        let systems = said.systems.iter().filter_map(|n| take(Name::label("system", n))).collect();
        let environments = said.environments.iter();
        let environments =
            environments.filter_map(|n| take(Name::label("environment", n))).collect();
        let owners = said.owners.iter().filter_map(|n| take(Name::team("team", n))).collect();
        let mut team = |name: &str| take(Name::team("team", name));
        let (developers, operators) = (team(&said.developers), team(&said.operators));
        let (platform, auditors) = (team(&said.platform), team(&said.auditors));
        let forge = said.forge;
        bad.extend(beside(said));
        let single = (repository, address, branch, developers, operators, platform, auditors);
        let (
            Some(repository),
            Some(address),
            Some(branch),
            Some(developers),
            Some(operators),
            Some(platform),
            Some(auditors),
        ) = single
        else {
            return Err(bad);
        };
        if !bad.is_empty() {
            return Err(bad);
        }
        Ok(Self {
            forge,
            repository,
            address,
            branch,
            systems,
            environments,
            developers,
            owners,
            operators,
            platform,
            auditors,
        })
    }

    /// How the forge reads CODEOWNERS.
    pub const fn dialect(&self) -> Dialect {
        match self.forge {
            Forge::Github => Dialect::GitHub,
            Forge::Gitlab => Dialect::GitLab,
            Forge::Gitea => Dialect::Gitea,
            Forge::Bitbucket => Dialect::Bitbucket,
        }
    }

    /// Production.
    fn last(&self) -> &str {
        self.environments.last().map_or("prod", Name::as_str)
    }

    /// A team as the forge calls it: `acme/release`.
    fn on_forge(&self, team: &Name) -> String {
        let path = self.repository.as_str();
        let organisation = path.rsplit_once('/').map_or(path, |(organisation, _)| organisation);
        format!("{organisation}/{team}")
    }

    fn teams(&self) -> impl Iterator<Item = &Name> {
        let first = [&self.developers].into_iter().chain(&self.owners);
        first.chain([&self.operators, &self.platform, &self.auditors])
    }
}

/// What is wrong with names beside one another.
fn beside(said: &Said) -> Vec<BadName> {
    let mut bad = Vec::new();
    let mut refuse = |what: &'static str, value: &str, why: String| {
        bad.push(BadName { what, value: value.to_owned(), why });
    };
    if said.forge == Forge::Bitbucket {
        let why = "allowed are github, gitlab and gitea: Bitbucket's owners bind nobody";
        refuse("forge", "bitbucket", why.to_owned());
    }
    let lists = [("system", &said.systems), ("environment", &said.environments)];
    for (what, names) in lists.into_iter().chain([("team", &said.owners)]) {
        if names.is_empty() {
            refuse(what, "", "at least one is needed".to_owned());
        }
    }
    let teams = [&said.developers].into_iter().chain(&said.owners);
    let teams: Vec<&String> =
        teams.chain([&said.operators, &said.platform, &said.auditors]).collect();
    let all = [said.systems.iter().collect(), said.environments.iter().collect(), teams];
    for (what, names) in ["system", "environment", "team"].into_iter().zip(all) {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name.to_ascii_lowercase()) {
                let why = match what {
                    "team" => "one team in two duties separates nothing; name another",
                    _ => "it is named twice",
                };
                refuse(what, name, why.to_owned());
            }
        }
    }
    for name in &said.environments {
        if ["default", "platform", "root"].contains(&name.as_str()) {
            refuse(
                "environment",
                name,
                "a project of that name has a meaning of its own".to_owned(),
            );
        }
        let end = said.environments.iter().find(|other| name.ends_with(&format!("-{other}")));
        if let Some(end) = end {
            let why = format!("{name:?} ends as {end:?}, and names of Applications end so too");
            refuse("environment", name, why);
        }
    }
    for name in
        said.systems.iter().filter(|n| *n == "root" || *n == "kube" || n.starts_with("kube-"))
    {
        refuse("system", name, "Applications or namespaces of that name are others".to_owned());
    }
    bad
}

/// The files of a layout, by path.
pub fn layout(names: &Names) -> BTreeMap<String, Made> {
    let mut made = BTreeMap::new();
    let mut add = |path: String, text: String, says: String| {
        made.insert(path, Made { text, says });
    };
    let (path, text) = owners::file(names);
    add(path, text, "who has to approve a change of which path".to_owned());
    for (path, text, says) in [rules::file(names), rules::check(names)] {
        add(path, text, says.to_owned());
    }
    files::all(names, &mut add);
    made
}

/// A template with its names filled in.
fn fill(template: &str, names: &Names, more: &[(&str, &str)]) -> String {
    let mut text = template.to_owned();
    // Parts that are put together come first: they hold names themselves.
    for (key, value) in more {
        text = text.replace(&format!("@{key}@"), value.trim_end_matches('\n'));
    }
    let known = [
        ("url", &names.address),
        ("branch", &names.branch),
        ("name", &names.repository),
        ("developers", &names.developers),
        ("operators", &names.operators),
        ("platform", &names.platform),
        ("auditors", &names.auditors),
    ];
    for (key, name) in known {
        text = text.replace(&format!("@{key}@"), name.as_str());
    }
    text.replace("@last@", names.last())
}
