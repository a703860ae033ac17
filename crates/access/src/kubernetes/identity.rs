//! Who asks: a user with groups, and the subjects that bindings name.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// Everybody who was authenticated.
pub const AUTHENTICATED: &str = "system:authenticated";
/// Everybody who was not.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The user name of a caller who was not authenticated.
pub const ANONYMOUS: &str = "system:anonymous";
/// Every service account.
pub const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";
/// Whoever is in it is let through before RBAC is asked.
pub const MASTERS: &str = "system:masters";

/// A caller as the API server knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Identity {
    /// The user name.
    pub user: String,
    /// All groups, the implied ones included.
    pub groups: BTreeSet<String>,
}

/// A subject of a binding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Subject {
    /// A user by name.
    User(String),
    /// A group by name.
    Group(String),
    /// A service account.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl Identity {
    /// An authenticated user with the groups that the identity provider gives; what the API server
    /// implies is added. The user name of a service account makes it one.
    pub fn user(name: &str, groups: &[&str]) -> Self {
        let mut groups: BTreeSet<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        // `authenticated_group_adder.go` of k8s.io/apiserver, and `impersonation.go` there.
        if name == ANONYMOUS {
            groups.insert(UNAUTHENTICATED.to_owned());
        } else if !groups.contains(UNAUTHENTICATED) {
            groups.insert(AUTHENTICATED.to_owned());
        }
        if let Some((namespace, _)) = account_of(name) {
            groups.insert(SERVICE_ACCOUNTS.to_owned());
            groups.insert(format!("{SERVICE_ACCOUNTS}:{namespace}"));
        }
        Self { user: name.to_owned(), groups }
    }

    /// A service account.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self::user(&format!("system:serviceaccount:{namespace}:{name}"), &[])
    }

    /// Whoever is nobody but a subject of a binding: a group's member of whom nothing else is known.
    pub fn of(subject: &Subject) -> Self {
        match subject {
            Subject::User(name) => Self::user(name, &[]),
            Subject::Group(group) if group == UNAUTHENTICATED => Self::user(ANONYMOUS, &[]),
            Subject::Group(group) => Self::user("", &[group]),
            Subject::ServiceAccount { namespace, name } => Self::service_account(namespace, name),
        }
    }
}

impl Subject {
    /// Reads a subject of a binding in `namespace`. None if it has no kind that RBAC knows, or names
    /// a service account without a namespace.
    pub fn read(value: &Value, namespace: &str) -> Option<Self> {
        let name = value["name"].as_str().unwrap_or_default().to_owned();
        match value["kind"].as_str()? {
            "User" => Some(match account_of(&name) {
                // A user of this name is that service account.
                Some((namespace, name)) => {
                    Self::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() }
                }
                None => Self::User(name),
            }),
            "Group" => Some(Self::Group(name)),
            "ServiceAccount" => {
                let own = value["namespace"].as_str().filter(|own| !own.is_empty());
                let namespace = own.unwrap_or(namespace);
                let namespace = (!namespace.is_empty()).then(|| namespace.to_owned())?;
                Some(Self::ServiceAccount { namespace, name })
            }
            _ => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(out, "user {name}"),
            Self::Group(name) => write!(out, "group {name}"),
            Self::ServiceAccount { namespace, name } => {
                write!(out, "service account {namespace}/{name}")
            }
        }
    }
}

/// Namespace and name in the user name of a service account.
pub(crate) fn account_of(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}
