//! `kubernetes-audit`: writes, by whom, with which credential and by which right.

use std::collections::BTreeSet;

use evidence::channel::Channel;
use evidence::parse::kubernetes_audit::{AuditWrite, RequestedOperation, parse};
use evidence::record::Record;
use evidence::story::act::{Act, What};
use serde_json::{Value, json};

use crate::captures;
use crate::scenes::{audited, request, told, version, watched, write_event};

fn requested(body: &Value) -> RequestedOperation {
    let event = write_event("k-ann", 12, body).to_string();
    parse(event.as_bytes()).unwrap().write.unwrap().operation
}

#[test]
fn every_recorded_line_is_understood() {
    let channel = Channel::KubernetesAudit;
    let coverage = captures::story().coverage.iter().find(|c| c.channel == channel.id()).unwrap();
    assert_eq!(coverage.not_understood, 0);
    // The log, less what people read that is no Secret, and the last deliveries of the webhook:
    // the same events once more, under the same keys.
    let ids: BTreeSet<_> =
        captures::records_of(&[channel]).into_iter().map(|r| r.cite.id).collect();
    assert_eq!((coverage.records, ids.len()), (KEPT, KEPT));
}

/// How many different audit events of the recording are kept.
const KEPT: usize = 3031;

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

/// The write of a line, through intake as from a file: what wraps it is taken off before.
fn ingested(line: &Value) -> AuditWrite {
    let records = captures::take(line.to_string().as_bytes());
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record.cite.channel, Channel::KubernetesAudit);
    parse(&record.payload).unwrap().write.unwrap()
}

#[test]
fn an_event_is_the_same_record_by_whatever_way_it_came() {
    let event = write_event("k-ann", 12, &json!({"operation": request("k-ann")}));
    let text = event.to_string();
    let id = |line: &Value| captures::take(line.to_string().as_bytes())[0].cite.clone();
    for line in [
        // CloudWatch, as an export or a subscription brings it (EKS).
        json!({"timestamp": 1_769_000_000_000_u64, "ingestionTime": 1_769_000_000_001_u64,
            "message": text}),
        // A diagnostic setting (AKS).
        json!({"category": "kube-audit", "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
            "properties": {"log": format!("{text}\n"), "stream": "stdout", "pod": "kube-apiserver-0"},
            "time": "2026-02-03T10:00:01Z"}),
        // A subscription of CloudWatch Logs, and an event hub of Azure; others stand beside it.
        json!({"messageType": "DATA_MESSAGE", "logGroup": "/aws/eks/x/cluster", "logEvents": [
            {"id": "1", "timestamp": 1, "message": "I0203 10:00:01 controller started"},
            {"id": "2", "timestamp": 1, "message": text}]}),
        json!({"records": [{"category": "kube-audit", "properties": {"log": text}}]}),
        // The webhook backend.
        json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": [event]}),
        // One item that is no event costs no other.
        json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [{}, 7, event]}),
    ] {
        let write = ingested(&line);
        assert_eq!((&*write.account, &*write.object.name), ("k-ann", "shop"), "{line}");
        assert!(matches!(write.operation, RequestedOperation::Present(_)), "{line}");
        assert_eq!(id(&line), id(&event), "{line}");
    }
}

/// A `LogEntry` of GKE, in the documented shape.
fn gke(method: &str, resource: &str, rest: &Value) -> Value {
    let mut payload = json!({
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "serviceName": "k8s.io",
        "methodName": method,
        "resourceName": resource,
        "authenticationInfo": {"principalEmail": "ann@x.example"},
        "authorizationInfo": [{"granted": true, "permission": method, "resource": resource}],
        "requestMetadata": {"callerIp": "192.0.2.7", "callerSuppliedUserAgent": "kubectl/v1.36.1"},
        "status": {},
    });
    for (name, value) in rest.as_object().unwrap() {
        payload[name] = value.clone();
    }
    json!({
        "insertId": "i-1",
        "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
        "operation": {"id": "op-1", "producer": "k8s.io", "first": true, "last": true},
        "protoPayload": payload,
        "labels": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason":
            "RBAC: allowed by ClusterRoleBinding \"sre\" of ClusterRole \"edit\" to User \"ann@x.example\""},
        "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "c", "location": "l"}},
        "timestamp": "2026-02-03T10:00:00.123456Z",
    })
}

#[test]
fn an_entry_of_gke_says_the_same() {
    let scale =
        json!({"request": {"@type": "autoscaling.k8s.io/v1.Scale", "spec": {"replicas": 0}}});
    let line = gke(
        "io.k8s.apps.v1.deployments.scale.patch",
        "apps/v1/namespaces/s/deployments/web/scale",
        &scale,
    );
    let records = captures::take(line.to_string().as_bytes());
    assert_eq!(records[0].cite.id.as_str(), "gke/i-1");
    assert!(!String::from_utf8_lossy(&records[0].payload).contains("192.0.2.7"));
    let story = told(&records);
    let [Act { what: What::WorkloadEdit { verb, name, changed, .. }, .. }] = story.acts.as_slice()
    else {
        panic!("{:?}", story.acts)
    };
    assert_eq!((&**verb, &**name, &*changed[0]), ("scale", "web", "spec.replicas: 0"));
    let writer = story.acts[0].writer.as_ref().unwrap();
    assert_eq!(story.acts[0].person(), Some("ann"));
    assert_eq!(writer.right.as_ref().unwrap().binding, "sre");
    assert_eq!(story.writes.len(), 1);
}

#[test]
fn a_refusal_and_a_beginning_in_gke_are_no_writes_that_succeeded() {
    let denied = json!({"status": {"code": 7, "message": "Forbidden"}});
    let denied = gke("io.k8s.core.v1.pods.delete", "core/v1/namespaces/s/pods/p", &denied);
    let mut begun = gke("io.k8s.core.v1.pods.delete", "core/v1/namespaces/s/pods/p", &json!({}));
    begun["operation"].as_object_mut().unwrap().remove("last");
    let event = |line: &Value| parse(line.to_string().as_bytes()).unwrap().write.unwrap();
    assert_eq!((event(&denied).code, event(&denied).refused()), (Some(403), true));
    assert!(!event(&begun).succeeded() && !event(&begun).refused());
    // Another service's log is none of Kubernetes.
    let mut other = denied;
    other["protoPayload"]["serviceName"] = json!("container.googleapis.com");
    assert!(parse(other.to_string().as_bytes()).is_err());
}

/// What was done, for a table: kind and name.
fn acts(records: &[Record]) -> Vec<String> {
    let told = told(records);
    let one = |act: &Act| {
        let value = serde_json::to_value(&act.what).unwrap();
        let name = ["name", "pod", "path", "release", "project"]
            .iter()
            .find_map(|field| value[field].as_str())
            .unwrap_or("-")
            .to_owned();
        format!("{} {name}", value["kind"].as_str().unwrap())
    };
    told.acts.iter().map(one).collect()
}

fn object(group: &str, resource: &str, name: &str) -> Value {
    json!({"apiGroup": group, "resource": resource, "namespace": "s", "name": name})
}

/// Verb, group, resource, name, body, and what it is told as.
const REQUESTS: &str = r#"
patch  apps statefulsets db {} => workload-edit db
create batch jobs j {} => workload-edit j
patch  - pods p {} => workload-edit p
delete - pods p null => pod-deleted p
create - secrets sh.helm.release.v1.db-1.v12 null => helm-release db-1
delete - secrets sh.helm.release.v1.db.v1 null => kubernetes-secret-write sh.helm.release.v1.db.v1
create - secrets sh.helm.release.v1.db.vx null => kubernetes-secret-write sh.helm.release.v1.db.vx
update - secrets db null => kubernetes-secret-write db
get    - secrets db null => secret-read s/db
list   - secrets - null => secret-list -
create - configmaps c {} => config-edit c
delete rbac.authorization.k8s.io roles r null => kubernetes-rbac-edit r
patch  external-secrets.io externalsecrets e {"metadata":{"annotations":{"force-sync":"1"}}} => external-secret-refresh e
patch  external-secrets.io externalsecrets e {"spec":{"refreshInterval":"1h"}} =>
delete argoproj.io applications a null => applications-deleted -
patch  argoproj.io applications a {"metadata":{}} =>
patch  argoproj.io applications a {"spec":{"project":"x"}} => application-spec-edit -
patch  argoproj.io appprojects p {"spec":{"syncWindows":[]}} => sync-window-edit p
patch  argoproj.io appprojects p [{"op":"add","path":"/spec/roles/0","value":{}}] => project-edit p
create - services s {} =>
"#;

/// The requests of the table, and what each is told as.
fn requests() -> impl Iterator<Item = (Value, Vec<String>)> {
    REQUESTS.lines().filter(|line| !line.is_empty()).map(|line| {
        let (request, expected) = line.split_once(" =>").unwrap();
        let words: Vec<&str> = request.split_whitespace().collect();
        let [verb, group, resource, name, body] = words[..] else { panic!("{line}") };
        let text = |word: &'static str| if word == "-" { "" } else { word };
        let what = object(text(group), resource, text(name));
        let body: Value = serde_json::from_str(body).unwrap();
        let with = json!({"verb": verb, "objectRef": what, "requestObject": body});
        let expected = Some(expected.trim().to_owned()).filter(|e| !e.is_empty());
        (with, expected.into_iter().collect())
    })
}

#[test]
fn a_request_of_a_person_and_what_it_is_called() {
    for (with, expected) in requests() {
        assert_eq!(acts(&[audited("k-ann", 1, &with)]), expected, "{with}");
        let mut refused = with.clone();
        refused["responseStatus"] = json!({"code": 403});
        assert!(acts(&[audited("k-ann", 1, &refused)]).is_empty(), "{refused}");
        // A status is no act; a Secret has none.
        let mut status = with;
        status["objectRef"]["subresource"] = json!("status");
        let told = acts(&[audited("k-ann", 1, &status)]);
        assert!(told.is_empty() || status["objectRef"]["resource"] == "secrets", "{status}");
    }
}

#[test]
fn what_the_clusters_own_accounts_do_all_the_time_is_no_act() {
    for software in [
        "system:serviceaccount:kube-system:deployment-controller",
        "system:node:n",
        "system:kube-scheduler",
    ] {
        for (with, _) in requests() {
            assert!(acts(&[audited(software, 1, &with)]).is_empty(), "{software} {with}");
        }
    }
}

#[test]
fn parts_of_objects_that_are_told() {
    for (resource, part, verb, expected) in [
        ("pods", "eviction", "create", "pod-deleted p"),
        ("pods", "ephemeralcontainers", "patch", "workload-edit p"),
        ("pods", "exec", "create", ""),
        ("serviceaccounts", "token", "create", "service-account-token-created p"),
    ] {
        let what =
            json!({"resource": resource, "subresource": part, "namespace": "s", "name": "p"});
        let told = acts(&[audited("k-ann", 1, &json!({"verb": verb, "objectRef": what}))]);
        assert_eq!(told.join(""), expected, "{resource}/{part}");
    }
}

#[test]
fn a_restart_is_one_only_if_it_is_all_that_was_asked() {
    let restarted = |body: &Value| {
        let what = object("apps", "deployments", "web");
        let with = json!({"verb": "patch", "objectRef": what, "requestObject": body});
        match &told(&[audited("k-ann", 1, &with)]).acts[0].what {
            What::WorkloadEdit { restart, .. } => *restart,
            other => panic!("{other:?}"),
        }
    };
    let mut body = json!({"spec": {"template": {"metadata": {"annotations": {
        "kubectl.kubernetes.io/restartedAt": "2026-02-03T10:00:00Z"}}}}});
    assert!(restarted(&body));
    body["spec"]["replicas"] = json!(2);
    assert!(!restarted(&body) && !restarted(&json!({})));
}

#[test]
fn software_that_writes_beside_git_is_told_of_where_argo_cd_deploys() {
    let pipeline = "system:serviceaccount:ci:deployer";
    let what = object("apps", "deployments", "web");
    let write =
        audited(pipeline, 1, &json!({"verb": "patch", "objectRef": what, "requestObject": {}}));
    let deployment = |annotations: &Value, owners: &Value| {
        watched(&json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
            "uid": "d", "namespace": "s", "name": "web", "resourceVersion": "3",
            "annotations": annotations, "ownerReferences": owners}}))
    };
    let tracked = json!({"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:s/web"});
    let owner = json!([{"kind": "Prometheus", "name": "x", "uid": "o"}]);
    let story = |other: Record| told(&[write.clone(), other]);
    let found = story(deployment(&tracked, &json!([])));
    assert_eq!(found.acts[0].app.as_deref(), Some("shop"));
    assert!(found.acts[0].who.as_ref().unwrap().is_machine());
    assert!(story(deployment(&json!({}), &json!([]))).acts.is_empty());
    assert!(story(deployment(&tracked, &owner)).acts.is_empty(), "an operator's own object");
}

#[test]
fn an_installation_is_excused_until_argo_cd_runs_and_a_label_is_no_excuse_later() {
    let server = "system:serviceaccount:argocd:argocd-server";
    let app = version(5, &Value::Null, &Value::Null);
    let body = json!({"metadata": {"labels": {"app.kubernetes.io/part-of": "argocd"}}});
    let binding = |second| {
        audited(
            "k-ann",
            second,
            &json!({"verb": "patch", "requestObject": body,
            "responseStatus": {"code": 201}, "objectRef": {"apiGroup": "rbac.authorization.k8s.io",
            "resource": "clusterrolebindings", "name": "b"}}),
        )
    };
    let runs =
        audited(server, 20, &json!({"verb": "update", "objectRef": object("", "secrets", "x")}));
    let edit = "kubernetes-rbac-edit b".to_owned();
    assert!(acts(&[app.clone(), binding(10), runs.clone()]).is_empty());
    assert_eq!(acts(&[app.clone(), binding(30), runs]), std::slice::from_ref(&edit));
    // Without a sign of Argo CD there is no telling what was before it.
    assert_eq!(acts(&[app, binding(10)]), [edit]);
}

#[test]
fn a_write_that_changed_nothing_is_no_act() {
    let write = |second, version: &str, based: Option<&str>| {
        let mut what = object("", "configmaps", "c");
        what["resourceVersion"] = json!(based);
        audited(
            "k-ann",
            second,
            &json!({"verb": "patch", "objectRef": what, "requestObject": {},
            "responseObject": {"metadata": {"name": "c", "uid": "u", "resourceVersion": version}}}),
        )
    };
    assert_eq!(acts(&[write(1, "7", None), write(2, "7", None), write(3, "8", None)]).len(), 2);
    assert!(acts(&[write(1, "7", Some("7"))]).is_empty());
}

#[test]
fn rights_of_argo_cd_are_told_line_by_line_from_the_bodies_alone() {
    let policy = |second, code: u16, version: u64, csv: Option<&str>| {
        let data = csv.map_or(json!({}), |csv| json!({"policy.csv": csv}));
        audited(
            "k-ann",
            second,
            &json!({"verb": "patch", "responseStatus": {"code": code},
            "objectRef": object("", "configmaps", "argocd-rbac-cm"),
            "requestObject": {"data": data},
            "responseObject": {"metadata": {"name": "argocd-rbac-cm", "uid": "u", "resourceVersion": version.to_string()}}}),
        )
    };
    let rights = |records: &[Record]| -> Vec<(Vec<String>, Vec<String>, usize)> {
        let told = told(records);
        let of = |act: &Act| match &act.what {
            What::ArgocdRbacEdit { granted, removed, .. } => {
                (granted.clone(), removed.clone(), act.notes.len())
            }
            other => panic!("{other:?}"),
        };
        told.acts.iter().map(of).collect()
    };
    let line = |line: &str| vec![line.to_owned()];
    let (a, b) = ("g, team-a, role:x", "g, team-b, role:x");
    let first = policy(1, 201, 5, None);
    let second = policy(2, 200, 6, Some(&format!("# comment\n{a}\n")));
    let third = policy(3, 200, 7, Some(b));
    assert_eq!(
        rights(&[first, second, third.clone()]),
        [(vec![], vec![], 1), (line(a), vec![], 1), (line(b), line(a), 1)]
    );
    // Nothing before it is known: no right is said to be new.
    assert_eq!(rights(&[third]), [(vec![], vec![], 2)]);
}

#[test]
fn reads_of_secrets_by_software_and_lists_of_one_run() {
    let list = |account: &str, second, namespace: &str| {
        audited(
            account,
            second,
            &json!({"verb": "list",
            "requestURI": "/api/v1/namespaces/s/secrets?labelSelector=name%3Da%2Cowner%3Dhelm",
            "objectRef": {"resource": "secrets", "namespace": namespace}}),
        )
    };
    assert!(acts(&[list("system:serviceaccount:eso:eso", 1, "s")]).is_empty());
    let story = told(&[
        list("k-ann", 1, "s"),
        list("k-ann", 2, "s"),
        list("k-ann", 9, "s"),
        list("k-ann", 3, "t"),
    ]);
    let run = |act: &Act| (act.namespace.clone().unwrap(), act.cites.iter().count());
    let runs: Vec<(String, usize)> = story.acts.iter().map(run).collect();
    assert_eq!(runs, [("s".to_owned(), 2), ("t".to_owned(), 1), ("s".to_owned(), 1)]);
    assert!(story.acts.iter().all(|a| a.notes[0].contains("Helm")));
    // A read is no write.
    assert!(story.writes.is_empty());
}
