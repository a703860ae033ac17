//! Paths through Argo CD's own rights: people through their groups, tokens, local accounts, anybody.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::answer::{Gap, Hop, Need, Part, Path, Verb, World, listed};
use super::gather::{Gather, Owner};
use super::scope::{Scope, Target};
use super::world::{Argo, Joined};
use crate::argocd::rbac::{Undetermined, Who};
use crate::argocd::right::Check;
use crate::argocd::{Acting, AppName, Caller, Decision, Request, Right, Statement};
use crate::place::Place;

/// Places of Applications that one path names.
const PLACES_MAX: usize = 20;

/// Somebody who may call Argo CD.
struct Candidate {
    owner: Owner,
    account: String,
    /// `None` is a caller who never signed in.
    subject: Option<(String, Vec<String>)>,
    /// What to say first: how the account belongs to whom.
    hops: Vec<Hop>,
}

/// By whose permission, and the lines.
type Told = (String, Vec<Hop>);

/// A right, and what it is to a question.
struct Wanted {
    right: Right,
    /// A right that holds it, and is told instead.
    unless: Option<Right>,
    part: Part,
    needs: Vec<Need>,
    says: &'static str,
}

/// Adds every path through Argo CD.
pub(super) fn paths(joined: &Joined<'_>, scope: &Scope, verb: Verb, gather: &mut Gather<'_>) {
    let Some(argo) = &joined.argo else { return };
    notes(joined, argo, gather);
    if !argo.rbac.loads() {
        let why = "its policy does not load, and a running server refuses every request";
        gather.gaps.insert(Gap::new("rights in Argo CD", why));
    }
    let wanted = wanted(argo, verb);
    let able = Able::of(argo, scope, &wanted, gather);
    let candidates = candidates(joined, argo, &able, gather);
    for candidate in &candidates {
        for (at, wanted) in wanted.iter().enumerate() {
            let near = able.near(at, candidate, scope);
            for ((by, hops), targets) in grants(joined, argo, &near, candidate, wanted) {
                let mut all = candidate.hops.clone();
                all.extend(hops);
                let applications: Arc<[String]> = targets.iter().map(|t| t.name.clone()).collect();
                let says =
                    format!("so {} {}: {}", candidate.account, wanted.says, listed(&applications));
                let at = targets.iter().take(PLACES_MAX).map(|t| t.place.clone());
                all.push(Hop::new(says, at.collect()));
                let path = Path {
                    world: World::ArgoCd,
                    part: wanted.part,
                    account: candidate.account.clone(),
                    by,
                    applications,
                    needs: wanted.needs.clone(),
                    hops: all,
                };
                gather.add(candidate.owner.clone(), path);
            }
        }
    }
}

fn wanted(argo: &Argo, verb: Verb) -> Vec<Wanted> {
    let one = |right, part, needs, says| Wanted { right, unless: None, part, needs, says };
    let settings = argo.rbac.settings();
    let sync = if settings.revision_needs_override {
        one(Right::Sync, Part::Sync, vec![Need::Merged], "can sync")
    } else {
        one(
            Right::SyncRevision,
            Part::Sync,
            vec![Need::Commit],
            "can sync, and to any revision that the repository holds",
        )
    };
    let overrides = || {
        vec![
            one(
                Right::SyncLocal,
                Part::Override,
                vec![],
                "can sync manifests from their own machine",
            ),
            one(
                Right::Update,
                Part::Override,
                vec![],
                "can change source, revision and sync policy of",
            ),
        ]
    };
    let project = || {
        one(
            Right::UpdateProject,
            Part::Project,
            vec![],
            "can change rights and windows of the project of",
        )
    };
    // As long as it is no right of its own, it is one to sync that does not ask for reading.
    let rollback = Wanted {
        unless: (!settings.rollback_is_own_right).then_some(Right::Sync),
        ..one(Right::Rollback, Part::Sync, vec![Need::Earlier], "can roll back")
    };
    match verb {
        Verb::Deploy => {
            let mut all = vec![sync, rollback];
            all.extend(overrides());
            all.push(project());
            all
        }
        Verb::Sync => vec![sync, rollback],
        Verb::Override => {
            let mut all = overrides();
            all.push(project());
            all
        }
        Verb::Exec => {
            vec![one(Right::Exec, Part::Exec, vec![], "can open a terminal in the pods of")]
        }
        Verb::Merge | Verb::ReadSecrets => vec![],
    }
}

/// Who could call: people, local accounts, project roles, names that the policy lets, anybody.
fn candidates(
    joined: &Joined<'_>,
    argo: &Argo,
    able: &Able,
    gather: &mut Gather<'_>,
) -> Vec<Candidate> {
    let mut all: Vec<Candidate> =
        joined.ids().into_iter().flat_map(|id| person(joined, argo, id)).collect();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for candidate in &all {
        let (subject, groups) = candidate.subject.clone().unwrap_or_default();
        known.insert(subject);
        known.extend(groups);
    }
    for (name, account) in &argo.rbac.settings().accounts {
        known.insert(name.clone());
        if account.is_usable() {
            all.push(local(joined, argo, name, account.login, account.key.as_deref()));
        }
    }
    all.extend(roles(joined, argo));
    let mut groups_named = false;
    for (name, as_group) in able.named.clone() {
        groups_named |= as_group;
        if known.insert(name.clone()) {
            let kind = if as_group { "group or subject" } else { "subject" };
            let account = format!("Argo CD {kind} {name}");
            let groups = if as_group { vec![name.clone()] } else { vec![] };
            let owner = Owner::Unmapped(account.clone());
            all.push(Candidate { owner, account, subject: Some((name, groups)), hops: vec![] });
        }
    }
    let unknown = if groups_named { joined.without_groups() } else { BTreeSet::new() };
    for id in unknown {
        let why = "the people map does not say in which groups they are";
        gather.gaps.insert(Gap::new(format!("rights in Argo CD of {id}"), why));
    }
    without_account(joined, argo, able, gather);
    if argo.rbac.settings().anonymous {
        let account = "anybody, without signing in".to_owned();
        let owner = Owner::Unmapped(account.clone());
        all.push(Candidate { owner, account, subject: None, hops: vec![] });
    }
    all.push(Candidate {
        owner: Owner::Unmapped("anybody who can sign in to Argo CD".to_owned()),
        account: "anybody who can sign in to Argo CD".to_owned(),
        subject: Some((String::new(), vec![])),
        hops: vec![],
    });
    all
}

/// A person's callers: one for each subject of theirs at the identity provider. Without any, the names
/// that Argo CD shows stand for it, but for those of local accounts, which have no groups.
fn person(joined: &Joined<'_>, argo: &Argo, id: &str) -> Vec<Candidate> {
    let Some(people) = joined.sources.people else { return Vec::new() };
    let groups = groups_of(joined, argo, id);
    let is_local = |name: &&str| argo.rbac.settings().accounts.contains_key(*name);
    let shown: Vec<&str> =
        people.accounts_in(id, "argocd_username").filter(|name| !is_local(name)).collect();
    let subjects: Vec<&str> = people.accounts_in(id, "oidc_subject").collect();
    let pairs: Vec<(&str, &str)> = if subjects.is_empty() {
        shown.iter().map(|name| (*name, *name)).collect()
    } else {
        subjects.iter().map(|own| (*own, *shown.first().unwrap_or(own))).collect()
    };
    let caller = |(subject, account): (&str, &str)| Candidate {
        owner: Owner::Person(id.to_owned()),
        account: account.to_owned(),
        subject: Some((subject.to_owned(), groups.clone())),
        hops: vec![],
    };
    pairs.into_iter().map(caller).collect()
}

/// What the people map gives for the claims that Argo CD reads as groups.
fn groups_of(joined: &Joined<'_>, argo: &Argo, id: &str) -> Vec<String> {
    let Some(people) = joined.sources.people else { return Vec::new() };
    let mut groups = Vec::new();
    for scope in argo.rbac.scopes() {
        match scope.as_str() {
            "groups" => groups.extend(people.groups(id).into_iter().flatten().cloned()),
            "email" => groups.extend(people.accounts_in(id, "email").map(str::to_owned)),
            _ => {}
        }
    }
    groups
}

/// People in a group that may, of whom the map knows no account that could call.
fn without_account(joined: &Joined<'_>, argo: &Argo, able: &Able, gather: &mut Gather<'_>) {
    for id in joined.ids() {
        if !person(joined, argo, id).is_empty() {
            continue;
        }
        let groups = groups_of(joined, argo, id);
        if let Some(group) = groups.iter().find(|group| able.named.get(*group) == Some(&true)) {
            let why = format!("the people map puts them in {group} and knows no account of theirs");
            gather.gaps.insert(Gap::new(format!("rights in Argo CD of {id}"), why));
        }
    }
}

fn local(
    joined: &Joined<'_>,
    argo: &Argo,
    name: &str,
    login: bool,
    key: Option<&str>,
) -> Candidate {
    let account = format!("Argo CD local account {name}");
    let owner = match joined.person("argocd_username", name) {
        Some(id) => Owner::Person(id.to_owned()),
        None if login => Owner::Unmapped(account.clone()),
        None => Owner::Machine(account.clone()),
    };
    let place = match (&argo.settings, key) {
        (Some(map), Some(key)) => {
            map.data(key).map_or_else(|| map.place.clone(), |n| n.place.clone())
        }
        (Some(map), None) => map.place.clone(),
        (None, _) => Place::object("Argo CD's defaults", ""),
    };
    let says = if login {
        format!("{name} signs in with a password that no person of the map owns")
    } else {
        format!("{name} acts by API keys, without a person")
    };
    let subject = Some((name.to_owned(), vec![]));
    Candidate { owner, account, subject, hops: vec![Hop::new(says, vec![place])] }
}

fn roles(joined: &Joined<'_>, argo: &Argo) -> Vec<Candidate> {
    let mut all = Vec::new();
    for project in argo.rbac.projects() {
        // The cluster knows every token; a file does not know those that were made later.
        let is_live = matches!(joined.places.place(&project.origin), Place::Object(_));
        let roles = project.roles.iter().enumerate();
        for (at, role) in roles.filter(|(_, role)| !is_live || !role.tokens.is_empty()) {
            let subject = format!("proj:{}:{}", project.name, role.name);
            let account = format!("project role {subject}");
            let place = joined.places.part(&project.origin, &format!("spec.roles[{at}]"));
            let says = format!("a token of the role {subject} acts without a person");
            all.push(Candidate {
                owner: Owner::Machine(account.clone()),
                account,
                subject: Some((subject, vec![])),
                hops: vec![Hop::new(says, vec![place])],
            });
        }
    }
    all
}

/// Whom the policies let do what is asked about, so that not everybody has to be tried on everything.
struct Able {
    /// Names, and whether they may be groups.
    named: BTreeMap<String, bool>,
    /// For each right, the targets by the names that the last check lets through.
    by_name: Vec<HashMap<String, BTreeSet<usize>>>,
    /// For each right, the targets on which everybody has to be tried.
    everybody: Vec<BTreeSet<usize>>,
}

impl Able {
    fn of(argo: &Argo, scope: &Scope, wanted: &[Wanted], gather: &mut Gather<'_>) -> Self {
        let mut able = Self { named: BTreeMap::new(), by_name: Vec::new(), everybody: Vec::new() };
        for wanted in wanted {
            let (mut by_name, mut everybody) = (HashMap::new(), BTreeSet::new());
            for (at, target) in scope.targets.iter().enumerate() {
                for way in wanted.right.ways(&target.rights, argo.rbac.settings()) {
                    let mut checks = way.iter().rev();
                    let Some(last) = checks.next() else { continue };
                    let (names, mut is_open) = able.ask(argo, last, gather);
                    for name in names {
                        let own: &mut BTreeSet<usize> = by_name.entry(name).or_default();
                        own.insert(at);
                    }
                    if is_open {
                        everybody.insert(at);
                    }
                    // What is open to everybody makes no difference; what comes before it does.
                    while is_open && let Some(check) = checks.next() {
                        is_open = able.ask(argo, check, gather).1;
                    }
                }
            }
            able.by_name.push(by_name);
            able.everybody.push(everybody);
        }
        able
    }

    /// Whom a check lets through by name, and whether others have to be tried on it.
    fn ask(&mut self, argo: &Argo, check: &Check, gather: &mut Gather<'_>) -> (Vec<String>, bool) {
        let holders = argo.rbac.holders(&request(check));
        let (mut names, mut is_open) = (Vec::new(), !holders.undetermined.is_empty());
        gather.gaps.extend(holders.undetermined.into_iter().map(gap));
        for holder in holders.known.into_iter().chain(holders.role_names) {
            match holder.who {
                // Everybody is also asked as the empty name.
                Who::Name { name, .. } if name.is_empty() => is_open = true,
                Who::Name { name, as_group } => {
                    // Some project may know it as a group that another does not.
                    *self.named.entry(name.clone()).or_default() |= as_group;
                    names.push(name);
                }
                Who::ProjectRole { project, role } => names.push(format!("proj:{project}:{role}")),
                Who::Anyone | Who::AnyoneSignedIn => is_open = true,
            }
        }
        (names, is_open)
    }

    /// The targets on which a candidate has to be tried for a right.
    fn near<'s>(&self, right: usize, candidate: &Candidate, scope: &'s Scope) -> Vec<&'s Target> {
        let mut near = self.everybody[right].clone();
        if let Some((subject, groups)) = &candidate.subject {
            for name in std::iter::once(subject).chain(groups) {
                near.extend(self.by_name[right].get(name).into_iter().flatten());
            }
        }
        near.into_iter().map(|at| &scope.targets[at]).collect()
    }
}

/// Why the list of holders may not be whole.
fn gap(reason: Undetermined) -> Gap {
    let why = match reason {
        Undetermined::NotLoaded => "the policy does not load".to_owned(),
        Undetermined::Expression(line) => {
            format!(
                "the expression of line {} of {} is not weighed",
                line.origin.line, line.origin.source
            )
        }
    };
    Gap::new("who holds rights in Argo CD", why)
}

fn request(check: &Check) -> Request<'_> {
    Request { resource: check.resource, action: &check.action, object: &check.object }
}

/// The ways by which a candidate has a right: the lines, and the Applications that each reaches.
fn grants<'s>(
    joined: &Joined<'_>,
    argo: &Argo,
    near: &[&'s Target],
    candidate: &Candidate,
    wanted: &Wanted,
) -> Vec<(Told, Vec<&'s Target>)> {
    let mut found: Vec<(Told, Vec<&Target>)> = Vec::new();
    for target in near.iter().copied() {
        let told = wanted.unless.as_ref();
        if told.is_some_and(|right| !held(argo, candidate, right, target).is_empty()) {
            continue;
        }
        for last in held(argo, candidate, &wanted.right, target) {
            for hops in ways_told(joined, argo, candidate, &last) {
                match found.iter_mut().find(|(known, _)| *known == hops) {
                    Some((_, targets)) => targets.push(target),
                    None => found.push((hops, vec![target])),
                }
            }
        }
    }
    found
}

/// The last decision of each way by which a candidate has a right.
fn held(argo: &Argo, candidate: &Candidate, right: &Right, target: &Target) -> Vec<Decision> {
    let ways = right.ways(&target.rights, argo.rbac.settings()).into_iter();
    let decided = ways.map(|way| {
        let all = way.iter().map(|check| decide(argo, candidate, check));
        all.collect::<Vec<_>>()
    });
    decided.filter(|all| all.iter().all(|d| d.allowed)).filter_map(|mut all| all.pop()).collect()
}

fn decide(argo: &Argo, candidate: &Candidate, check: &Check) -> Decision {
    let Some((subject, groups)) = &candidate.subject else {
        return argo.rbac.decide(Caller::Anonymous, &request(check));
    };
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    argo.rbac.decide(Caller::Subject { subject, groups: &groups }, &request(check))
}

/// Each grant of a decision as hops, with the denies that did not stop it.
fn ways_told(
    joined: &Joined<'_>,
    argo: &Argo,
    candidate: &Candidate,
    decision: &Decision,
) -> Vec<Told> {
    let line = |line: &crate::argocd::Line| {
        (format!("Argo CD's policy says: {}", line.text), vec![joined.places.place(&line.origin)])
    };
    let one = |(acting, grant): &(Acting, crate::argocd::Grant)| {
        let mut hops: Vec<Hop> = acting_as(argo, candidate, acting).into_iter().collect();
        for (says, at) in grant.memberships.iter().chain([&grant.permission]).map(line) {
            hops.push(Hop::new(says, at));
        }
        for (_, denied) in &decision.denied_as {
            let says = format!(
                "the deny does not stop it, since a deny binds only within one subject: {}",
                denied.permission.text
            );
            hops.push(Hop::new(says, vec![joined.places.place(&denied.permission.origin)]));
        }
        let by = match grant.permission.statement.as_ref() {
            Statement::Permission { subject, .. } => subject.clone(),
            Statement::Membership { role, .. } => role.clone(),
        };
        (by, hops)
    };
    decision.why.iter().map(one).collect()
}

/// As whom a candidate is let through.
fn acting_as(argo: &Argo, candidate: &Candidate, acting: &Acting) -> Option<Hop> {
    match acting {
        Acting::DefaultRole(role) => {
            let at = argo.rules.data("policy.default").map(|n| n.place.clone());
            Some(Hop::new(format!("everybody has the role {role}"), at.into_iter().collect()))
        }
        Acting::Subject(name) if name.is_empty() => {
            Some(Hop::new("everybody is also asked as the empty name", vec![]))
        }
        Acting::Subject(_) => None,
        Acting::Group(group) => {
            let says =
                format!("the identity provider gives {} the group {group}", candidate.account);
            let at = match &candidate.owner {
                Owner::Person(id) => {
                    vec![Place::object("people map", &format!("{id}.oidc_groups"))]
                }
                Owner::Machine(_) | Owner::Unmapped(_) => vec![],
            };
            Some(Hop::new(says, at))
        }
    }
}

/// What holds for everybody.
fn notes(joined: &Joined<'_>, argo: &Argo, gather: &mut Gather<'_>) {
    if let Some(role) = argo.rbac.default_role() {
        let at = argo.rules.data("policy.default").map(|n| n.place.clone());
        let says = format!("everybody who signs in to Argo CD has {role} (policy.default)");
        gather.note(Hop::new(says, at.into_iter().collect()));
    }
    if !argo.rbac.settings().revision_needs_override {
        let at = argo.settings.as_ref().map(|map| map.place.clone());
        let says = "a right to sync is a right to sync any revision: \
                    requireOverridePrivilegeForRevisionSync is off";
        gather.note(Hop::new(says, at.into_iter().collect()));
    }
    for problem in argo.rbac.problems() {
        let why = problem.fault.to_string();
        let at = Some(joined.places.place(&problem.origin));
        gather.gaps.insert(Gap { what: "a line of Argo CD's policy".to_owned(), why, at });
    }
}

/// By which lines a person may sync an Application of a project, as hops with their places; `None` if
/// no line that is known lets them.
pub fn may_sync(
    joined: &Joined<'_>,
    id: &str,
    project: &str,
    application: &str,
) -> Option<Vec<Hop>> {
    let argo = joined.argo.as_ref()?;
    let name = AppName::new(project, "", application, "");
    let settings = argo.rbac.settings();
    person(joined, argo, id).into_iter().find_map(|candidate| {
        Right::Sync.ways(&name, settings).into_iter().find_map(|way| {
            let decisions: Vec<Decision> =
                way.iter().map(|check| decide(argo, &candidate, check)).collect();
            let is_allowed = decisions.iter().all(|decision| decision.allowed);
            let last = decisions.last().filter(|_| is_allowed)?;
            ways_told(joined, argo, &candidate, last).into_iter().next().map(|(_, hops)| hops)
        })
    })
}
