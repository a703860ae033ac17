//! The question and its converse: may this identity, who can, what can it.

use std::collections::{BTreeSet, HashSet};

use serde::Serialize;

use super::identity::{Identity, MASTERS, Subject, account_of};
use super::model::{Cluster, ObjectRef};
use super::rule::{Request, Rule};
use crate::origin::Origin;

/// One way by which something is allowed: a binding, its role and a rule of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The subject of the binding that fits.
    pub subject: Subject,
    /// The binding; none for `system:masters`, which needs none.
    pub binding: Option<ObjectRef>,
    /// Where the binding was read.
    pub binding_origin: Option<Origin>,
    /// The role.
    pub role: Option<ObjectRef>,
    /// Where the role was read.
    pub role_origin: Option<Origin>,
    /// The role that the rule was aggregated from.
    pub aggregated_from: Option<ObjectRef>,
    /// The number of the rule in the role, from 0.
    pub rule: usize,
    /// The objects that it is limited to; none is any.
    pub names: Vec<String>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether RBAC allows it.
    pub allowed: bool,
    /// Every way by which it does.
    pub grants: Vec<Grant>,
}

/// A subject that may, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Path {
    /// Who.
    pub subject: Subject,
    /// The namespace in which; none is everywhere.
    pub namespace: Option<String>,
    /// By what.
    pub grant: Grant,
}

/// A rule that somebody has, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held<'a> {
    /// The namespace in which; none is everywhere.
    pub namespace: Option<&'a str>,
    /// The rule.
    pub rule: &'a Rule,
    /// By what.
    pub grant: Grant,
}

impl Cluster {
    /// Whether an identity may, and by which rules.
    pub fn decide(&self, identity: &Identity, request: &Request<'_>) -> Decision {
        let mut grants = Vec::new();
        if identity.groups.contains(MASTERS) {
            grants.push(masters());
        }
        for subject in subjects_of(identity) {
            for scope in scopes(request) {
                let key = (subject.clone(), scope.to_owned());
                for binding in self.bindings_of_subject.get(&key).into_iter().flatten() {
                    let Some(role) = self.role_at.get(&self.bindings[*binding].role) else {
                        continue;
                    };
                    grants.extend(
                        self.fitting(*role, request)
                            .map(|rule| self.grant(&subject, *binding, *role, rule)),
                    );
                }
            }
        }
        Decision { allowed: !grants.is_empty(), grants }
    }

    /// Every subject of a binding that may, with each way. Members of groups are not known here;
    /// `system:masters` always may and is listed first.
    pub fn who_can(&self, request: &Request<'_>) -> Vec<Path> {
        let mut paths = vec![Path {
            subject: Subject::Group(MASTERS.to_owned()),
            namespace: None,
            grant: masters(),
        }];
        for role in self.roles_with(request) {
            let rules: Vec<usize> = self.fitting(role, request).collect();
            if rules.is_empty() {
                continue;
            }
            for scope in scopes(request) {
                let key = (role, scope.to_owned());
                for binding in self.bindings_of_role.get(&key).into_iter().flatten() {
                    self.paths_of(*binding, role, &rules, &mut paths);
                }
            }
        }
        paths
    }

    fn paths_of(&self, binding: usize, role: usize, rules: &[usize], paths: &mut Vec<Path>) {
        let namespace = &self.bindings[binding].id.namespace;
        let subjects: BTreeSet<&Subject> = self.bindings[binding].subjects.iter().collect();
        for subject in subjects {
            for rule in rules {
                paths.push(Path {
                    subject: subject.clone(),
                    namespace: (!namespace.is_empty()).then(|| namespace.clone()),
                    grant: self.grant(subject, binding, role, *rule),
                });
            }
        }
    }

    /// Everything that an identity has by RBAC, rule by rule.
    pub fn what_can(&self, identity: &Identity) -> Vec<Held<'_>> {
        let mut held = Vec::new();
        for subject in subjects_of(identity) {
            for scope in self.namespaces_of_subject.get(&subject).into_iter().flatten() {
                let key = (subject.clone(), scope.clone());
                for binding in self.bindings_of_subject.get(&key).into_iter().flatten() {
                    let Some(role) = self.role_at.get(&self.bindings[*binding].role) else {
                        continue;
                    };
                    for (at, (rule, _)) in self.roles[*role].rules.iter().enumerate() {
                        held.push(Held {
                            namespace: (!scope.is_empty()).then_some(scope.as_str()),
                            rule,
                            grant: self.grant(&subject, *binding, *role, at),
                        });
                    }
                }
            }
        }
        held
    }

    /// Roles that have a rule for the resource of the request, and can be bound where it counts.
    fn roles_with(&self, request: &Request<'_>) -> BTreeSet<usize> {
        let Request::Resource { resource, namespace, .. } = request else {
            return self.roles_for_paths.clone();
        };
        let spaces: HashSet<&str> = HashSet::from(["", *namespace]);
        let mut roles = BTreeSet::new();
        for space in spaces {
            for name in [*resource, "*"] {
                let key = (space.to_owned(), name.to_owned());
                roles.extend(self.roles_for.get(&key).into_iter().flatten());
            }
        }
        roles
    }

    fn fitting<'a>(
        &'a self,
        role: usize,
        request: &'a Request<'_>,
    ) -> impl Iterator<Item = usize> + 'a {
        let rules = self.roles[role].rules.iter().enumerate();
        rules.filter(move |(_, (rule, _))| rule.allows(request)).map(|(at, _)| at)
    }

    fn grant(&self, subject: &Subject, binding: usize, role: usize, number: usize) -> Grant {
        let (binding, role) = (&self.bindings[binding], &self.roles[role]);
        let (found, from) = &role.rules[number];
        Grant {
            subject: subject.clone(),
            binding: Some(binding.id.clone()),
            binding_origin: Some(binding.origin.clone()),
            role: Some(role.id.clone()),
            role_origin: Some(role.origin.clone()),
            aggregated_from: from.clone(),
            rule: number,
            names: found.names.clone(),
        }
    }
}

impl Grant {
    /// One sentence without subject: `by ClusterRoleBinding x, which gives ClusterRole y`.
    pub fn sentence(&self) -> String {
        let (Some(binding), Some(role)) = (&self.binding, &self.role) else {
            return format!("as a member of {MASTERS}, whom the API server lets through");
        };
        let names = match self.names.as_slice() {
            [] => String::new(),
            names => format!(", for {} alone", names.join(", ")),
        };
        format!("by {binding} to {}, which gives {role}{names}", self.subject)
    }
}

/// Bindings of the cluster count everywhere, those of a namespace in it. A path has no namespace.
fn scopes<'a>(request: &Request<'a>) -> Vec<&'a str> {
    match request.namespace() {
        "" => vec![""],
        namespace => vec!["", namespace],
    }
}

/// The subjects of bindings that fit an identity.
pub(crate) fn subjects_of(identity: &Identity) -> Vec<Subject> {
    let user = match account_of(&identity.user) {
        Some((namespace, name)) => {
            Subject::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() }
        }
        None => Subject::User(identity.user.clone()),
    };
    let groups = identity.groups.iter().map(|group| Subject::Group(group.clone()));
    std::iter::once(user).chain(groups).collect()
}

fn masters() -> Grant {
    Grant {
        subject: Subject::Group(MASTERS.to_owned()),
        binding: None,
        binding_origin: None,
        role: None,
        role_origin: None,
        aggregated_from: None,
        rule: 0,
        names: Vec::new(),
    }
}
