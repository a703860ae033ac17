//! `gitlab-webhook`: what a delivery says, in GitLab's documented shapes.

use evidence::parse::NotUnderstood;
use evidence::parse::forge::{ForgeEvent, ProposalChange, ProposalEvent, Push};
use evidence::parse::gitlab_webhook::parse;
use serde_json::{Value, json};

use crate::github_webhook::{BASE, HEAD, MADE, delivery};

fn project() -> Value {
    json!({"id": 1, "name": "deploy", "path_with_namespace": "shop/deploy",
        "default_branch": "trunk"})
}

fn push(with: &Value) -> Push {
    let mut body = json!({
        "object_kind": "push", "event_name": "push", "before": BASE, "after": HEAD,
        "ref": "refs/heads/trunk", "checkout_sha": HEAD, "user_id": 4, "user_name": "Ben",
        "user_username": "ben", "user_email": "", "project_id": 1, "project": project(),
        "commits": [{"id": HEAD, "message": "m", "title": "m",
            "timestamp": "2026-02-03T10:00:00+00:00",
            "author": {"name": "Ann", "email": "ann@shop.example"},
            "added": ["b"], "modified": [], "removed": []}],
        "total_commits_count": 1,
    });
    for (key, value) in with.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    match parse(&delivery(Some("Push Hook"), &body)).unwrap().event {
        ForgeEvent::Push(push) => *push,
        other => panic!("{other:?}"),
    }
}

/// A merge request event; `with` replaces attributes.
pub(crate) fn merge_request(action: &str, with: &Value) -> Value {
    let mut attributes = json!({
        "id": 99, "iid": 7, "target_branch": "trunk", "source_branch": "shop-2",
        "source_project_id": 1, "author_id": 4, "title": "Shop 2", "description": "CHG-1",
        "created_at": "2026-02-03 10:00:00 UTC", "updated_at": "2026-02-03T10:00:05Z",
        "state": "opened", "url": "https://git.example/7", "source": project(),
        "target": project(), "last_commit": {"id": HEAD, "author": {"name": "Ann"}},
        "merge_commit_sha": null, "action": action,
    });
    for (key, value) in with.as_object().into_iter().flatten() {
        attributes[key] = value.clone();
    }
    json!({"object_kind": "merge_request", "event_type": "merge_request",
        "user": {"id": 4, "name": "Ann", "username": "ann"}, "project": project(),
        "object_attributes": attributes})
}

fn proposal(body: &Value) -> ProposalEvent {
    match parse(&delivery(Some("Merge Request Hook"), body)).unwrap().event {
        ForgeEvent::Proposal(event) => *event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_push_names_reference_commits_and_the_account() {
    let all = push(&json!({}));
    assert_eq!((all.branch(), all.is_to_default()), (Some("trunk"), Some(true)));
    assert_eq!((all.who.as_deref(), all.forced, all.truncated), (Some("ben"), None, false));
    assert_eq!(all.at().unwrap().earliest().to_string(), "2026-02-03T10:00:09.5Z");
    assert_eq!(all.commits[0].changes.as_ref().unwrap()[0].path, "b");
    assert!(push(&json!({"total_commits_count": 21})).truncated);
    assert_eq!(push(&json!({"object_kind": "tag_push", "ref": "refs/tags/v1"})).branch(), None);
}

#[test]
fn an_action_says_what_happened() {
    let update = |before: &str| ProposalChange::Updated { before: Some(before.to_owned()) };
    let merged = |commit: &str| ProposalChange::Merged { commit: Some(commit.to_owned()) };
    for (action, with, expected) in [
        ("open", json!({}), ProposalChange::Opened),
        ("update", json!({"oldrev": BASE}), update(BASE)),
        ("update", json!({}), ProposalChange::Edited),
        ("close", json!({}), ProposalChange::Closed),
        ("reopen", json!({}), ProposalChange::Reopened),
        ("merge", json!({"merge_commit_sha": MADE}), merged(MADE)),
        ("merge", json!({"squash_commit_sha": BASE}), merged(BASE)),
        // A fast-forward makes no commit.
        ("merge", json!({}), merged(HEAD)),
        ("something-new", json!({}), ProposalChange::Edited),
    ] {
        let event = proposal(&merge_request(action, &with));
        assert_eq!(event.change, expected, "{action} {with}");
        assert_eq!((event.id.repository.as_str(), event.id.number), ("shop/deploy", 7));
        assert_eq!((event.who.as_deref(), event.author.as_deref()), (Some("ann"), Some("ann")));
        let second = if action == "open" { 0 } else { 5 };
        let at = event.at.unwrap().earliest().to_string();
        assert_eq!(at, format!("2026-02-03T10:00:0{second}Z"), "{action}");
    }
}

#[test]
fn an_approval_is_told_with_the_head_of_then() {
    for (action, state) in [
        ("approved", "approved"),
        ("approval", "approved"),
        ("unapproved", "dismissed"),
        ("unapproval", "dismissed"),
    ] {
        let event = proposal(&merge_request(action, &json!({"author_id": 5})));
        let ProposalChange::Reviewed(review) = event.change else { panic!("{action}") };
        assert_eq!((review.state.as_str(), review.by.as_deref()), (state, Some("ann")));
        assert_eq!((review.id, review.commit.as_deref()), (None, Some(HEAD)));
        assert_eq!((review.by_forge, event.author), (false, None), "somebody else opened it");
    }
}

#[test]
fn an_approval_that_the_forge_takes_back_is_nobodys_act() {
    let with = json!({"system": true, "system_action": "approvals_reset_on_push"});
    let event = proposal(&merge_request("unapproved", &with));
    let ProposalChange::Reviewed(review) = event.change else { panic!("a review") };
    assert_eq!((review.by_forge, review.by, event.who), (true, None, None));
}

#[test]
fn other_kinds_are_understood_and_not_read() {
    let record = delivery(Some("Note Hook"), &json!({"object_kind": "note", "project": 5}));
    assert_eq!(parse(&record).unwrap().event, ForgeEvent::Other);
}

#[test]
fn what_is_malformed_is_not_understood() {
    let mut nowhere = merge_request("open", &json!({"target": null}));
    nowhere["project"] = Value::Null;
    let unidentified = parse(&delivery(None, &nowhere));
    assert_eq!(unidentified, Err(NotUnderstood::Unidentified));
    for body in [
        json!({}),
        json!([]),
        json!({"object_kind": "push"}),
        json!({"object_kind": "merge_request", "object_attributes": {"iid": "7"}}),
    ] {
        let read = parse(&delivery(None, &body));
        assert!(matches!(read, Err(NotUnderstood::Shape { .. })), "{body}");
    }
}
