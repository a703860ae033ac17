//! The naive oracle of `who-can`: every account on every Application by every right, by the evaluators
//! alone. It reads neither objects nor files, and shares nothing with what joins them.

use std::collections::BTreeSet;

use access::argocd::{Caller, Project, Rbac, Request as Check, Settings};
use access::forge::{Known, Snapshot, WhoCan};
use access::kubernetes::escalate::Actor;
use access::kubernetes::model::Builder;
use access::kubernetes::{Cluster, Gain, Hop, Identity, Predicate, Request, Scope, Subject};
use access::origin::Origin;
use access::reach::{Need, Part, Question, Verb, World as In};
use serde_json::Value;

use crate::reach_worlds::{ARGO, App, Revision, SPACES, Shape, World};

/// Somebody, by an account, in a system, does a part to an Application; and what that needs.
pub(crate) type Claim = (Owner, String, In, Part, String, Vec<Need>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Person(String),
    Machine(String),
    Unmapped(String),
}

/// To whom a caller of Argo CD belongs, the account, and the subject with its groups.
type CallerOf = (Who, String, Option<Vec<String>>);

#[derive(Clone, Debug)]
enum Who {
    Owner(Owner),
    /// A name of the policy that is nobody's.
    Name(Owner),
    /// Somebody of whom only groups are known.
    Member,
}

/// What the oracle finds: claims, everybody it is about, and people of whom something is not known.
pub(crate) struct Oracle<'w> {
    world: &'w World,
    verb: Verb,
    targets: Vec<&'w App>,
    spaces: BTreeSet<&'w str>,
    rbac: Rbac,
    cluster: Cluster,
    forge: Snapshot,
    pub(crate) claims: BTreeSet<Claim>,
    /// What holds and need not be told: of a name, what holds of everybody; of what somebody gains
    /// on the way, what they have anyway.
    pub(crate) spare: BTreeSet<Claim>,
    pub(crate) owners: BTreeSet<Owner>,
    pub(crate) unsure: BTreeSet<(In, String)>,
    /// What the forge does not tell, in its own words.
    pub(crate) unknown: BTreeSet<String>,
}

impl<'w> Oracle<'w> {
    pub(crate) fn of(world: &'w World, question: &Question) -> Self {
        let is_asked = |app: &&App| match &question.application {
            Some(name) => app.name == name,
            None => app.name.ends_with("-prod"),
        };
        let asked: Vec<&App> = world.apps.iter().filter(is_asked).collect();
        let mut spaces: BTreeSet<&str> = asked.iter().flat_map(|app| spaces_of(app)).collect();
        if question.application.is_none() && world.wide {
            spaces.extend(SPACES.iter().filter(|space| space.starts_with("shop-")));
        }
        let mut targets = asked.clone();
        if asked.iter().any(|app| app.in_git()) {
            targets.extend(world.apps.last());
        }
        let mut oracle = Self {
            world,
            verb: question.verb,
            targets,
            spaces,
            rbac: rbac(world),
            cluster: cluster(world),
            forge: Snapshot::parse(world.forge.to_string().as_bytes()).unwrap(),
            claims: BTreeSet::new(),
            spare: BTreeSet::new(),
            owners: BTreeSet::new(),
            unsure: BTreeSet::new(),
            unknown: BTreeSet::new(),
        };
        oracle.forge();
        oracle.argo();
        oracle.cluster();
        oracle
    }

    fn claim(&mut self, owner: &Owner, account: &str, at: (In, Part), app: &str, needs: &[Need]) {
        self.owners.insert(owner.clone());
        let (world, part) = at;
        let (account, app) = (account.to_owned(), app.to_owned());
        self.claims.insert((owner.clone(), account, world, part, app, needs.to_vec()));
    }

    fn forge(&mut self) {
        if !matches!(self.verb, Verb::Deploy | Verb::Merge) {
            return;
        }
        for app in self.targets.clone() {
            for (name, is_held) in branches_of(app) {
                let branch = self.forge.branch(name);
                let owner = branch.code_owners().value() == Some(&true);
                let count = match branch.approvals() {
                    Known::Known { value: 0, .. } => owner.then_some(Some(1)),
                    Known::Known { value, .. } => Some(Some(value)),
                    Known::Unknown(_) => Some(None),
                };
                let review = count.map(|count| Need::Approval { count, owner });
                let pin = is_held.then_some(Need::Pin);
                let after: Vec<Need> =
                    pin.into_iter().chain((!app.automated).then_some(Need::Sync)).collect();
                let (merge, push) =
                    (self.forge.who_can_merge(&branch), self.forge.who_can_push(&branch));
                self.by_forge(app.name, Part::Merge, &merge, review, &after);
                self.by_forge(app.name, Part::Push, &push, None, &after);
                let admins = self.forge.administrators();
                self.by_forge(app.name, Part::Rules, &admins, None, &after);
            }
        }
    }

    fn by_forge(
        &mut self,
        app: &str,
        part: Part,
        who: &WhoCan,
        review: Option<Need>,
        after: &[Need],
    ) {
        self.unknown.extend(who.unknown.iter().map(ToString::to_string));
        for reach in &who.accounts {
            let login = reach.login.to_lowercase();
            let has = |id: &&str| {
                self.list(id, "github_login").iter().any(|own| own.to_lowercase() == login)
            };
            let owner = match self.ids().into_iter().find(has) {
                Some(id) => Owner::Person(id.to_owned()),
                None if reach.machine => {
                    Owner::Machine(format!("forge app or bot {}", reach.login))
                }
                None => Owner::Unmapped(format!("forge account {}", reach.login)),
            };
            for way in &reach.ways {
                let review = review.filter(|_| !way.skips_review);
                let needs: Vec<Need> = review.iter().chain(after).copied().collect();
                self.claim(&owner, &reach.login, (In::Forge, part), app, &needs);
            }
        }
    }

    fn argo(&mut self) {
        if matches!(self.verb, Verb::Merge | Verb::ReadSecrets) {
            return;
        }
        let callers = self.callers();
        for app in self.targets.clone() {
            let object = if app.namespace == ARGO {
                format!("{}/{}", app.project, app.name)
            } else {
                format!("{}/{}/{}", app.project, app.namespace, app.name)
            };
            let own = self.argo_rights();
            for (owner, account, caller) in &callers {
                let may = |caller: Option<&[String]>, checks: &[(&str, &str)]| {
                    checks.iter().all(|(resource, action)| {
                        let object = if *resource == "projects" { app.project } else { &object };
                        self.allows(caller, &Check { resource, action, object })
                    })
                };
                let held = own.iter().filter(|(checks, but, ..)| {
                    let caller = caller.as_deref();
                    may(caller, checks) && (but.is_empty() || !may(caller, but))
                });
                let by_anybody = |checks: &[_]| may(Some(&[String::new()]), checks);
                let held: Vec<(Part, Option<Need>, bool)> = held
                    .map(|(checks, _, part, need)| (*part, *need, by_anybody(checks)))
                    .collect();
                for (part, need, by_anybody) in held {
                    let needs: Vec<Need> = need.into_iter().collect();
                    let at = (In::ArgoCd, part);
                    match owner {
                        Who::Name(owner) if by_anybody => {
                            let (account, app) = (account.clone(), app.name.to_owned());
                            self.spare.insert((owner.clone(), account, at.0, at.1, app, needs));
                        }
                        Who::Owner(owner) | Who::Name(owner) => {
                            self.claim(owner, account, at, app.name, &needs);
                        }
                        Who::Member if by_anybody => {}
                        Who::Member => {
                            self.unsure.insert((In::ArgoCd, account.clone()));
                        }
                    }
                }
            }
        }
    }

    /// The checks of each right, those that must fail besides, the part, and what it needs.
    #[expect(clippy::type_complexity, reason = "one table")]
    fn argo_rights(
        &self,
    ) -> Vec<(
        Vec<(&'static str, &'static str)>,
        Vec<(&'static str, &'static str)>,
        Part,
        Option<Need>,
    )> {
        let on = |actions: &[&'static str]| -> Vec<(&'static str, &'static str)> {
            actions.iter().map(|action| ("applications", *action)).collect()
        };
        let is_set = |key: &str| self.world.settings.get(key).is_some_and(|value| value == "true");
        let pinned = is_set("application.sync.requireOverridePrivilegeForRevisionSync");
        let own_rollback = is_set("server.rbac.rollback.enforce.enable");
        let mut all = Vec::new();
        if matches!(self.verb, Verb::Deploy | Verb::Sync) {
            let need = if pinned { Need::Merged } else { Need::Commit };
            all.push((on(&["get", "sync"]), vec![], Part::Sync, Some(need)));
            if own_rollback {
                all.push((on(&["rollback"]), vec![], Part::Sync, Some(Need::Earlier)));
            } else {
                // A rollback does not ask for the right to read.
                all.push((on(&["sync"]), on(&["get"]), Part::Sync, Some(Need::Earlier)));
            }
        }
        if matches!(self.verb, Verb::Deploy | Verb::Override) {
            all.push((on(&["get", "sync", "override"]), vec![], Part::Override, None));
            all.push((on(&["update"]), vec![], Part::Override, None));
            all.push((vec![("projects", "update")], vec![], Part::Project, None));
        }
        if self.verb == Verb::Exec {
            let checks = vec![("applications", "get"), ("exec", "create")];
            all.push((checks, vec![], Part::Exec, None));
        }
        all
    }

    fn allows(&self, caller: Option<&[String]>, check: &Check<'_>) -> bool {
        let Some([subject, groups @ ..]) = caller else {
            return self.rbac.decide(Caller::Anonymous, check).allowed;
        };
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        self.rbac.decide(Caller::Subject { subject, groups: &groups }, check).allowed
    }

    /// Whoever could call Argo CD: to whom it belongs, the account, and the subject with its groups.
    fn callers(&self) -> Vec<CallerOf> {
        let mut all = Vec::new();
        let accounts = self.local_accounts();
        let mut known: BTreeSet<String> = accounts.iter().map(|(name, _)| name.clone()).collect();
        for id in self.ids() {
            let names = self.list(id, "argocd_username");
            let names: Vec<String> =
                names.into_iter().filter(|n| !accounts.iter().any(|(own, _)| own == n)).collect();
            let subjects = self.list(id, "oidc_subject");
            let groups = self.groups_in_argo(id);
            let owner = Who::Owner(Owner::Person(id.to_owned()));
            let callers = if subjects.is_empty() { &names } else { &subjects };
            for subject in callers {
                let account =
                    if subjects.is_empty() { subject } else { names.first().unwrap_or(subject) };
                let caller = std::iter::once(subject.clone()).chain(groups.clone()).collect();
                known.extend([subject.clone()]);
                all.push((owner.clone(), account.clone(), Some(caller)));
            }
            if callers.is_empty() && !groups.is_empty() {
                let caller = std::iter::once(String::new()).chain(groups.clone()).collect();
                all.push((Who::Member, id.to_owned(), Some(caller)));
            } else {
                known.extend(groups);
            }
        }
        for (name, usable) in &accounts {
            let account = format!("Argo CD local account {name}");
            let has = |id: &&str| self.list(id, "argocd_username").contains(name);
            let login = name == "admin" || self.settings("accounts.bot").contains("login");
            let owner = match self.ids().into_iter().find(has) {
                Some(id) => Owner::Person(id.to_owned()),
                None if login => Owner::Unmapped(account.clone()),
                None => Owner::Machine(account.clone()),
            };
            if *usable {
                all.push((Who::Owner(owner), account, Some(vec![name.clone()])));
            }
        }
        for project in &self.world.projects {
            let name = project["metadata"]["name"].as_str().unwrap();
            if project["spec"]["roles"][0]["jwtTokens"][0].is_object() {
                let subject = format!("proj:{name}:ci");
                let account = format!("project role {subject}");
                let owner = Owner::Machine(account.clone());
                all.push((Who::Owner(owner), account, Some(vec![subject])));
            }
        }
        all.extend(self.others(&known));
        let words = "anybody who can sign in to Argo CD";
        let anybody = |words: &str| Who::Owner(Owner::Unmapped(words.to_owned()));
        all.push((anybody(words), words.to_owned(), Some(vec![String::new()])));
        if self.settings("users.anonymous.enabled") == "true" {
            let words = "anybody, without signing in";
            all.push((anybody(words), words.to_owned(), None));
        }
        all
    }

    /// Names of the policy that are nobody's.
    fn others(&self, known: &BTreeSet<String>) -> Vec<CallerOf> {
        let mut all = Vec::new();
        let groups = |at: usize| self.world.projects[at]["spec"]["roles"][0]["groups"].clone();
        let in_projects = [groups(0), groups(1)];
        let in_projects = in_projects.iter().flat_map(|g| g.as_array().into_iter().flatten());
        let mut names: BTreeSet<String> =
            in_projects.filter_map(Value::as_str).map(str::to_owned).collect();
        names.extend(["role:admin", "role:readonly"].map(str::to_owned));
        for line in self.world.rules["policy.csv"].lines() {
            let fields: Vec<&str> = line.split(", ").collect();
            names.insert(fields[1].to_owned());
            names.extend((fields[0] == "g").then(|| fields[2].to_owned()));
        }
        for name in names.into_iter().filter(|name| name != "\"\"" && !known.contains(name)) {
            let account = format!("Argo CD subject {name}");
            let owner = Who::Name(Owner::Unmapped(account.clone()));
            all.push((owner, account, Some(vec![name.clone(), name])));
        }
        all
    }

    /// The local accounts, and whether somebody can act as them.
    fn local_accounts(&self) -> Vec<(String, bool)> {
        let mut all = vec![("admin".to_owned(), self.settings("admin.enabled") != "false")];
        let keys = ["accounts.bot", "accounts.bot.enabled"];
        if keys.iter().any(|key| self.world.settings.contains_key(*key)) {
            let enabled = self.settings("accounts.bot.enabled") != "false";
            all.push(("bot".to_owned(), enabled && !self.settings("accounts.bot").is_empty()));
        }
        all
    }

    fn settings(&self, key: &str) -> &str {
        self.world.settings.get(key).map_or("", String::as_str)
    }

    fn groups_in_argo(&self, id: &str) -> Vec<String> {
        let scopes = self.world.rules.get("scopes").map_or("[groups]", String::as_str);
        let mut groups = Vec::new();
        if scopes.contains("groups") {
            groups.extend(self.list(id, "oidc_groups"));
        }
        if scopes.contains("email") {
            groups.extend(self.list(id, "email"));
        }
        groups
    }

    fn cluster(&mut self) {
        if self.verb == Verb::Merge {
            return;
        }
        for predicate in predicates(self.verb) {
            for space in self.spaces_for(*predicate) {
                for request in predicate.requests(space) {
                    let apps = self.apps_in(*predicate, space, &request);
                    self.by_cluster(&request, &apps);
                }
            }
        }
        for id in self.ids() {
            for user in self.list(id, "kubernetes_user") {
                self.escalations(id, &user);
            }
        }
    }

    /// Where a predicate is asked; in none for Applications of which no namespace is known, since a
    /// right everywhere reaches them.
    fn spaces_for(&self, predicate: Predicate) -> Vec<&'w str> {
        let unknown = self.targets.iter().any(|app| spaces_of(app).is_empty());
        match predicate.scope() {
            Scope::Target => self.spaces.iter().copied().chain(unknown.then_some("")).collect(),
            Scope::Argo => vec![ARGO],
            Scope::Cluster => vec![""],
        }
    }

    /// Applications of which nothing says where they run, where bindings were read that might matter.
    pub(crate) fn nowhere(&self) -> Vec<&'w App> {
        let bound = self.world.rights.iter().any(|object| object["subjects"].is_array());
        let asked = bound && self.verb != Verb::Merge;
        let all = self.targets.iter().filter(|app| asked && spaces_of(app).is_empty());
        all.copied().collect()
    }

    /// The Applications that a predicate reaches in a namespace; one without a name for what else
    /// runs there.
    fn apps_in(
        &self,
        predicate: Predicate,
        space: &str,
        request: &Request<'_>,
    ) -> Vec<&'static str> {
        let Request::Resource { verb, resource, .. } = request else { return vec![] };
        let of_cluster = matches!(*resource, "users" | "groups")
            || (*resource == "clusterroles" && *verb == "escalate");
        let all = of_cluster || predicate.scope() != Scope::Target;
        let here = |app: &&&App| {
            let own = spaces_of(app);
            all || own.contains(&space) || (own.is_empty() && space.is_empty())
        };
        let mut names: Vec<&str> = self.targets.iter().filter(here).map(|app| app.name).collect();
        if names.is_empty() {
            names.push("");
        }
        names
    }

    fn by_cluster(&mut self, request: &Request<'_>, apps: &[&str]) {
        let part = part_of(self.verb);
        let people: Vec<(&str, String, Identity)> =
            self.ids().into_iter().flat_map(|id| self.identities(id)).collect();
        let mut mapped = BTreeSet::new();
        for (id, user, identity) in &people {
            mapped.extend([Subject::User(user.clone())]);
            mapped.extend(identity.groups.iter().map(|group| Subject::Group(group.clone())));
            if self.cluster.decide(identity, request).allowed {
                for app in apps {
                    let owner = Owner::Person((*id).to_owned());
                    self.claim(&owner, user, (In::Cluster, part), app, &[]);
                }
            }
        }
        for subject in self.subjects() {
            let decision = self.cluster.decide(&Identity::of(&subject), request);
            if !decision.grants.iter().any(|grant| grant.subject == subject) {
                continue;
            }
            self.unsure_members(&subject);
            let shown = subject.to_string();
            let (owner, account) = match &subject {
                Subject::Group(name) if name == "system:authenticated" => {
                    (Owner::Unmapped("anybody whom the cluster knows".to_owned()), shown)
                }
                one if mapped.contains(one) => continue,
                Subject::ServiceAccount { .. } => (Owner::Machine(shown.clone()), shown),
                Subject::User(name) if name.starts_with("system:") => {
                    (Owner::Machine(shown), name.clone())
                }
                Subject::Group(name) if name.starts_with("system:") => {
                    (Owner::Machine(format!("Kubernetes {shown}")), shown)
                }
                Subject::User(name) => {
                    (Owner::Unmapped(format!("Kubernetes {shown}")), name.clone())
                }
                Subject::Group(_) => (Owner::Unmapped(format!("Kubernetes {shown}")), shown),
            };
            for app in apps {
                self.claim(&owner, &account, (In::Cluster, part), app, &[]);
            }
        }
    }

    /// People who are in a group that may, or may be, and of whom no account or no group is known.
    fn unsure_members(&mut self, subject: &Subject) {
        let Subject::Group(group) = subject else { return };
        for id in self.ids() {
            let groups = self.list(id, "oidc_groups");
            let unknown = self.world.people[id].get("oidc_groups").is_none();
            let accounts = self.list(id, "kubernetes_user");
            let is_theirs = !group.starts_with("system:") && unknown;
            if is_theirs || (groups.contains(group) && accounts.is_empty()) {
                self.unsure.insert((In::Cluster, id.to_owned()));
            }
        }
    }

    /// The Applications that are reached by everything in a namespace, if it counts.
    fn apps_with_everything(&self, space: &str) -> Vec<&'static str> {
        let all = space.is_empty() || space == ARGO;
        if !all && !self.spaces.contains(space) {
            return Vec::new();
        }
        let here = |app: &&&App| all || spaces_of(app).contains(&space);
        let mut names: Vec<&str> = self.targets.iter().filter(here).map(|app| app.name).collect();
        if names.is_empty() {
            names.push("");
        }
        names
    }

    /// What a person gains on the way, as far as they do not have it anyway.
    fn escalations(&mut self, id: &str, user: &str) {
        let groups = self.list(id, "oidc_groups");
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let start = Identity::user(user, &groups);
        let owner = Owner::Person(id.to_owned());
        let mut gained: BTreeSet<&str> = BTreeSet::new();
        for reached in self.cluster.closure(&start, 4).reached {
            if let Gain::Everything(space) = &reached.gain {
                for app in self.apps_with_everything(space) {
                    self.claim(&owner, user, (In::Cluster, Part::Escalation), app, &[]);
                }
                continue;
            }
            let actor = actor_after(&start, &reached.hops);
            for predicate in predicates(self.verb) {
                for space in self.spaces_for(*predicate) {
                    for request in predicate.requests(space) {
                        if self.cluster.may(&actor, &request) {
                            gained.extend(self.apps_in(*predicate, space, &request));
                        }
                    }
                }
            }
        }
        let before = self.claims.clone();
        for app in gained.iter().filter(|app| !app.is_empty()) {
            let has = before.iter().any(|(own, account, world, _, of, _)| {
                *own == owner && account == user && *world == In::Cluster && of == app
            });
            let at = (In::Cluster, Part::Escalation);
            if has {
                let (user, app) = (user.to_owned(), (*app).to_owned());
                self.spare.insert((owner.clone(), user, at.0, at.1, app, vec![]));
            } else {
                self.claim(&owner, user, at, app, &[]);
            }
        }
    }

    /// Whether a person needs nobody else: by one claim, by a sync of a commit of their own, or by a
    /// merge and the sync of the same Application.
    pub(crate) fn alone(&self, id: &str) -> bool {
        let owner = Owner::Person(id.to_owned());
        let own: Vec<&Claim> = self.claims.iter().filter(|claim| claim.0 == owner).collect();
        let free = |claim: &Claim, but: &[Need]| claim.5.iter().all(|need| but.contains(need));
        match self.verb {
            Verb::Merge => own.iter().any(|claim| free(claim, &[Need::Pin, Need::Sync])),
            Verb::Deploy => own.iter().any(|claim| {
                let then = |sync: &Claim, but: &[Need]| sync.3 == Part::Sync && free(sync, but);
                free(claim, &[])
                    || (self.writes(id) && then(claim, &[Need::Commit]))
                    || (free(claim, &[Need::Sync])
                        && own.iter().any(|sync| {
                            sync.4 == claim.4 && then(sync, &[Need::Merged, Need::Commit])
                        }))
            }),
            _ => false,
        }
    }

    /// Whether an account of a person may bring a commit into the repository.
    fn writes(&self, id: &str) -> bool {
        let forge = &self.world.forge;
        let own = self.list(id, "github_login");
        let is_own = |item: &Value| {
            let login = item["login"].as_str().unwrap_or_default();
            own.iter().any(|name| name.eq_ignore_ascii_case(login))
        };
        let levels = ["push", "maintain", "admin"];
        let writer = |item: &Value| levels.iter().any(|level| item["permissions"][level] == true);
        let collaborators = forge["collaborators"].as_array().into_iter().flatten();
        let mut teams = forge["teams"].as_array().into_iter().flatten();
        collaborators.into_iter().any(|item| is_own(item) && writer(item))
            || teams.any(|team| {
                let members = team["members"].as_array().into_iter().flatten();
                team["permission"] != "pull" && members.into_iter().any(is_own)
            })
    }

    fn ids(&self) -> Vec<&'w str> {
        self.world.people.as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn list(&self, id: &str, field: &str) -> Vec<String> {
        match &self.world.people[id][field] {
            Value::String(one) => vec![one.clone()],
            Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    fn identities(&self, id: &'w str) -> Vec<(&'w str, String, Identity)> {
        let groups = self.list(id, "oidc_groups");
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let users = self.list(id, "kubernetes_user").into_iter();
        users.map(|user| (id, user.clone(), Identity::user(&user, &groups))).collect()
    }

    /// Every subject that a binding names.
    fn subjects(&self) -> BTreeSet<Subject> {
        let lists = self.world.rights.iter().filter_map(|object| object["subjects"].as_array());
        lists.flatten().filter_map(|subject| Subject::read(subject, "")).collect()
    }
}

/// Who somebody is after some hops.
fn actor_after(start: &Identity, hops: &[Hop]) -> Actor {
    let mut actor = Actor { identity: start.clone(), roles: BTreeSet::new() };
    for hop in hops {
        match &hop.gain {
            Gain::Acting(user) => {
                actor = Actor { identity: Identity::user(user, &[]), roles: BTreeSet::new() };
            }
            Gain::Role(role, space) => {
                actor.roles.insert((role.clone(), space.clone()));
            }
            Gain::Everything(_) => {}
        }
    }
    actor
}

fn rbac(world: &World) -> Rbac {
    let projects = world.projects.iter().map(|p| Project::read(p, Origin::whole("project")));
    let settings = Settings::read(&world.settings);
    Rbac::new(&world.rules, Origin::whole, settings, projects.collect())
}

fn cluster(world: &World) -> Cluster {
    let mut builder = Builder::default();
    for object in &world.rights {
        builder.add(object, &Origin::whole("right"));
    }
    // Every cluster has it.
    let rules = serde_json::json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]);
    let admin = crate::kubernetes_rules::role("ClusterRole", "", "cluster-admin", &rules);
    builder.add(&admin, &Origin::whole("right"));
    builder.build()
}

/// The branches that decide what an Application deploys, and whether only by naming a commit.
fn branches_of(app: &App) -> BTreeSet<(&'static str, bool)> {
    let first = match app.revision {
        Revision::Head | Revision::Main => ("main", false),
        Revision::Release => ("release", false),
        Revision::Commit => ("main", true),
    };
    let second = (app.shape == Shape::TwoBranches).then_some(("release", false));
    std::iter::once(first).chain(second).collect()
}

/// The namespaces that an Application deploys to.
pub(crate) fn spaces_of(app: &App) -> BTreeSet<&'static str> {
    let named = app.names.filter(|_| app.shape != Shape::Chart);
    app.into.into_iter().chain(named).collect()
}

fn part_of(verb: Verb) -> Part {
    match verb {
        Verb::Exec => Part::Exec,
        Verb::ReadSecrets => Part::ReadSecrets,
        _ => Part::Bypass,
    }
}

/// The predicates of `docs/who-can.md`.
fn predicates(verb: Verb) -> &'static [Predicate] {
    use Predicate as P;
    match verb {
        Verb::Merge => &[],
        Verb::Sync => &[P::WriteApplications],
        Verb::Override => &[P::WriteApplications, P::WriteProjects, P::WriteArgoConfig],
        Verb::Exec => &[P::Exec, P::ProxyNodes],
        Verb::ReadSecrets => &[P::ReadSecrets],
        Verb::Deploy => &[
            P::WriteWorkloads,
            P::WriteConfig,
            P::WriteSecrets,
            P::WriteApplications,
            P::WriteApplicationSets,
            P::WriteProjects,
            P::WriteArgoConfig,
            P::WriteArgoSecrets,
            P::ReadArgoSecrets,
            P::ControlArgo,
            P::BindOrEscalate,
            P::Impersonate,
            P::CreateTokens,
            P::ApproveCertificates,
            P::ProxyNodes,
            P::WriteAdmission,
            P::WriteDefinitions,
            P::WriteVolumes,
        ],
    }
}
