//! Snapshots as files, and who could at a moment.

use access::forge::{Snapshot, as_of};
use serde_json::json;

#[test]
fn the_last_snapshot_before_a_moment_counts() {
    let at = |time: &str, repository: &str| {
        let text = json!({"forge_snapshot": 1, "forge": "github", "repository": repository, "taken_at": time, "answers": []});
        Snapshot::parse(text.to_string().as_bytes()).unwrap()
    };
    let all = [
        at("2026-03-01T00:00:00Z", "o/r"),
        at("2026-03-03T00:00:00Z", "o/r"),
        at("2026-03-02T00:00:00Z", "o/x"),
    ];
    let table = [
        ("2026-02-28T00:00:00Z", None),
        ("2026-03-01T00:00:00Z", Some("2026-03-01T00:00:00Z")),
        ("2026-03-02T23:00:00Z", Some("2026-03-01T00:00:00Z")),
        ("2026-04-01T00:00:00Z", Some("2026-03-03T00:00:00Z")),
    ];
    for (moment, expected) in table {
        let found = as_of(&all, "O/R", moment.parse().unwrap()).and_then(Snapshot::taken_at);
        assert_eq!(found, expected.map(|t: &str| t.parse().unwrap()), "{moment}");
    }
}

#[test]
fn what_is_no_snapshot_says_so() {
    let table = [
        ("[", "not a forge snapshot: EOF while parsing a list at line 1 column 1"),
        (
            "{}",
            "not a forge snapshot: neither `forge_snapshot` nor `repository` with `branch_protection`",
        ),
        (
            r#"{"forge_snapshot":2,"forge":"gitea","repository":"o/r","answers":[]}"#,
            "a forge snapshot of version 2, and this program reads version 1",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(Snapshot::parse(text.as_bytes()).unwrap_err().to_string(), expected);
    }
}
