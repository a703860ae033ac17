//! `argocd-stream`: what is read of a line, and what the stream alone shows of the evening.

use std::collections::BTreeMap;

use evidence::channel::Channel;
use evidence::parse::WatchLine;
use evidence::parse::argocd_stream::parse;
use evidence::story::operation::{End, SetAt};
use evidence::story::{Story, derive};
use serde_json::{Value, json};

use crate::captures::{self, record, records, records_of};
use crate::scenes::told;

/// The story of the recording without some channels.
pub(crate) fn without(channels: &[Channel]) -> Story {
    let kept = records().iter().filter(|r| !channels.contains(&r.cite.channel));
    derive(kept.cloned(), &captures::people())
}

/// Who each operation is told of, by Application and version.
pub(crate) fn persons(story: &Story) -> BTreeMap<(String, u64), Option<String>> {
    let key = |o: &evidence::story::operation::Operation| (o.app.name.clone(), o.set.version().0);
    let person = |o: &evidence::story::operation::Operation| o.person().map(str::to_owned);
    story.operations.iter().map(|o| (key(o), person(o))).collect()
}

fn line(line_type: &str, change: impl Fn(&mut Value)) -> String {
    let mut application = json!({
        "metadata": {"uid": "u-1", "namespace": "argocd", "name": "shop", "resourceVersion": "7"},
        "operation": {"sync": {"revision": "main"}, "retry": {}},
    });
    change(&mut application);
    json!({"result": {"type": line_type, "application": application}}).to_string()
}

#[test]
fn every_recorded_line_is_understood() {
    let found = captures::story().coverage.iter().find(|c| c.channel == "argocd-stream").unwrap();
    assert_eq!((found.records, found.not_understood, found.gaps.len()), (821, 0, 0));
}

#[test]
fn a_version_reads_as_the_watch_has_it() {
    let by_watch = records_of(&[Channel::ArgocdApplicationWatch]);
    let by_watch: BTreeMap<&str, _> = by_watch.iter().map(|r| (r.cite.id.as_str(), r)).collect();
    let mut compared = 0;
    for streamed in records_of(&[Channel::ArgocdStream]) {
        let watched = by_watch[streamed.cite.id.as_str()];
        let watched = evidence::parse::argocd_application_watch::parse(&watched.payload);
        assert_eq!(parse(&streamed.payload), watched, "{}", streamed.cite);
        compared += 1;
    }
    assert_eq!(compared, 821);
}

#[test]
fn lines_and_what_they_are() {
    let read = |line: String| parse(line.as_bytes());
    assert!(matches!(read(line("ADDED", |_| ())), Ok(WatchLine::Version(v)) if v.name == "shop"));
    assert!(matches!(read(line("DELETED", |_| ())), Ok(WatchLine::Deleted(v)) if v.deleted));
    let gap = r#"{"error":{"grpc_code":4,"message":"somebody's secret"}}"#.to_owned();
    assert_eq!(read(gap), Ok(WatchLine::Gap("the stream ended in an error".to_owned())));
    for (line, expected) in [
        (line("BOOKMARK", |_| ()), "an unknown type of watch line"),
        (line("ADDED", |a| a["metadata"]["uid"] = json!("")), "an object without uid or name"),
        (line("ADDED", |a| a["metadata"]["resourceVersion"] = json!("x")), "a resourceVersion"),
        (line("ADDED", |a| a["metadata"] = Value::Null), "a missing field"),
        (r"{}".to_owned(), "a missing field"),
        (r#"{"result":null}"#.to_owned(), "a missing field"),
        (r#"[{"type":"ADDED"}]"#.to_owned(), "a missing field"),
        (r#"{"result":{"type":"#.to_owned(), "not one complete JSON text"),
    ] {
        let reason = read(line.clone()).unwrap_err().to_string();
        assert!(reason.starts_with(expected), "{reason} for {line}");
    }
}

#[test]
fn the_stream_alone_shows_every_operation_between_two_of_its_versions() {
    let (alone, full) = (without(&[Channel::ArgocdApplicationWatch]), captures::story());
    let versions: Vec<_> = persons(&alone).into_keys().collect();
    assert_eq!(versions.len(), 45);
    assert_eq!(versions, persons(full).into_keys().collect::<Vec<_>>());
    assert_eq!(
        persons(&alone),
        persons(full),
        "the versions are the same, so are Events and audit"
    );
    let no_audit = [Channel::ArgocdApplicationWatch, Channel::KubernetesAudit];
    for operation in without(&no_audit).operations {
        let exact = matches!(operation.set, SetAt::Exactly(_));
        let by_server = operation
            .claims
            .iter()
            .any(|c| c.source == evidence::story::claim::ClaimSource::ServerEvent);
        assert_eq!(exact, by_server, "only a record of the very write makes it exact");
        assert!(matches!(operation.end, End::Between { .. }), "{:?}", operation.end);
    }
}

#[test]
fn a_version_that_the_watch_lost_makes_what_is_beside_it_uncertain() {
    let watch = |rv: u64, op: &Value| crate::scenes::version(rv, op, &Value::Null);
    let streamed = record(
        Channel::ArgocdStream,
        "s",
        line("MODIFIED", |a| {
            a["metadata"]["uid"] = json!(crate::scenes::UID);
        }),
    );
    let request = json!({"sync": {"revision": "main"}});
    let story =
        told(&[watch(5, &Value::Null), streamed, watch(9, &request), watch(11, &Value::Null)]);
    let [operation] = story.operations.as_slice() else { panic!("{:?}", story.operations) };
    let json = serde_json::to_value(operation).unwrap();
    assert_eq!(json["set"], json!({"between": {"after": 5, "until": 7}}));
    assert_eq!(json["end"], json!({"cleared": 11}));
    assert!(operation.not_found.is_empty());
}
