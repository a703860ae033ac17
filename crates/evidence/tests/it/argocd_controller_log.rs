//! `argocd-controller-log`: what is read of a line.

use evidence::channel::Channel;
use evidence::parse::argocd_controller_log::parse;

use crate::captures::{self, record};
use crate::scenes::told;

const LINE: &str = r#"{"application":"shop","level":"info","msg":"Sync operation to abc succeeded","reason":"OperationCompleted","time":"2026-02-03T10:00:05Z","type":"Normal"}"#;

#[test]
fn every_recorded_line_is_understood() {
    let of = |c: &&evidence::story::coverage::Coverage| c.channel == "argocd-controller-log";
    let found = captures::story().coverage.iter().find(of).unwrap();
    assert_eq!((found.records, found.not_understood), (222, 0));
    assert!(found.first.is_some() && found.last.is_some());
}

#[test]
fn a_line_tells_its_time_and_what_it_is_about() {
    let line = parse(LINE.as_bytes()).unwrap();
    assert_eq!(line.time.to_string(), "2026-02-03T10:00:05Z");
    assert_eq!(line.application.as_deref(), Some("shop"));
    assert_eq!(line.reason.as_deref(), Some("OperationCompleted"));
    let story = told(&[record(Channel::ArgocdControllerLog, "l", LINE)]);
    assert_eq!(story.coverage[0].first, Some(line.time));
    assert!(story.acts.is_empty());
}

#[test]
fn lines_that_are_none() {
    for (line, expected) in [
        (LINE.replace("2026-02-03", "today"), "a missing field"),
        (LINE.replace(r#""level":"info","#, ""), "a missing field"),
        (LINE.replace(r#""shop""#, "7"), "a missing field"),
        (format!("[{LINE}]"), "a missing field"),
        (LINE[..40].to_owned(), "not one complete JSON text"),
    ] {
        let reason = parse(line.as_bytes()).unwrap_err().to_string();
        assert!(reason.starts_with(expected), "{reason} for {line}");
    }
}
