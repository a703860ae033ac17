//! The roles and bindings of a cluster, indexed by what they name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::identity::Subject;
use super::rule::Rule;
use crate::origin::Origin;

/// An object of the cluster, by kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ObjectRef {
    /// `Role`, `ClusterRole`, `RoleBinding`, `ClusterRoleBinding`.
    pub kind: Kind,
    /// Its namespace, empty for an object of the cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The kinds of RBAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Kind {
    /// Rules for one namespace.
    Role,
    /// Rules for the cluster, or for whatever namespace binds it.
    ClusterRole,
    /// Gives a role in one namespace.
    RoleBinding,
    /// Gives a role everywhere.
    ClusterRoleBinding,
}

/// A role with its rules as they count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Which it is.
    pub id: ObjectRef,
    /// Where it was read.
    pub origin: Origin,
    /// Its rules; for a role that aggregates, each with the role it comes from.
    pub rules: Sourced,
}

/// A binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Which it is.
    pub id: ObjectRef,
    /// Where it was read.
    pub origin: Origin,
    /// The role that it names, which need not exist.
    pub role: ObjectRef,
    /// Whom it names.
    pub subjects: Vec<Subject>,
}

/// What a cluster's RBAC consists of.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    pub(crate) roles: Vec<Role>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) role_at: HashMap<ObjectRef, usize>,
    /// Roles with a rule for a resource, by its name without subresource; `*` stands for any.
    pub(crate) roles_for: HashMap<(String, String), BTreeSet<usize>>,
    pub(crate) roles_for_paths: BTreeSet<usize>,
    pub(crate) bindings_of_role: HashMap<(usize, String), Vec<usize>>,
    pub(crate) bindings_of_subject: HashMap<(Subject, String), Vec<usize>>,
    pub(crate) namespaces_of_subject: HashMap<Subject, BTreeSet<String>>,
    pub(crate) accounts: BTreeMap<String, BTreeSet<String>>,
    pub(crate) namespaces: BTreeSet<String>,
}

/// Objects on their way to a [`Cluster`]: roles can be added in any order, and aggregate at the end.
#[derive(Debug, Default)]
pub struct Builder {
    roles: Vec<Draft>,
    bindings: Vec<Binding>,
    accounts: BTreeMap<String, BTreeSet<String>>,
    namespaces: BTreeSet<String>,
}

#[derive(Debug)]
struct Draft {
    role: Role,
    labels: Value,
    /// `None` if the role does not aggregate.
    selectors: Option<Vec<Value>>,
}

impl Builder {
    /// Takes an object or a list of them. Returns whether it was one that matters here: roles,
    /// bindings, service accounts and namespaces. An object of a `List` may lack its own kind.
    ///
    /// Not taken are kinds of the same name in other API groups, roles, bindings and accounts that
    /// name no namespace where they need one (a file says less here than a cluster would), and bindings
    /// to what is no role: an API server keeps none of the latter two.
    pub fn add(&mut self, object: &Value, origin: &Origin) -> bool {
        if let Some(items) = object["items"].as_array() {
            let item_kind = object["kind"].as_str().and_then(|kind| kind.strip_suffix("List"));
            let list = (item_kind != Some("")).then(|| object["apiVersion"].as_str()).flatten();
            let mut any = false;
            for item in items {
                let version = item["apiVersion"].as_str().or(list);
                any |= self.add_as(item["kind"].as_str().or(item_kind), version, item, origin);
            }
            return any;
        }
        self.add_as(object["kind"].as_str(), object["apiVersion"].as_str(), object, origin)
    }

    fn add_as(
        &mut self,
        kind: Option<&str>,
        version: Option<&str>,
        object: &Value,
        origin: &Origin,
    ) -> bool {
        let group = version.map(|version| version.split_once('/').map_or("", |(group, _)| group));
        let wanted = match kind {
            Some("ServiceAccount" | "Namespace") => "",
            _ => "rbac.authorization.k8s.io",
        };
        if group.is_some_and(|group| group != wanted) {
            return false;
        }
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let id = |kind, namespace: &str| ObjectRef {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let needs = matches!(kind, Some("Role" | "RoleBinding" | "ServiceAccount"));
        if needs && namespace.is_empty() {
            return false;
        }
        match kind {
            Some("Role") => self.add_role(id(Kind::Role, namespace), object, origin),
            Some("ClusterRole") => self.add_role(id(Kind::ClusterRole, ""), object, origin),
            Some("RoleBinding") => {
                return self.bind(id(Kind::RoleBinding, namespace), object, origin);
            }
            Some("ClusterRoleBinding") => {
                return self.bind(id(Kind::ClusterRoleBinding, ""), object, origin);
            }
            Some("ServiceAccount") => {
                self.accounts.entry(namespace.to_owned()).or_default().insert(name.to_owned());
            }
            Some("Namespace") => {
                self.namespaces.insert(name.to_owned());
            }
            _ => return false,
        }
        true
    }

    fn add_role(&mut self, id: ObjectRef, object: &Value, origin: &Origin) {
        let rules = object["rules"].as_array().into_iter().flatten();
        let rules = rules.map(|rule| (Rule::read(rule), None)).collect();
        let selectors = object["aggregationRule"]["clusterRoleSelectors"].as_array().cloned();
        self.roles.push(Draft {
            role: Role { id, origin: origin.clone(), rules },
            labels: object["metadata"]["labels"].clone(),
            selectors,
        });
    }

    fn bind(&mut self, id: ObjectRef, object: &Value, origin: &Origin) -> bool {
        let name = object["roleRef"]["name"].as_str().unwrap_or_default().to_owned();
        let role = match object["roleRef"]["kind"].as_str() {
            Some("Role") => ObjectRef { kind: Kind::Role, namespace: id.namespace.clone(), name },
            Some("ClusterRole") => {
                ObjectRef { kind: Kind::ClusterRole, namespace: String::new(), name }
            }
            _ => return false,
        };
        let subjects = object["subjects"].as_array().into_iter().flatten();
        let subjects = subjects.filter_map(|value| Subject::read(value, &id.namespace)).collect();
        self.bindings.push(Binding { id, origin: origin.clone(), role, subjects });
        true
    }

    /// Puts the cluster together. Roles that aggregate have the rules of those they select, and those
    /// that stand in the object itself only if that is none.
    ///
    /// The authorizer itself knows no aggregation, only the rules that stand in the object. A controller
    /// writes them there (`pkg/controller/clusterroleaggregation` of kubernetes/kubernetes at
    /// `003e86297d18`): it applies what it selects by force. If it selects nothing, what it applies
    /// names no rules at all, which by the rules of server-side apply takes away those it wrote before
    /// and leaves those of others; without server-side apply it empties them. That last reading was not
    /// tried on a cluster. The objects must hold every `ClusterRole`, or too little is aggregated.
    pub fn build(self) -> Cluster {
        let aggregated = aggregate(&self.roles);
        let mut cluster =
            Cluster { accounts: self.accounts, namespaces: self.namespaces, ..Cluster::default() };
        for (draft, rules) in self.roles.into_iter().zip(aggregated) {
            let rules = rules.unwrap_or(draft.role.rules);
            cluster.index_role(Role { rules, ..draft.role });
        }
        self.bindings.into_iter().for_each(|binding| cluster.index_binding(binding));
        cluster
    }
}

/// Rules, each with the role that it was aggregated from.
pub type Sourced = Vec<(Rule, Option<ObjectRef>)>;

/// The rules of each role that aggregates.
fn aggregate(roles: &[Draft]) -> Vec<Option<Sourced>> {
    (0..roles.len())
        .map(|at| {
            roles[at].selectors.as_ref()?;
            let mut found = Vec::new();
            collect(roles, at, &mut BTreeSet::from([at]), &mut found);
            (!found.is_empty()).then_some(found)
        })
        .collect()
}

/// A selected role may itself aggregate; a cycle is walked once.
fn collect(roles: &[Draft], at: usize, seen: &mut BTreeSet<usize>, found: &mut Sourced) {
    for selector in roles[at].selectors.iter().flatten() {
        for (other, draft) in roles.iter().enumerate() {
            let cluster_role = draft.role.id.kind == Kind::ClusterRole;
            if !cluster_role || !selects(selector, &draft.labels) || !seen.insert(other) {
                continue;
            }
            if draft.selectors.is_some() && selects_any(roles, other) {
                collect(roles, other, seen, found);
            } else {
                let from = Some(draft.role.id.clone());
                found.extend(draft.role.rules.iter().map(|(rule, _)| (rule.clone(), from.clone())));
            }
        }
    }
}

/// Whether a role selects any but itself.
fn selects_any(roles: &[Draft], at: usize) -> bool {
    let others = roles
        .iter()
        .enumerate()
        .filter(|(other, draft)| *other != at && draft.role.id.kind == Kind::ClusterRole);
    let mut others = others.map(|(_, draft)| &draft.labels);
    let selectors = roles[at].selectors.as_deref().unwrap_or_default();
    others.any(|labels| selectors.iter().any(|selector| selects(selector, labels)))
}

/// Whether a label selector selects an object. An empty one selects everything.
fn selects(selector: &Value, labels: &Value) -> bool {
    let exact = selector["matchLabels"].as_object().into_iter().flatten();
    let mut exact = exact.map(|(key, value)| labels[key.as_str()] == *value);
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    let mut expressions = expressions.map(|expression| {
        let label = &labels[expression["key"].as_str().unwrap_or_default()];
        let among = expression["values"].as_array().is_some_and(|values| values.contains(label));
        match expression["operator"].as_str() {
            Some("In") => among,
            Some("NotIn") => !among,
            Some("Exists") => !label.is_null(),
            Some("DoesNotExist") => label.is_null(),
            _ => false,
        }
    });
    exact.all(|fits| fits) && expressions.all(|fits| fits)
}

impl Cluster {
    fn index_role(&mut self, role: Role) {
        let at = self.roles.len();
        for (rule, _) in &role.rules {
            if !rule.paths.is_empty() {
                self.roles_for_paths.insert(at);
            }
            for resource in &rule.resources {
                let resource = resource.split_once('/').map_or(resource.as_str(), |(of, _)| of);
                let key = (role.id.namespace.clone(), resource.to_owned());
                self.roles_for.entry(key).or_default().insert(at);
            }
        }
        self.role_at.insert(role.id.clone(), at);
        self.roles.push(role);
    }

    fn index_binding(&mut self, binding: Binding) {
        let at = self.bindings.len();
        let namespace = binding.id.namespace.clone();
        self.namespaces.extend((!namespace.is_empty()).then(|| namespace.clone()));
        // A binding to a role that does not exist gives nothing.
        if let Some(role) = self.role_at.get(&binding.role) {
            self.bindings_of_role.entry((*role, namespace.clone())).or_default().push(at);
        }
        let subjects: BTreeSet<&Subject> = binding.subjects.iter().collect();
        for subject in subjects {
            let key = (subject.clone(), namespace.clone());
            self.bindings_of_subject.entry(key).or_default().push(at);
            let namespaces = self.namespaces_of_subject.entry(subject.clone()).or_default();
            namespaces.insert(namespace.clone());
        }
        self.bindings.push(binding);
    }

    /// The namespaces that objects or bindings name.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().map(String::as_str)
    }

    /// The service accounts of a namespace, as far as they were among the objects.
    pub fn service_accounts(&self, namespace: &str) -> impl Iterator<Item = &str> {
        self.accounts.get(namespace).into_iter().flatten().map(String::as_str)
    }

    /// Every subject that a binding names.
    pub fn subjects(&self) -> BTreeSet<&Subject> {
        self.namespaces_of_subject.keys().collect()
    }

    /// Bindings whose role is not among the objects; they give nothing, until somebody makes it.
    pub fn dangling(&self) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(|binding| !self.role_at.contains_key(&binding.role))
    }

    /// A role by its reference.
    pub fn role(&self, id: &ObjectRef) -> Option<&Role> {
        self.role_at.get(id).map(|at| &self.roles[*at])
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Role => "Role",
            Self::ClusterRole => "ClusterRole",
            Self::RoleBinding => "RoleBinding",
            Self::ClusterRoleBinding => "ClusterRoleBinding",
        })
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(out, "{} {}", self.kind, self.name),
            namespace => write!(out, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}
