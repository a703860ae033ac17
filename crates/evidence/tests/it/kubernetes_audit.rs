//! `kubernetes-audit`: writes, by whom, with which credential and by which right.

use evidence::channel::Channel;
use evidence::parse::kubernetes_audit::{RequestedOperation, parse};
use serde_json::{Value, json};

use crate::captures;
use crate::scenes::{request, told, write_event};

fn requested(body: &Value) -> RequestedOperation {
    let event = write_event("k-ann", 12, body).to_string();
    parse(event.as_bytes()).unwrap().write.unwrap().operation
}

#[test]
fn every_recorded_line_is_understood() {
    let coverage = &captures::story().coverage[1];
    assert_eq!(coverage.channel, Channel::KubernetesAudit.id());
    assert_eq!((coverage.records, coverage.not_understood), (3062, 0));
}

#[test]
fn writes_of_people_are_listed_and_those_of_software_are_not() {
    let story = captures::story();
    let by = |account: &str| {
        story.writes.iter().filter(|w| w.writer.who.account.starts_with(account)).count()
    };
    assert_eq!((by("carol."), by("dave."), by("frank.")), (22, 2, 6));
    assert_eq!(by("system:"), 0);
    let times: Vec<_> = story.writes.iter().map(|w| w.at.earliest()).collect();
    assert!(times.is_sorted(), "the audit log is out of order, the story is not");
}

#[test]
fn a_write_names_its_object_tool_credential_and_right() {
    let story = captures::story();
    let scaled = story.writes.iter().find(|w| w.object.subresource == "scale").unwrap();
    assert_eq!((&*scaled.object.resource, &*scaled.object.name), ("deployments", "web"));
    assert!(scaled.writer.user_agent.as_deref().unwrap().starts_with("kubectl/"));
    assert!(scaled.writer.credential.as_deref().unwrap().starts_with("X509SHA256="));
    assert_eq!(scaled.writer.right.as_ref().unwrap().role, "prod-debug");
    let unmapped = story.writes.iter().find(|w| w.writer.who.person.is_none()).unwrap();
    let json = serde_json::to_value(&unmapped.writer.who).unwrap();
    assert_eq!(json["unknown"], "account not in the people map");
}

#[test]
fn refused_writes_are_listed_apart() {
    let mut refused = write_event("k-ann", 12, &json!({}));
    refused["responseStatus"]["code"] = json!(403);
    let story = told(&[captures::record(Channel::KubernetesAudit, "a", refused.to_string())]);
    assert_eq!((story.writes.len(), story.refused.len()), (0, 1));
    assert_eq!(story.refused[0].writer.who.person.as_deref(), Some("ann"));
}

#[test]
fn questions_reads_and_dry_runs_are_no_writes() {
    let changed = |change: fn(&mut Value)| {
        let mut event = write_event("k-ann", 12, &json!({}));
        change(&mut event);
        parse(event.to_string().as_bytes()).unwrap().write.is_some()
    };
    assert!(changed(|_| ()));
    assert!(changed(|e| e["requestURI"] = json!("/apis/x?fieldManager=kubectl&dryRun=")));
    assert!(!changed(|e| e["requestURI"] = json!("/apis/x?fieldManager=kubectl&dryRun=All")));
    assert!(!changed(|e| e["verb"] = json!("get")));
    assert!(!changed(|e| e["objectRef"]["apiGroup"] = json!("authorization.k8s.io")));
}

#[test]
fn a_body_asks_for_an_operation_or_does_not_or_is_not_there() {
    let ann = request("k-ann");
    assert!(matches!(requested(&json!({"operation": ann})), RequestedOperation::Present(_)));
    assert_eq!(requested(&json!({"operation": null})), RequestedOperation::Absent);
    assert_eq!(requested(&json!({"spec": {}})), RequestedOperation::Absent);
    assert_eq!(requested(&Value::Null), RequestedOperation::Unknown);
    assert_eq!(requested(&json!("[cut]")), RequestedOperation::Unknown);
    let patch = |path: &str, value: &Value| {
        requested(&json!([{"op": "add", "path": path, "value": value}]))
    };
    assert!(matches!(patch("/operation", &ann), RequestedOperation::Present(_)));
    assert_eq!(patch("/operation/initiatedBy/username", &json!("x")), RequestedOperation::Part);
    assert_eq!(patch("/spec", &json!({})), RequestedOperation::Absent);
}
