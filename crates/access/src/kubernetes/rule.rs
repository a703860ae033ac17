//! A rule of a role, and whether it allows a request.

use serde::Serialize;
use serde_json::Value;

/// A rule of a role. Everything in it must fit for it to allow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Verbs; `*` is any.
    pub verbs: Vec<String>,
    /// API groups; `*` is any, empty the core.
    pub groups: Vec<String>,
    /// Resources: `pods`, `pods/exec`, `*/scale`; `*` is any with any subresource.
    pub resources: Vec<String>,
    /// Names of objects; none is any.
    pub names: Vec<String>,
    /// Paths that are no resources; a `*` at the end is any rest.
    pub paths: Vec<String>,
}

/// The object that a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Names<'a> {
    /// It names this object. A `list` or `watch` does so by the field selector `metadata.name=…`; a
    /// `deletecollection` never does. A creation does where a `PUT` or `PATCH` of an object that is not
    /// there makes it (`staging/src/k8s.io/apiserver/pkg/endpoints/handlers/update.go` of
    /// kubernetes/kubernetes at `0241865c79c2`). The selector was read only in copies of
    /// `requestinfo.go` that other projects keep.
    Named(&'a str),
    /// It names none, as a creation or a `list` of everything: rules with names do not fit, unless
    /// one of the names is empty.
    Unnamed,
    /// Is there any object for which it is allowed? Rules with names fit, for those names.
    Some,
    /// The same, for objects in whose name one of these stands.
    Like(&'static [&'static str]),
}

/// A request to the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Request<'a> {
    /// For a resource.
    Resource {
        /// `get`, `list`, `create`, `patch`, `impersonate`, `bind` …
        verb: &'a str,
        /// API group, empty for the core.
        group: &'a str,
        /// Resource in the plural: `deployments`.
        resource: &'a str,
        /// Subresource, empty for none: `exec`, `scale`.
        subresource: &'a str,
        /// Namespace, empty for a resource of the cluster or a request for all namespaces.
        namespace: &'a str,
        /// Which object.
        names: Names<'a>,
    },
    /// For a path such as `/metrics`.
    Path {
        /// `get`, `post` …
        verb: &'a str,
        /// The path.
        path: &'a str,
    },
}

impl<'a> Request<'a> {
    /// A request for a resource, about no particular object.
    pub fn resource(verb: &'a str, group: &'a str, resource: &'a str, namespace: &'a str) -> Self {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        Self::Resource { verb, group, resource, subresource, namespace, names: Names::Unnamed }
    }

    /// The same request about other objects.
    #[must_use]
    pub fn about(self, names: Names<'a>) -> Self {
        match self {
            Self::Resource { verb, group, resource, subresource, namespace, .. } => {
                Self::Resource { verb, group, resource, subresource, namespace, names }
            }
            Self::Path { .. } => self,
        }
    }

    /// The namespace in which bindings count, beside those of the cluster.
    pub(crate) fn namespace(&self) -> &'a str {
        if let Self::Resource { namespace, .. } = self { namespace } else { "" }
    }
}

impl Rule {
    /// Reads one item of a role's `rules`.
    pub fn read(value: &Value) -> Self {
        let list = |key: &str| {
            let items = value[key].as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            verbs: list("verbs"),
            groups: list("apiGroups"),
            resources: list("resources"),
            names: list("resourceNames"),
            paths: list("nonResourceURLs"),
        }
    }

    /// Whether the rule allows the request.
    pub fn allows(&self, request: &Request<'_>) -> bool {
        match request {
            Request::Resource { verb, group, resource, subresource, names, .. } => {
                any_or(&self.verbs, verb)
                    && any_or(&self.groups, group)
                    && self.covers(resource, subresource)
                    && self.named(*names)
            }
            Request::Path { verb, path } => {
                any_or(&self.verbs, verb) && self.paths.iter().any(|rule| path_fits(rule, path))
            }
        }
    }

    fn covers(&self, resource: &str, subresource: &str) -> bool {
        self.resources.iter().any(|rule| {
            rule == "*"
                || match rule.split_once('/') {
                    None => subresource.is_empty() && rule == resource,
                    Some((of, sub)) => {
                        !subresource.is_empty()
                            && sub == subresource
                            && (of == "*" || of == resource)
                    }
                }
        })
    }

    fn named(&self, names: Names<'_>) -> bool {
        if self.names.is_empty() {
            return true;
        }
        match names {
            Names::Named(name) => self.names.iter().any(|rule| rule == name),
            Names::Unnamed => self.names.iter().any(String::is_empty),
            Names::Some => true,
            Names::Like(parts) => {
                let is_like = |name: &String| parts.iter().any(|part| name.contains(part));
                self.names.iter().any(is_like)
            }
        }
    }
}

fn any_or(list: &[String], word: &str) -> bool {
    list.iter().any(|item| item == "*" || item == word)
}

fn path_fits(rule: &str, path: &str) -> bool {
    rule == "*"
        || rule == path
        || rule.ends_with('*') && path.starts_with(rule.trim_end_matches('*'))
}
