//! `AppProject`: what its Applications may deploy from where to where, its roles and its windows.
//!
//! Read in argoproj/argo-cd at `37ee009`: `pkg/apis/application/v1alpha1/app_project_types.go`
//! (`ProjectPoliciesString`, `IsSourcePermitted`, `isDestinationMatched`,
//! `IsGroupKindNamePermitted`) and `types.go` beside it (`isNamedResourceInList`).

use serde::Serialize;
use serde_json::Value;

use super::glob::Glob;
use super::policy::{Fault, MatchMode, Policy, Statement};
use super::window::Window;
use crate::origin::Origin;

/// An `AppProject`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Where it was read.
    pub origin: Origin,
    /// `sourceRepos`: globs in which `*` stops at a slash, `!` denies.
    pub source_repos: Vec<String>,
    /// `destinations`.
    pub destinations: Vec<Destination>,
    /// `clusterResourceWhitelist`: none means none.
    pub cluster_allowed: Vec<Kind>,
    /// `clusterResourceBlacklist`.
    pub cluster_denied: Vec<Kind>,
    /// `namespaceResourceWhitelist`: absent means all.
    pub namespaced_allowed: Option<Vec<Kind>>,
    /// `namespaceResourceBlacklist`.
    pub namespaced_denied: Vec<Kind>,
    /// `sourceNamespaces`: where Applications of the project may live beside Argo CD's namespace.
    pub source_namespaces: Vec<String>,
    /// `roles`.
    pub roles: Vec<Role>,
    /// `syncWindows`.
    pub windows: Vec<Window>,
    /// Whether commits must be signed, and how that is asked for.
    pub signatures: Signatures,
    /// `permitOnlyProjectScopedClusters`.
    pub own_clusters_only: bool,
}

/// Where a project lets Applications go. A `!` in front denies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// Glob for the address of the cluster.
    pub server: String,
    /// Glob for the name of the cluster.
    pub name: String,
    /// Glob for the namespace.
    pub namespace: String,
}

/// A kind of resource in a list of a project. Its patterns are those of Go's `filepath.Match`, which
/// knows no braces and takes `[^a]` for what other globs write `[!a]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// Pattern for the API group.
    pub group: String,
    /// Pattern for the kind.
    pub kind: String,
    /// Pattern for the name, where the list has one.
    pub name: String,
}

/// A role of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Its policy lines, as they stand.
    pub policies: Vec<String>,
    /// Groups that have the role.
    pub groups: Vec<String>,
    /// Tokens that were made for it; each acts without a person.
    pub tokens: Vec<Token>,
}

/// A token of a project role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Token {
    /// When it was made, in seconds since 1970.
    pub issued_at: i64,
    /// When it ends, in seconds since 1970; never if absent.
    pub expires_at: Option<i64>,
    /// Its id, if it has one.
    pub id: Option<String>,
}

/// Whether a project asks for signed commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Signatures {
    /// It does not.
    NotAsked,
    /// By `signatureKeys`: this many keys.
    Keys(usize),
    /// By `sourceIntegrity`: this many policies for repositories of git; others are not verified.
    Policies(usize),
}

impl Project {
    /// Reads an `AppProject`. What is absent or of another type is taken as not set.
    pub fn read(object: &Value, origin: Origin) -> Self {
        let spec = &object["spec"];
        let name = text(&object["metadata"]["name"]);
        let tokens = &object["status"]["jwtTokensByRole"];
        Self {
            source_repos: texts(&spec["sourceRepos"]),
            destinations: list(&spec["destinations"]).map(destination).collect(),
            cluster_allowed: list(&spec["clusterResourceWhitelist"]).map(kind).collect(),
            cluster_denied: list(&spec["clusterResourceBlacklist"]).map(kind).collect(),
            namespaced_allowed: spec["namespaceResourceWhitelist"]
                .as_array()
                .map(|kinds| kinds.iter().map(kind).collect()),
            namespaced_denied: list(&spec["namespaceResourceBlacklist"]).map(kind).collect(),
            source_namespaces: texts(&spec["sourceNamespaces"]),
            roles: list(&spec["roles"]).map(|value| role(value, tokens)).collect(),
            windows: list(&spec["syncWindows"]).map(|value| Window::read(value, &origin)).collect(),
            signatures: signatures(spec),
            own_clusters_only: spec["permitOnlyProjectScopedClusters"] == Value::Bool(true),
            name,
            origin,
        }
    }

    /// The policies of its roles as Argo CD puts them together. Lines are cited by their place in
    /// the object, such as `roles[0].policies[1]`.
    pub fn policy(&self, mode: MatchMode) -> Policy {
        let mut policy = Policy::default();
        for (at, role) in self.roles.iter().enumerate() {
            let subject = format!("proj:{}:{}", self.name, role.name);
            let own = format!("p, {subject}, projects, get, {}, allow", self.name);
            policy.read(&own, &self.part(&format!("roles[{at}]")), mode);
            for (number, lines) in role.policies.iter().enumerate() {
                let origin = self.part(&format!("roles[{at}].policies[{number}]"));
                for line in lines.split('\n') {
                    policy.read(line.trim(), &origin, mode);
                }
            }
            for (number, group) in role.groups.iter().enumerate() {
                let origin = self.part(&format!("roles[{at}].groups[{number}]"));
                policy.read(&format!("g, {group}, {subject}"), &origin, mode);
            }
        }
        self.examine(&mut policy);
        policy
    }

    fn part(&self, path: &str) -> Origin {
        let source = format!("{} spec.{path}", self.origin.source);
        Origin::new(&source, self.origin.line)
    }

    /// Argo CD's own validation asks that each line names a role of the project; an object written
    /// past it binds all the same.
    fn examine(&self, policy: &mut Policy) {
        let own = |name: &String| {
            self.roles.iter().any(|role| *name == format!("proj:{}:{}", self.name, role.name))
        };
        let foreign: Vec<_> = policy
            .lines
            .iter()
            .filter_map(|line| match line.statement.as_ref() {
                Statement::Permission { subject: name, .. }
                | Statement::Membership { role: name, .. } => {
                    (!own(name)).then(|| (line.origin.clone(), Fault::Foreign(name.clone())))
                }
            })
            .collect();
        for (origin, fault) in foreign {
            policy.report(&origin, fault);
        }
    }

    /// Whether an Application may deploy from this repository. A list of denials alone permits
    /// everything that it does not name. None is undetermined: an address or a pattern has a
    /// character that Argo CD rewrites before it compares, braces among them.
    pub fn permits_source(&self, repository: &str) -> Option<bool> {
        let repository = normal_url(repository)?;
        let (mut any, mut unsure, mut unsure_denial) = (false, false, false);
        for pattern in &self.source_repos {
            let (deny, pattern) = negation(pattern);
            let Some(pattern) = normal_url(pattern) else {
                unsure |= !deny;
                unsure_denial |= deny;
                continue;
            };
            if deny {
                // Here a lone star stops at a slash, as it does not where it permits.
                if Glob::with_separators(&pattern, &['/'])
                    .is_ok_and(|glob| glob.matches(&repository))
                {
                    return Some(false);
                }
                any = true;
            } else {
                any |= glob_fits(&pattern, &repository, &['/']);
            }
        }
        if unsure_denial || (unsure && !any) { None } else { Some(any) }
    }

    /// Whether an Application may deploy to this cluster and namespace. Both the address and the
    /// name of the cluster count, where they are known. Project-scoped clusters are not weighed.
    pub fn permits_destination(&self, server: &str, name: &str, namespace: &str) -> bool {
        let mut any = false;
        for item in &self.destinations {
            let by_name = !name.is_empty() && signed_fits(&item.name, name);
            let by_server = !server.is_empty() && signed_fits(&item.server, server);
            let by_namespace = signed_fits(&item.namespace, namespace);
            if (by_server || by_name) && by_namespace {
                any = true;
                continue;
            }
            let name_denies = !by_name && negation(&item.name).0;
            let server_denies = !by_server && negation(&item.server).0 && by_namespace;
            let namespace_denies = !by_namespace && negation(&item.namespace).0 && by_server;
            if name_denies || server_denies || namespace_denies {
                return false;
            }
        }
        any
    }

    /// Whether Applications of the project may manage a resource of this kind.
    pub fn permits_kind(&self, group: &str, kind: &str, name: &str, namespaced: bool) -> bool {
        let listed = |kinds: &[Kind], by_name: bool| {
            kinds.iter().any(|item| {
                path_fits(&item.group, group)
                    && path_fits(&item.kind, kind)
                    && (!by_name || item.name.is_empty() || path_fits(&item.name, name))
            })
        };
        if namespaced {
            let allowed = self.namespaced_allowed.as_ref().is_none_or(|kinds| listed(kinds, false));
            return allowed && !listed(&self.namespaced_denied, false);
        }
        listed(&self.cluster_allowed, true) && !listed(&self.cluster_denied, true)
    }
}

fn role(value: &Value, tokens: &Value) -> Role {
    let name = text(&value["name"]);
    let of_status = &tokens[name.as_str()]["items"];
    let mut all: Vec<Token> = list(&value["jwtTokens"]).chain(list(of_status)).map(token).collect();
    all.sort();
    all.dedup();
    Role { policies: texts(&value["policies"]), groups: texts(&value["groups"]), tokens: all, name }
}

fn token(value: &Value) -> Token {
    Token {
        issued_at: value["iat"].as_i64().unwrap_or_default(),
        expires_at: value["exp"].as_i64().filter(|at| *at != 0),
        id: value["id"].as_str().map(str::to_owned),
    }
}

fn destination(value: &Value) -> Destination {
    Destination {
        server: text(&value["server"]),
        name: text(&value["name"]),
        namespace: text(&value["namespace"]),
    }
}

fn kind(value: &Value) -> Kind {
    Kind { group: text(&value["group"]), kind: text(&value["kind"]), name: text(&value["name"]) }
}

fn signatures(spec: &Value) -> Signatures {
    let policies = list(&spec["sourceIntegrity"]["git"]["policies"]).count();
    let keys = list(&spec["signatureKeys"]).count();
    match (policies, keys) {
        (0, 0) => Signatures::NotAsked,
        (0, keys) => Signatures::Keys(keys),
        (policies, _) => Signatures::Policies(policies),
    }
}

/// A repository's address in the form in which Argo CD compares it: lower case, no `.git`, and the
/// short form of ssh written as a path (`NormalizeGitURL` in `util/git/git.go` of argoproj/argo-cd at
/// `37ee009`). None if Go's `net/url`, through which it goes, may write it otherwise or refuse it
/// (golang/go, `src/net/url/url.go`, a stored copy at `011829989365`, of which the part that writes
/// addresses was not read): all but plain addresses are left to it.
fn normal_url(url: &str) -> Option<String> {
    let mut url = url.trim().to_lowercase();
    // `^(ssh://)?([^/:]*?)@[^@]+$`
    let long_ssh = url.starts_with("ssh://");
    let ssh = url.strip_prefix("ssh://").unwrap_or(&url);
    let is_ssh = ssh.split_once('@').is_some_and(|(user, host)| {
        !user.contains(['/', ':']) && !host.is_empty() && !host.contains('@')
    });
    if is_ssh && !long_ssh {
        url = url.replacen(':', "/", 1);
    }
    let url = url.strip_suffix(".git").unwrap_or(&url);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/@*![]?:".contains(c);
    let scheme = url.split_once("://");
    let rest = scheme.map_or(url, |(_, rest)| rest);
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    // A colon further on may be read as a scheme or a port.
    let ports = port.bytes().all(|byte| byte.is_ascii_digit())
        && host.matches(':').count() <= usize::from(scheme.is_some() || is_ssh);
    let known = scheme.is_none_or(|(scheme, _)| scheme.bytes().all(|b| b.is_ascii_alphanumeric()));
    let brackets = host.contains(['[', ']', '?', '!']);
    let odd = url.chars().any(|c| !plain(c)) || !ports || !known || brackets;
    (!odd || url == "*").then(|| url.strip_prefix("ssh://").unwrap_or(url).to_owned())
}

/// Whether a pattern denies, and the rest of it.
fn negation(pattern: &str) -> (bool, &str) {
    pattern.strip_prefix('!').map_or((false, pattern), |rest| (true, rest))
}

fn signed_fits(pattern: &str, text: &str) -> bool {
    let (deny, pattern) = negation(pattern);
    if deny {
        return !Glob::new(pattern).is_ok_and(|glob| glob.matches(text));
    }
    glob_fits(pattern, text, &[])
}

/// Whether a pattern of Go's `filepath.Match` fits a text: `*`, `?`, `[a-z]`, `[^a]` and `\`, of
/// which the first two stop at a slash (golang/go, `src/path/filepath/match.go`, a stored copy at
/// `03f27d5f581b`). A pattern that is not well formed fits nothing.
fn path_fits(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut steps = Vec::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        steps.push(match c {
            '*' => PathStep::Any,
            '?' => PathStep::One,
            '[' => match path_class(&mut rest) {
                Some(class) => class,
                None => return false,
            },
            '\\' => match rest.next() {
                Some(c) => PathStep::Char(c),
                None => return false,
            },
            c => PathStep::Char(c),
        });
    }
    // Which ends of the text so far can be reached; each step moves them all.
    let mut ends = vec![false; text.len() + 1];
    ends[0] = true;
    for step in &steps {
        ends = step.moved(&ends, &text);
    }
    ends[text.len()]
}

enum PathStep {
    Char(char),
    One,
    Any,
    Class { not: bool, set: Vec<(char, char)> },
}

impl PathStep {
    fn moved(&self, ends: &[bool], text: &[char]) -> Vec<bool> {
        let mut next = vec![false; ends.len()];
        for (at, c) in text.iter().enumerate() {
            let fits = match self {
                Self::Char(want) => want == c,
                Self::One | Self::Any => *c != '/',
                Self::Class { not, set } => {
                    *not != set.iter().any(|(low, high)| (low..=high).contains(&c))
                }
            };
            let any = matches!(self, Self::Any);
            next[at] |= any && ends[at];
            next[at + 1] |= fits && (ends[at] || (any && next[at]));
        }
        if matches!(self, Self::Any) {
            next[text.len()] |= ends[text.len()];
        }
        next
    }
}

fn path_class(rest: &mut std::str::Chars<'_>) -> Option<PathStep> {
    let not = rest.as_str().starts_with('^');
    if not {
        rest.next();
    }
    let mut set = Vec::new();
    let one = |rest: &mut std::str::Chars<'_>| match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        c => Some(c),
    };
    loop {
        if rest.as_str().starts_with(']') && !set.is_empty() {
            rest.next();
            return Some(PathStep::Class { not, set });
        }
        let low = one(rest)?;
        let mut high = low;
        if rest.as_str().starts_with('-') {
            rest.next();
            high = one(rest)?;
        }
        set.push((low, high));
    }
}

fn glob_fits(pattern: &str, text: &str, separators: &[char]) -> bool {
    pattern == "*"
        || Glob::with_separators(pattern, separators).is_ok_and(|glob| glob.matches(text))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).filter_map(Value::as_str).map(str::to_owned).collect()
}
