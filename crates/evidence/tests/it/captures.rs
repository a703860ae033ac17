//! The recorded evening, as records: what a ledger would hand to a derivation.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::LazyLock;

use evidence::channel::Channel;
use evidence::intake::cuts::Rules;
use evidence::intake::key::ContentKey;
use evidence::intake::seal::Salts;
use evidence::intake::{Intake, Taken, Terms};
use evidence::people::People;
use evidence::record::envelope::Auth;
use evidence::record::payload::{Payload, Salt};
use evidence::record::{Cite, Record, RecordId};
use evidence::story::operation::Operation;
use evidence::story::{Story, derive};
use flate2::read::GzDecoder;
use serde_json::Value;

/// The files of the recording, as an operator would name them to `ingest`.
const FILES: [&str; 24] = [
    "alertmanager/webhook.jsonl.gz",
    "argocd/controller-audit-log.jsonl.gz",
    "argocd/notifications.jsonl.gz",
    "argocd/server-log.jsonl.gz",
    "argocd/stream-applications.jsonl.gz",
    "forge/github-webhooks.jsonl.gz",
    "kubernetes/audit-webhook-sample.jsonl.gz",
    "kubernetes/audit.jsonl.gz",
    "kubernetes/watch/applications.jsonl.gz",
    "kubernetes/watch/appprojects.jsonl.gz",
    "kubernetes/watch/argocd-configmaps.jsonl.gz",
    "kubernetes/watch/clusterrolebindings.jsonl.gz",
    "kubernetes/watch/clusterroles.jsonl.gz",
    "kubernetes/watch/deployments.jsonl.gz",
    "kubernetes/watch/events.jsonl.gz",
    "kubernetes/watch/externalsecrets.jsonl.gz",
    "kubernetes/watch/partial-secrets.jsonl.gz",
    "kubernetes/watch/pods.jsonl.gz",
    "kubernetes/watch/replicasets.jsonl.gz",
    "kubernetes/watch/rolebindings.jsonl.gz",
    "kubernetes/watch/roles.jsonl.gz",
    "kubernetes/watch/secretstores.jsonl.gz",
    "openbao/audit.jsonl.gz",
    "tickets/jira-webhooks.jsonl.gz",
];
/// Answers of Prometheus: one document a file.
const DOCUMENTS: [&str; 3] = [
    "prometheus/argocd-app-info.json.gz",
    "prometheus/argocd-app-sync-total.json.gz",
    "prometheus/error-ratio.json.gz",
];

static RECORDS: LazyLock<Vec<Record>> =
    LazyLock::new(|| FILES.iter().chain(&DOCUMENTS).flat_map(|file| read_file(file)).collect());

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

/// All expected facts.
pub(crate) fn expected_all() -> Vec<Value> {
    let lines = std::fs::read_to_string(path("expected.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect()
}

/// The rows of one kind among the expected facts.
pub(crate) fn expected(fact: &str) -> Vec<Value> {
    expected_all().into_iter().filter(|row| row["fact"] == fact).collect()
}

/// A record under an id made up for the test.
pub(crate) fn record(channel: Channel, id: &str, payload: impl Into<Vec<u8>>) -> Record {
    let cite = Cite { channel, id: RecordId::new(id).unwrap() };
    Record { cite, payload: payload.into() }
}

/// The records of one file, sealed and opened again: what a ledger keeps of them.
pub(crate) fn read_file(file: &str) -> Vec<Record> {
    let mut text = String::new();
    GzDecoder::new(File::open(path(file)).unwrap()).read_to_string(&mut text).unwrap();
    taken(&text)
}

/// The records of one line.
pub(crate) fn take(line: &[u8]) -> Vec<Record> {
    taken(std::str::from_utf8(line).unwrap())
}

fn taken(text: &str) -> Vec<Record> {
    let people = people();
    let terms = Terms {
        rules: Rules::new(people.identifying_strings().iter().copied()).unwrap(),
        content_key: ContentKey::new([7; 32]),
        record_bytes_max: 4 << 20,
        named: None,
        auth: Auth::OperatorFile,
    };
    let mut intake = Intake::new(&terms);
    let mut records = Vec::new();
    for line in text.lines() {
        let taken = intake.take(line.as_bytes(), jiff::Timestamp::UNIX_EPOCH, &mut NoSalt);
        gather(taken.unwrap_or_else(|e| panic!("{e}: {line:.200}")), &mut records);
    }
    records
}

fn gather(taken: Taken, records: &mut Vec<Record>) {
    match taken {
        Taken::Pending(entry) => {
            let payload = Payload::decode(&entry.payload).unwrap().record();
            records.push(Record { cite: entry.cite, payload });
        }
        Taken::ReadByPerson(_) => {}
        // What is refused of a batch costs no other item; a loss shows in the counts of a story.
        Taken::Several(several) => several.into_iter().flatten().for_each(|t| gather(t, records)),
    }
}

struct NoSalt;

impl Salts for NoSalt {
    fn salt(&mut self) -> Salt {
        [0; 16]
    }
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../captures").join(name)
}
