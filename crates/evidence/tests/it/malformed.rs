//! Records that nobody understands are counted with their reason: never an error, never a panic.

use evidence::channel::Channel;
use evidence::story::coverage::NOT_UNDERSTOOD_CITED_MAX;
use serde_json::{Value, json};

use crate::captures::{self, record};
use crate::scenes::{told, write_event};

const NOT_JSON: &str = "not one complete JSON text";
const SHAPE: &str = "a missing field or a value of another type";
const KIND: &str = "an object of another kind";
const LINE_TYPE: &str = "an unknown type of watch line";
const VERSION: &str = "a resourceVersion that is no decimal number";
const UNIDENTIFIED: &str = "an object without uid or name";

/// A change that makes a record incomprehensible, and the reason given for it.
type Case = (fn(&mut Value), &'static str);

fn check(channel: Channel, payload: impl Into<Vec<u8>>, expected: &str) {
    let payload = payload.into();
    let shown = String::from_utf8_lossy(&payload).into_owned();
    let story = told(&[record(channel, "r", payload)]);
    let coverage = &story.coverage[0];
    assert_eq!((coverage.records, coverage.not_understood), (1, 1), "{shown}");
    let reason = &coverage.not_understood_first[0].reason;
    assert!(reason.starts_with(expected), "{reason} for {shown}");
    assert!(story.operations.is_empty() && story.writes.is_empty(), "{shown}");
}

fn application(change: fn(&mut Value)) -> String {
    let mut object = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"uid": "u-1", "name": "shop", "resourceVersion": "7"},
        "operation": {"sync": {}},
        "status": {"operationState": {"startedAt": "2026-02-03T10:00:00Z"}},
    });
    change(&mut object);
    json!({"type": "ADDED", "object": object}).to_string()
}

fn event(change: fn(&mut Value)) -> String {
    let mut object = json!({
        "kind": "Event",
        "metadata": {"uid": "e-1", "resourceVersion": "3"},
        "involvedObject": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "name": "shop", "uid": "u-1", "resourceVersion": "2"},
        "reason": "OperationStarted",
    });
    change(&mut object);
    json!({"type": "ADDED", "object": object}).to_string()
}

fn audit(change: fn(&mut Value)) -> String {
    let mut event = write_event("k-ann", 12, &json!({"operation": {"sync": {}}}));
    change(&mut event);
    event.to_string()
}

#[test]
fn lines_of_a_watch_that_are_none() {
    for channel in [Channel::ArgocdApplicationWatch, Channel::KubernetesEventWatch] {
        check(channel, "", NOT_JSON);
        check(channel, &b"\xff\xfe"[..], NOT_JSON);
        check(channel, "{\"type\":\"ADDED\",\"object\":{\"meta", NOT_JSON);
        check(channel, "[".repeat(5000), SHAPE);
        check(channel, format!("{{\"type\":\"ADDED\",\"object\":{}", "[".repeat(5000)), NOT_JSON);
        check(channel, r#"["ADDED"]"#, SHAPE);
        check(channel, "null", SHAPE);
        check(channel, "[]", SHAPE);
        check(channel, r#"{"object":{}}"#, SHAPE);
        check(channel, r#"{"type":7,"object":{}}"#, SHAPE);
        check(channel, r#"{"type":"ADDED"}"#, SHAPE);
        check(channel, r#"{"type":"ADDED","object":null}"#, SHAPE);
        check(channel, r#"{"type":"added","object":{}}"#, LINE_TYPE);
    }
}

#[test]
fn applications_that_are_none() {
    let channel = Channel::ArgocdApplicationWatch;
    let cases: [Case; 17] = [
        (|o| o["metadata"] = Value::Null, SHAPE),
        (|o| o["metadata"]["uid"] = Value::Null, UNIDENTIFIED),
        (|o| o["metadata"]["uid"] = json!(""), UNIDENTIFIED),
        (|o| o["metadata"]["uid"] = json!(5), SHAPE),
        (|o| o["metadata"]["name"] = Value::Null, UNIDENTIFIED),
        (|o| o["metadata"]["resourceVersion"] = Value::Null, VERSION),
        (|o| o["metadata"]["resourceVersion"] = json!("abc"), VERSION),
        (|o| o["metadata"]["resourceVersion"] = json!("+7"), VERSION),
        (|o| o["metadata"]["resourceVersion"] = json!("9".repeat(40)), VERSION),
        (|o| o["metadata"]["resourceVersion"] = json!(7), SHAPE),
        (|o| o["kind"] = json!("AppProject"), KIND),
        (|o| o["apiVersion"] = json!("v1"), KIND),
        (|o| o["operation"] = json!("sync"), SHAPE),
        (|o| o["operation"]["sync"]["resources"] = json!({"kind": "Pod"}), SHAPE),
        (|o| o["operation"]["sync"]["autoHealAttemptsCount"] = json!(-1), SHAPE),
        (|o| o["status"]["operationState"]["startedAt"] = json!("yesterday"), SHAPE),
        (|o| o["status"]["history"] = json!([{"id": "one"}]), SHAPE),
    ];
    for (change, expected) in cases {
        check(channel, application(change), expected);
    }
    assert_eq!(told(&[record(channel, "r", application(|_| ()))]).operations.len(), 1);
}

#[test]
fn events_that_are_none() {
    let cases: [Case; 9] = [
        (|o| o["metadata"] = Value::Null, SHAPE),
        (|o| o["metadata"]["uid"] = Value::Null, UNIDENTIFIED),
        (|o| o["metadata"]["resourceVersion"] = json!("x"), VERSION),
        (|o| o["metadata"]["annotations"] = json!(["user"]), SHAPE),
        (|o| o["kind"] = json!("Pod"), KIND),
        (|o| o["involvedObject"]["uid"] = Value::Null, UNIDENTIFIED),
        (|o| o["involvedObject"]["resourceVersion"] = json!("18446744073709551616"), VERSION),
        (|o| o["firstTimestamp"] = json!(1_700_000_000), SHAPE),
        (|o| o["reason"] = json!({}), SHAPE),
    ];
    for (change, expected) in cases {
        check(Channel::KubernetesEventWatch, event(change), expected);
    }
}

#[test]
fn audit_events_that_are_none() {
    let channel = Channel::KubernetesAudit;
    check(channel, "", NOT_JSON);
    check(channel, "{\"kind\":\"Event\",", NOT_JSON);
    check(channel, "{}", SHAPE);
    let cases: [Case; 12] = [
        (|o| o["kind"] = json!("EventList"), KIND),
        (|o| o["apiVersion"] = json!("v1"), KIND),
        (|o| o["auditID"] = Value::Null, SHAPE),
        (|o| o["auditID"] = json!(""), UNIDENTIFIED),
        (|o| o["user"] = Value::Null, SHAPE),
        (|o| o["user"]["groups"] = json!("all"), SHAPE),
        (|o| o["stageTimestamp"] = json!(""), SHAPE),
        (|o| o["responseStatus"]["code"] = json!(100_000), SHAPE),
        (|o| o["responseObject"]["metadata"]["resourceVersion"] = json!("1e3"), VERSION),
        (|o| o["objectRef"]["resourceVersion"] = json!("latest"), VERSION),
        (|o| o["requestObject"]["operation"] = json!([]), SHAPE),
        (|o| o["responseObject"] = json!("[cut]"), SHAPE),
    ];
    for (change, expected) in cases {
        check(channel, audit(change), expected);
    }
}

#[test]
fn many_are_counted_and_the_first_few_are_named() {
    let ids: Vec<String> = (0..40).map(|n| format!("r{n:02}")).collect();
    let records: Vec<_> =
        ids.iter().rev().map(|id| record(Channel::KubernetesAudit, id, "{")).collect();
    let coverage = &told(&records).coverage[0];
    assert_eq!((coverage.records, coverage.not_understood), (40, 40));
    let named: Vec<String> =
        coverage.not_understood_first.iter().map(|u| u.cite.id.to_string()).collect();
    assert_eq!(named, ids[..NOT_UNDERSTOOD_CITED_MAX]);
}

#[test]
fn recorded_lines_cut_anywhere_never_panic() {
    for record in captures::records().iter().step_by(97) {
        for parts in 1..20 {
            let mut cut = record.clone();
            cut.payload.truncate(record.payload.len() * parts / 20);
            assert_eq!(told(&[cut]).coverage[0].not_understood, 1);
        }
    }
}
