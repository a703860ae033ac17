//! `github-webhook`: what a delivery says, by its event and its action.

use evidence::channel::Channel;
use evidence::parse::NotUnderstood;
use evidence::parse::forge::{ForgeEvent, ProposalChange, ProposalEvent, Push, Review};
use evidence::parse::github_webhook::parse;
use serde_json::{Value, json};

use crate::captures;

pub(crate) const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const BASE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
pub(crate) const MADE: &str = "cccccccccccccccccccccccccccccccccccccccc";
const ZERO: &str = "0000000000000000000000000000000000000000";

/// A record as intake writes it.
pub(crate) fn delivery(event: Option<&str>, body: &Value) -> Vec<u8> {
    let at = "2026-02-03T10:00:09.5Z";
    match event {
        Some(event) => json!({"received_at": at, "event": event, "body": body}),
        None => json!({"received_at": at, "body": body}),
    }
    .to_string()
    .into_bytes()
}

fn repository() -> Value {
    json!({"full_name": "shop/deploy", "default_branch": "trunk", "pushed_at": 1_770_112_800})
}

/// A pull request event; `with` replaces members of the pull request.
pub(crate) fn pull(action: &str, with: &Value) -> Value {
    let mut pull = json!({
        "number": 7, "title": "Shop 2", "body": "CHG-1", "html_url": "https://git.example/7",
        "user": {"login": "ann"}, "created_at": "2026-02-03T10:00:00Z",
        "updated_at": "2026-02-03T10:00:05Z", "closed_at": null, "merged_at": null,
        "merge_commit_sha": MADE, "merged": false, "merged_by": null, "commits": 2,
        "head": {"ref": "shop-2", "sha": HEAD, "repo": {"full_name": "ann/deploy"}},
        "base": {"ref": "trunk", "sha": BASE, "repo": repository()},
    });
    for (key, value) in with.as_object().into_iter().flatten() {
        pull[key] = value.clone();
    }
    let (sender, repository) = (json!({"login": "ben"}), repository());
    json!({"action": action, "number": 7, "pull_request": pull, "sender": sender,
        "repository": repository})
}

fn proposal(event: Option<&str>, body: &Value) -> ProposalEvent {
    match parse(&delivery(event, body)).unwrap().event {
        ForgeEvent::Proposal(event) => *event,
        other => panic!("{other:?}"),
    }
}

fn push(body: &Value) -> Push {
    match parse(&delivery(Some("push"), body)).unwrap().event {
        ForgeEvent::Push(push) => *push,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_recorded_line_is_understood() {
    let records = captures::records_of(&[Channel::GithubWebhook]);
    assert_eq!(records.len(), 79);
    let mut counts = [0, 0, 0];
    for record in &records {
        match parse(&record.payload).unwrap().event {
            ForgeEvent::Push(_) => counts[0] += 1,
            ForgeEvent::Proposal(_) => counts[1] += 1,
            ForgeEvent::Other => counts[2] += 1,
        }
    }
    assert_eq!(counts, [34, 45, 0]);
}

#[test]
fn an_action_says_what_happened_who_did_it_and_when() {
    let merged = json!({"merged": true, "merged_at": "2026-02-03T10:00:07Z",
        "closed_at": "2026-02-03T10:00:07Z", "merged_by": {"login": "cid"}});
    let closed = json!({"closed_at": "2026-02-03T10:00:06Z"});
    let commit = Some(MADE.to_owned());
    for (action, with, expected, who, second) in [
        ("opened", json!({}), ProposalChange::Opened, "ben", 0),
        ("synchronize", json!({}), ProposalChange::Updated { before: None }, "ben", 5),
        // A merge commit that is made for tests only is not told as a merge.
        ("closed", closed, ProposalChange::Closed, "ben", 6),
        ("closed", merged, ProposalChange::Merged { commit }, "cid", 7),
        ("reopened", json!({}), ProposalChange::Reopened, "ben", 5),
        ("edited", json!({}), ProposalChange::Edited, "ben", 5),
        ("labeled", json!({}), ProposalChange::Edited, "ben", 5),
    ] {
        let event = proposal(Some("pull_request"), &pull(action, &with));
        assert_eq!((event.change, event.who.as_deref()), (expected, Some(who)), "{action}");
        let at = event.at.unwrap().earliest().to_string();
        assert_eq!(at, format!("2026-02-03T10:00:0{second}Z"), "{action}");
        assert_eq!((event.id.repository.as_str(), event.id.number), ("shop/deploy", 7));
        assert_eq!((event.head.as_deref(), event.base.as_deref()), (Some(HEAD), Some(BASE)));
        assert_eq!(event.head_repository.as_deref(), Some("ann/deploy"));
        assert_eq!((event.author.as_deref(), event.body.as_deref()), (Some("ann"), Some("CHG-1")));
    }
}

#[test]
fn an_update_names_the_head_before() {
    let mut body = pull("synchronize", &json!({}));
    body["before"] = json!(BASE);
    let before = Some(BASE.to_owned());
    let change = proposal(Some("pull_request"), &body).change;
    assert_eq!(change, ProposalChange::Updated { before });
}

fn review(action: &str, state: &str) -> Value {
    let mut body = pull(action, &json!({}));
    body["review"] = json!({"id": 11, "user": {"login": "cid"}, "commit_id": HEAD,
        "submitted_at": "2026-02-03T10:00:03Z", "state": state});
    body
}

#[test]
fn a_review_names_the_head_and_a_dismissal_who_took_it_back() {
    for (action, sent, state, who, second) in [
        ("submitted", "approved", "approved", "cid", 3),
        ("submitted", "APPROVED", "approved", "cid", 3),
        ("submitted", "changes_requested", "changes_requested", "cid", 3),
        ("submitted", "commented", "commented", "cid", 3),
        ("dismissed", "dismissed", "dismissed", "ben", 5),
    ] {
        let event = proposal(Some("pull_request_review"), &review(action, sent));
        let (by, commit) = (Some("cid".to_owned()), Some(HEAD.to_owned()));
        let state = state.to_owned();
        let expected = Review { id: Some(11), by, state, commit, by_forge: false };
        assert_eq!(event.change, ProposalChange::Reviewed(expected));
        assert_eq!(event.who.as_deref(), Some(who));
        assert_eq!(
            event.at.unwrap().earliest().to_string(),
            format!("2026-02-03T10:00:0{second}Z")
        );
    }
    let edited = delivery(Some("pull_request_review"), &review("edited", "approved"));
    assert_eq!(parse(&edited).unwrap().event, ForgeEvent::Other);
}

fn pushed(with: &Value) -> Value {
    let mut push = json!({
        "ref": "refs/heads/trunk", "before": BASE, "after": HEAD, "forced": false,
        "commits": [{"id": HEAD, "tree_id": MADE, "message": "m",
            "timestamp": "2026-02-03T11:00:00+01:00",
            "author": {"name": "Ann", "email": "ann@shop.example"},
            "committer": {"name": "Ann", "email": "ann@shop.example"},
            "added": ["b"], "removed": ["c"], "modified": ["a"]}],
        "repository": repository(), "sender": {"login": "ben"}, "pusher": {"name": "not-read"},
    });
    for (key, value) in with.as_object().into_iter().flatten() {
        push[key] = value.clone();
    }
    push
}

#[test]
fn a_push_names_reference_commits_and_the_account() {
    let push = push(&pushed(&json!({})));
    assert_eq!((push.branch(), push.is_to_default()), (Some("trunk"), Some(true)));
    assert_eq!((push.before.as_deref(), push.after.as_deref()), (Some(BASE), Some(HEAD)));
    assert_eq!((push.who.as_deref(), push.forced), (Some("ben"), Some(false)));
    assert_eq!(push.at().unwrap().earliest().to_string(), "2026-02-03T10:00:00Z");
    let commit = &push.commits[0];
    assert_eq!((commit.tree.as_deref(), commit.parents.as_deref()), (Some(MADE), None));
    let author = commit.author.as_ref().unwrap();
    assert_eq!(author.time.unwrap().earliest().to_string(), "2026-02-03T10:00:00Z");
    let changes: Vec<(&str, &str)> =
        commit.changes.iter().flatten().map(|c| (c.path.as_str(), c.status.as_str())).collect();
    assert_eq!(changes, [("a", "modified"), ("b", "added"), ("c", "removed")]);
}

#[test]
fn where_there_is_no_commit_the_forge_writes_zeros() {
    let created = push(&pushed(&json!({"before": ZERO, "ref": "refs/heads/side"})));
    assert_eq!((created.before.as_deref(), created.branch()), (None, Some("side")));
    let deleted = push(&pushed(&json!({"after": ZERO, "commits": []})));
    assert_eq!((deleted.after.as_deref(), deleted.commits.len()), (None, 0));
    let tag = push(&pushed(&json!({"ref": "refs/tags/v1"})));
    assert_eq!((tag.branch(), tag.is_to_default()), (None, Some(false)));
}

#[test]
fn without_a_time_of_the_forge_the_receipt_counts() {
    let mut body = pushed(&json!({}));
    body["repository"]["pushed_at"] = Value::Null;
    assert_eq!(push(&body).at().unwrap().earliest().to_string(), "2026-02-03T10:00:09.5Z");
}

#[test]
fn an_event_without_a_name_is_known_by_its_members() {
    let of = |body: &Value| parse(&delivery(None, body)).unwrap().event;
    assert!(matches!(of(&pushed(&json!({}))), ForgeEvent::Push(_)));
    let changed = |body: &Value| proposal(None, body).change;
    assert_eq!(changed(&pull("opened", &json!({}))), ProposalChange::Opened);
    let reviewed = changed(&review("submitted", "approved"));
    assert!(matches!(reviewed, ProposalChange::Reviewed(_)));
    assert_eq!(of(&json!({"zen": "Keep it simple."})), ForgeEvent::Other);
}

#[test]
fn other_events_are_understood_and_not_read() {
    for event in ["ping", "star", "check_run", "pull_request_review_comment"] {
        let record = delivery(Some(event), &json!({"pull_request": 5}));
        assert_eq!(parse(&record).unwrap().event, ForgeEvent::Other, "{event}");
    }
}

#[test]
fn what_is_malformed_is_not_understood() {
    let shape = |r: &[u8]| matches!(parse(r), Err(NotUnderstood::Shape { .. }));
    for body in [json!([]), json!(5), json!({"ref": 5}), json!({"ref": "refs/heads/x"})] {
        assert!(shape(&delivery(Some("push"), &body)), "{body}");
    }
    let mut no_number = pull("opened", &json!({}));
    no_number["pull_request"]["number"] = json!("7");
    assert!(shape(&delivery(Some("pull_request"), &no_number)));
    let no_review = pull("submitted", &json!({}));
    assert!(shape(&delivery(Some("pull_request_review"), &no_review)));
    assert!(shape(b"[\"2026-02-03T10:00:00Z\",\"push\",{}]"));
    assert!(shape(b"{\"event\":\"push\"}"));
    assert!(matches!(parse(b"{\"event\":"), Err(NotUnderstood::NotJson { .. })));
}
