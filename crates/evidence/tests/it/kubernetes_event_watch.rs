//! `kubernetes-event-watch`: what Argo CD's own Events say, by their wording and their component.

use evidence::channel::Channel;
use evidence::parse::WatchLine;
use evidence::parse::kubernetes_event_watch::{ArgoAct, EventVersion, Start, parse};
use serde_json::{Value, json};

use crate::captures;

fn event(reason: &str, message: &str) -> Value {
    json!({
        "kind": "Event",
        "metadata": {"uid": "e-1", "resourceVersion": "3"},
        "involvedObject": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "namespace": "argocd", "name": "shop", "uid": "u-1", "resourceVersion": "2"},
        "reason": reason,
        "message": message,
        "source": {"component": "argocd-server"},
        "lastTimestamp": "2026-02-03T10:00:00Z",
    })
}

fn read(event: &Value) -> EventVersion {
    let line = json!({"type": "ADDED", "object": event}).to_string();
    match parse(line.as_bytes()).unwrap() {
        WatchLine::Version(version) => version,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_recorded_line_is_understood() {
    let channel = Channel::KubernetesEventWatch.id();
    let coverage = captures::story().coverage.iter().find(|c| c.channel == channel).unwrap();
    assert_eq!((coverage.records, coverage.bookmarks), (524, 1));
    assert_eq!((coverage.not_understood, coverage.gaps.len()), (0, 0));
}

#[test]
fn the_words_of_an_event_say_what_happened() {
    let change = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let sync = |(from, to)| ArgoAct::SyncStatus { from, to };
    let health = |(from, to)| ArgoAct::Health { from, to };
    for (reason, message, expected) in [
        ("OperationStarted", "x initiated sync to main (0a1b)", ArgoAct::Started(Start::Sync)),
        ("OperationStarted", "x initiated partial sync to main", ArgoAct::Started(Start::Sync)),
        ("OperationStarted", "x initiated rollback to 2", ArgoAct::Started(Start::Rollback)),
        ("OperationStarted", "Initiated automated sync to 'main'", ArgoAct::Started(Start::Sync)),
        ("OperationCompleted", "Sync operation to  succeeded", ArgoAct::Completed),
        ("ResourceUpdated", "Updated sync status: A -> B", sync(change("A", "B"))),
        ("ResourceUpdated", "Updated sync status:  -> B", sync(change("", "B"))),
        ("ResourceUpdated", "Updated health status: A -> B (why -> not)", health(change("A", "B"))),
        ("ResourceUpdated", "x updated application spec", ArgoAct::SpecUpdated),
        ("ResourceUpdated", "x terminated running operation", ArgoAct::Other),
        ("ResourceCreated", "x created application", ArgoAct::Created),
        ("ResourceDeleted", "x deleted application", ArgoAct::Deleted),
        ("ResourceDeleted", "x deleted resource apps/Deployment 'web'", ArgoAct::Other),
    ] {
        assert_eq!(read(&event(reason, message)).argo.unwrap().act, expected, "{message}");
    }
}

#[test]
fn the_caller_of_a_project_stands_in_the_message_alone() {
    for (message, user, action) in [
        ("x@y.example updated project", Some("x@y.example"), "updated project"),
        ("Unknown user created project", None, "created project"),
        ("a b deleted token", Some("a b"), "deleted token"),
        ("x created created token", Some("x created"), "created token"),
        ("something else", None, "something else"),
    ] {
        let mut event = event("ResourceUpdated", message);
        event["involvedObject"]["kind"] = json!("AppProject");
        let project = read(&event).project.unwrap();
        assert_eq!((project.user.as_deref(), &*project.action), (user, action), "{message}");
    }
}

#[test]
fn an_event_about_something_else_only_shows_that_the_channel_lives() {
    let mut other = event("Scheduled", "assigned");
    other["involvedObject"] = json!({"apiVersion": "v1", "kind": "Pod", "name": "p"});
    let version = read(&other);
    assert_eq!(version.argo, None);
    assert!(version.time.is_some());
}

#[test]
fn an_event_without_stamps_of_its_own_has_that_of_its_object() {
    let mut bare = event("OperationStarted", "x initiated sync to main");
    bare["lastTimestamp"] = Value::Null;
    assert_eq!(read(&bare).time, None);
    bare["metadata"]["creationTimestamp"] = json!("2026-02-03T10:00:05Z");
    assert_eq!(read(&bare).time.unwrap().to_string(), "2026-02-03T10:00:05Z");
}

#[test]
fn a_rollback_is_told_by_the_event_and_undetermined_without_it() {
    let with = captures::operation(captures::story(), "payments-prod", 2373);
    assert_eq!((with.kind.word(), with.kind_note.as_deref()), ("rollback", None));
    let channels = [Channel::ArgocdApplicationWatch, Channel::KubernetesAudit];
    let story = evidence::story::derive(captures::records_of(&channels), &captures::people());
    let without = captures::operation(&story, "payments-prod", 2373);
    assert_eq!(without.kind.word(), "full");
    let note = without.kind_note.as_deref().unwrap();
    assert!(note.starts_with("undetermined between full and rollback"), "{note}");
    let automated = captures::operation(&story, "web-prod", 2681);
    assert_eq!(automated.kind_note, None);
}
