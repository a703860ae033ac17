//! Settings that decide who can sign in and what a request is checked as.
//!
//! Read in argoproj/argo-cd at `37ee009`: `util/settings/settings.go` and `accounts.go`
//! (`parseAdminAccount`, `parseAccounts`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// What `argocd-cm` sets, as far as rights depend on it. Defaults are those of the version read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one switch of the examined ConfigMap")]
pub struct Settings {
    /// Local accounts by name; `admin` is always one.
    pub accounts: BTreeMap<String, Account>,
    /// `users.anonymous.enabled`: callers who never signed in have the default role.
    pub anonymous: bool,
    /// `application.sync.requireOverridePrivilegeForRevisionSync`.
    pub revision_needs_override: bool,
    /// `server.rbac.rollback.enforce.enable`: a rollback is checked as `rollback`, not as `sync`.
    pub rollback_is_own_right: bool,
    /// `server.rbac.disableApplicationFineGrainedRBACInheritance`: rights on an Application do not
    /// extend to its resources. The default since 3.0.
    pub inheritance_disabled: bool,
    /// Keys whose value is no boolean. Argo CD answers requests that need them with an error; only
    /// `admin.enabled` it then takes as not set.
    pub unreadable: BTreeSet<String>,
}

/// A local account of Argo CD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Whether it may be used.
    pub enabled: bool,
    /// Whether it may sign in with a password.
    pub login: bool,
    /// Whether it may have API keys.
    pub api_key: bool,
    /// The key of `argocd-cm` that makes it; none for an `admin` that no key mentions.
    pub key: Option<String>,
}

impl Account {
    /// Whether somebody can act as it at all.
    pub fn is_usable(&self) -> bool {
        self.enabled && (self.login || self.api_key)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::read(&BTreeMap::new())
    }
}

impl Settings {
    /// Reads the `data` of `argocd-cm`.
    pub fn read(data: &BTreeMap<String, String>) -> Self {
        let mut unreadable = BTreeSet::new();
        let mut flag = |key: &str, unset: bool| match data.get(key).map(String::as_str) {
            None | Some("") => unset,
            Some(word) => boolean(word).unwrap_or_else(|| {
                unreadable.insert(key.to_owned());
                unset
            }),
        };
        let admin = flag("admin.enabled", true);
        let revision_needs_override =
            flag("application.sync.requireOverridePrivilegeForRevisionSync", false);
        let rollback_is_own_right = flag("server.rbac.rollback.enforce.enable", false);
        let inheritance_disabled =
            flag("server.rbac.disableApplicationFineGrainedRBACInheritance", true);
        let accounts = accounts(data, admin, &mut unreadable);
        Self {
            accounts,
            anonymous: data.get("users.anonymous.enabled").is_some_and(|word| word == "true"),
            revision_needs_override,
            rollback_is_own_right,
            inheritance_disabled,
            unreadable,
        }
    }
}

fn accounts(
    data: &BTreeMap<String, String>,
    admin: bool,
    unreadable: &mut BTreeSet<String>,
) -> BTreeMap<String, Account> {
    // `accounts.admin.enabled` comes after `admin.enabled` and overrides it.
    let admin = Account { enabled: admin, login: true, api_key: false, key: None };
    let mut accounts = BTreeMap::from([("admin".to_owned(), admin)]);
    for (key, value) in data {
        let Some(rest) = key.strip_prefix("accounts.") else { continue };
        let (name, suffix) = rest.split_once('.').unwrap_or((rest, ""));
        if suffix.contains('.') {
            continue;
        }
        let fresh = Account { enabled: true, login: false, api_key: false, key: Some(key.clone()) };
        let account = accounts.entry(name.to_owned()).or_insert(fresh);
        match suffix {
            "" => {
                for capability in value.split(',').map(str::trim) {
                    account.login |= capability == "login";
                    account.api_key |= capability == "apiKey";
                }
                account.key = Some(key.clone());
            }
            "enabled" => match boolean(value) {
                Some(enabled) => account.enabled = enabled,
                None => {
                    unreadable.insert(key.clone());
                }
            },
            _ => {}
        }
    }
    accounts
}

/// A boolean in the words that Go's `strconv.ParseBool` knows.
fn boolean(word: &str) -> Option<bool> {
    match word {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
