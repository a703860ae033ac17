//! `alertmanager-webhook`: alerts, when they fired and whose they are.

use evidence::channel::Channel;
use evidence::parse::alertmanager_webhook::parse;
use evidence::record::Record;
use evidence::story::act::{Act, What};
use serde_json::{Value, json};

use crate::captures::{self, record};
use crate::scenes::told;

fn alert(fingerprint: &str, from: u64, to: Option<u64>, labels: &Value) -> Value {
    let at = |second: u64| format!("2026-02-03T10:00:{second:02}.5Z");
    json!({
        "status": if to.is_some() { "resolved" } else { "firing" },
        "fingerprint": fingerprint, "labels": labels, "startsAt": at(from),
        "endsAt": to.map_or("0001-01-01T00:00:00Z".to_owned(), at),
    })
}

fn delivery(id: &str, alerts: &[Value], left_out: u64) -> Record {
    let body =
        json!({"version": "4", "groupKey": "{}", "truncatedAlerts": left_out, "alerts": alerts});
    let record_bytes = json!({"received_at": "2026-02-03T10:00:59Z", "body": body}).to_string();
    record(Channel::AlertmanagerWebhook, id, record_bytes)
}

fn app(name: &str, destination: &str) -> Record {
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"uid": name, "namespace": "argocd", "name": name, "resourceVersion": "5"},
        "spec": {"destination": {"namespace": destination}},
    });
    let line = json!({"type": "ADDED", "object": object}).to_string();
    record(Channel::ArgocdApplicationWatch, name, line)
}

fn labels() -> Value {
    json!({"alertname": "Slow", "severity": "page", "namespace": "shop-prod"})
}

fn alerts(records: &[Record]) -> Vec<Act> {
    told(records).acts
}

#[test]
fn every_recorded_line_is_understood() {
    let of = |c: &&evidence::story::coverage::Coverage| c.channel == "alertmanager-webhook";
    let found = captures::story().coverage.iter().find(of).unwrap();
    assert_eq!((found.not_understood, found.gaps.len()), (0, 0));
    assert!(found.records >= 5);
}

#[test]
fn a_firing_is_one_act_from_its_start_to_its_end() {
    let firing = delivery("1", &[alert("f", 1, None, &labels())], 0);
    let resolved = delivery("2", &[alert("f", 1, Some(9), &labels())], 0);
    let again = delivery("3", &[alert("f", 20, None, &labels())], 0);
    let what = |resolved| What::Alert {
        name: "Slow".to_owned(),
        severity: Some("page".to_owned()),
        resolved,
    };
    let [once] = &alerts(std::slice::from_ref(&firing))[..] else { panic!() };
    assert_eq!(
        (&once.what, once.at.unwrap().to_string().as_str()),
        (&what(false), "2026-02-03T10:00:01.5Z")
    );
    for records in [[firing.clone(), resolved.clone()], [resolved.clone(), firing.clone()]] {
        let [act] = &alerts(&records)[..] else { panic!() };
        assert_eq!((&act.what, act.cites.0.len()), (&what(true), 2));
        let at = serde_json::to_value(act.at).unwrap();
        assert_eq!(at["from"], "2026-02-03T10:00:01.5Z");
        assert_eq!(at["to"], "2026-02-03T10:00:09.6Z");
    }
    assert_eq!(alerts(&[firing, resolved, again]).len(), 2);
}

#[test]
fn the_application_is_the_one_that_the_labels_lead_to() {
    let of = |labels: &Value| {
        let mut all = json!({"alertname": "x"});
        all.as_object_mut().unwrap().extend(labels.as_object().unwrap().clone());
        let records = [
            delivery("1", &[alert("f", 1, None, &all)], 0),
            app("shop", "shop-prod"),
            app("till", "till-prod"),
            app("till-db", "till-prod"),
        ];
        let acts = alerts(&records);
        let act = acts.iter().find(|a| matches!(a.what, What::Alert { .. })).unwrap().clone();
        (act.app, act.namespace, act.notes.len())
    };
    let found = |app: Option<&str>, namespace: Option<&str>, notes: usize| {
        (app.map(str::to_owned), namespace.map(str::to_owned), notes)
    };
    // As Argo CD exports it.
    let own = json!({"name": "till", "namespace": "argocd"});
    assert_eq!(of(&own), found(Some("till"), Some("till-prod"), 0));
    let renamed =
        json!({"name": "till", "exported_namespace": "argocd", "namespace": "monitoring"});
    assert_eq!(of(&renamed), found(Some("till"), Some("till-prod"), 0));
    // By the namespace that it comes from.
    assert_eq!(of(&json!({"namespace": "shop-prod"})), found(Some("shop"), Some("shop-prod"), 0));
    assert_eq!(of(&json!({"namespace": "till-prod"})), found(None, Some("till-prod"), 1));
    assert_eq!(of(&json!({"namespace": "else"})), found(None, Some("else"), 0));
    // A name of something else in that namespace.
    assert_eq!(
        of(&json!({"name": "till", "namespace": "shop-prod"})),
        found(Some("shop"), Some("shop-prod"), 0)
    );
    assert_eq!(of(&json!({})), found(None, None, 0));
}

#[test]
fn alerts_that_were_left_out_are_a_gap() {
    let story = told(&[delivery("1", &[alert("f", 1, None, &labels())], 7)]);
    assert_eq!(story.acts.len(), 1);
    assert_eq!(story.coverage[0].gaps[0].reason, "Alertmanager left 7 alerts out of a delivery");
}

#[test]
fn deliveries_that_are_none() {
    let good = json!({"body": {"version": "4", "alerts": [alert("f", 1, Some(2), &labels())]}});
    let with = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string()
    };
    assert!(parse(good.to_string().as_bytes()).is_ok());
    for (text, expected) in [
        (with("/body/version", json!("5")), "an object of another kind"),
        (with("/body/alerts/0/fingerprint", json!("")), "an object without uid"),
        (with("/body/alerts/0/startsAt", json!("soon")), "a missing field"),
        (with("/body/alerts/0/endsAt", json!("soon")), "a missing field"),
        (with("/body/alerts/0/status", json!("loud")), "a missing field"),
        (with("/body/alerts/0/labels", json!({"a": 1})), "a missing field"),
        (with("/body", json!([])), "a missing field"),
        ("{\"body\":".to_owned(), "not one complete JSON text"),
    ] {
        let reason = parse(text.as_bytes()).unwrap_err().to_string();
        assert!(reason.starts_with(expected), "{reason} for {text}");
    }
}
