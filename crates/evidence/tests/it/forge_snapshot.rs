//! `forge-snapshot`: recognised, kept with what is personal apart, and dated.

use evidence::channel::Channel;
use evidence::intake::header::{Identity, recognise};
use evidence::parse::NotUnderstood;
use evidence::parse::forge_snapshot::parse;
use serde_json::{Value, json};

use crate::captures::record;
use crate::scenes::told;

fn snapshot() -> Value {
    json!({"forge_snapshot": 1, "forge": "gitea", "repository": "o/r", "taken_at": "2026-03-01T10:00:00Z",
        "answers": [{"path": "/repos/o/r/teams", "status": 200, "body": []},
            {"path": "/repos/o/r/branch_protections", "status": 403, "body": null}]})
}

#[test]
fn it_is_recognised_and_known_by_its_content() {
    let line = snapshot().to_string();
    let header = recognise(line.as_bytes(), None).unwrap();
    assert_eq!((header.channel, header.identity), (Channel::ForgeSnapshot, Identity::Content));
    assert!(recognise(br#"{"forge_snapshot":1}"#, None).is_err());
}

#[test]
fn it_says_when_it_was_and_what_was_refused() {
    let read = parse(snapshot().to_string().as_bytes()).unwrap();
    assert_eq!((read.forge.as_str(), read.repository.as_deref()), ("gitea", Some("o/r")));
    assert_eq!((read.answered, read.refused), (1, 1));
    assert_eq!(read.taken_at.unwrap().earliest().to_string(), "2026-03-01T10:00:00Z");
    let mut later = snapshot();
    later["forge_snapshot"] = json!(2);
    assert_eq!(parse(later.to_string().as_bytes()), Err(NotUnderstood::Kind));
    assert!(matches!(parse(b"{}"), Err(NotUnderstood::Shape { .. })));
}

#[test]
fn a_story_knows_that_it_was_there() {
    let story = told(&[record(Channel::ForgeSnapshot, "s", snapshot().to_string())]);
    let coverage = story.coverage.iter().find(|c| c.channel == "forge-snapshot").unwrap();
    assert_eq!((coverage.records, coverage.not_understood), (1, 0));
    assert!(coverage.first.unwrap().to_string().starts_with("2026-03-01T10:00:00"));
}
