//! `argocd-application-watch`: what is read of a version, and of the recorded channel as a whole.

use evidence::channel::Channel;
use evidence::parse::WatchLine;
use evidence::parse::argocd_application_watch::{ApplicationVersion, AutomatedSync, parse};
use evidence::story::coverage::Coverage;
use evidence::story::state::StateKind;
use serde_json::{Value, json};

use crate::captures;
use crate::scenes::told;

fn read(object: &Value) -> ApplicationVersion {
    let line = json!({"type": "ADDED", "object": object}).to_string();
    match parse(line.as_bytes()).unwrap() {
        WatchLine::Version(version) => version,
        other => panic!("{other:?}"),
    }
}

fn minimal() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"uid": "u-1", "name": "shop", "resourceVersion": "7"},
    })
}

#[test]
fn every_recorded_line_is_understood() {
    let of = |c: &&Coverage| c.channel == Channel::ArgocdApplicationWatch.id();
    let coverage = captures::story().coverage.iter().find(of).unwrap();
    assert_eq!((coverage.not_understood, coverage.gaps.len()), (0, 0));
    assert_eq!(coverage.records - coverage.bookmarks, 843);
}

#[test]
fn a_version_with_nothing_but_an_identity_is_enough() {
    let version = read(&minimal());
    assert_eq!((version.name.as_str(), version.resource_version.0), ("shop", 7));
    assert_eq!(version.operation, None);
    assert_eq!(version.automated_sync, AutomatedSync::Off);
}

#[test]
fn null_is_the_same_as_absent() {
    let mut object = minimal();
    object["spec"] = Value::Null;
    object["operation"] = Value::Null;
    object["status"] =
        json!({"sync": null, "health": null, "history": null, "operationState": null});
    assert_eq!(read(&object), read(&minimal()));
}

#[test]
fn automated_sync_is_on_unless_it_is_switched_off() {
    for (policy, expected) in [
        (json!({}), AutomatedSync::On { self_heal: false }),
        (json!({"selfHeal": true}), AutomatedSync::On { self_heal: true }),
        (json!({"enabled": true}), AutomatedSync::On { self_heal: false }),
        (json!({"enabled": false, "selfHeal": true}), AutomatedSync::Off),
        (Value::Null, AutomatedSync::Off),
    ] {
        let mut object = minimal();
        object["spec"] = json!({"syncPolicy": {"automated": policy}});
        assert_eq!(read(&object).automated_sync, expected, "{policy}");
    }
}

#[test]
fn an_error_line_is_a_gap_and_a_bookmark_is_none() {
    let line = |id, text: &str| captures::record(Channel::ArgocdApplicationWatch, id, text);
    let story = told(&[
        line("e", r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}"#),
        line("b", r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"#),
    ]);
    let coverage = &story.coverage[0];
    assert_eq!((coverage.records, coverage.bookmarks, coverage.not_understood), (2, 1, 0));
    assert_eq!(coverage.gaps[0].reason, "the watch ended in an ERROR line with status 410");
    assert_eq!(coverage.gaps[0].cite.to_string(), "argocd-application-watch:e");
}

#[test]
fn an_application_deleted_while_an_operation_runs_ends_it() {
    let mut object = minimal();
    object["operation"] = json!({"sync": {}});
    let set = json!({"type": "ADDED", "object": object}).to_string();
    object["metadata"]["resourceVersion"] = json!("8");
    let gone = json!({"type": "DELETED", "object": object}).to_string();
    let channel = Channel::ArgocdApplicationWatch;
    let story = told(&[captures::record(channel, "1", set), captures::record(channel, "2", gone)]);
    let json = serde_json::to_value(&story.operations[0]).unwrap();
    assert_eq!((&json["set"], &json["end"]), (&json!({"at_or_before": 7}), &json!({"deleted": 8})));
}

#[test]
fn state_changes_follow_the_versions() {
    let story = captures::story();
    let changes = story.state_changes.iter().filter(|s| s.app.name == "payments-prod");
    let sync: Vec<(u64, &str)> = changes
        .filter(|s| s.what == StateKind::Sync)
        .map(|s| (s.version.0, s.to.as_deref().unwrap_or_default()))
        .collect();
    let out = "OutOfSync";
    let expected = [(801, out), (920, "Synced"), (1139, out), (1173, "Synced"), (2140, out)];
    assert_eq!(sync[..5], expected);
    let rest = [(2196, "Synced"), (2390, out), (2514, "Synced"), (2527, out), (2545, "Synced")];
    assert_eq!(sync[5..], rest);
}
