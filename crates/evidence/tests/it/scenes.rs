//! Small scenes made for one question each: payloads in the shapes that servers send.

use evidence::channel::Channel;
use evidence::people::People;
use evidence::record::Record;
use evidence::story::{Story, derive};
use serde_json::{Value, json};

use crate::captures::record;

/// The Application that all scenes are about.
pub(crate) const UID: &str = "u-1";

/// A people map of two persons with two accounts each.
pub(crate) fn people() -> People {
    let map = json!({
        "ann": {"argocd_username": "ann@x.example", "kubernetes_user": "k-ann"},
        "ben": {"argocd_username": "ben@x.example", "kubernetes_user": "k-ben"},
    });
    People::from_json(&serde_json::to_vec(&map).unwrap()).unwrap()
}

/// A story of a scene.
pub(crate) fn told(records: &[Record]) -> Story {
    derive(records.to_vec(), &people())
}

/// A request for a sync by somebody.
pub(crate) fn request(username: &str) -> Value {
    json!({"initiatedBy": {"username": username}, "sync": {"revision": "main"}})
}

/// One version of the Application, with an operation or `null`, and a state or `null`.
pub(crate) fn version(rv: u64, operation: &Value, state: &Value) -> Record {
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"uid": UID, "namespace": "argocd", "name": "shop", "resourceVersion": rv.to_string()},
        "operation": operation,
        "status": {"operationState": state},
    });
    let line = json!({"type": "MODIFIED", "object": object}).to_string();
    record(Channel::ArgocdApplicationWatch, &format!("w{rv}"), line)
}

/// The state of a finished operation.
pub(crate) fn finished(operation: &Value) -> Value {
    json!({
        "operation": operation,
        "phase": "Succeeded",
        "startedAt": "2026-02-03T10:00:00Z",
        "finishedAt": "2026-02-03T10:00:01Z",
        "syncResult": {"revision": "0123456789012345678901234567890123456789"},
    })
}

/// A start recorded by a component about a version.
pub(crate) fn start(id: &str, component: &str, rv: u64, user: Option<&str>) -> Record {
    let annotations = user.map_or(Value::Null, |user| json!({"user": user}));
    let object = json!({
        "kind": "Event",
        "metadata": {"uid": id, "resourceVersion": "1", "annotations": annotations},
        "involvedObject": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "namespace": "argocd", "name": "shop", "uid": UID, "resourceVersion": rv.to_string()},
        "reason": "OperationStarted",
        "message": "somebody initiated sync to main",
        "source": {"component": component},
        "firstTimestamp": "2026-02-03T10:00:00Z",
    });
    let line = json!({"type": "ADDED", "object": object}).to_string();
    record(Channel::KubernetesEventWatch, id, line)
}

/// An audited write of the Application that resulted in a version.
pub(crate) fn write(account: &str, rv: u64, body: &Value) -> Record {
    let event = write_event(account, rv, body);
    record(Channel::KubernetesAudit, &format!("a{rv}"), event.to_string())
}

/// The audit event behind [`write`], to be changed by a test.
pub(crate) fn write_event(account: &str, rv: u64, body: &Value) -> Value {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Event",
        "auditID": format!("a{rv}"),
        "stage": "ResponseComplete",
        "requestURI": "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop",
        "verb": "patch",
        "user": {"username": account},
        "objectRef": {"apiGroup": "argoproj.io", "resource": "applications",
            "namespace": "argocd", "name": "shop"},
        "responseStatus": {"code": 200},
        "requestObject": body,
        "responseObject": {"metadata": {"uid": UID, "resourceVersion": rv.to_string()}},
        "requestReceivedTimestamp": "2026-02-03T10:00:00.100000Z",
        "stageTimestamp": "2026-02-03T10:00:00.200000Z",
    })
}

/// A version of an object, as a watch sends it.
pub(crate) fn watched(object: &Value) -> Record {
    let id = format!("{}/{}", object["metadata"]["uid"], object["metadata"]["resourceVersion"]);
    let line = json!({"type": "MODIFIED", "object": object}).to_string();
    record(Channel::KubernetesObjectWatch, &id.replace('"', ""), line)
}

/// A request that somebody made at some second and that was carried out; `with` says what it was.
pub(crate) fn audited(account: &str, second: u32, with: &Value) -> Record {
    let mut event = json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Event",
        "auditID": format!("{account}-{second}"),
        "stage": "ResponseComplete",
        "verb": "create",
        "user": {"username": account},
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": format!("2026-02-03T10:00:{second:02}.100000Z"),
        "stageTimestamp": format!("2026-02-03T10:00:{second:02}.200000Z"),
    });
    for (name, value) in with.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    record(Channel::KubernetesAudit, &format!("{account}-{second}"), event.to_string())
}
