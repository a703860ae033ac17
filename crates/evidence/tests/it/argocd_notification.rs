//! `argocd-notification`: what is read of a delivery, and what notifications alone show.

use evidence::channel::Channel;
use evidence::parse::argocd_notification::parse;
use evidence::record::Record;
use evidence::story::claim::Identity;
use evidence::story::initiator::Initiator;
use evidence::story::operation::{End, Kind, SetAt};
use serde_json::{Value, json};

use crate::argocd_stream::{persons, without};
use crate::captures::{self, record};
use crate::scenes::{UID, finished, request, start, told, write};

const SPARSE: [Channel; 2] = [Channel::ArgocdApplicationWatch, Channel::ArgocdStream];

fn application(rv: u64, operation: &Value, state: &Value, history: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"uid": UID, "namespace": "argocd", "name": "shop", "resourceVersion": rv.to_string()},
        "operation": operation,
        "status": {"operationState": state, "history": history},
    })
}

fn sent(rv: u64, operation: &Value, state: &Value) -> Record {
    let body = application(rv, operation, state, &Value::Null);
    let delivery = json!({"received_at": "2026-02-03T10:00:05.5Z", "body": body}).to_string();
    record(Channel::ArgocdNotification, &format!("n{rv}"), delivery)
}

fn state(operation: &Value, started: &str, phase: &str) -> Value {
    let mut state = finished(operation);
    state["startedAt"] = json!(started);
    state["phase"] = json!(phase);
    if phase == "Running" {
        state["finishedAt"] = Value::Null;
    }
    state
}

#[test]
fn every_recorded_line_is_understood() {
    let of = |c: &&evidence::story::coverage::Coverage| c.channel == "argocd-notification";
    let found = captures::story().coverage.iter().find(of).unwrap();
    // 82 deliveries, nine of which were sent again byte for byte.
    assert_eq!((found.records, found.not_understood, found.gaps.len()), (73, 0, 0));
    assert!(found.first.is_some());
}

#[test]
fn deliveries_that_are_none() {
    let good = application(7, &Value::Null, &Value::Null, &Value::Null);
    let wrapped = |body: &Value| json!({"body": body}).to_string();
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        wrapped(&body)
    };
    assert_eq!(parse(wrapped(&good).as_bytes()).unwrap().version.name, "shop");
    for (delivery, expected) in [
        (with("kind", json!("AppProject")), "an object of another kind"),
        (with("kind", Value::Null), "a missing field"),
        (with("metadata", json!({"name": "shop"})), "an object without uid"),
        (with("operation", json!("sync")), "a missing field"),
        (wrapped(&json!("text")), "a missing field"),
        ("{}".to_owned(), "a missing field"),
        ("{\"body\":{".to_owned(), "not one complete JSON text"),
    ] {
        let reason = parse(delivery.as_bytes()).unwrap_err().to_string();
        assert!(reason.starts_with(expected), "{reason} for {delivery}");
    }
}

/// Notifications show an operation in one version or in none: its start and end lie in ranges, and
/// who started it is told of nobody whom the full records do not show.
#[test]
fn notifications_alone_show_most_operations_and_accuse_nobody_new() {
    let (sparse, full) = (without(&SPARSE), captures::story());
    println!("{} operations", sparse.operations.len());
    assert!(sparse.operations.len() >= 40, "{}", sparse.operations.len());
    let all: Vec<_> = full.operations.iter().collect();
    for operation in &sparse.operations {
        let name = &operation.app.name;
        let (after, until) = match operation.set {
            SetAt::Exactly(v) => (v.0 - 1, v.0),
            SetAt::Between { after, until } => (after.0, until.0),
            SetAt::AtOrBefore(v) => (0, v.0),
        };
        let within = all
            .iter()
            .filter(|o| o.app.name == *name && (after + 1..=until).contains(&o.set.version().0));
        let within: Vec<_> = within.collect();
        assert!(!within.is_empty(), "{name} {after}..{until} is no operation of the evening");
        // Two operations may begin within one second.
        let same = within
            .iter()
            .find(|o| o.started_at == operation.started_at && is_kind(o.kind, operation.kind));
        let same = same.unwrap_or_else(|| panic!("{name} {until}: {:?}", operation.kind));
        let exact = matches!(operation.set, SetAt::Exactly(_));
        assert!(
            exact || operation.not_found.is_empty(),
            "{name} {until}: which version is not known"
        );
        if let Some(person) = operation.person() {
            assert_eq!(Some(person), same.person(), "{name} {until}");
        }
        assert!(!operation.initiator.is_contradicted() || same.initiator.is_contradicted());
        assert!(
            operation.history_id.is_none_or(|id| Some(id) == same.history_id),
            "{name} {until}"
        );
        let cleared = same.end.version().unwrap();
        match operation.end {
            End::Between { after, until } => assert!(after < cleared && cleared <= until),
            End::AtOrBefore(until) => assert!(cleared <= until),
            End::NotSeen => {}
            exact => panic!("{name}: {exact:?} is not shown"),
        }
    }
    assert_eq!(persons(full).len(), 45);
}

/// Only the API server's Event at the very version tells a rollback.
fn is_kind(full: Kind, sparse: Kind) -> bool {
    full == sparse || full == Kind::Rollback && sparse == Kind::Full
}

#[test]
fn an_operation_may_show_only_in_what_it_left() {
    let (ann, ben) = (request("ann@x.example"), request("ben@x.example"));
    let first = state(&ann, "2026-02-03T10:00:00Z", "Succeeded");
    let second = state(&ben, "2026-02-03T10:01:00Z", "Failed");
    let none = Value::Null;
    let story = told(&[sent(7, &none, &first), sent(9, &none, &first), sent(20, &none, &second)]);
    let sets: Vec<_> =
        story.operations.iter().map(|o| serde_json::to_value(o.set).unwrap()).collect();
    assert_eq!(sets, [json!({"at_or_before": 7}), json!({"between": {"after": 9, "until": 20}})]);
    let phases: Vec<_> = story.operations.iter().map(|o| o.phase.as_deref().unwrap()).collect();
    assert_eq!(phases, ["Succeeded", "Failed"]);
    assert!(story.operations.iter().all(|o| o.initiator.is_undetermined()));
}

/// The same request twice is two operations when it ran in both, since different times; else it is
/// told as one.
#[test]
fn the_same_request_in_two_versions_may_be_two_operations() {
    let ann = request("ann@x.example");
    let running = |started: &str| state(&ann, started, "Running");
    let (once, again) = (running("2026-02-03T10:00:00Z"), running("2026-02-03T10:00:30Z"));
    let count = |records: &[Record]| told(records).operations.len();
    assert_eq!(count(&[sent(7, &ann, &once), sent(9, &ann, &once)]), 1);
    assert_eq!(count(&[sent(7, &ann, &once), sent(9, &ann, &again)]), 2);
}

/// A state that began at another time than the operation that was seen running is another's.
#[test]
fn what_another_operation_left_is_not_taken_for_the_outcome() {
    let ann = request("ann@x.example");
    let running = state(&ann, "2026-02-03T10:00:00Z", "Running");
    let later = state(&ann, "2026-02-03T10:09:00Z", "Failed");
    let story = told(&[sent(7, &ann, &running), sent(30, &Value::Null, &later)]);
    let phases: Vec<_> = story.operations.iter().map(|o| o.phase.clone()).collect();
    assert_eq!(phases, [Some("Running".to_owned()), Some("Failed".to_owned())]);
}

/// An Event about a version in between may be of an operation that no version shows.
#[test]
fn an_event_about_a_version_in_between_names_nobody() {
    let ann = request("ann@x.example");
    let running = state(&ann, "2026-02-03T10:00:00Z", "Running");
    let none = Value::Null;
    let event = |rv| start("e", "argocd-server", rv, Some("ann@x.example"));
    let who = |rv| {
        let story = told(&[sent(7, &none, &none), sent(12, &ann, &running), event(rv)]);
        match &story.operations[0].initiator {
            Initiator::Determined { who: Identity { account, .. }, .. } => account.clone(),
            other => {
                assert!(other.is_undetermined());
                "undetermined".to_owned()
            }
        }
    };
    assert_eq!((who(10).as_str(), who(12).as_str()), ("undetermined", "ann@x.example"));
}

/// Records about the version before say who set an operation only where nothing was in between.
#[test]
fn records_about_versions_that_do_not_follow_each_other_start_nothing() {
    let none = Value::Null;
    let automated = json!({"initiatedBy": {"automated": true}, "sync": {}});
    let running = state(&automated, "2026-02-03T10:00:00Z", "Running");
    let event = start("e", "argocd-application-controller", 7, None);
    let story = told(&[sent(7, &none, &none), sent(12, &automated, &running), event]);
    assert!(story.operations[0].initiator.is_undetermined());
    // A write that was answered with a version which shows only an outcome did not set it.
    let ann = request("ann@x.example");
    let left = finished(&ann);
    let idle = write("k-ben", 12, &json!({"operation": ann}));
    let story = told(&[sent(7, &none, &none), sent(12, &none, &left), idle]);
    assert_eq!(story.operations.len(), 1);
    assert!(story.operations[0].initiator.is_undetermined());
}
