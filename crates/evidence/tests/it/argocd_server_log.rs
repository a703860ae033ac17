//! `argocd-server-log`: which lines are read, who was refused what, who made tokens.

use evidence::channel::Channel;
use evidence::parse::argocd_server_log::{Caller, Told, parse};
use evidence::people::People;
use evidence::record::Record;
use evidence::story::act::{Act, What};
use evidence::story::claim::Voice;
use evidence::story::derive;
use serde_json::{Value, json};

use crate::captures::{self, record};

const SYNC: &str = "application.ApplicationService/Sync";
const CREATE_TOKEN: &str = "project.ProjectService/CreateToken";
const WINDOW: &str =
    "rpc error: code = PermissionDenied desc = cannot sync: blocked by sync window";

fn claims(who: &str) -> Value {
    let claims = json!({"iss": "https://sso", "sub": format!("sub-{who}"), "email": format!("{who}@x.example")});
    claims.to_string().into()
}

fn request(second: u64, method: &str, who: &str, content: &Value) -> Value {
    json!({"level": "info", "time": at(second), "msg": format!("received unary call /{method}"),
        "grpc.request.claims": claims(who), "grpc.request.content": content})
}

fn ended(from: u64, to: u64, method: &str, code: &str, error: Option<&str>) -> Value {
    let (service, name) = method.split_once('/').unwrap();
    let mut line = json!({"level": "info", "time": at(to), "msg": "finished call",
        "grpc.service": service, "grpc.method": name, "grpc.code": code,
        "grpc.start_time": at(from)});
    if let Some(error) = error {
        line["grpc.error"] = error.into();
    }
    line
}

fn audit(second: u64, text: &str) -> Value {
    json!({"level": "info", "time": at(second), "msg": text, "reason": "ResourceCreated",
        "project": "p", "type": "Normal"})
}

fn at(second: u64) -> String {
    format!("2026-02-03T10:00:{second:02}Z")
}

fn denied(who: &str) -> String {
    format!(
        "rpc error: code = PermissionDenied desc = permission denied: applications, sync, \
             p/shop, sub: sub-{who}, iat: 2026-02-03T09:59:00Z"
    )
}

fn people() -> People {
    let map = json!({
        "ann": {"argocd_username": "ann@x.example", "oidc_subject": "sub-ann"},
        "ben": {"argocd_username": "ben@x.example", "oidc_subject": "sub-ben"},
    });
    People::from_json(&serde_json::to_vec(&map).unwrap()).unwrap()
}

fn acts(lines: &[Value]) -> Vec<Act> {
    let line = |(n, line): (usize, &Value)| -> Record {
        record(Channel::ArgocdServerLog, &format!("l{n}"), line.to_string())
    };
    let story = derive(lines.iter().enumerate().map(line), &people());
    assert_eq!(story.coverage[0].not_understood, 0);
    story.acts
}

fn named(name: &str) -> Value {
    json!({"name": name, "appNamespace": ""})
}

/// Kind, Application and person of each act, or its first note.
fn words(lines: &[Value]) -> Vec<String> {
    let word = |act: &Act| {
        let who = act.person().or(act.who.as_ref().map(|w| w.account.as_str()));
        let who = who.map_or_else(|| act.notes.join("; "), str::to_owned);
        let kind = serde_json::to_value(&act.what).unwrap()["kind"].as_str().unwrap().to_owned();
        format!("{kind} {} {who}", act.app.as_deref().unwrap_or("-"))
    };
    acts(lines).iter().map(word).collect()
}

#[test]
fn every_recorded_line_is_understood() {
    let of = |c: &&evidence::story::coverage::Coverage| c.channel == "argocd-server-log";
    let found = captures::story().coverage.iter().find(of).unwrap();
    assert_eq!((found.records, found.not_understood), (827, 0));
}

#[test]
fn callers_by_their_claims() {
    let caller = |username: &str, subject: &str| {
        Some(Caller { username: username.to_owned(), subject: subject.to_owned() })
    };
    for (claims, expected) in [
        (
            json!({"iss": "https://sso", "sub": "s", "email": "a@x.example"}),
            caller("a@x.example", "s"),
        ),
        (json!({"iss": "https://sso", "sub": "s"}), caller("s", "s")),
        (
            json!({"iss": "https://dex", "sub": "Cg", "email": "a@x.example",
            "federated_claims": {"user_id": "u"}}),
            caller("a@x.example", "u"),
        ),
        (
            json!({"iss": "argocd", "sub": "proj:p:r", "email": "a@x.example"}),
            caller("proj:p:r", "proj:p:r"),
        ),
        (json!({"iss": "argocd", "sub": "admin"}), caller("admin", "admin")),
        (json!("[redacted]"), caller("[redacted]", "[redacted]")),
        (json!({}), None),
        (json!("no JSON"), None),
    ] {
        let text = claims.as_str().map_or_else(|| claims.to_string(), str::to_owned);
        let mut line = request(1, SYNC, "ann", &named("shop"));
        line["grpc.request.claims"] = text.clone().into();
        match parse(line.to_string().as_bytes()).unwrap().what {
            Told::Request(request) => assert_eq!(request.caller, expected, "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_policy_names_whom_it_refused_and_a_window_nobody() {
    let ask = request(2, SYNC, "ann", &named("shop"));
    let by_policy = ended(1, 2, SYNC, "PermissionDenied", Some(&denied("ann")));
    let by_window = ended(1, 2, SYNC, "PermissionDenied", Some(WINDOW));
    assert_eq!(words(&[ask.clone(), by_policy.clone()]), ["sync-refused shop ann"]);
    assert_eq!(words(&[ask.clone(), by_window.clone()]), ["sync-refused shop ann"]);
    assert_eq!(words(std::slice::from_ref(&by_policy)), ["sync-refused shop ann"]);
    let unknown = "sync-refused - the error names no caller, and the request is not in the \
                   records; which Application it was about is not certain";
    assert_eq!(words(std::slice::from_ref(&by_window)), [unknown]);
    // A request of another second is another call's.
    let late = request(3, SYNC, "ann", &named("shop"));
    assert_eq!(words(&[late, by_window.clone()]), [unknown]);
    let [policy] = &acts(&[ask.clone(), by_policy])[..] else { panic!() };
    assert_eq!((policy.voice, policy.cites.0.len()), (Voice::Authenticated, 2));
    assert_eq!(policy.who.as_ref().unwrap().account, "ann@x.example");
    let reason = "permission denied: applications, sync, p/shop".to_owned();
    assert_eq!(policy.what, What::SyncRefused { reason });
    let [window] = &acts(&[ask, by_window])[..] else { panic!() };
    assert_eq!(window.voice, Voice::Recorded);
}

#[test]
fn callers_of_one_second_are_not_taken_for_each_other() {
    let (ann, ben) =
        (request(1, SYNC, "ann", &named("shop")), request(1, SYNC, "ben", &named("shop")));
    let other = request(1, SYNC, "ann", &named("till"));
    let refused = ended(1, 1, SYNC, "PermissionDenied", Some(WINDOW));
    let went_well = ended(1, 1, SYNC, "OK", None);
    let several = "sync-refused shop the error names no caller, and several called in that second";
    assert_eq!(words(&[ann.clone(), ben.clone(), refused.clone(), went_well.clone()]), [several]);
    let app = "sync-refused - ann";
    assert_eq!(words(&[ann.clone(), other, refused.clone(), went_well.clone()]), [app]);
    let missing = "sync-refused - the error names no caller, and a request of that second is \
                   missing; which Application it was about is not certain";
    assert_eq!(words(&[ann.clone(), refused.clone(), went_well]), [missing]);
    // Only the policy tells them apart.
    let policy = ended(1, 1, SYNC, "PermissionDenied", Some(&denied("ben")));
    assert_eq!(words(&[ann.clone(), ben, policy]), ["sync-refused shop ben"]);
    // A call of another method is none of this one.
    let rollback = request(1, "application.ApplicationService/Rollback", "ben", &named("shop"));
    assert_eq!(words(&[ann, rollback, refused]), ["sync-refused shop ann"]);
}

#[test]
fn a_subject_that_may_be_the_callers_own_text_is_none() {
    let error = "rpc error: code = PermissionDenied desc = permission denied: applications, \
                 create, p/x, sub: sub-ann, sub: sub-ben, iat: 2026-02-03T09:59:00Z";
    let refused = ended(1, 1, SYNC, "PermissionDenied", Some(error));
    let acts = acts(&[refused]);
    assert_eq!((acts.len(), acts[0].who.as_ref()), (1, None));
}

#[test]
fn other_changes_that_were_refused_are_told_and_reads_are_not() {
    let refused =
        |method: &str| words(&[ended(1, 1, method, "PermissionDenied", Some(&denied("ann")))]);
    assert_eq!(refused("project.ProjectService/Update"), ["call-refused - ann"]);
    assert_eq!(refused("application.ApplicationService/Delete"), ["call-refused shop ann"]);
    assert_eq!(refused("cluster.ClusterService/Create"), ["call-refused - ann"]);
    for read in [
        "application.ApplicationService/Get",
        "project.ProjectService/List",
        "session.SessionService/Create",
        "repository.RepositoryService/ValidateAccess",
    ] {
        assert!(refused(read).is_empty(), "{read}");
    }
    let failed = ended(1, 1, SYNC, "Internal", Some("rpc error: code = Internal desc = x"));
    assert!(words(&[failed]).is_empty());
}

#[test]
fn tokens_and_who_made_them() {
    let ask = |who: &str, role: &str| {
        request(1, CREATE_TOKEN, who, &json!({"project": "p", "role": role}))
    };
    let went_well = ended(1, 1, CREATE_TOKEN, "OK", None);
    let refused = ended(1, 1, CREATE_TOKEN, "PermissionDenied", Some(&denied("ann")));
    let told = audit(1, "ann@x.example created token");
    let tokens = |lines: &[Value]| -> Vec<String> {
        let token = |act: &Act| match &act.what {
            What::ProjectTokenCreated { role, .. } => {
                Some(format!("{role} {}", act.person().unwrap_or("-")))
            }
            _ => None,
        };
        acts(lines).iter().filter_map(token).collect()
    };
    assert_eq!(tokens(&[ask("ann", "r"), went_well.clone(), told.clone()]), ["proj:p:r ann"]);
    assert_eq!(tokens(&[ask("ann", "r"), went_well.clone()]), ["proj:p:r ann"]);
    assert_eq!(tokens(&[ask("ann", "r"), told.clone()]), ["proj:p:r ann"]);
    assert_eq!(tokens(std::slice::from_ref(&told)), ["proj:p:? ann"]);
    assert_eq!(tokens(&[audit(1, "Unknown user created token")]), ["proj:p:? -"]);
    assert!(tokens(&[ask("ann", "r"), refused.clone()]).is_empty());
    assert!(tokens(&[ask("ann", "r")]).is_empty());
    // One of two was refused, and nothing tells which.
    let both = [ask("ann", "r"), ask("ann", "s"), went_well, refused, told];
    assert_eq!(tokens(&both), ["proj:p:? ann"]);
}

#[test]
fn lines_that_tell_nothing_are_understood_and_others_are_not() {
    let plain = json!({"level": "info", "msg": "started", "time": at(1)});
    assert_eq!(parse(plain.to_string().as_bytes()).unwrap().what, Told::Nothing);
    for (key, value) in [("time", json!("noon")), ("msg", Value::Null), ("grpc.code", json!(7))] {
        let mut line = plain.clone();
        line[key] = value;
        let reason = parse(line.to_string().as_bytes()).unwrap_err().to_string();
        assert!(reason.starts_with("a missing field"), "{reason}");
    }
    let cut = &plain.to_string().into_bytes()[..20];
    assert!(parse(cut).unwrap_err().to_string().starts_with("not one complete"));
}
