//! What a request did, by its operation and path.

use crate::parse::openbao_audit::AuditLine;

/// What a request did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// A secret was handed out.
    Read {
        /// The secret's path.
        path: String,
    },
    /// A secret was changed.
    Write {
        /// The secret's path.
        path: String,
        /// What was done to it.
        operation: String,
    },
    /// The configuration was changed.
    Admin {
        /// The path in full.
        path: String,
    },
}

/// Below which paths every token may do as it likes, with itself or for itself alone
/// (`openbao/openbao` `internal/vault/policy/policy_store.go`, the default policy).
const OF_EVERYBODY: [&str; 13] = [
    "auth/token/lookup",
    "auth/token/lookup-self",
    "auth/token/renew",
    "auth/token/renew-self",
    "auth/token/revoke-self",
    "sys/capabilities",
    "sys/capabilities-self",
    "sys/internal",
    "sys/leases/lookup",
    "sys/leases/renew",
    "sys/renew",
    "sys/tools",
    "sys/wrapping",
];
/// Parts of an engine's own paths that configure it (`openbao/openbao`
/// `internal/builtin/logical/*/path_*.go`): what is below others is its use, such as `encrypt/`.
const CONFIGURATION: [&str; 22] = [
    "ca",
    "cache-config",
    "config",
    "crl",
    "intermediate",
    "issuer",
    "issuers",
    "key",
    "keys",
    "library",
    "restore",
    "role",
    "roles",
    "root",
    "rotate-role",
    "rotate-root",
    "static-role",
    "static-roles",
    "tidy",
    "wrapping_key",
    "rotate",
    "reset",
];
/// Parts of a `transit` engine from which a key itself can be read.
const KEY_EXPORTS: [&str; 3] = ["backup", "byok-export", "export"];

impl Deed {
    /// What a request that succeeded did; `None` when it was neither of the three.
    pub(super) fn of(line: &AuditLine) -> Option<Self> {
        let path = line.path.trim_start_matches('/');
        let full = || format!("{}{path}", line.namespace);
        let mount = line.mount.as_deref().unwrap_or_default();
        let below = path.strip_prefix(mount).unwrap_or(path);
        let writes = is_write(&line.operation);
        if path.starts_with("sys/") || path.starts_with("auth/") {
            return (writes && configures(line, path)).then(|| Self::Admin { path: full() });
        }
        match line.mount_type.as_deref() {
            Some("kv" | "generic") => Self::of_kv(line, below, full),
            Some("identity") => writes.then(|| Self::Admin { path: full() }),
            Some("cubbyhole") | None => None,
            Some(_) if writes && is_below(below, &CONFIGURATION) => {
                Some(Self::Admin { path: full() })
            }
            Some(of) => {
                let exports = of == "transit" && is_below(below, &KEY_EXPORTS);
                let handed_out = handed_out(line) && (line.answer.leased || exports);
                let read = line.operation == "read" && handed_out;
                read.then(|| Self::Read { path: full() })
            }
        }
    }

    /// The parts of a versioned engine (`openbao/openbao` `internal/builtin/logical/kv/path_*.go`);
    /// an engine without versions has the secrets themselves there.
    fn of_kv(line: &AuditLine, below: &str, full: impl Fn() -> String) -> Option<Self> {
        let operation = line.operation.as_str();
        let writes = is_write(operation);
        let write = |path: &str, operation: &str| {
            Some(Self::Write { path: path.to_owned(), operation: operation.to_owned() })
        };
        match below.split_once('/') {
            Some(("data", path)) if writes => write(path, operation),
            Some(("data", path)) => Self::read(line, path),
            Some((part @ ("delete" | "undelete" | "destroy"), path)) if writes => write(path, part),
            Some(("metadata", path)) if operation == "delete" => write(path, "delete-all"),
            Some(("metadata", _)) if writes => Some(Self::Admin { path: full() }),
            Some(("metadata" | "detailed-metadata" | "subkeys", _)) => None,
            None if below == "config" && writes => Some(Self::Admin { path: full() }),
            None if below == "config" => None,
            _ if writes => write(below, operation),
            _ => Self::read(line, below),
        }
    }

    fn read(line: &AuditLine, path: &str) -> Option<Self> {
        let read = line.operation == "read" && handed_out(line);
        read.then(|| Self::Read { path: path.to_owned() })
    }
}

/// What does not exist, or no longer, is asked for and not read.
fn handed_out(line: &AuditLine) -> bool {
    line.answer.data || line.answer.wrapped
}

fn is_write(operation: &str) -> bool {
    matches!(operation, "create" | "update" | "patch" | "delete")
}

/// A write below `sys/` or `auth/` configures, unless it is a login, which comes without a token,
/// or what every token may do.
fn configures(line: &AuditLine, path: &str) -> bool {
    line.with_token && !OF_EVERYBODY.iter().any(|of| is_at_or_below(path, of))
}

fn is_at_or_below(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_below(path: &str, parts: &[&str]) -> bool {
    parts.contains(&path.split('/').next().unwrap_or_default())
}
