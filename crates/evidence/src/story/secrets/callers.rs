//! Whose token it was.
//!
//! A login names the token `<mount of the login>-<name there>` and writes down what it knows of
//! the caller. A token that was made from another one has a name and metadata that its maker
//! chose: neither says who it is, only the entity does, which it has from the token before
//! (`openbao/openbao` `internal/vault/request_handling.go` `LoginCreateToken`,
//! `internal/vault/token_store.go` `handleCreateCommon`).

use std::collections::{BTreeMap, BTreeSet};

use crate::parse::openbao_audit::{AuditLine, Caller, Stage};
use crate::people::People;
use crate::story::claim::Identity;

/// Types of login that prove software, never a human: a service account of Kubernetes, a role with
/// a secret id, a machine or function of a cloud.
const OF_SOFTWARE: [&str; 8] =
    ["alicloud", "approle", "aws", "azure", "cf", "gcp", "kubernetes", "oci"];

/// What the logins among the records say.
pub(super) struct Callers<'a> {
    /// The type of each mount with which a name may begin.
    mounts: BTreeMap<String, &'a str>,
    /// The names that an entity has logged in by.
    by_entity: BTreeMap<&'a str, BTreeSet<String>>,
    /// The entities behind a name.
    entities: BTreeMap<String, BTreeSet<&'a str>>,
}

/// The account behind a request.
#[derive(Default)]
pub(super) struct Named {
    pub(super) who: Option<Identity>,
    pub(super) note: Option<&'static str>,
}

impl<'a> Callers<'a> {
    pub(super) fn of(lines: impl Iterator<Item = &'a AuditLine> + Clone) -> Self {
        let mut callers =
            Self { mounts: BTreeMap::new(), by_entity: BTreeMap::new(), entities: BTreeMap::new() };
        for line in lines.clone() {
            if let (Some(mount), Some(of)) = (&line.mount, &line.mount_type)
                && let Some(source) = mount.strip_prefix("auth/")
            {
                callers.mounts.insert(source.replace('/', "-"), of);
            }
        }
        for line in lines.filter(|l| l.stage == Stage::Response && !l.failed) {
            let (Some(entity), Some(name)) = (&line.caller.entity, callers.login_name(line)) else {
                continue;
            };
            callers.by_entity.entry(entity).or_default().insert(name.clone());
            callers.entities.entry(name).or_default().insert(entity);
        }
        callers
    }

    /// Whether the token is software's, by the type of its login.
    pub(super) fn is_software(&self, line: &AuditLine) -> bool {
        let caller = &line.caller;
        let by_login = |name: &str| {
            self.mount_of(name).is_some_and(|(_, of)| OF_SOFTWARE.contains(&of))
                || service_account(caller).is_some()
        };
        caller.display_name.as_deref().is_some_and(|name| !is_made(name) && by_login(name))
    }

    /// The account behind a request.
    pub(super) fn name(&self, line: &AuditLine, people: &People) -> Named {
        let caller = &line.caller;
        let Some(display) = caller.display_name.as_deref() else {
            return Named { who: None, note: Some("the store names no caller") };
        };
        if is_made(display) {
            return self.maker(caller, display, people);
        }
        let Some(name) = self.login_name(line) else {
            return Named { who: Some(Identity::of(display, people)), note: None };
        };
        if self.entities.get(&name).is_some_and(|entities| entities.len() > 1) {
            let note = "several entities of the store have this name";
            return Named { who: Some(Identity::of(display, people)), note: Some(note) };
        }
        Named { who: Some(Identity::of(&name, people)), note: None }
    }

    /// Of a token that was made from another one: who logged in as its entity.
    fn maker(&self, caller: &Caller, display: &str, people: &People) -> Named {
        let names = caller.entity.as_deref().and_then(|e| self.by_entity.get(e));
        let only = names.filter(|n| n.len() == 1).and_then(BTreeSet::first);
        let only = only.filter(|n| self.entities.get(*n).is_some_and(|e| e.len() == 1));
        match only {
            Some(name) => Named {
                who: Some(Identity::of(name, people)),
                note: Some("by a token made from another one: the account is that of its entity"),
            },
            None => Named {
                who: Some(Identity::of(display, people)),
                note: Some("by a token whose name was chosen by whoever made it"),
            },
        }
    }

    /// The name of the account that logged in.
    fn login_name(&self, line: &AuditLine) -> Option<String> {
        let caller = &line.caller;
        let display = caller.display_name.as_deref().filter(|name| !is_made(name))?;
        if let Some(account) = service_account(caller) {
            return Some(account);
        }
        // Logins with a password write down the name that was given, and name the token by it.
        let username = caller.metadata.get("username").filter(|name| {
            let source = display.strip_suffix(name.as_str());
            !name.is_empty() && source.is_some_and(|source| source.ends_with('-'))
        });
        if let Some(username) = username {
            return Some(username.clone());
        }
        let (source, _) = self.mount_of(display)?;
        let rest = display.strip_prefix(source)?;
        (!rest.is_empty()).then(|| rest.to_owned())
    }

    /// The mount that a name begins with, and its type: the longest, should several fit.
    fn mount_of(&self, display: &str) -> Option<(&str, &'a str)> {
        let fits =
            |source: &str| display.starts_with(source) || display == source.trim_end_matches('-');
        let fitting = self.mounts.iter().filter(|(source, _)| fits(source));
        fitting.max_by_key(|(source, _)| source.len()).map(|(s, of)| (s.as_str(), *of))
    }
}

/// Whether a token was made from another one: the store names such `token` or `token-<name>`, and
/// no login can be mounted there (`openbao/openbao` `internal/vault/auth.go`).
fn is_made(display: &str) -> bool {
    display == "token" || display.starts_with("token-")
}

/// The service account that logged in, as Kubernetes names it (`openbao/openbao`
/// `internal/builtin/credential/kubernetes/path_login.go`): the token's name repeats both parts.
fn service_account(caller: &Caller) -> Option<String> {
    let of = |key: &str| caller.metadata.get(key).filter(|v| !v.is_empty());
    let (namespace, name) = (of("service_account_namespace")?, of("service_account_name")?);
    let display = caller.display_name.as_deref()?;
    let repeats = display.ends_with(&format!("-{namespace}-{name}"));
    repeats.then(|| format!("system:serviceaccount:{namespace}:{name}"))
}
