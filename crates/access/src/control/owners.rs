//! Code owners as people: who of those that a rule names may approve, by the forge, and who they are.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::asked::Asked;
use crate::codeowners::{Owner, Rule};
use crate::forge::{Account, Forge, Known, Level, Snapshot, Team};

/// What an owner is worth.
pub(super) struct Standing<'a> {
    pub(super) force: Force,
    /// The people who can approve as this owner.
    pub(super) people: BTreeSet<&'a str>,
    /// Why there may be more of them.
    pub(super) open: Option<String>,
}

/// Whether the forge takes an owner's approval for one.
pub(super) enum Force {
    /// It does.
    Counts,
    /// It does not, for this reason.
    CountsForNothing(String),
    /// The snapshot does not say.
    Unknown(String),
}

/// The owners of a rule together.
pub(super) struct Together<'a> {
    /// Whether any owner counts.
    pub(super) counts: bool,
    /// Why those that count for nothing do so.
    pub(super) weak: Vec<String>,
    /// Why it is not known of others.
    pub(super) unknown: Option<String>,
    /// The people who can approve.
    pub(super) people: BTreeSet<&'a str>,
    /// Why there may be more of them.
    pub(super) open: Option<String>,
}

impl<'a> Asked<'a> {
    /// What the owners of a rule are worth together: any one of them is enough.
    pub(super) fn together(&self, rule: &Rule) -> Together<'a> {
        let mut all = Together {
            counts: false,
            weak: Vec::new(),
            unknown: None,
            people: BTreeSet::new(),
            open: None,
        };
        for named in &rule.owners {
            let standing = self.standing(&named.owner);
            match &standing.force {
                Force::Counts => {
                    all.counts = true;
                    all.people.extend(&standing.people);
                    all.open = all.open.or_else(|| standing.open.clone());
                }
                Force::CountsForNothing(why) => all.weak.push(why.clone()),
                Force::Unknown(why) => all.unknown = all.unknown.or_else(|| Some(why.clone())),
            }
        }
        all
    }

    /// What one owner is worth.
    pub(super) fn standing(&self, owner: &Owner) -> Rc<Standing<'a>> {
        if let Some(known) = self.owners.borrow().get(owner) {
            return Rc::clone(known);
        }
        let found = Rc::new(match self.joined.sources.forge {
            Some(forge) => self.find(owner, forge),
            None => unknown("no snapshot of the forge was given".to_owned()),
        });
        self.owners.borrow_mut().insert(owner.clone(), Rc::clone(&found));
        found
    }

    fn find(&self, owner: &Owner, forge: &'a Snapshot) -> Standing<'a> {
        match owner {
            Owner::User(login) => self.user(login, forge),
            Owner::Team { organisation, team } => self.team(organisation, team, forge),
            Owner::Email(address) => match self.login_of(address) {
                Some(login) => self.user(login, forge),
                None => unknown(format!("whose account {address} is stands in no source")),
            },
            Owner::UserOrGroup(name) => match account(forge, name) {
                Some(_) => self.user(name, forge),
                None => match forge.shared_group(name) {
                    Some(group) => self.members(&format!("@{name}"), &group, forge),
                    None => {
                        unknown(format!("whether @{name} is an account or a group is not known"))
                    }
                },
            },
            // A group above the repository is not in that list.
            Owner::Group(name) => match forge.shared_group(name) {
                Some(group) => self.members(&format!("@{name}"), &group, forge),
                None => unknown(format!("the snapshot does not name the members of @{name}")),
            },
            Owner::Role(role) => unknown(format!("who has the role {role} directly is not known")),
        }
    }

    /// The login of the person to whom an address belongs.
    fn login_of(&self, address: &str) -> Option<&'a str> {
        let people = self.joined.sources.people?;
        let by = |field| self.joined.person(field, address);
        let person = by("email").or_else(|| by("git_email"))?;
        people.accounts_in(person, "github_login").next()
    }

    fn user(&self, login: &str, forge: &'a Snapshot) -> Standing<'a> {
        if let Some(account) = account(forge, login) {
            if account.level >= Level::Write {
                return self.counting([login], account.machine);
            }
            return nothing(format!("@{login} has no right to write"));
        }
        if in_a_team(forge, login) {
            return self.counting([login], false);
        }
        match forge.accounts() {
            Known::Unknown(why) => unknown(why.to_string()),
            // Members of teams, and whoever owns the repository, are not among Gitea's.
            Known::Known { .. } if forge.forge() == Forge::Gitea => {
                unknown(format!("the snapshot does not say what @{login} may"))
            }
            Known::Known { .. } => {
                nothing(format!("@{login} is no account with a right to the repository"))
            }
        }
    }

    fn team(&self, organisation: &str, name: &str, forge: &'a Snapshot) -> Standing<'a> {
        let shown = format!("@{organisation}/{name}");
        let own = forge.repository().split('/').next().unwrap_or_default();
        if !own.eq_ignore_ascii_case(organisation) {
            return nothing(format!("{shown} is a team of another organisation than {own}"));
        }
        let teams = match forge.teams() {
            Known::Known { value, .. } => value,
            Known::Unknown(why) => return unknown(why.to_string()),
        };
        let Some(team) = teams.iter().find(|team| team.name.eq_ignore_ascii_case(name)) else {
            return nothing(format!("{shown} is no team with a right to the repository"));
        };
        self.members(&shown, team, forge)
    }

    fn members(&self, shown: &str, team: &Team, forge: &Snapshot) -> Standing<'a> {
        if team.level < Level::Write {
            return nothing(format!("{shown} has no right to write"));
        }
        match &team.members {
            Known::Known { value, .. } if value.is_empty() => {
                nothing(format!("{shown} has no members"))
            }
            Known::Known { value, .. } => {
                // Somebody may be in a group with less than the group's right.
                let may = |login: &&str| {
                    forge.forge() != Forge::GitLab
                        || account(forge, login).is_none_or(|a| a.level >= Level::Write)
                };
                self.counting(value.iter().map(|(login, _)| login.as_str()).filter(may), false)
            }
            Known::Unknown(why) => Standing {
                force: Force::Counts,
                people: BTreeSet::new(),
                open: Some(why.to_string()),
            },
        }
    }

    /// Accounts that can approve; software is nobody.
    fn counting<'l>(
        &self,
        logins: impl IntoIterator<Item = &'l str>,
        machine: bool,
    ) -> Standing<'a> {
        let mut found = Standing { force: Force::Counts, people: BTreeSet::new(), open: None };
        if machine {
            return found;
        }
        for login in logins {
            if let Some(id) = self.names().by_login(login) {
                found.people.insert(id);
            } else {
                let why = format!("whose account {login} is stands in no people map");
                found.open.get_or_insert(why);
            }
        }
        found
    }
}

fn account<'f>(forge: &'f Snapshot, login: &str) -> Option<&'f Account> {
    forge.accounts().value()?.iter().find(|account| account.login.eq_ignore_ascii_case(login))
}

fn in_a_team(forge: &Snapshot, login: &str) -> bool {
    let teams = forge.teams().value().into_iter().flatten();
    let has = |team: &Team| {
        team.members.value().is_some_and(|m| m.iter().any(|(l, _)| l.eq_ignore_ascii_case(login)))
    };
    teams.filter(|team| team.level >= Level::Write).any(has)
}

fn nothing<'a>(why: String) -> Standing<'a> {
    Standing { force: Force::CountsForNothing(why), people: BTreeSet::new(), open: None }
}

fn unknown<'a>(why: String) -> Standing<'a> {
    Standing { force: Force::Unknown(why), people: BTreeSet::new(), open: None }
}
