//! `ledger-redaction`: the ledger's own record of what was erased.

use evidence::channel::Channel;
use evidence::parse::ledger_redaction::{Segment, parse};

use crate::captures;
use crate::scenes::told;

const RECORD: &str =
    r#"{"redaction":1,"reason":"request 17","segments":[{"entry":7,"segment":2}]}"#;

#[test]
fn a_redaction_names_entries_and_segments() {
    let read = parse(RECORD.as_bytes()).expect("a redaction record");
    assert_eq!(read.reason, "request 17");
    assert_eq!(read.segments, [Segment { entry: 7, segment: 2 }]);
}

#[test]
fn what_is_no_redaction_record_is_refused() {
    let table = [
        RECORD.replace("\"redaction\":1", "\"redaction\":2"),
        RECORD.replace("\"reason\":\"request 17\",", ""),
        RECORD.replace("\"segment\":2", "\"segment\":-2"),
        RECORD.replace("\"segment\":2", "\"segment\":2,\"name\":\"who\""),
        String::new(),
    ];
    for text in table {
        parse(text.as_bytes()).expect_err(&text);
    }
}

#[test]
fn a_story_is_the_same_with_and_without_it() {
    let redaction = captures::record(Channel::LedgerRedaction, "redaction/8", RECORD);
    let story = told(&[redaction]);
    assert!(story.operations.is_empty() && story.writes.is_empty());
    assert_eq!(story.coverage.first().map(|c| c.not_understood), Some(0));
}
