//! `kubernetes-object-watch`: versions of objects, and what follows from them with the audit log.

use std::collections::{BTreeMap, BTreeSet};

use evidence::channel::Channel;
use evidence::parse::kubernetes_object_watch::{Detail, ObjectVersion, parse};
use evidence::parse::{NotUnderstood, WatchLine};
use evidence::record::Record;
use evidence::story::act::{Act, Cause, Rollout, What};
use evidence::story::{Story, derive};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};
use serde_json::{Value, json};

use crate::captures;
use crate::scenes::{audited, told, watched};

fn read(line: &Value) -> Result<WatchLine<ObjectVersion>, NotUnderstood> {
    parse(line.to_string().as_bytes())
}

fn version(object: &Value) -> ObjectVersion {
    match read(&json!({"type": "MODIFIED", "object": object})).unwrap() {
        WatchLine::Version(version) => version,
        other => panic!("{other:?}"),
    }
}

fn object(kind: &str, api_version: &str) -> Value {
    let metadata = json!({"uid": "u", "name": "n", "namespace": "s", "resourceVersion": "7"});
    json!({"kind": kind, "apiVersion": api_version, "metadata": metadata})
}

fn rollouts(story: &Story) -> Vec<(&Act, &Rollout)> {
    let acts = story.acts.iter().filter_map(|act| match &act.what {
        What::Rollout(rollout) => Some((act, rollout)),
        _ => None,
    });
    acts.collect()
}

#[test]
fn every_recorded_line_is_understood() {
    let channel = Channel::KubernetesObjectWatch;
    let coverage = captures::story().coverage.iter().find(|c| c.channel == channel.id()).unwrap();
    assert_eq!((coverage.not_understood, coverage.gaps.len()), (0, 0));
    assert!(coverage.interpreted);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for record in captures::records_of(&[channel]) {
        if let WatchLine::Version(v) | WatchLine::Deleted(v) = parse(&record.payload).unwrap() {
            *kinds.entry(v.kind).or_default() += 1;
        }
    }
    let kinds: Vec<(&str, usize)> = kinds.iter().map(|(kind, n)| (kind.as_str(), *n)).collect();
    let expected = [
        ("AppProject", 9),
        ("ClusterRole", 73),
        ("ClusterRoleBinding", 58),
        ("ConfigMap", 11),
        ("Deployment", 265),
        ("ExternalSecret", 85),
        ("PartialObjectMetadata", 17),
        ("Pod", 324),
        ("ReplicaSet", 380),
        ("Role", 13),
        ("RoleBinding", 14),
        ("SecretStore", 12),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn lines_without_an_object_are_counted_and_gaps_are_gaps() {
    let line = |id, text: &str| captures::record(Channel::KubernetesObjectWatch, id, text);
    let story = told(&[
        line(
            "a",
            r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"9"}}}"#,
        ),
        line("b", r#"{"type":"ERROR","object":{}}"#),
        line("c", r#"{"type":"ERROR","object":[410]}"#),
        line("d", r#"{"type":"ADDED""#),
    ]);
    let coverage = &story.coverage[0];
    let seen = (coverage.records, coverage.bookmarks, coverage.gaps.len(), coverage.not_understood);
    assert_eq!(seen, (4, 1, 2, 1));
}

#[test]
fn malformed_lines_are_data() {
    let pod = || object("Pod", "v1");
    let with = |path: &str, value: Value| {
        let mut object = pod();
        *object.pointer_mut(path).unwrap() = value;
        object
    };
    let line = |object: Value| json!({"type": "ADDED", "object": object});
    let mut status = pod();
    status["status"] = json!({"containerStatuses": [{"restartCount": "many"}]});
    let mut config = object("ConfigMap", "v1");
    config["metadata"]["name"] = json!("argocd-cm");
    config["data"] = json!(["not", "a", "map"]);
    for (line, expected) in [
        (line(with("/metadata/uid", json!(""))), NotUnderstood::Unidentified),
        (line(with("/metadata/name", json!(null))), NotUnderstood::Unidentified),
        (line(with("/metadata/resourceVersion", json!("x"))), NotUnderstood::ResourceVersion),
        (line(with("/kind", json!(null))), NotUnderstood::Kind),
        (json!({"type": "SUNG", "object": pod()}), NotUnderstood::LineType),
    ] {
        assert_eq!(read(&line), Err(expected), "{line}");
    }
    for line in [line(with("/metadata", json!("x"))), line(status), line(config), line(json!(7))] {
        assert!(matches!(read(&line), Err(NotUnderstood::Shape { .. })), "{line}");
    }
}

#[test]
fn what_is_null_or_absent_is_empty() {
    for part in ["spec", "status"] {
        for (kind, api) in [
            ("Deployment", "apps/v1"),
            ("ReplicaSet", "apps/v1"),
            ("Pod", "v1"),
            ("AppProject", "argoproj.io/v1alpha1"),
            ("ExternalSecret", "external-secrets.io/v1"),
        ] {
            let mut object = object(kind, api);
            let absent = version(&object);
            object[part] = Value::Null;
            assert_eq!(version(&object), absent, "{kind}");
            assert_ne!(absent.detail, Detail::Other, "{kind}");
        }
    }
    // The same kind of another group is another kind.
    assert_eq!(version(&object("Deployment", "shop.example/v1")).detail, Detail::Other);
}

#[test]
fn a_token_of_a_role_is_no_edit_of_a_project() {
    let project = |role: Value| {
        let mut object = object("AppProject", "argoproj.io/v1alpha1");
        object["spec"] = json!({"roles": [role], "syncWindows": [
            {"kind": "deny", "schedule": "0 1 * * *", "duration": "2h", "applications": ["*"]}]});
        match version(&object).detail {
            Detail::Project(project) => project,
            other => panic!("{other:?}"),
        }
    };
    let plain = project(json!({"name": "ci"}));
    assert_eq!(plain, project(json!({"name": "ci", "jwtTokens": [{"iat": 1}]})));
    assert_ne!(plain, project(json!({"name": "ci", "policies": ["p"]})));
    assert_eq!(plain.windows[0].0, "deny 0 1 * * * 2h");
}

#[test]
fn every_rollout_has_its_cause_and_its_pods() {
    let story = captures::story();
    let mut by: BTreeMap<&str, Vec<(u64, &str, usize)>> = BTreeMap::new();
    for (act, rollout) in rollouts(story) {
        let cause = match &rollout.cause {
            Cause::Argocd { app, operation: Some(set) } => {
                let version = captures::operation(story, app.as_deref().unwrap(), *set);
                version.initiator.person().unwrap_or("nobody")
            }
            Cause::Hand {} => act.person().unwrap(),
            other => panic!("{other:?}"),
        };
        let found = (rollout.deployment_revision, cause, rollout.pods.len());
        by.entry(act.app.as_deref().unwrap()).or_default().push(found);
        assert!(act.at.unwrap().latest() > act.at.unwrap().earliest());
    }
    // Undoing an edit (4) and a rollback (7) revive an old ReplicaSet, and make new pods all the
    // same. The pod that dave deleted later (21:49:19) is no part of revision 7.
    let payments = [
        (1, "dave", 3),
        (2, "dave", 3),
        (3, "frank", 3),
        (4, "frank", 3),
        (5, "dave", 3),
        (6, "dave", 3),
        (7, "dave", 3),
    ];
    assert_eq!(by["payments-prod"], payments);
    let web = [(1, "nobody", 3), (2, "nobody", 3), (3, "frank", 3), (4, "nobody", 3)];
    assert_eq!(by["web-prod"], web);
    assert_eq!(
        by["ledger-prod"].iter().map(|r| r.1).collect::<Vec<_>>(),
        ["dave", "dave", "frank", "carol"]
    );
    let revived = rollouts(story).into_iter().filter(|(act, _)| !act.notes.is_empty());
    assert_eq!(revived.count(), 4);
}

#[test]
fn without_an_audit_log_nobody_is_named_and_the_reason_is() {
    let channels = Channel::ALL.into_iter().filter(|c| *c != Channel::KubernetesAudit);
    let channels: Vec<Channel> = channels.collect();
    let story = derive(captures::records_of(&channels), &captures::people());
    let found = rollouts(&story);
    assert_eq!(found.len(), 26);
    for (act, rollout) in found {
        assert_eq!((&act.who, &act.writer), (&None, &None));
        assert!(
            matches!(&rollout.cause, Cause::Undetermined { reason } if reason.contains("no audit"))
        );
    }
    let silent = story.acts.iter().filter(|act| {
        matches!(act.what, What::ArgocdRbacEdit { .. } | What::SyncWindowEdit { .. })
    });
    let silent: Vec<&Act> = silent.collect();
    assert_eq!(silent.len(), 6);
    assert!(silent.iter().all(|a| a.who.is_none() && a.notes[0].starts_with("who wrote it")));
    // Argo CD's own Event names who edited the specification; what a parent Application's sync
    // changed in its children is no act.
    let edits = story.acts.iter().filter(|a| matches!(a.what, What::ApplicationSpecEdit { .. }));
    assert_eq!(edits.map(Act::person).collect::<Vec<_>>(), [Some("frank"), Some("frank")]);
}

/// Who did what, as far as it is concluded from several records. What one request shows on its own
/// is left out: a write to Helm's record, the fields that a patch names.
fn attributed(story: &Story) -> BTreeSet<String> {
    let one = |act: &Act| {
        let value = serde_json::to_value(act).unwrap();
        let named: Vec<String> =
            ["name", "deployment_revision", "project", "pod", "release", "path"]
                .into_iter()
                .map(|field| value[field].to_string())
                .collect();
        act.person().map(|person| format!("{} {:?} {} {named:?}", value["kind"], act.app, person))
    };
    let kinds = |act: &&Act| {
        let alone = act.notes.iter().any(|note| note.starts_with("told from the request alone"));
        let single = matches!(act.what, What::KubernetesSecretWrite { .. });
        !(alone || single || matches!(act.what, What::Drift { .. } | What::SyncRefused { .. }))
            && act.cites.iter().any(|c| {
                matches!(c.channel, Channel::KubernetesAudit | Channel::KubernetesObjectWatch)
            })
    };
    story.acts.iter().filter(kinds).filter_map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is lost, nobody is said to have done what the whole record does not say they did.
    #[test]
    fn losing_records_attributes_nothing_new(seed in any::<u64>(), lost in vec(any::<bool>(), 97)) {
        let mut state = seed | 1;
        let mut kept: Vec<Record> = Vec::new();
        for record in captures::records() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if !lost[usize::try_from(state % 97).unwrap()] {
                kept.push(record.clone());
            }
        }
        let story = derive(kept, &captures::people());
        let full = attributed(captures::story());
        for act in attributed(&story) {
            assert!(full.contains(&act), "{act}");
        }
    }
}

fn deployment(version: u64, image: &str, revision: Option<&str>, stamp: &str) -> Record {
    let annotations = json!({
        "deployment.kubernetes.io/revision": revision,
        "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:store/web",
    });
    watched(&json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"uid": "d-1", "namespace": "store", "name": "web",
            "resourceVersion": version.to_string(), "generation": version / 10,
            "annotations": annotations,
            "managedFields": [{"manager": "argocd-controller", "time": stamp}]},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "c", "image": image}]}}},
        "status": {"observedGeneration": version / 10},
    }))
}

/// A patch of the Deployment at some second, whose result is not in the record.
fn patch(account: &str, second: u32, image: &str) -> Record {
    let body =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}});
    audited(
        account,
        second,
        &json!({"verb": "patch", "requestObject": body,
        "objectRef": {"apiGroup": "apps", "resource": "deployments", "namespace": "store", "name": "web"}}),
    )
}

#[test]
fn a_rollout_is_whose_write_it_can_only_have_been() {
    let versions = [
        deployment(10, "web:1", Some("1"), "2026-02-03T10:00:01Z"),
        deployment(20, "web:2", Some("1"), "2026-02-03T10:00:30Z"),
        deployment(21, "web:2", Some("2"), "2026-02-03T10:00:30Z"),
    ];
    let who = |writes: &[Record]| {
        let story = told(&[&versions, writes].concat());
        let found = rollouts(&story);
        let [(act, rollout)] = found.as_slice() else { panic!("{found:?}") };
        let reason = match &rollout.cause {
            Cause::Undetermined { reason } => reason.clone(),
            _ => String::new(),
        };
        (act.person().map(str::to_owned), reason)
    };
    let (ann, ben) = (patch("k-ann", 30, "web:2"), patch("k-ben", 30, "web:2"));
    assert_eq!(who(std::slice::from_ref(&ann)), (Some("ann".to_owned()), String::new()));
    // A manager's name is the client's own word: nobody is named for it.
    assert!(who(&[]).1.contains("no audit log"));
    let (nobody, reason) = who(&[ann.clone(), ben]);
    assert!(nobody.is_none() && reason.starts_with("several accounts"), "{reason}");
    // Another image, another time, a write that was told to change nothing of the template.
    for other in [patch("k-ben", 30, "web:9"), patch("k-ben", 31, "web:2")] {
        assert_eq!(who(&[ann.clone(), other]).0.as_deref(), Some("ann"));
    }
    let (nobody, reason) = who(&[patch("k-ben", 40, "web:2")]);
    assert!(nobody.is_none() && reason.starts_with("no audited write"), "{reason}");
}

#[test]
fn a_missed_revision_names_nobody() {
    let versions = [
        deployment(10, "web:1", Some("1"), "2026-02-03T10:00:01Z"),
        deployment(40, "web:2", Some("3"), "2026-02-03T10:00:30Z"),
    ];
    let story = told(&[versions.as_slice(), &[patch("k-ann", 30, "web:2")]].concat());
    let [(act, rollout)] = rollouts(&story)[..] else { panic!() };
    assert!(act.who.is_none() && matches!(rollout.cause, Cause::Undetermined { .. }));
}

#[test]
fn a_deployment_that_was_there_already_is_no_rollout() {
    assert!(
        rollouts(&told(&[deployment(10, "web:1", Some("4"), "2026-02-03T10:00:01Z")])).is_empty()
    );
}

#[test]
fn a_copied_tracking_id_ties_nothing() {
    let app = |kind: &str| {
        let delete = audited(
            "k-ann",
            5,
            &json!({"verb": "delete",
            "objectRef": {"resource": "pods", "namespace": "store", "name": "p"}}),
        );
        let pod = watched(&json!({"apiVersion": "v1", "kind": "Pod", "metadata": {
            "uid": "p-1", "namespace": "store", "name": "p", "resourceVersion": "3",
            "annotations": {"argocd.argoproj.io/tracking-id": format!("shop:{kind}:store/p")}}}));
        told(&[delete, pod]).acts[0].app.clone()
    };
    assert_eq!(app("/Pod"), Some("shop".to_owned()));
    assert_eq!(app("apps/Deployment"), None);
    assert_eq!(app("shop.example/Pod"), None);
}

#[test]
fn restarts_far_apart_are_two_acts() {
    let pod = |version: u64, restarts: u64, running: &str| {
        watched(&json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"uid": "p", "namespace": "s", "name": "p", "resourceVersion": version.to_string()},
            "status": {"containerStatuses": [{"name": "c", "restartCount": restarts,
                "state": {"running": {"startedAt": running}},
                "lastState": {"terminated": {"reason": "Error"}}}]}}))
    };
    let story = told(&[
        // What was there when the watch began is no restart of now.
        pod(1, 7, "2026-02-03T09:00:00Z"),
        pod(2, 8, "2026-02-03T10:00:00Z"),
        pod(3, 9, "2026-02-03T10:05:00Z"),
        pod(4, 10, "2026-02-03T11:00:00Z"),
    ]);
    let told: Vec<(u64, String)> = story
        .acts
        .iter()
        .map(|act| match &act.what {
            What::ContainerRestarts { count, .. } => (*count, act.at.unwrap().to_string()),
            other => panic!("{other:?}"),
        })
        .collect();
    let at = |time: &str| format!("2026-02-03T{time}:00Z");
    assert_eq!(told, [(9, at("10:00")), (10, at("11:00"))]);
}
