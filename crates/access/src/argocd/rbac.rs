//! Argo CD's decision: the default role, the subject, then each group, and one `allow` is enough.
//!
//! A deny binds only the subject whose own roles reach it. The default role or another group that
//! allows goes around it, which is what [`Rbac::ineffective_denies`] looks for. Read in
//! argoproj/argo-cd at `37ee009`: `util/rbac/rbac.go` (`enforce`, `tryGetCasbinEnforcer`),
//! `server/rbacpolicy/rbacpolicy.go` (`EnforceClaims`, `getProjectFromRequest`) and
//! `server/server.go` (`rbacPolicyLoader`, `Authenticate`).

use std::collections::BTreeMap;

use serde::Serialize;

use super::builtin;
use super::enforce::{Grant, Index, Trial, candidates, enforce, fits, names_below};
use super::policy::{Line, MatchMode, Policy, Problem, Statement};
use super::project::Project;
use super::settings::Settings;
use crate::origin::Origin;

/// Resources whose objects may begin with a project.
const IN_PROJECT: [&str; 6] =
    ["applicationsets", "applications", "repositories", "clusters", "logs", "exec"];

/// One check of Argo CD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Request<'a> {
    /// `applications`, `projects`, `exec` …
    pub resource: &'a str,
    /// `sync`, `update/apps/Deployment/ns/name` …
    pub action: &'a str,
    /// `project/app`, `project/namespace/app`, a project, a cluster …
    pub object: &'a str,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller<'a> {
    /// Somebody who never signed in.
    Anonymous,
    /// A signed-in subject with the values of its group scopes. A local account has its name and no
    /// groups, a project token the subject `proj:PROJECT:ROLE`.
    Subject {
        /// `federated_claims.user_id`, or else `sub`.
        subject: &'a str,
        /// The values of the scopes that the settings name.
        groups: &'a [&'a str],
    },
}

/// As whom the caller was let through, or refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Acting {
    /// By the role that everybody has: `policy.default`.
    DefaultRole(String),
    /// By the caller's own subject.
    Subject(String),
    /// By one of the caller's groups.
    Group(String),
}

/// The answer to one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether Argo CD lets the caller through.
    pub allowed: bool,
    /// As whom, and by which line; one for each grant of the first that allows.
    pub why: Vec<(Acting, Grant)>,
    /// Lines that deny the caller as somebody. They bind only if nothing else allows.
    pub denied_as: Vec<(Acting, Grant)>,
    /// Lines whose expression is not valid, so that enforcement ended with an error.
    pub broken: Vec<(Acting, Grant)>,
    /// Lines whose expression is not weighed here. If the caller is not allowed and this is not
    /// empty, the answer is undetermined and no refusal.
    pub unknown: Vec<(Acting, Grant)>,
}

/// Everybody who may do something, as far as it can be said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Holders {
    /// Who may.
    pub known: Vec<Holder>,
    /// Names that begin with `role:` and may. Argo CD does not keep such a name from being a subject
    /// or a group: whoever an identity provider calls so holds the right.
    pub role_names: Vec<Holder>,
    /// Why there may be other holders, or none at all; empty if the lists are complete.
    pub undetermined: Vec<Undetermined>,
}

/// Why it cannot be said who may.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub enum Undetermined {
    /// The policy does not load. A server that has it refuses every check, and who may once it is
    /// mended, or while an earlier one still holds, is not in it.
    NotLoaded,
    /// The expression of this line is not weighed here.
    Expression(Line),
}

/// Somebody who may do it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Who.
    pub who: Who,
    /// The lines, one for each way.
    pub grants: Vec<Grant>,
}

/// Who holds a right. Policies name subjects and groups alike, and do not say which is which.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Who {
    /// Everybody who can sign in, by the default role.
    AnyoneSignedIn,
    /// Everybody who can reach the server.
    Anyone,
    /// Whoever holds a token of a project role, or is in one of its groups.
    ProjectRole {
        /// The project.
        project: String,
        /// The role.
        role: String,
    },
    /// A subject or a group of this name.
    Name {
        /// The name.
        name: String,
        /// Whether it also counts as a group: Argo CD asks a group only if a `g` line names it.
        as_group: bool,
    },
}

/// A deny that somebody with another right goes around.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IneffectiveDeny {
    /// The line that denies.
    pub deny: Line,
    /// An object that it denies.
    pub object: String,
    /// The resource asked for.
    pub resource: String,
    /// The action asked for.
    pub action: String,
    /// The names that the deny binds: the one it stands under, and whoever has that as a role.
    pub binds: Vec<String>,
    /// Who holds the right all the same; who is both denied and one of these is not stopped.
    pub around: Vec<Holder>,
}

/// The rules of one Argo CD.
#[derive(Debug, Clone)]
pub struct Rbac {
    global: Index,
    layers: BTreeMap<String, (Project, Index)>,
    default_role: Option<String>,
    scopes: Vec<String>,
    mode: MatchMode,
    loads: bool,
    settings: Settings,
    problems: Vec<Problem>,
}

impl Rbac {
    /// Reads the `data` of `argocd-rbac-cm`. `place` gives the place of the first line of a key's
    /// text.
    pub fn new(
        data: &BTreeMap<String, String>,
        place: impl Fn(&str) -> Origin,
        settings: Settings,
        projects: Vec<Project>,
    ) -> Self {
        let regex = data.get("policy.matchMode").is_some_and(|mode| mode == "regex");
        let mode = if regex { MatchMode::Regex } else { MatchMode::Glob };
        let user = user_policy(data, place, mode);
        let default_role = data.get("policy.default").filter(|role| !role.is_empty()).cloned();
        let mut rbac = Self {
            global: Index::new(&[&builtin::policy(), &user], mode),
            layers: BTreeMap::new(),
            default_role,
            scopes: scopes(data.get("scopes").map(String::as_str)),
            mode,
            loads: user.loads(),
            settings,
            problems: user.problems,
        };
        for project in projects {
            rbac.add(project);
        }
        rbac
    }

    fn add(&mut self, project: Project) {
        let policy = project.policy(self.mode);
        let index =
            if policy.loads() { Index::new(&[&policy], self.mode) } else { Index::default() };
        self.problems.extend(policy.problems);
        self.layers.insert(project.name.clone(), (project, index));
    }

    /// What is wrong with the policies, project policies included.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether the policy of `argocd-rbac-cm` loads. If not, a server that starts with it ends
    /// (`rbacPolicyLoader`) and in one that runs every check panics (`getCasbinEnforcer`); decisions
    /// here are then refusals.
    pub fn loads(&self) -> bool {
        self.loads
    }

    /// `policy.default`, if one is set.
    pub fn default_role(&self) -> Option<&str> {
        self.default_role.as_deref()
    }

    /// The claims that are read as groups.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The settings that these rules were read with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The projects, by name.
    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.layers.values().map(|(project, _)| project)
    }

    /// The lines that permit or deny something: of `argocd-rbac-cm` and of the projects, in the order
    /// in which they are weighed, without what Argo CD brings along.
    pub fn permissions(&self) -> impl Iterator<Item = &Line> {
        let layers = self.layers.values().map(|(_, index)| index);
        let all = std::iter::once(&self.global).chain(layers).flat_map(Index::lines);
        all.filter(|line| !builtin::is_builtin(line))
    }

    /// How fields are matched.
    pub fn mode(&self) -> MatchMode {
        self.mode
    }

    /// Decides one check.
    pub fn decide(&self, caller: Caller<'_>, request: &Request<'_>) -> Decision {
        let mut decision = Decision {
            allowed: false,
            why: vec![],
            denied_as: vec![],
            broken: vec![],
            unknown: vec![],
        };
        if !self.loads || (caller == Caller::Anonymous && !self.settings.anonymous) {
            return decision;
        }
        for (acting, layers) in self.attempts(caller, request) {
            let name = match &acting {
                Acting::DefaultRole(name) | Acting::Subject(name) | Acting::Group(name) => name,
            };
            decision.weigh(&acting, enforce(&layers, name, request));
        }
        decision
    }

    /// As whom Argo CD tries a caller, in order, and with which policies.
    fn attempts(&self, caller: Caller<'_>, request: &Request<'_>) -> Vec<(Acting, Vec<&Index>)> {
        let global = vec![&self.global];
        let by_default = self.default_role.clone().map(Acting::DefaultRole);
        let mut attempts: Vec<_> =
            by_default.iter().map(|role| (role.clone(), global.clone())).collect();
        if let Caller::Subject { subject, groups } = caller {
            let project = self.project_of(request);
            let layers = self.layers_of(project);
            let token = project_subject(subject);
            // A project's token is refused everything of any other project, defaults apart.
            let foreign =
                token.is_some() && project.is_some() && token.map(|(name, _)| name) != project;
            if !foreign {
                attempts.extend(by_default.map(|role| (role, layers.clone())));
                attempts.push((Acting::Subject(subject.to_owned()), layers.clone()));
                let asked = token.is_none() || project.is_none();
                for group in groups.iter().filter(|_| asked) {
                    if layers.iter().any(|layer| layer.has_member(group)) {
                        attempts.push((Acting::Group((*group).to_owned()), layers.clone()));
                    }
                }
            }
        }
        attempts.push((Acting::Subject(String::new()), global));
        attempts
    }

    /// The project whose policies join in, if it exists.
    fn project_of<'a>(&self, request: &Request<'a>) -> Option<&'a str> {
        let name = if IN_PROJECT.contains(&request.resource) {
            request.object.split_once('/').map(|(project, _)| project)
        } else {
            (request.resource == "projects").then_some(request.object)
        };
        name.filter(|name| self.layers.contains_key(*name))
    }

    fn layers_of(&self, project: Option<&str>) -> Vec<&Index> {
        let layer = project.and_then(|name| self.layers.get(name)).map(|(_, index)| index);
        std::iter::once(&self.global).chain(layer).collect()
    }

    /// Everybody who may, as far as the policies name them.
    pub fn holders(&self, request: &Request<'_>) -> Holders {
        let mut holders = Holders::default();
        if !self.loads {
            holders.undetermined.push(Undetermined::NotLoaded);
            return holders;
        }
        let project = self.project_of(request);
        let layers = self.layers_of(project);
        if let Some(role) = &self.default_role {
            self.by_default(role, &layers, request, &mut holders);
        }
        for name in candidates(&layers, request) {
            let token = project_subject(&name);
            if token.is_some_and(|(own, _)| project.is_some_and(|project| project != own)) {
                continue;
            }
            let trial = enforce(&layers, &name, request);
            holders.doubt(&trial);
            if !trial.allowed() {
                continue;
            }
            let who = if let Some((project, role)) = token {
                Who::ProjectRole { project: project.to_owned(), role: role.to_owned() }
            } else {
                let as_group = layers.iter().any(|layer| layer.has_member(&name));
                Who::Name { name: name.clone(), as_group }
            };
            let holder = Holder { who, grants: trial.allows };
            let of = if name.starts_with("role:") {
                &mut holders.role_names
            } else {
                &mut holders.known
            };
            of.push(holder);
        }
        holders
    }

    /// The default role is tried with the global policies, and once more with the project's. The
    /// latter reaches only those who signed in.
    fn by_default(
        &self,
        role: &str,
        layers: &[&Index],
        request: &Request<'_>,
        holders: &mut Holders,
    ) {
        let global = enforce(&[&self.global], role, request);
        holders.doubt(&global);
        if global.allowed() {
            let who = if self.settings.anonymous { Who::Anyone } else { Who::AnyoneSignedIn };
            return holders.known.push(Holder { who, grants: global.allows });
        }
        let trial = enforce(layers, role, request);
        holders.doubt(&trial);
        if trial.allowed() {
            holders.known.push(Holder { who: Who::AnyoneSignedIn, grants: trial.allows });
        }
    }

    /// Denies that others go around, tried on the given objects (such as every Application).
    ///
    /// Each deny is tried with its own resource and action where it names one, and else with those
    /// of `actions` that it matches; one object is reported for each.
    pub fn ineffective_denies(
        &self,
        objects: &[String],
        actions: &[(&str, &str)],
    ) -> Vec<IneffectiveDeny> {
        let mut by_project: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for object in objects {
            let project = object.split_once('/').map_or(object.as_str(), |(first, _)| first);
            by_project.entry(project).or_default().push(object);
        }
        let indexes = std::iter::once((None, &self.global))
            .chain(self.layers.iter().map(|(name, (_, index))| (Some(name.as_str()), index)));
        let mut found = Vec::new();
        for (project, index) in indexes {
            for deny in index.denies() {
                let near = near(deny, project, &by_project, objects, self.mode);
                found.extend(self.around(deny, &near, actions));
            }
        }
        found
    }

    fn around(
        &self,
        deny: &Line,
        objects: &[&String],
        actions: &[(&str, &str)],
    ) -> Option<IneffectiveDeny> {
        let Statement::Permission { subject, resource, action, object, .. } =
            deny.statement.as_ref()
        else {
            return None;
        };
        let tried = actions.iter().filter(|(named, what)| {
            fits(resource, named, self.mode) && fits(action, what, self.mode)
        });
        for (resource, action) in tried {
            for on in objects.iter().filter(|on| fits(object, on, self.mode)) {
                let request = Request { resource, action, object: on };
                // A holder is never one whom the deny reaches: its own enforcement would refuse it.
                let around = self.holders(&request).known;
                if !around.is_empty() {
                    let layers = self.layers_of(self.project_of(&request));
                    return Some(IneffectiveDeny {
                        deny: deny.clone(),
                        object: (*on).clone(),
                        resource: (*resource).to_owned(),
                        action: (*action).to_owned(),
                        binds: names_below(&layers, subject),
                        around,
                    });
                }
            }
        }
        None
    }
}

impl Holders {
    fn doubt(&mut self, trial: &Trial) {
        for grant in trial.unknown.iter().filter(|_| trial.undetermined()) {
            let doubt = Undetermined::Expression(grant.permission.clone());
            if !self.undetermined.contains(&doubt) {
                self.undetermined.push(doubt);
            }
        }
    }
}

impl Decision {
    /// Whether nothing allows and an expression that is not weighed might.
    pub fn undetermined(&self) -> bool {
        !self.allowed && !self.unknown.is_empty()
    }

    fn weigh(&mut self, acting: &Acting, trial: Trial) {
        let (allowed, undetermined) = (trial.allowed(), trial.undetermined());
        let as_one = |grants: Vec<Grant>| grants.into_iter().map(|grant| (acting.clone(), grant));
        if allowed && !self.allowed {
            self.allowed = true;
            self.why = as_one(trial.allows).collect();
        }
        for pair in as_one(trial.denies) {
            if !self.denied_as.contains(&pair) {
                self.denied_as.push(pair);
            }
        }
        for pair in as_one(trial.broken) {
            if !self.broken.contains(&pair) {
                self.broken.push(pair);
            }
        }
        for pair in as_one(trial.unknown).filter(|_| undetermined) {
            if !self.unknown.contains(&pair) {
                self.unknown.push(pair);
            }
        }
    }
}

/// The objects that a deny can match: those of its project, if its pattern fixes one.
fn near<'a>(
    deny: &Line,
    project: Option<&str>,
    by_project: &BTreeMap<&str, Vec<&'a String>>,
    objects: &'a [String],
    mode: MatchMode,
) -> Vec<&'a String> {
    let Statement::Permission { object, .. } = deny.statement.as_ref() else { return Vec::new() };
    let (start, _) = super::glob::literal_start(object);
    let fixed = start.split_once('/').map(|(first, _)| first).filter(|_| mode == MatchMode::Glob);
    match fixed.or(project) {
        Some(project) => by_project.get(project).cloned().unwrap_or_default(),
        None => objects.iter().collect(),
    }
}

/// The parts of `proj:PROJECT:ROLE`.
pub(crate) fn project_subject(subject: &str) -> Option<(&str, &str)> {
    let (project, role) = subject.strip_prefix("proj:")?.split_once(':')?;
    (!role.contains(':')).then_some((project, role))
}

fn user_policy(
    data: &BTreeMap<String, String>,
    place: impl Fn(&str) -> Origin,
    mode: MatchMode,
) -> Policy {
    let main = data.get_key_value("policy.csv");
    let overlay = |key: &str| {
        key != "policy.csv"
            && key.strip_suffix(".csv").is_some_and(|rest| rest.starts_with("policy."))
    };
    let overlays = data.iter().filter(|(key, _)| overlay(key));
    let mut policy = Policy::default();
    for (key, text) in main.into_iter().chain(overlays) {
        policy.extend(Policy::parse(text, &place(key), mode));
    }
    policy
}

/// `scopes` is a list in YAML's flow form, `[groups, email]`; unset it is the groups.
fn scopes(text: Option<&str>) -> Vec<String> {
    let bare = |word: &str| word.trim().trim_matches(['"', '\'']).to_owned();
    let text = text.map(str::trim).unwrap_or_default();
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let listed: Vec<String> = match inner {
        Some(inner) => inner.split(',').map(bare).filter(|word| !word.is_empty()).collect(),
        None => text.lines().filter_map(|line| line.trim().strip_prefix("- ").map(bare)).collect(),
    };
    if text.is_empty() { vec!["groups".to_owned()] } else { listed }
}
