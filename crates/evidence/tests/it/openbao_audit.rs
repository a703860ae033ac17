//! `openbao-audit`: who wrote, read and configured what, and whose token it was.

use evidence::channel::Channel;
use evidence::people::People;
use evidence::story::act::{Act, What};
use evidence::story::derive;
use serde_json::{Value, json};

use crate::captures::{self, record};

fn line(id: &str, operation: &str, path: &str, mount: (&str, &str)) -> Value {
    json!({
        "time": "2026-02-03T10:00:05.5Z",
        "type": "response",
        "auth": {"display_name": "userpass-ann", "metadata": {"username": "ann"},
            "entity_id": "e-ann", "token_type": "service"},
        "request": {"id": id, "operation": operation, "path": path, "client_token": "hmac-sha256:00",
            "mount_point": mount.0, "mount_type": mount.1, "namespace": {"id": "root"}},
        "response": {"data": {"version": 3}},
    })
}

const KV: (&str, &str) = ("kv/", "kv");
const SYS: (&str, &str) = ("sys/", "system");
const USERPASS: (&str, &str) = ("auth/userpass/", "userpass");
const KUBERNETES: (&str, &str) = ("auth/kubernetes/", "kubernetes");

fn people() -> People {
    let map = json!({"ann": {"openbao_entity": "ann"}, "ben": {"openbao_entity": "ben"}});
    People::from_json(&serde_json::to_vec(&map).unwrap()).unwrap()
}

fn acts(lines: &[Value]) -> Vec<Act> {
    let records = lines.iter().enumerate();
    let records =
        records.map(|(n, l)| record(Channel::OpenbaoAudit, &format!("r{n}"), l.to_string()));
    let story = derive(records, &people());
    assert_eq!(story.coverage[0].not_understood, 0);
    story.acts
}

fn word(act: &Act) -> String {
    let who = act.who.as_ref();
    let who = who.map_or("-", |w| w.person.as_deref().unwrap_or(&w.account));
    match &act.what {
        What::SecretRead { path } => format!("{who} read {path}"),
        What::SecretWrite { path, operation, version } => {
            format!("{who} {operation} {path} {}", version.unwrap_or_default())
        }
        What::OpenbaoAdmin { path, operation } => format!("{who} admin {operation} {path}"),
        other => panic!("{other:?}"),
    }
}

fn words(lines: &[Value]) -> Vec<String> {
    acts(lines).iter().map(word).collect()
}

fn with(mut line: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        let (above, key) = pointer.rsplit_once('/').unwrap();
        line.pointer_mut(above).unwrap()[key] = value.clone();
    }
    line
}

#[test]
fn every_recorded_line_is_understood() {
    let of = |c: &&evidence::story::coverage::Coverage| c.channel == "openbao-audit";
    let found = captures::story().coverage.iter().find(of).unwrap();
    assert_eq!((found.records, found.not_understood), (857, 0));
}

/// Operation, path and mount of a request, and what it did.
const DEEDS: &[(&str, &str, (&str, &str), &str)] = &[
    ("create", "kv/data/prod/db", KV, "ann create prod/db 3"),
    ("update", "kv/data/prod/db", KV, "ann update prod/db 3"),
    ("patch", "kv/data/prod/db", KV, "ann patch prod/db 3"),
    ("delete", "kv/data/prod/db", KV, "ann delete prod/db 3"),
    ("update", "kv/undelete/prod/db", KV, "ann undelete prod/db 3"),
    ("update", "kv/destroy/prod/db", KV, "ann destroy prod/db 3"),
    ("delete", "kv/metadata/prod/db", KV, "ann delete-all prod/db 3"),
    ("update", "kv/metadata/prod/db", KV, "ann admin update kv/metadata/prod/db"),
    ("update", "kv/config", KV, "ann admin update kv/config"),
    ("read", "kv/config", KV, ""),
    ("read", "kv/data/prod/db", KV, "ann read prod/db"),
    ("read", "kv/metadata/prod/db", KV, ""),
    ("list", "kv/metadata/prod", KV, ""),
    ("update", "old/prod/db", ("old/", "kv"), "ann update prod/db 3"),
    ("read", "old/prod/db", ("old/", "kv"), "ann read prod/db"),
    ("update", "sys/policies/acl/p", SYS, "ann admin update sys/policies/acl/p"),
    ("delete", "sys/auth/ldap", SYS, "ann admin delete sys/auth/ldap"),
    ("read", "sys/policies/acl/p", SYS, ""),
    ("update", "sys/wrapping/unwrap", SYS, ""),
    ("update", "sys/capabilities-self", SYS, ""),
    ("update", "sys/leases/renew", SYS, ""),
    ("update", "sys/leases/revoke", SYS, "ann admin update sys/leases/revoke"),
    ("update", "auth/token/renew-self", ("auth/token/", "token"), ""),
    ("update", "auth/token/create", ("auth/token/", "token"), "ann admin update auth/token/create"),
    ("create", "auth/userpass/users/x", USERPASS, "ann admin create auth/userpass/users/x"),
    (
        "update",
        "transit/keys/k/rotate",
        ("transit/", "transit"),
        "ann admin update transit/keys/k/rotate",
    ),
    ("update", "transit/encrypt/k", ("transit/", "transit"), ""),
    (
        "read",
        "transit/export/signing-key/k",
        ("transit/", "transit"),
        "ann read transit/export/signing-key/k",
    ),
    ("read", "transit/keys/k", ("transit/", "transit"), ""),
    ("update", "database/roles/r", ("database/", "database"), "ann admin update database/roles/r"),
    ("update", "identity/entity", ("identity/", "identity"), "ann admin update identity/entity"),
    ("update", "cubbyhole/x", ("cubbyhole/", "cubbyhole"), ""),
];

#[test]
fn what_a_request_did_by_operation_and_path() {
    for &(operation, path, mount, expected) in DEEDS {
        let expected: Vec<&str> = Some(expected).filter(|e| !e.is_empty()).into_iter().collect();
        assert_eq!(words(&[line("1", operation, path, mount)]), expected, "{operation} {path}");
    }
    let leased = with(
        line("1", "read", "database/creds/r", ("database/", "database")),
        &[("/response/secret", json!({"lease_id": "database/creds/r/1"}))],
    );
    assert_eq!(words(&[leased]), ["ann read database/creds/r"]);
    let nested = with(
        line("1", "update", "sys/mounts/x", SYS),
        &[("/request/namespace", json!({"id": "n", "path": "team/"}))],
    );
    assert_eq!(words(&[nested]), ["ann admin update team/sys/mounts/x"]);
}

#[test]
fn what_failed_or_has_no_answer_did_nothing() {
    let write = || line("1", "update", "kv/data/prod/db", KV);
    let read = || line("1", "read", "kv/data/prod/db", KV);
    for nothing in [
        with(write(), &[("/error", json!("1 error occurred: permission denied"))]),
        with(write(), &[("/response/data", json!({"error": "hmac-sha256:00"}))]),
        with(write(), &[("/type", json!("request"))]),
        with(read(), &[("/response/data", Value::Null)]),
        with(read(), &[("/response/data", json!({"data": null, "metadata": {"version": 2}}))]),
    ] {
        assert!(words(std::slice::from_ref(&nothing)).is_empty(), "{nothing}");
    }
    let kept = with(read(), &[("/response/data", json!({"data": {"error": "x"}, "metadata": {}}))]);
    assert_eq!(words(&[kept]), ["ann read prod/db"]);
    let wrapped = with(read(), &[("/response", json!({"wrap_info": {"ttl": 60}}))]);
    assert_eq!(words(&[wrapped]), ["ann read prod/db"]);
}

#[test]
fn request_and_answer_are_one_act() {
    let answer = line("1", "update", "kv/data/prod/db", KV);
    let request = with(answer.clone(), &[("/type", json!("request")), ("/response", Value::Null)]);
    let acts = acts(&[answer, request]);
    assert_eq!((acts.len(), acts[0].cites.0.len()), (1, 2));
}

#[test]
fn a_login_is_no_administration() {
    let login = with(
        line("1", "update", "auth/userpass/login/ann", USERPASS),
        &[("/request/client_token", Value::Null)],
    );
    assert!(words(&[login]).is_empty());
}

/// A read, and a login that tells the mount, by somebody.
fn read_by(auth: &Value, login: (&str, &str)) -> [Value; 2] {
    let read = with(line("1", "read", "kv/data/db", KV), &[("/auth", auth.clone())]);
    let login = with(
        line("2", "update", &format!("{}login", login.0), login),
        &[("/request/client_token", Value::Null), ("/auth", json!({}))],
    );
    [read, login]
}

#[test]
fn whose_token_it_was() {
    let account = json!({"service_account_namespace": "ns", "service_account_name": "sa"});
    let table = [
        (
            json!({"display_name": "userpass-ben", "metadata": {"username": "ben"}}),
            USERPASS,
            "ben read db",
        ),
        (
            json!({"display_name": "corp-ldap-ben", "metadata": {"username": "ben"}}),
            USERPASS,
            "ben read db",
        ),
        // The mount alone tells where the name begins.
        (json!({"display_name": "oidc-ben"}), ("auth/oidc/", "oidc"), "ben read db"),
        (json!({"display_name": "corp-oidc-ben"}), ("auth/corp/oidc/", "oidc"), "ben read db"),
        (json!({"display_name": "oidc-ben"}), USERPASS, "oidc-ben read db"),
        // Metadata that the name does not repeat is not this login's.
        (
            json!({"display_name": "oidc-ann", "metadata": {"username": "ben"}}),
            ("auth/oidc/", "oidc"),
            "ann read db",
        ),
        (json!({"display_name": "root"}), USERPASS, "root read db"),
        (json!({}), USERPASS, "- read db"),
        // Software, by its login.
        (json!({"display_name": "kubernetes-ns-sa", "metadata": account}), KUBERNETES, ""),
        (json!({"display_name": "kubernetes-ns-sa", "metadata": account}), USERPASS, ""),
        (
            json!({"display_name": "approle", "metadata": {"role_name": "r"}}),
            ("auth/approle/", "approle"),
            "",
        ),
        // A token that somebody made: name and metadata are the maker's word.
        (json!({"display_name": "token", "metadata": account}), KUBERNETES, "token read db"),
        (
            json!({"display_name": "token-ns-sa", "metadata": account}),
            KUBERNETES,
            "token-ns-sa read db",
        ),
        (
            json!({"display_name": "token-ben", "metadata": {"username": "ben"}}),
            USERPASS,
            "token-ben read db",
        ),
    ];
    for (auth, login, expected) in table {
        let expected: Vec<&str> = Some(expected).filter(|e| !e.is_empty()).into_iter().collect();
        assert_eq!(words(&read_by(&auth, login)), expected, "{auth} {login:?}");
    }
    // What software writes is told, by the account that Kubernetes knows it by.
    let auth = json!({"display_name": "kubernetes-ns-sa", "metadata": account});
    let write = with(line("1", "update", "kv/data/db", KV), &[("/auth", auth)]);
    assert_eq!(words(&[write]), ["system:serviceaccount:ns:sa update db 3"]);
}

#[test]
fn a_token_that_was_made_is_its_entitys() {
    let made =
        json!({"display_name": "token-ben", "metadata": {"username": "ben"}, "entity_id": "e-ann"});
    let read = with(line("1", "read", "kv/data/db", KV), &[("/auth", made)]);
    let login = with(
        line("2", "update", "auth/userpass/login/ann", USERPASS),
        &[("/request/client_token", Value::Null)],
    );
    let acts = acts(&[read, login]);
    assert_eq!(acts.iter().map(word).collect::<Vec<_>>(), ["ann read db"]);
    assert!(acts[0].notes[0].starts_with("by a token made from another one"));
}

#[test]
fn one_name_of_two_entities_is_nobodys() {
    let other = json!({"display_name": "userpass2-ann", "metadata": {"username": "ann"}, "entity_id": "e-2"});
    let lines = [
        line("1", "read", "kv/data/a", KV),
        with(line("2", "read", "kv/data/b", KV), &[("/auth", other)]),
    ];
    assert_eq!(words(&lines), ["userpass-ann read a", "userpass2-ann read b"]);
}

#[test]
fn lines_that_are_none() {
    let good = line("1", "read", "kv/data/db", KV);
    for (changed, expected) in [
        (with(good.clone(), &[("/type", json!("raw"))]), "an unknown type"),
        (with(good.clone(), &[("/time", json!("noon"))]), "a missing field"),
        (with(good.clone(), &[("/request/path", Value::Null)]), "a missing field"),
        (with(good.clone(), &[("/request", json!([]))]), "a missing field"),
        (with(good.clone(), &[("/auth/metadata", json!("x"))]), "a missing field"),
    ] {
        let bytes = changed.to_string();
        let reason =
            evidence::parse::openbao_audit::parse(bytes.as_bytes()).unwrap_err().to_string();
        assert!(reason.starts_with(expected), "{reason} for {bytes}");
    }
}
