//! Who started an operation: the contradicted one of the evening, and what each record changes.

use evidence::channel::Channel;
use evidence::record::Record;
use evidence::story::claim::{ClaimSource, Voice};
use evidence::story::initiator::Initiator;
use evidence::story::operation::{End, SetAt};
use serde_json::{Value, json};

use crate::captures;
use crate::scenes::{finished, people, request, start, told, version, write, write_event};

const SERVER: &str = "system:serviceaccount:argocd:argocd-server";
const CONTROLLER: &str = "system:serviceaccount:argocd:argocd-application-controller";

#[test]
fn the_claimed_initiator_of_the_evening_is_contradicted() {
    let operation = captures::operation(captures::story(), "payments-prod", 2523);
    let Initiator::Contradicted { claimed, writer } = &operation.initiator else {
        panic!("{:?}", operation.initiator)
    };
    assert_eq!(claimed.as_ref().unwrap().account, "dave.okafor@bank.example");
    assert_eq!(writer.who.account, "frank.weiss@bank.example");
    assert_eq!(operation.person(), Some("frank"));
    let credential = "X509SHA256=e6492e4e2d034c31306a3262352d339cad46c8063790a6b13f694f0c8d385c10";
    assert_eq!(writer.credential.as_deref(), Some(credential));
    let right = writer.right.as_ref().unwrap();
    assert_eq!(
        (&*right.binding_kind, &*right.binding),
        ("ClusterRoleBinding", "prod-debug-fweiss")
    );
    assert_eq!((&*right.role_kind, &*right.role), ("ClusterRole", "prod-debug"));
    let not_found: Vec<&str> = operation.not_found.iter().map(|a| a.what.as_str()).collect();
    assert_eq!(not_found, ["OperationStarted of argocd-server at that version"]);
    assert!(operation.cannot_tell.is_empty());
    let voices: Vec<_> = operation.claims.iter().map(|c| (c.voice, c.source)).collect();
    assert_eq!(
        voices,
        [
            (Voice::Authenticated, ClaimSource::AuditWrite),
            (Voice::Asserted, ClaimSource::History),
            (Voice::Asserted, ClaimSource::Resource),
        ]
    );
    assert_eq!(operation.kind_note, None, "a write past the API server is no rollback of it");
}

#[test]
fn without_the_event_channel_its_silence_says_nothing() {
    let channels = [Channel::ArgocdApplicationWatch, Channel::KubernetesAudit];
    let story = evidence::story::derive(captures::records_of(&channels), &captures::people());
    let operation = captures::operation(&story, "payments-prod", 2523);
    assert!(operation.initiator.is_contradicted());
    assert!(operation.not_found.is_empty());
    assert_eq!(operation.cannot_tell[0].reason.as_deref(), Some("no record of this channel"));
}

/// In one word, what the records say about the operation set at version 12.
fn verdict(records: &[Record]) -> String {
    let story = told(records);
    let operation = captures::operation(&story, "shop", 12);
    match &operation.initiator {
        Initiator::Determined { who, voice, .. } => {
            format!("{} {voice:?}", who.person.as_deref().unwrap_or(&who.account))
        }
        Initiator::Automated { voice } => format!("automated {voice:?}"),
        Initiator::Machine { who, .. } => format!("machine {}", who.account),
        Initiator::Contradicted { writer, .. } => format!("contradicted {}", writer.who.account),
        Initiator::Undetermined { .. } => "undetermined".to_owned(),
    }
}

/// The operation appears at version 12 after a version without it, plus whatever else there is.
fn scene(operation: &Value, more: Vec<Record>) -> Vec<Record> {
    let before = version(11, &Value::Null, &Value::Null);
    let set = version(12, operation, &Value::Null);
    let cleared = version(13, &Value::Null, &finished(operation));
    [before, set, cleared].into_iter().chain(more).collect()
}

fn asks(operation: &Value) -> Value {
    json!({"operation": operation})
}

const BOT: &str = "contradicted system:serviceaccount:ci:bot";

#[test]
fn each_record_changes_the_answer_as_far_as_its_voice_carries() {
    let ann = request("ann@x.example");
    let nobody = json!({"sync": {}});
    let server = |user| start("e1", "argocd-server", 12, user);
    let by = |account, operation: &Value| write(account, 12, &asks(operation));
    let cases = [
        ("only the claim", scene(&ann, vec![]), "undetermined"),
        ("claim and event", scene(&ann, vec![server(Some("ann@x.example"))]), "ann Recorded"),
        ("all three", scene(&ann, vec![server(Some("k-ann")), by(SERVER, &ann)]), "ann Recorded"),
        ("event disagrees", scene(&ann, vec![server(Some("k-ben"))]), "undetermined"),
        ("event of no caller", scene(&ann, vec![server(None)]), "undetermined"),
        ("delegated, no event", scene(&ann, vec![by(SERVER, &ann)]), "undetermined"),
        ("somebody else", scene(&ann, vec![by("k-ben", &ann)]), "contradicted k-ben"),
        ("oneself by kubectl", scene(&ann, vec![by("k-ann", &ann)]), "ann Authenticated"),
        ("names nobody", scene(&nobody, vec![by("k-ben", &nobody)]), "ben Authenticated"),
        ("unmapped writer", scene(&ann, vec![by("k-eve", &ann)]), "undetermined"),
        ("unmapped claim", scene(&request("k-eve"), vec![by("k-ben", &ann)]), "ben Authenticated"),
        ("software", scene(&ann, vec![by("system:serviceaccount:ci:bot", &ann)]), BOT),
        (
            "an event made up too",
            scene(&ann, vec![server(Some("k-ann")), by("k-ben", &ann)]),
            "contradicted k-ben",
        ),
    ];
    for (case, records, expected) in cases {
        assert_eq!(verdict(&records), expected, "{case}");
    }
}

#[test]
fn automated_redacted_and_odd_records_are_weighed_too() {
    let ann = request("ann@x.example");
    let automated = json!({"initiatedBy": {"automated": true}, "sync": {}});
    let token = request("proj:shop:ci");
    let server = |user| start("e1", "argocd-server", 12, user);
    let by = |account, operation: &Value| write(account, 12, &asks(operation));
    let cases = [
        (
            "automated by hand",
            scene(&automated, vec![by("k-ben", &automated)]),
            "contradicted k-ben",
        ),
        ("automated, claim only", scene(&automated, vec![]), "undetermined"),
        (
            "automated, controller's event",
            scene(&automated, vec![start("e1", "argocd-application-controller", 11, None)]),
            "automated Recorded",
        ),
        (
            "automated, audited",
            scene(&automated, vec![by(CONTROLLER, &automated)]),
            "automated Authenticated",
        ),
        (
            "project token",
            scene(&token, vec![server(Some("proj:shop:ci"))]),
            "machine proj:shop:ci",
        ),
        (
            "redacted claim",
            scene(&request("[redacted]"), vec![by("k-ben", &ann)]),
            "ben Authenticated",
        ),
        ("redacted writer", scene(&ann, vec![by("[redacted]", &ann)]), "undetermined"),
        ("redacted caller", scene(&ann, vec![server(Some("[redacted]"))]), "undetermined"),
        (
            "a write that asks for no operation",
            scene(&ann, vec![write("k-ben", 12, &json!({"metadata": {}}))]),
            "undetermined",
        ),
        (
            "a write whose body is unknown",
            scene(&ann, vec![write("k-ben", 12, &Value::Null)]),
            "undetermined",
        ),
        (
            "a JSON patch",
            scene(
                &ann,
                vec![write(
                    "k-ben",
                    12,
                    &json!([{"op": "add", "path": "/operation", "value": ann}]),
                )],
            ),
            "contradicted k-ben",
        ),
        (
            "a write of another version",
            scene(&ann, vec![write("k-ben", 13, &asks(&ann))]),
            "undetermined",
        ),
    ];
    for (case, records, expected) in cases {
        assert_eq!(verdict(&records), expected, "{case}");
    }
}

#[test]
fn refused_dry_and_stale_writes_set_nothing() {
    let ann = request("ann@x.example");
    let changed = |change: fn(&mut Value)| {
        let mut event = write_event("k-ben", 12, &asks(&ann));
        change(&mut event);
        let audit = captures::record(Channel::KubernetesAudit, "a", event.to_string());
        verdict(&scene(&ann, vec![audit]))
    };
    assert_eq!(changed(|_| ()), "contradicted k-ben");
    assert_eq!(changed(|e| e["responseStatus"]["code"] = json!(409)), "undetermined");
    assert_eq!(changed(|e| e["stage"] = json!("RequestReceived")), "undetermined");
    assert_eq!(changed(|e| e["requestURI"] = json!("/apis/x?dryRun=All")), "undetermined");
    assert_eq!(changed(|e| e["objectRef"]["resourceVersion"] = json!("10")), "undetermined");
    assert_eq!(changed(|e| e["objectRef"]["name"] = json!("other")), "undetermined");
    assert_eq!(changed(|e| e["responseObject"]["metadata"]["uid"] = json!("u-2")), "undetermined");
}

#[test]
fn a_proxy_acts_for_whom_it_names_and_a_human_for_themselves() {
    let ann = request("ann@x.example");
    let as_whom = |account: &str, named: &str| {
        let mut event = write_event(account, 12, &asks(&ann));
        event["impersonatedUser"] = json!({"username": named});
        let audit = captures::record(Channel::KubernetesAudit, "a", event.to_string());
        verdict(&scene(&ann, vec![audit]))
    };
    assert_eq!(as_whom("system:serviceaccount:proxy:proxy", "k-ann"), "ann Authenticated");
    assert_eq!(as_whom("k-ben", SERVER), "contradicted k-ben");
}

#[test]
fn an_operation_that_was_there_already_has_no_exact_version() {
    let ann = request("ann@x.example");
    let story = told(&[version(12, &ann, &Value::Null)]);
    assert_eq!(story.operations[0].set.version().0, 12);
    assert!(matches!(story.operations[0].set, SetAt::AtOrBefore(_)));
    assert_eq!(story.operations[0].end, End::NotSeen);
    let story = told(&[version(12, &ann, &Value::Null), start("e", "argocd-server", 12, None)]);
    assert!(matches!(story.operations[0].set, SetAt::Exactly(_)), "the Event names the version");
}

#[test]
fn an_empty_retry_and_an_erased_name_are_no_new_operation_but_another_request_is() {
    let ann = request("ann@x.example");
    let mut with_retry = ann.clone();
    with_retry["retry"] = json!({});
    let erased = request("[redacted]");
    let versions = |second: &Value| {
        let story = told(&[
            version(11, &Value::Null, &Value::Null),
            version(12, &ann, &Value::Null),
            version(13, second, &Value::Null),
        ]);
        story.operations.len()
    };
    assert_eq!(versions(&with_retry), 1);
    assert_eq!(versions(&erased), 1);
    assert_eq!(versions(&request("ben@x.example")), 2);
}

#[test]
fn a_state_left_by_the_previous_operation_is_not_this_ones() {
    let (ann, ben) = (request("ann@x.example"), request("ben@x.example"));
    let story = told(&[
        version(11, &Value::Null, &finished(&ann)),
        version(12, &ben, &finished(&ann)),
        version(13, &Value::Null, &finished(&ann)),
    ]);
    assert_eq!(story.operations[0].phase, None, "removed before Argo CD took it up");
    assert_eq!(story.operations[0].revision, None);
}

#[test]
fn a_start_whose_operation_no_version_shows_is_listed() {
    let story = told(&[start("e1", "argocd-server", 12, Some("k-ann"))]);
    let start = &story.unmatched_starts[0];
    assert_eq!((start.version.0, start.name.as_str()), (12, "shop"));
    assert_eq!(start.who.as_ref().unwrap().person.as_deref(), Some("ann"));
    assert_eq!(people().ids().collect::<Vec<_>>(), ["ann", "ben"]);
}

/// A write of ann's request by an account, with something changed.
fn audited(id: &str, account: &str, change: &dyn Fn(&mut Value)) -> Record {
    let mut event = write_event(account, 12, &asks(&request("ann@x.example")));
    change(&mut event);
    captures::record(Channel::KubernetesAudit, id, event.to_string())
}

/// What an attacker would try: none of it may name somebody else, and none of it may make an
/// account's own write vanish.
#[test]
fn records_made_to_mislead_accuse_nobody_else() {
    let ann = request("ann@x.example");
    let real = audited("real", "k-ben", &|_| ());
    // The same audit id once more, for another and harmless write.
    let twin = audited("twin", "k-ben", &|e| {
        e["verb"] = json!("create");
        e["objectRef"] = json!({"resource": "configmaps", "namespace": "x", "name": "y"});
        e["stageTimestamp"] = json!("2026-02-03T10:00:05.000000Z");
    });
    // Somebody else's patch that changed nothing is answered with the version that is there.
    let idle = audited("idle", "k-eve", &|e| e["auditID"] = json!("0"));
    let by_server = audited("server", SERVER, &|e| {
        e["auditID"] = json!("z");
        e["verb"] = json!("update");
        e["objectRef"]["resourceVersion"] = json!("11");
    });
    let namesake = |name: &str| {
        let account = format!("system:serviceaccount:ben-dev:{name}");
        audited("namesake", &account, &|_| ())
    };
    let planted = audited("planted", "k-ben", &|e| {
        e["auditID"] = json!("p");
        e["verb"] = json!("create");
        e["objectRef"] = json!({"resource": "events", "namespace": "argocd"});
    });
    let blind = audited("blind", "k-ben", &|e| {
        e["requestObject"] = Value::Null;
        e["responseObject"] = Value::Null;
    });
    let event = || start("e1", "argocd-server", 12, Some("k-ann"));
    let automated = json!({"initiatedBy": {"automated": true}, "sync": {}});
    let cases = [
        ("one audit id twice", scene(&ann, vec![real.clone(), twin]), "contradicted k-ben"),
        ("a patch that changed nothing", scene(&ann, vec![real, idle.clone()]), "undetermined"),
        ("the same beside the server", scene(&ann, vec![by_server, idle, event()]), "ann Recorded"),
        ("a namesake", scene(&ann, vec![namesake("argocd-server"), event()]), "undetermined"),
        (
            "a namesake of the controller",
            scene(&automated, vec![namesake("argocd-application-controller")]),
            "undetermined",
        ),
        ("a planted Event", scene(&ann, vec![planted, event()]), "undetermined"),
        ("a write without its answer", scene(&ann, vec![blind, event()]), "undetermined"),
        (
            "the administrator's own account",
            scene(&ann, vec![write("system:admin", 12, &asks(&ann))]),
            "undetermined",
        ),
    ];
    for (case, records, expected) in cases {
        assert_eq!(verdict(&records), expected, "{case}");
    }
}

#[test]
fn a_watch_that_broke_off_before_its_first_line_is_a_gap_of_every_watch() {
    let mut records = captures::records().to_vec();
    let error = r#"{"type":"ERROR","object":{"kind":"Status","code":410}}"#;
    records.push(captures::record(Channel::KubernetesObjectWatch, "line/0/1", error));
    let story = evidence::story::derive(records, &captures::people());
    let operation = captures::operation(&story, "payments-prod", 2523);
    assert!(operation.initiator.is_contradicted());
    assert!(operation.not_found.is_empty(), "{:?}", operation.not_found);
    assert_eq!(operation.cannot_tell.len(), 1);
}
