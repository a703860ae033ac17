//! Who can: accounts against gates, with every way and its places.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Account, Branch, Forge, Gate, Grant, Grantee, JsonPath, Known, Level, Protected, Snapshot,
    Team, Unknown,
};

/// Who can do something, as far as the snapshot shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhoCan {
    /// Accounts that can, by login.
    pub accounts: Vec<Reach>,
    /// Why the list may not be whole. Empty if it is.
    pub unknown: Vec<Unknown>,
}

/// An account that can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Its login, or the name of an app or deploy key.
    pub login: String,
    /// Whether software owns it.
    pub machine: bool,
    /// Every way by which it can.
    pub ways: Vec<Way>,
}

/// A way by which an account can.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// By which right or exception, as a fragment: `role admin`, `team sre`, `named`.
    pub by: String,
    /// What it passes: `right to write`, `review is required`, `may merge without review`.
    pub passes: String,
    /// Whether review is left out on this way.
    pub skips_review: bool,
    /// Where both stand in the snapshot.
    pub at: Vec<JsonPath>,
}

impl Snapshot {
    /// Who can change the rules themselves: administrators; on GitLab maintainers too.
    pub fn administrators(&self) -> WhoCan {
        let least = if self.forge() == Forge::GitLab { Level::Maintain } else { Level::Admin };
        let mut worker = Worker::new(self);
        let logins: Vec<String> = worker.rights.keys().cloned().collect();
        for login in logins {
            for (by, at) in worker.rights_of(&login, least) {
                worker.found(&login, by, "may change the rules", true, vec![at]);
            }
        }
        worker.done()
    }

    /// Who can push to a branch without a proposal.
    pub fn who_can_push(&self, branch: &Branch) -> WhoCan {
        let gates: Vec<&Gate> = branch.in_force().flat_map(|rule| &rule.push).collect();
        self.through(branch, &gates, "may push directly")
    }

    /// Who can merge a proposal into a branch: with review where it is required, or past it.
    pub fn who_can_merge(&self, branch: &Branch) -> WhoCan {
        let gates: Vec<&Gate> = branch.in_force().flat_map(|rule| &rule.merge).collect();
        let mut who = self.through(branch, &gates, "may merge");
        let mut worker = Worker::new(self);
        for rule in branch.in_force() {
            match &rule.skips_review {
                Known::Known { value, .. } => worker.grants(value, "may merge without review"),
                Known::Unknown(why) => worker.unknown.push(why.clone()),
            }
        }
        let skipping = worker.done();
        who.unknown.extend(skipping.unknown);
        who.unknown.sort();
        who.unknown.dedup();
        for reach in &mut who.accounts {
            let same = skipping.accounts.iter().filter(|other| other.login == reach.login);
            reach.ways.extend(same.flat_map(|other| other.ways.clone()));
        }
        who
    }

    /// Accounts with a right to write that pass every gate.
    fn through(&self, branch: &Branch, gates: &[&Gate], act: &str) -> WhoCan {
        let mut worker = Worker::new(self);
        worker.unknown.extend(branch.unknown.iter().cloned());
        // Where rules may be hidden, nobody is said to be free; only named exceptions count.
        let open = gates.is_empty() && branch.protected() != Protected::Unknown;
        let logins: Vec<String> = worker.rights.keys().cloned().collect();
        for login in logins {
            let rights = worker.rights_of(&login, Level::Write);
            if rights.is_empty() || (gates.is_empty() && !open) {
                continue;
            }
            let passed: Option<Vec<_>> =
                gates.iter().map(|gate| worker.passes(gate, &login)).collect();
            let Some(passed) = passed else { continue };
            if passed.is_empty() {
                for (by, at) in rights {
                    worker.found(&login, by, act, false, vec![at]);
                }
            }
            for (what, by, at) in passed.into_iter().flatten() {
                let skips = act == "may push directly";
                worker.found(&login, by, &format!("{act}: {what}"), skips, at);
            }
        }
        for gate in gates {
            worker.machines(gate, act);
        }
        worker.done()
    }
}

/// A right of an account: the level, by what, and where that stands.
type Right = (Level, String, JsonPath);

/// What a gate was passed by: the gate, by what, and where.
type Passed = (&'static str, String, Vec<JsonPath>);

struct Worker<'s> {
    accounts: &'s [Account],
    teams: &'s [Team],
    rights: BTreeMap<String, Vec<Right>>,
    found: BTreeMap<String, (bool, BTreeSet<Way>)>,
    unknown: Vec<Unknown>,
}

impl<'s> Worker<'s> {
    fn new(snapshot: &'s Snapshot) -> Self {
        let accounts = snapshot.accounts().value().map_or(&[][..], Vec::as_slice);
        let teams = snapshot.teams().value().map_or(&[][..], Vec::as_slice);
        let unknown: Vec<Unknown> = snapshot.accounts().unknown().cloned().into_iter().collect();
        let mut worker =
            Self { accounts, teams, rights: BTreeMap::new(), found: BTreeMap::new(), unknown };
        for account in accounts {
            let right = (account.level, format!("role {}", account.level), account.at.clone());
            worker.rights.entry(account.login.clone()).or_default().push(right);
        }
        for team in teams {
            match &team.members {
                Known::Known { value, .. } => {
                    for (login, at) in value {
                        let right = (team.level, format!("team {}", team.name), at.clone());
                        worker.rights.entry(login.clone()).or_default().push(right);
                    }
                }
                Known::Unknown(why) => worker.unknown.push(why.clone()),
            }
        }
        if let Some(why) = snapshot.teams().unknown().filter(|_| snapshot.forge() == Forge::Gitea) {
            worker.unknown.push(why.clone());
        }
        worker
    }

    fn rights_of(&self, login: &str, least: Level) -> Vec<(String, JsonPath)> {
        let rights = self.rights.get(login).into_iter().flatten();
        rights.filter(|(l, ..)| *l >= least).map(|(_, by, at)| (by.clone(), at.clone())).collect()
    }

    fn found(&mut self, login: &str, by: String, passes: &str, skips: bool, at: Vec<JsonPath>) {
        let machine = self.accounts.iter().any(|a| a.login == login && a.machine);
        let entry = self.found.entry(login.to_owned()).or_insert((machine, BTreeSet::new()));
        entry.1.insert(Way { by, passes: passes.to_owned(), skips_review: skips, at });
    }

    /// How an account passes a gate; `None` if it does not.
    fn passes(&mut self, gate: &Gate, login: &str) -> Option<Vec<Passed>> {
        let grants = match &gate.only {
            Known::Known { value, .. } => value,
            Known::Unknown(why) => {
                self.unknown.push(why.clone());
                return None;
            }
        };
        let ways: Vec<Passed> = grants
            .iter()
            .flat_map(|grant| self.matches(grant, login))
            .map(|(by, at)| (gate.what, by, at))
            .collect();
        if ways.is_empty() { None } else { Some(ways) }
    }

    /// How a grant covers an account.
    fn matches(&mut self, grant: &Grant, login: &str) -> Vec<(String, Vec<JsonPath>)> {
        let both = |at: &JsonPath| vec![grant.at.clone(), at.clone()];
        match &grant.to {
            Grantee::Account(name) if name.eq_ignore_ascii_case(login) => {
                vec![("named".to_owned(), vec![grant.at.clone()])]
            }
            Grantee::AccountId(id) => {
                let own = self.accounts.iter().find(|a| a.id == Some(*id));
                match own {
                    Some(account) if account.login == login => {
                        vec![("named".to_owned(), both(&account.at))]
                    }
                    Some(_) => Vec::new(),
                    None => self.not_resolved(format!("account {id}"), grant),
                }
            }
            Grantee::Team(name) => {
                let team = self.teams.iter().find(|t| t.name.eq_ignore_ascii_case(name));
                self.of_team(team, format!("team {name}"), grant, login)
            }
            Grantee::TeamId(id) => {
                let team = self.teams.iter().find(|t| t.id == Some(*id));
                self.of_team(team, format!("team {id}"), grant, login)
            }
            Grantee::Level(level) => {
                let rights = self.rights_of(login, *level);
                rights.into_iter().map(|(by, at)| (by, both(&at))).collect()
            }
            Grantee::Other(who) => self.not_resolved(who.clone(), grant),
            Grantee::Account(_) | Grantee::Machine(_) => Vec::new(),
        }
    }

    fn of_team(
        &mut self,
        team: Option<&Team>,
        what: String,
        grant: &Grant,
        login: &str,
    ) -> Vec<(String, Vec<JsonPath>)> {
        match team.map(|team| (&team.name, &team.members)) {
            Some((name, Known::Known { value, .. })) => {
                let own = value.iter().filter(|(member, _)| member.eq_ignore_ascii_case(login));
                own.map(|(_, at)| (format!("team {name}"), vec![grant.at.clone(), at.clone()]))
                    .collect()
            }
            Some((_, Known::Unknown(why))) => {
                self.unknown.push(why.clone());
                Vec::new()
            }
            None => self.not_resolved(what, grant),
        }
    }

    fn not_resolved<T>(&mut self, what: String, grant: &Grant) -> Vec<T> {
        self.unknown.push(Unknown::NotResolved { what, at: grant.at.clone() });
        Vec::new()
    }

    /// Accounts that these grants cover, by themselves.
    fn grants(&mut self, grants: &[Grant], passes: &str) {
        let logins: Vec<String> = self.rights.keys().cloned().collect();
        for grant in grants {
            for login in &logins {
                for (by, at) in self.matches(grant, login) {
                    self.found(login, by, passes, true, at);
                }
            }
        }
    }

    /// Apps and deploy keys have no account: they stand for themselves.
    fn machines(&mut self, gate: &Gate, act: &str) {
        for grant in gate.only.value().into_iter().flatten() {
            if let Grantee::Machine(name) = &grant.to {
                let entry = self.found.entry(name.clone()).or_insert((true, BTreeSet::new()));
                let passes = format!("{act}: {}", gate.what);
                let (by, at) = ("named".to_owned(), vec![grant.at.clone()]);
                entry.1.insert(Way { by, passes, skips_review: act == "may push directly", at });
            }
        }
    }

    fn done(mut self) -> WhoCan {
        self.unknown.sort();
        self.unknown.dedup();
        let accounts = self.found.into_iter().map(|(login, (machine, ways))| Reach {
            login,
            machine,
            ways: ways.into_iter().collect(),
        });
        WhoCan { accounts: accounts.collect(), unknown: self.unknown }
    }
}
