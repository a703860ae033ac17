//! `cloudevent`: events of any type; of one that carries an Application, its version.

use evidence::channel::Channel;
use evidence::parse::cloudevent::parse;
use serde_json::{Value, json};

use crate::captures::{self, record};
use crate::scenes::{UID, finished, request, told};

fn event(data: &Value) -> Value {
    json!({"received_at": "2026-02-03T10:00:09.25Z", "body": {
        "specversion": "1.0", "id": "1", "source": "/s", "type": "t", "subject": "argocd/shop",
        "time": "2026-02-03T10:00:05Z", "data": data}})
}

fn application() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"uid": UID, "namespace": "argocd", "name": "shop", "resourceVersion": "7"},
        "status": {"operationState": finished(&request("ann@x.example"))},
    })
}

#[test]
fn every_recorded_line_is_understood() {
    let coverage = &captures::story().coverage;
    let found = coverage.iter().find(|c| c.channel == Channel::Cloudevent.id()).unwrap();
    assert_eq!((found.records, found.not_understood), (32, 0));
}

#[test]
fn an_application_is_read_as_one_version_of_it() {
    let text = event(&application()).to_string();
    let read = parse(text.as_bytes()).unwrap();
    assert_eq!(read.application.unwrap().resource_version.0, 7);
    let story = told(&[record(Channel::Cloudevent, "c", text)]);
    assert_eq!(story.operations[0].app.name, "shop");
}

#[test]
fn any_other_event_is_kept_and_says_when_it_was() {
    for data in [json!({"kind": "Pod", "apiVersion": "v1"}), json!([1]), json!("text"), Value::Null]
    {
        let text = event(&data).to_string();
        let read = parse(text.as_bytes()).unwrap();
        assert_eq!((read.application, read.subject.as_deref()), (None, Some("argocd/shop")));
        let story = told(&[record(Channel::Cloudevent, "c", text)]);
        let coverage = &story.coverage[0];
        assert_eq!(coverage.not_understood, 0);
        assert_eq!(coverage.first.unwrap().to_string(), "2026-02-03T10:00:05Z");
    }
    let mut untimed = event(&Value::Null);
    untimed["body"]["time"] = Value::Null;
    let time = parse(untimed.to_string().as_bytes()).unwrap().time.unwrap();
    assert_eq!(time.to_string(), "2026-02-03T10:00:09.25Z");
}

#[test]
fn events_that_are_none() {
    let broken = |change: fn(&mut Value)| {
        let mut event = event(&application());
        change(&mut event);
        event.to_string()
    };
    for (text, expected) in [
        (broken(|e| e["body"]["specversion"] = Value::Null), "a missing field"),
        (broken(|e| e["body"]["type"] = json!(7)), "a missing field"),
        (broken(|e| e["body"]["time"] = json!("soon")), "a missing field"),
        (broken(|e| e["body"]["data"]["metadata"]["uid"] = json!("")), "an object without uid"),
        (broken(|e| e["body"] = json!([])), "a missing field"),
        ("{\"body\":".to_owned(), "not one complete JSON text"),
    ] {
        let reason = parse(text.as_bytes()).unwrap_err().to_string();
        assert!(reason.starts_with(expected), "{reason} for {text}");
    }
}
