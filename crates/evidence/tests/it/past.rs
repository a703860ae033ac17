//! What was in force at a time, from the recorded evening, whatever the order of its records.

use evidence::past::{At, Past, object_of};
use evidence::record::Record;
use jiff::Timestamp;

use crate::captures::records;

fn past<'r>(records: impl IntoIterator<Item = &'r Record>) -> Past {
    let mut past = Past::default();
    records.into_iter().for_each(|record| past.add(record));
    past
}

fn time(clock: &str) -> Timestamp {
    format!("2026-11-23T{clock}Z").parse().unwrap()
}

/// How many lines the policy of Argo CD's RBAC had.
fn policy_lines(at: &At) -> usize {
    let shown = at.objects.iter().filter_map(|cite| {
        let record = records().iter().find(|r| r.cite == *cite)?;
        let object = object_of(&record.payload)?;
        (object["metadata"]["name"] == "argocd-rbac-cm").then_some(object)
    });
    let objects: Vec<_> = shown.collect();
    assert_eq!(objects.len(), 1);
    objects[0]["data"]["policy.csv"].as_str().unwrap().lines().count()
}

#[test]
fn a_right_granted_for_a_time_is_there_in_that_time_alone() {
    let past = past(records());
    let table = [
        ("21:48:29.3", 18),
        ("21:48:30", 19),
        ("21:48:34.7", 19),
        ("21:48:34.8", 20),
        ("21:48:40.3", 20),
        ("21:48:40.4", 18),
        ("21:51:00", 18),
    ];
    for (clock, lines) in table {
        assert_eq!(policy_lines(&past.at(time(clock))), lines, "{clock}");
    }
}

#[test]
fn a_time_outside_of_what_was_watched_is_a_gap() {
    let past = past(records());
    let of_kind = |clock: &str, kind: &str| {
        let gaps = past.at(time(clock)).gaps;
        let of = format!("objects of kind {kind}");
        gaps.into_iter().find(|gap| gap.what == of).map(|gap| gap.why)
    };
    assert_eq!(of_kind("21:48:00", "ClusterRoleBinding"), None);
    let before = of_kind("21:40:00", "ClusterRoleBinding").unwrap();
    assert!(before.contains("surely alive only from"), "{before}");
    let after = of_kind("23:00:00", "ClusterRoleBinding").unwrap();
    assert!(after.contains("last sign of life"), "{after}");
    assert!(past.at(time("21:00:00")).objects.is_empty());
}

#[test]
fn an_object_that_was_removed_is_gone_and_one_that_comes_later_is_not_there_yet() {
    let past = past(records());
    let has = |clock: &str, name: &str| {
        past.at(time(clock)).objects.iter().any(|cite| {
            let record = records().iter().find(|r| r.cite == *cite).unwrap();
            object_of(&record.payload).unwrap()["metadata"]["name"] == name
        })
    };
    assert!(!has("21:41:00", "prod-debug-fweiss") && has("21:41:07", "prod-debug-fweiss"));
}

#[test]
fn the_branch_of_record_is_where_the_last_push_before_left_it() {
    let past = past(records());
    let head = |clock: &str| {
        let heads = past.at(time(clock)).heads;
        let head = heads.into_iter().find(|push| push.is_default);
        head.and_then(|push| push.head).map(|head| head[..8].to_owned())
    };
    // The merge of the proposal by the book; before it, the merge before.
    assert_eq!(head("21:41:53").as_deref(), Some("9faad03b"));
    assert_ne!(head("21:41:49"), head("21:41:53"));
    assert_eq!(head("21:00:00"), None);
}

#[test]
fn neither_order_nor_repetition_changes_it() {
    let whole = past(records());
    let reversed = past(records().iter().rev());
    let twice = past(records().iter().chain(records()));
    for clock in ["21:41:10", "21:45:00", "21:48:37", "21:49:31", "21:52:30"] {
        let at = whole.at(time(clock));
        assert_eq!(reversed.at(time(clock)), at, "{clock}");
        assert_eq!(twice.at(time(clock)), at, "{clock}");
    }
}
