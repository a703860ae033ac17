//! One subject against one set of policies, as casbin with Argo CD's model decides it: some reachable
//! line allows and none denies.
//!
//! Read in casbin/casbin at `v2.135.0`, which Argo CD pins: `enforcer.go` (`enforce`; an effect that
//! is neither word counts for nothing, a panic of a matcher becomes an error),
//! `effector/default_effector.go` (a deny ends it, an allow waits for the last line) and
//! `rbac/default-role-manager/role_manager.go`. The model is `assets/model.conf` of argoproj/argo-cd
//! at `37ee009`. casbin's cache of answers is not weighed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::expression::{self, Expression};
use super::glob::{Glob, literal_start};
use super::policy::{Effect, Line, MatchMode, Policy, Statement};
use super::rbac::Request;

/// How many memberships casbin follows from a subject to a role: `NewRoleManagerImpl(10)`, and
/// `hasLinkHelper` looks at the subject itself before the first.
const MEMBERSHIPS_MAX: usize = 10;

/// The lines that lead from a subject to a permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The `g` lines, from the subject to the role; none when the permission names the subject.
    pub memberships: Vec<Line>,
    /// The `p` line.
    pub permission: Line,
}

/// What the policies say of one subject and one request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Lines that allow.
    pub allows: Vec<Grant>,
    /// Lines that deny; one is enough to refuse this subject.
    pub denies: Vec<Grant>,
    /// Lines whose expression is not valid: reaching one ends the enforcement with an error.
    pub broken: Vec<Grant>,
    /// Lines whose expression may mean something else to Go than here.
    pub unknown: Vec<Grant>,
}

impl Trial {
    /// Whether the subject is allowed: an error refuses as a deny does.
    pub fn allowed(&self) -> bool {
        !self.allows.is_empty() && !self.refused() && self.unknown.is_empty()
    }

    /// Whether it cannot be said, because it hangs on an expression that is not weighed.
    pub fn undetermined(&self) -> bool {
        !self.unknown.is_empty() && !self.refused()
    }

    fn refused(&self) -> bool {
        !self.denies.is_empty() || !self.broken.is_empty()
    }
}

/// Policies, indexed by subject and by the project their objects begin with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    permissions: Vec<Permission>,
    by_subject: HashMap<String, Bucket>,
    everything: Bucket,
    roles_of: HashMap<String, Vec<(String, Line)>>,
    members_of: HashMap<String, Vec<String>>,
}

/// Permissions by the first segment of their object, where the pattern fixes one.
#[derive(Debug, Clone, Default)]
struct Bucket {
    by_segment: HashMap<String, Vec<usize>>,
    any: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Permission {
    subject: String,
    resource: Arc<Matcher>,
    action: Arc<Matcher>,
    object: Arc<Matcher>,
    effect: Effect,
    line: Line,
}

#[derive(Debug)]
enum Matcher {
    Glob(Glob),
    Regex(regex::Regex),
    /// A glob that does not compile matches nothing.
    Never,
    /// An expression that does not compile ends the enforcement.
    Broken,
    /// An expression that Go may read otherwise.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Yes,
    No,
    Broken,
    Unknown,
}

impl Index {
    /// Indexes policies that load; compiles each pattern once.
    pub(crate) fn new(policies: &[&Policy], mode: MatchMode) -> Self {
        let mut index = Self::default();
        let mut compiled = HashMap::new();
        for line in policies.iter().flat_map(|policy| &policy.lines) {
            match line.statement.as_ref() {
                Statement::Permission { .. } => index.permit(line, mode, &mut compiled),
                Statement::Membership { member, role } => index.join(member, role, line),
            }
        }
        index
    }

    fn permit(
        &mut self,
        line: &Line,
        mode: MatchMode,
        compiled: &mut HashMap<String, Arc<Matcher>>,
    ) {
        let Statement::Permission { subject, resource, action, object, effect } =
            line.statement.as_ref()
        else {
            return;
        };
        let mut matcher = |text: &str| {
            let pattern = compiled.entry(text.to_owned());
            Arc::clone(pattern.or_insert_with(|| Arc::new(Matcher::new(text, mode))))
        };
        let permission = Permission {
            subject: subject.clone(),
            resource: matcher(resource),
            action: matcher(action),
            object: matcher(object),
            effect: *effect,
            line: line.clone(),
        };
        let id = self.permissions.len();
        let segment = segment_of_pattern(object, mode);
        self.everything.add(segment, id);
        self.by_subject.entry(subject.clone()).or_default().add(segment, id);
        self.permissions.push(permission);
    }

    fn join(&mut self, member: &str, role: &str, line: &Line) {
        let roles = self.roles_of.entry(member.to_owned()).or_default();
        roles.push((role.to_owned(), line.clone()));
        self.members_of.entry(role.to_owned()).or_default().push(member.to_owned());
    }

    /// Whether a name is the member of some `g` line. Argo CD asks a group only then.
    pub(crate) fn has_member(&self, name: &str) -> bool {
        self.roles_of.contains_key(name)
    }

    /// Every permission's line.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.permissions.iter().map(|permission| &permission.line)
    }

    /// Every `deny` line, with the subject it names.
    pub(crate) fn denies(&self) -> impl Iterator<Item = &Line> {
        let denies = self.permissions.iter().filter(|line| line.effect == Effect::Deny);
        denies.map(|permission| &permission.line)
    }

    fn matching<'a>(&'a self, bucket: &'a Bucket, request: &Request<'_>) -> Vec<(usize, Fit)> {
        let near = bucket.by_segment.get(segment_of(request.object)).into_iter().flatten();
        near.chain(&bucket.any)
            .map(|id| (*id, self.permissions[*id].fits(request)))
            .filter(|(_, fit)| *fit != Fit::No)
            .collect()
    }
}

impl Bucket {
    fn add(&mut self, segment: Option<&str>, id: usize) {
        match segment {
            Some(segment) => self.by_segment.entry(segment.to_owned()).or_default().push(id),
            None => self.any.push(id),
        }
    }
}

impl Permission {
    /// Fields are compared in order and the first that does not fit ends it, an error included.
    fn fits(&self, request: &Request<'_>) -> Fit {
        let fields = [
            (&self.resource, request.resource),
            (&self.action, request.action),
            (&self.object, request.object),
        ];
        let mut fits = fields.iter().map(|(matcher, text)| matcher.fit(text));
        fits.find(|fit| *fit != Fit::Yes).unwrap_or(Fit::Yes)
    }
}

impl Matcher {
    fn new(text: &str, mode: MatchMode) -> Self {
        match mode {
            MatchMode::Glob => Glob::new(text).map_or(Self::Never, Self::Glob),
            MatchMode::Regex => match expression::compile(text) {
                Expression::Valid(regex) => Self::Regex(regex),
                Expression::Invalid => Self::Broken,
                Expression::Unknown => Self::Unknown,
            },
        }
    }

    fn fit(&self, text: &str) -> Fit {
        let fits = match self {
            Self::Glob(glob) => glob.matches(text),
            Self::Regex(regex) => regex.is_match(text),
            Self::Never => false,
            Self::Broken => return Fit::Broken,
            Self::Unknown => return Fit::Unknown,
        };
        if fits { Fit::Yes } else { Fit::No }
    }
}

/// A pattern of a policy line, compiled once for many texts.
pub(crate) struct Pattern(Matcher);

impl Pattern {
    pub(crate) fn new(text: &str, mode: MatchMode) -> Self {
        Self(Matcher::new(text, mode))
    }

    pub(crate) fn fits(&self, text: &str) -> bool {
        self.0.fit(text) == Fit::Yes
    }
}

/// Whether a pattern of a policy line fits a text in the given mode.
pub(crate) fn fits(pattern: &str, text: &str, mode: MatchMode) -> bool {
    Matcher::new(pattern, mode).fit(text) == Fit::Yes
}

/// The first segment of an object: its project, where it has one.
fn segment_of(object: &str) -> &str {
    object.split_once('/').map_or(object, |(first, _)| first)
}

/// The first segment of everything a pattern can match, if the pattern fixes it.
fn segment_of_pattern(pattern: &str, mode: MatchMode) -> Option<&str> {
    if mode == MatchMode::Regex {
        return None;
    }
    let (start, whole) = literal_start(pattern);
    match start.split_once('/') {
        Some((first, _)) => Some(first),
        None if whole => Some(start),
        None => None,
    }
}

/// Decides one subject over layers of policies: the global ones, then those of a project.
pub(crate) fn enforce(layers: &[&Index], subject: &str, request: &Request<'_>) -> Trial {
    let mut trial = Trial::default();
    for (role, memberships) in reachable(layers, subject) {
        for layer in layers {
            let Some(bucket) = layer.by_subject.get(&role) else { continue };
            for (id, fit) in layer.matching(bucket, request) {
                let permission = &layer.permissions[id];
                let line = permission.line.clone();
                let grant = Grant { memberships: memberships.clone(), permission: line };
                match (fit, permission.effect) {
                    (Fit::Broken, _) => trial.broken.push(grant),
                    (Fit::Unknown, _) => trial.unknown.push(grant),
                    (_, Effect::Allow) => trial.allows.push(grant),
                    (_, Effect::Deny) => trial.denies.push(grant),
                    (_, Effect::Neither) => {}
                }
            }
        }
    }
    trial
}

/// The subject and every role it reaches, each with a shortest chain of memberships.
fn reachable(layers: &[&Index], subject: &str) -> Vec<(String, Vec<Line>)> {
    let mut found = vec![(subject.to_owned(), Vec::new())];
    let mut seen = HashSet::from([subject.to_owned()]);
    let mut level = 0..1;
    for _ in 0..MEMBERSHIPS_MAX {
        let start = found.len();
        for at in level {
            let (name, chain) = found[at].clone();
            for (role, line) in
                layers.iter().filter_map(|layer| layer.roles_of.get(&name)).flatten()
            {
                if seen.insert(role.clone()) {
                    let mut chain = chain.clone();
                    chain.push(line.clone());
                    found.push((role.clone(), chain));
                }
            }
        }
        level = start..found.len();
    }
    found
}

/// Every name from which a line that allows the request can be reached, itself included.
pub(crate) fn candidates(layers: &[&Index], request: &Request<'_>) -> Vec<String> {
    let mut subjects = Vec::new();
    for layer in layers {
        for (id, _) in layer.matching(&layer.everything, request) {
            let permission = &layer.permissions[id];
            if permission.effect == Effect::Allow {
                subjects.push(permission.subject.as_str());
            }
        }
    }
    below(layers, &subjects)
}

/// A name and every name that has it as a role.
pub(crate) fn names_below(layers: &[&Index], name: &str) -> Vec<String> {
    below(layers, &[name])
}

fn below<'a>(layers: &[&'a Index], roles: &[&'a str]) -> Vec<String> {
    let mut names: BTreeSet<&str> = roles.iter().copied().collect();
    let mut level: Vec<&str> = names.iter().copied().collect();
    for _ in 0..MEMBERSHIPS_MAX {
        let members = level
            .iter()
            .flat_map(|role| layers.iter().filter_map(|layer| layer.members_of.get(*role)))
            .flatten();
        level = members.map(String::as_str).filter(|member| names.insert(member)).collect();
    }
    names.into_iter().map(str::to_owned).collect()
}
