//! Paths through the forge: merge, push, a change of the rules, and what follows in the cluster.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Gap, Hop, Need, Part, Path, World};
use super::gather::{Gather, Owner};
use super::scope::{Scope, Target};
use super::world::Joined;
use crate::codeowners::{self, CodeOwners, Ownership};
use crate::forge::{Branch, Known, Level, Reach, Snapshot, WhoCan};
use crate::place::Place;

/// Folders that are named of an Application; the rest is counted.
const FOLDERS_MAX: usize = 4;

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
        let way = Way { joined, forge, branch: &branch, scope, targets: &targets };
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

/// Applications by the branch that decides over them: the one that they follow, or, where they are
/// held at a commit, the one that says which.
fn by_branch<'s>(scope: &'s Scope, record: Option<&str>) -> BTreeMap<String, Vec<&'s Target>> {
    let mut groups: BTreeMap<String, Vec<&Target>> = BTreeMap::new();
    for target in scope.targets.iter().filter(|t| !t.files.is_empty()) {
        let own = if target.pinned.is_some() || target.revision == "HEAD" {
            record
        } else {
            Some(target.revision.as_str())
        };
        if let Some(branch) = own {
            groups.entry(branch.to_owned()).or_default().push(target);
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
    targets: &'a [&'a Target],
}

impl Way<'_> {
    fn add(&self, part: Part, who: &WhoCan, gather: &mut Gather<'_>) {
        for why in &who.unknown {
            let what = format!("who can {} on {}", part.word(), self.branch.name);
            gather.gaps.insert(Gap::new(what, why.to_string()));
        }
        let (at_once, after_sync): (Vec<&Target>, Vec<&Target>) =
            self.targets.iter().partition(|t| t.automated.is_some() && t.pinned.is_none());
        for reach in &who.accounts {
            let owner = self.owner_of(reach);
            for way in &reach.ways {
                for (targets, needs_sync) in [(&at_once, false), (&after_sync, true)] {
                    if targets.is_empty() {
                        continue;
                    }
                    let mut needs = Vec::new();
                    if !way.skips_review && part == Part::Merge {
                        needs.extend(self.review());
                    }
                    needs.extend(needs_sync.then_some(Need::Sync));
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
                        hops.extend(self.ownership(&reach.login, targets));
                    }
                    hops.extend(targets.iter().map(|target| self.effect(target)));
                    let applications = targets.iter().map(|t| t.name.clone()).collect();
                    let path = Path {
                        world: World::Forge,
                        part,
                        account: reach.login.clone(),
                        by: way.by.clone(),
                        applications,
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
    fn ownership(&self, login: &str, targets: &[&Target]) -> Option<Hop> {
        let owners = self.joined.sources.code_owners?;
        let mut rules: BTreeMap<u32, (String, BTreeSet<&str>)> = BTreeMap::new();
        for target in targets {
            for file in &target.files {
                let Ownership::Owned { by, .. } = owners.owners_of(file) else { continue };
                for rule in by.iter().map(|part| part.rule) {
                    let is_own = rule.owners.iter().any(|o| self.is(&o.owner, login));
                    if is_own {
                        let entry = rules.entry(rule.place.line);
                        entry
                            .or_insert_with(|| (rule.pattern.clone(), BTreeSet::new()))
                            .1
                            .insert(file);
                    }
                }
            }
        }
        let (patterns, at): (Vec<_>, Vec<_>) = rules
            .into_iter()
            .map(|(line, (pattern, _))| (pattern, Place::line(owners.file(), line)))
            .unzip();
        let says = format!("{login} is a code owner of {}", patterns.join(", "));
        (!patterns.is_empty()).then(|| Hop::new(says, at))
    }

    fn is(&self, owner: &codeowners::Owner, login: &str) -> bool {
        use codeowners::Owner as O;
        let member = |name: &str| {
            let teams = self.forge.teams().value().into_iter().flatten();
            let team = teams.filter(|t| t.name.eq_ignore_ascii_case(name));
            let mut members = team.flat_map(|t| t.members.value().into_iter().flatten());
            members.any(|(own, _)| own.eq_ignore_ascii_case(login))
        };
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
    fn effect(&self, target: &Target) -> Hop {
        let (name, branch) = (&target.name, &self.branch.name);
        let mut at = vec![target.place.clone()];
        if let Some(pin) = &target.pinned {
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
        let files = self.targets.iter().flat_map(|t| &t.files);
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
