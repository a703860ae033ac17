//! `jira-webhook`: which status a ticket got, from whom.

use evidence::channel::Channel;
use evidence::parse::NotUnderstood;
use evidence::parse::jira_webhook::{TicketStatus, parse};
use serde_json::{Value, json};

use crate::captures;
use crate::github_webhook::delivery;

fn issue(event: &str, items: &Value) -> Value {
    json!({
        "timestamp": 1_770_112_800_125_i64, "webhookEvent": event,
        "user": {"accountId": "712020:x", "displayName": "Ann", "active": true},
        "issue": {"id": "1", "key": "CHG-7",
            "fields": {"summary": "Shop 2", "status": {"name": "New"}}},
        "changelog": {"id": "1", "items": items},
    })
}

fn read(body: &Value) -> Vec<TicketStatus> {
    parse(&delivery(None, body)).unwrap().changes
}

#[test]
fn every_recorded_line_is_understood() {
    let records = captures::records_of(&[Channel::JiraWebhook]);
    assert_eq!(records.len(), 5);
    for record in &records {
        assert_eq!(parse(&record.payload).unwrap().changes.len(), 1);
    }
}

#[test]
fn a_status_has_a_time_in_milliseconds_and_an_account() {
    let to = json!([{"field": "status", "fieldId": "status", "fromString": "A", "toString": "B"}]);
    let changes = read(&issue("jira:issue_updated", &to));
    let [change] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((change.key.as_str(), change.before.as_deref()), ("CHG-7", Some("A")));
    assert_eq!((change.after.as_str(), change.who.as_deref()), ("B", Some("712020:x")));
    assert_eq!(change.summary.as_deref(), Some("Shop 2"));
    let at = change.at.unwrap();
    assert_eq!(at.earliest().to_string(), "2026-02-03T10:00:00.125Z");
    assert_eq!(at.latest().to_string(), "2026-02-03T10:00:00.126Z");
}

#[test]
fn only_the_field_status_is_a_status() {
    let item = |field: &str, id: Option<&str>| json!([{"field": field, "fieldId": id, "fromString": "A", "toString": "B"}]);
    for (items, count) in [
        (item("status", Some("status")), 1),
        // Data Center of old names no id.
        (item("status", None), 1),
        (item("status", Some("customfield_10050")), 0),
        (item("priority", Some("priority")), 0),
        (json!([]), 0),
        (Value::Null, 0),
    ] {
        assert_eq!(read(&issue("jira:issue_updated", &items)).len(), count, "{items}");
    }
}

#[test]
fn a_new_ticket_has_a_first_status() {
    let changes = read(&issue("jira:issue_created", &Value::Null));
    let [first] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((first.before.as_deref(), first.after.as_str()), (None, "New"));
}

#[test]
fn an_account_of_data_center_is_a_name() {
    let mut body = issue("jira:issue_created", &Value::Null);
    for (user, who) in [
        (json!({"name": "ann", "key": "JIRAUSER1"}), Some("ann")),
        (json!({"key": "JIRAUSER1"}), Some("JIRAUSER1")),
        (Value::Null, None),
    ] {
        body["user"] = user;
        assert_eq!(read(&body)[0].who.as_deref(), who);
    }
}

#[test]
fn without_a_time_of_its_own_the_receipt_counts() {
    let mut body = issue("jira:issue_created", &Value::Null);
    for timestamp in [Value::Null, json!(i64::MAX)] {
        body["timestamp"] = timestamp;
        let at = read(&body)[0].at.unwrap();
        assert_eq!(at.earliest().to_string(), "2026-02-03T10:00:09.5Z");
    }
}

#[test]
fn other_events_are_understood_and_not_read() {
    for event in ["comment_created", "jira:issue_deleted", "sprint_started"] {
        assert!(read(&json!({"webhookEvent": event})).is_empty(), "{event}");
    }
}

#[test]
fn what_is_malformed_is_not_understood() {
    let updated = |issue: Value| json!({"webhookEvent": "jira:issue_updated", "issue": issue});
    let read = |body: &Value| parse(&delivery(None, body));
    assert_eq!(read(&updated(json!({"id": "1"}))), Err(NotUnderstood::Unidentified));
    for body in [updated(Value::Null), updated(json!(5)), json!([]), json!({"timestamp": "x"})] {
        assert!(matches!(read(&body), Err(NotUnderstood::Shape { .. })), "{body}");
    }
}
