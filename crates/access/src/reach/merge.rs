//! Paths through the forge: merge, push, a change of the rules, and what follows in the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::{Gap, Hop, Need, Part, Path, World, listed};
use super::gather::{Gather, Owner};
use super::scope::{Follow, Scope, Target};
use super::world::Joined;
use crate::codeowners::{self, CodeOwners, Ownership};
use crate::forge::{Branch, Known, Level, Reach, Snapshot, WhoCan};
use crate::place::Place;

/// Folders that are named of an Application; the rest is counted.
const FOLDERS_MAX: usize = 4;

/// Applications of a path whose effect is told one by one. Where there are more, the answer's own
/// list says where each stands.
const EFFECTS_MAX: usize = 20;

/// Adds every path through the forge.
pub(super) fn paths(joined: &Joined<'_>, scope: &Scope, gather: &mut Gather<'_>) {
    let Some(forge) = joined.sources.forge else { return };
    note_writers(joined, forge, gather);
    let record = branch_of_record(joined, forge);
    if record.is_none() {
        let why = "neither policy nor snapshot name the branch of record";
        gather.gaps.insert(Gap::new("who can merge and push", why));
    }
    for (branch, targets) in by_branch(scope, record.as_deref()) {
        let branch = forge.branch(&branch);
        let way = Way::of(joined, forge, &branch, scope, &targets);
        way.notes(gather);
        way.add(Part::Merge, &forge.who_can_merge(&branch), gather);
        way.add(Part::Push, &forge.who_can_push(&branch), gather);
        way.add(Part::Rules, &forge.administrators(), gather);
    }
}

fn branch_of_record(joined: &Joined<'_>, forge: &Snapshot) -> Option<String> {
    let by_policy = joined.sources.policy.map(|policy| policy.repository.branch.value.clone());
    by_policy.or_else(|| forge.default_branch().value().cloned())
}

/// An Application as a branch decides over it.
#[derive(Clone, Copy)]
struct Decided<'s> {
    target: &'s Target,
    /// Where it is held at a commit, if all that the branch decides is which.
    pinned: Option<&'s Place>,
}

/// Applications by the branches that decide over them: those that they follow, and, where they are
/// held at a commit, the one that says which.
fn by_branch<'s>(scope: &'s Scope, record: Option<&str>) -> BTreeMap<String, Vec<Decided<'s>>> {
    let mut groups: BTreeMap<String, Vec<Decided<'_>>> = BTreeMap::new();
    for target in scope.targets.iter().filter(|t| !t.files.is_empty()) {
        let mut own: BTreeMap<&str, Option<&Place>> = BTreeMap::new();
        for Follow { revision, pinned } in &target.follows {
            let branch =
                if pinned.is_some() || revision == "HEAD" { record } else { Some(&**revision) };
            let Some(branch) = branch else { continue };
            let held = own.entry(branch).or_insert(pinned.as_ref());
            *held = held.and(pinned.as_ref());
        }
        for (branch, pinned) in own {
            groups.entry(branch.to_owned()).or_default().push(Decided { target, pinned });
        }
    }
    groups
}

/// Who can bring a commit into the repository, on whichever branch.
fn note_writers(joined: &Joined<'_>, forge: &Snapshot, gather: &mut Gather<'_>) {
    let accounts = forge.accounts().value().into_iter().flatten();
    let mut logins: BTreeSet<&str> =
        accounts.filter(|a| a.level >= Level::Write).map(|a| a.login.as_str()).collect();
    let teams = forge.teams().value().into_iter().flatten();
    for team in teams.filter(|team| team.level >= Level::Write) {
        logins.extend(team.members.value().into_iter().flatten().map(|(login, _)| login.as_str()));
    }
    let ids = logins.into_iter().filter_map(|login| joined.person("github_login", login));
    gather.writers.extend(ids.map(str::to_owned));
}

struct Way<'a> {
    joined: &'a Joined<'a>,
    forge: &'a Snapshot,
    branch: &'a Branch,
    scope: &'a Scope,
    targets: &'a [Decided<'a>],
    /// What a change of the branch does at once, and what after a sync.
    effects: Vec<Effects<'a>>,
}

/// What a change of a branch does to Applications, the same for whoever makes it.
struct Effects<'a> {
    needs: Vec<Need>,
    applications: Arc<[String]>,
    hops: Vec<Hop>,
    /// The rules of CODEOWNERS that count for their files, by line.
    rules: BTreeMap<u32, &'a codeowners::Rule>,
}

impl<'a> Way<'a> {
    fn of(
        joined: &'a Joined<'a>,
        forge: &'a Snapshot,
        branch: &'a Branch,
        scope: &'a Scope,
        targets: &'a [Decided<'a>],
    ) -> Self {
        let mut way = Self { joined, forge, branch, scope, targets, effects: Vec::new() };
        let mut by_needs: BTreeMap<Vec<Need>, Vec<Decided<'_>>> = BTreeMap::new();
        for decided in targets {
            let pin = decided.pinned.map(|_| Need::Pin);
            let sync = decided.target.automated.is_none().then_some(Need::Sync);
            let needs = pin.into_iter().chain(sync).collect();
            by_needs.entry(needs).or_default().push(*decided);
        }
        for (needs, targets) in by_needs {
            way.effects.push(way.effects_on(&targets, needs));
        }
        way
    }

    fn effects_on(&self, targets: &[Decided<'_>], needs: Vec<Need>) -> Effects<'a> {
        let mut hops: Vec<Hop> =
            targets.iter().take(EFFECTS_MAX).map(|decided| self.effect(*decided)).collect();
        if let Some(more) = targets.len().checked_sub(EFFECTS_MAX).filter(|more| *more > 0) {
            let branch = &self.branch.name;
            hops.push(Hop::new(format!("{more} more Applications follow {branch} alike"), vec![]));
        }
        let mut rules = BTreeMap::new();
        if let Some(owners) = self.joined.sources.code_owners {
            let files = targets.iter().flat_map(|decided| &decided.target.files);
            for file in files {
                let Ownership::Owned { by, .. } = owners.owners_of(file) else { continue };
                rules.extend(by.iter().map(|part| (part.rule.place.line, part.rule)));
            }
        }
        let applications = targets.iter().map(|d| d.target.name.clone()).collect();
        Effects { needs, applications, hops, rules }
    }

    fn add(&self, part: Part, who: &WhoCan, gather: &mut Gather<'_>) {
        for why in &who.unknown {
            let what = format!("who can {} on {}", part.word(), self.branch.name);
            gather.gaps.insert(Gap::new(what, why.to_string()));
        }
        for reach in &who.accounts {
            let owner = self.owner_of(reach);
            for way in &reach.ways {
                for effects in &self.effects {
                    let mut needs = Vec::new();
                    if !way.skips_review && part == Part::Merge {
                        needs.extend(self.review());
                    }
                    needs.extend(&effects.needs);
                    let mut hops = vec![Hop::new(
                        format!(
                            "{} {} on {} of {} ({})",
                            reach.login,
                            way.passes,
                            self.branch.name,
                            self.forge.repository(),
                            way.by
                        ),
                        way.at.iter().map(|at| snapshot(at)).collect(),
                    )];
                    if part == Part::Merge {
                        hops.extend(self.review_hop(way.skips_review));
                        hops.extend(self.ownership(&reach.login, effects));
                    }
                    hops.extend(effects.hops.iter().cloned());
                    let path = Path {
                        world: World::Forge,
                        part,
                        account: reach.login.clone(),
                        by: way.by.clone(),
                        applications: Arc::clone(&effects.applications),
                        needs,
                        hops,
                    };
                    gather.add(owner.clone(), path);
                }
            }
        }
    }

    fn owner_of(&self, reach: &Reach) -> Owner {
        match self.joined.person("github_login", &reach.login) {
            Some(id) => Owner::Person(id.to_owned()),
            None if reach.machine => Owner::Machine(format!("forge app or bot {}", reach.login)),
            None => Owner::Unmapped(format!("forge account {}", reach.login)),
        }
    }

    /// What a merge with review needs of others.
    fn review(&self) -> Option<Need> {
        let owner = self.branch.code_owners().value().copied().unwrap_or(false);
        match self.branch.approvals() {
            Known::Known { value: 0, .. } => {
                owner.then_some(Need::Approval { count: Some(1), owner })
            }
            Known::Known { value, .. } => Some(Need::Approval { count: Some(value), owner }),
            Known::Unknown(_) => Some(Need::Approval { count: None, owner }),
        }
    }

    fn review_hop(&self, skips: bool) -> Option<Hop> {
        if skips {
            return None;
        }
        let Known::Known { value, at } = self.branch.approvals() else { return None };
        if value == 0 {
            return Some(Hop::new("no approval is required", vec![snapshot(&at)]));
        }
        let owner = self.branch.code_owners().value().copied().unwrap_or(false);
        let need = Need::Approval { count: Some(value), owner };
        Some(Hop::new(format!("that needs {}", need.words()), vec![snapshot(&at)]))
    }

    /// Whether an account's own approval would be an owner's, for some of the files.
    fn ownership(&self, login: &str, effects: &Effects<'_>) -> Option<Hop> {
        let owners = self.joined.sources.code_owners?;
        let teams = self.teams_of(login);
        let is_own = |rule: &codeowners::Rule| {
            rule.owners.iter().any(|owner| self.is(&owner.owner, login, &teams))
        };
        let own: Vec<(u32, &str)> = effects
            .rules
            .iter()
            .filter(|(_, rule)| is_own(rule))
            .map(|(line, rule)| (*line, rule.pattern.as_str()))
            .collect();
        let patterns: Vec<String> = own.iter().map(|(_, p)| (*p).to_owned()).collect();
        let at = own.iter().take(EFFECTS_MAX).map(|(line, _)| Place::line(owners.file(), *line));
        let says = format!("{login} is a code owner of {}", listed(&patterns));
        (!patterns.is_empty()).then(|| Hop::new(says, at.collect()))
    }

    /// The teams that an account is in, in lower case.
    fn teams_of(&self, login: &str) -> BTreeSet<String> {
        let teams = self.forge.teams().value().into_iter().flatten();
        let has = |team: &&crate::forge::Team| {
            let mut members = team.members.value().into_iter().flatten();
            members.any(|(own, _)| own.eq_ignore_ascii_case(login))
        };
        teams.filter(has).map(|team| team.name.to_ascii_lowercase()).collect()
    }

    fn is(&self, owner: &codeowners::Owner, login: &str, teams: &BTreeSet<String>) -> bool {
        use codeowners::Owner as O;
        let member = |name: &str| teams.contains(&name.to_ascii_lowercase());
        match owner {
            O::User(name) => name.eq_ignore_ascii_case(login),
            O::UserOrGroup(name) => name.eq_ignore_ascii_case(login) || member(name),
            O::Team { team, .. } => member(team),
            O::Group(name) => member(name),
            O::Email(address) => {
                let of_login = self.joined.person("github_login", login);
                let by = |field| self.joined.person(field, address);
                of_login.is_some() && (by("email") == of_login || by("git_email") == of_login)
            }
            O::Role(_) => false,
        }
    }

    /// What a change of the branch does to an Application.
    fn effect(&self, Decided { target, pinned }: Decided<'_>) -> Hop {
        let (name, branch) = (&target.name, &self.branch.name);
        let mut at = vec![target.place.clone()];
        if let Some(pin) = pinned {
            let by = if target.parents.is_empty() {
                "whoever applies its manifest".to_owned()
            } else {
                target.parents.join(", ")
            };
            at.push(pin.clone());
            let says =
                format!("{name} is held at a commit that {branch} names; {by} brings a new one");
            return Hop::new(says, at);
        }
        let files = folders(target);
        at.extend(target.automated.clone());
        let then = if target.automated.is_some() {
            "and syncs by itself: a merge is a deployment"
        } else {
            "once somebody syncs it"
        };
        Hop::new(format!("{name} deploys {files} of {branch}, {then}"), at)
    }

    /// What is weak about the branch, whoever asks.
    fn notes(&self, gather: &mut Gather<'_>) {
        let name = &self.branch.name;
        let mut flag = |known: Known<bool>, weak: bool, says: String| {
            if let Known::Known { value, at } = known
                && value == weak
            {
                gather.note(Hop::new(says, vec![snapshot(&at)]));
            }
        };
        flag(
            self.branch.dismisses_stale(),
            false,
            format!("on {name}, an approval stays valid when the content changes after it"),
        );
        flag(
            self.branch.last_push_approval(),
            false,
            format!("on {name}, the last push needs no approval of somebody else"),
        );
        for rule in self.branch.in_force() {
            let says = format!("the rules of {name} do not bind administrators");
            flag(rule.binds_admins.clone(), false, says);
        }
        if self.branch.in_force().next().is_none() && self.branch.unknown.is_empty() {
            gather.note(Hop::new(format!("no rule protects {name}"), vec![snapshot("$")]));
        }
        if let Some(owners) = self.joined.sources.code_owners {
            self.note_unowned(owners, gather);
        }
    }

    fn note_unowned(&self, owners: &CodeOwners, gather: &mut Gather<'_>) {
        let files = self.targets.iter().flat_map(|d| &d.target.files);
        let others = self.scope.paths.iter().filter(|p| !p.contains('*'));
        let unowned: BTreeSet<&String> = files
            .chain(others)
            .filter(|file| !matches!(owners.owners_of(file), Ownership::Owned { .. }))
            .collect();
        if let Some(first) = unowned.first() {
            let says =
                format!("{} deployed files have no code owner, {first} first", unowned.len());
            gather.note(Hop::new(says, vec![Place::file(owners.file())]));
        }
    }
}

/// The folders of an Application's files.
fn folders(target: &Target) -> String {
    let folder = |f: &String| f.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned();
    let all: BTreeSet<String> = target.files.iter().map(folder).collect();
    let shown: Vec<&str> = all.iter().take(FOLDERS_MAX).map(String::as_str).collect();
    match all.len().saturating_sub(FOLDERS_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more folders", shown.join(", ")),
    }
}

fn snapshot(path: &str) -> Place {
    Place::object("forge snapshot", path)
}
