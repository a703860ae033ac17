//! The recorded evening, as records: what a ledger would hand to a derivation.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::LazyLock;

use evidence::channel::Channel;
use evidence::people::People;
use evidence::record::{Cite, Record, RecordId};
use evidence::story::operation::Operation;
use evidence::story::{Story, derive};
use flate2::read::GzDecoder;
use serde_json::Value;

/// The channels of this slice and the files that they were recorded in.
const FILES: [(Channel, &str); 4] = [
    (Channel::ArgocdApplicationWatch, "kubernetes/watch/applications.jsonl.gz"),
    (Channel::KubernetesEventWatch, "kubernetes/watch/events.jsonl.gz"),
    (Channel::KubernetesAudit, "kubernetes/audit.jsonl.gz"),
    (Channel::KubernetesObjectWatch, "kubernetes/watch/deployments.jsonl.gz"),
];

static RECORDS: LazyLock<Vec<Record>> = LazyLock::new(|| {
    FILES.iter().flat_map(|(channel, file)| read_channel(*channel, file)).collect()
});

static STORY: LazyLock<Story> = LazyLock::new(|| derive(records().to_vec(), &people()));

/// All records of the channels of this slice, in the order of the files.
pub(crate) fn records() -> &'static [Record] {
    &RECORDS
}

/// The records of some channels.
pub(crate) fn records_of(channels: &[Channel]) -> Vec<Record> {
    records().iter().filter(|r| channels.contains(&r.cite.channel)).cloned().collect()
}

/// The story of all records.
pub(crate) fn story() -> &'static Story {
    &STORY
}

/// The operation of an Application at a version.
pub(crate) fn operation<'s>(story: &'s Story, app: &str, version: u64) -> &'s Operation {
    let found = story.operations.iter().find(|o| o.app.name == app && o.set.version().0 == version);
    found.unwrap_or_else(|| panic!("no operation of {app} at {version}"))
}

/// The people map of the recording.
pub(crate) fn people() -> People {
    People::from_json(&std::fs::read(path("people.json")).unwrap()).unwrap()
}

/// The rows of one kind among the expected facts.
pub(crate) fn expected(fact: &str) -> Vec<Value> {
    let lines = std::fs::read_to_string(path("expected.jsonl")).unwrap();
    let rows = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row["fact"] == fact).collect()
}

/// A record under an id made up for the test.
pub(crate) fn record(channel: Channel, id: &str, payload: impl Into<Vec<u8>>) -> Record {
    let cite = Cite { channel, id: RecordId::new(id).unwrap() };
    Record { cite, payload: payload.into() }
}

fn read_channel(channel: Channel, file: &str) -> Vec<Record> {
    let reader = GzDecoder::new(File::open(path(file)).unwrap());
    read_lines(reader).into_iter().map(|line| record(channel, &key(channel, &line), line)).collect()
}

fn read_lines(mut reader: impl Read) -> Vec<String> {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// A key in the spirit of the ledger's: unique within the channel, the same for a redelivery.
fn key(channel: Channel, line: &str) -> String {
    let value: Value = serde_json::from_str(line).unwrap();
    let text = |v: &Value| v.as_str().unwrap_or("none").to_owned();
    if channel == Channel::KubernetesAudit {
        return format!("{}/{}", text(&value["auditID"]), text(&value["stage"]));
    }
    let metadata = &value["object"]["metadata"];
    let parts = [&metadata["uid"], &metadata["resourceVersion"], &value["type"]];
    parts.map(text).join("/")
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../captures").join(name)
}
