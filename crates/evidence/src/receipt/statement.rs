//! The statement: what a receipt says about one operation.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tlog::Checkpoint;

use super::{PREDICATE_TYPE, STATEMENT_TYPE};
use crate::assess;
use crate::record::Cite;
use crate::story::Story;
use crate::story::act::{Cause, What};
use crate::story::change::population::Transition;
use crate::story::operation::Operation;

/// What a statement is made of.
#[derive(Clone, Copy, Debug)]
pub struct Stated<'a> {
    /// The story that tells of the operation.
    pub story: &'a Story,
    /// The operation.
    pub operation: &'a Operation,
    /// The checkpoint over the records that gave the story.
    pub checkpoint: &'a Checkpoint,
    /// The program that derived it, and its version.
    pub program: &'a str,
    /// The cited records, each with its entry and the entry's envelope.
    pub records: &'a [(Cite, u64, Vec<u8>)],
}

/// The part of a statement that its reader needs.
#[derive(Debug, Deserialize)]
pub(super) struct Read {
    #[serde(rename = "_type")]
    pub(super) statement_type: String,
    #[serde(rename = "predicateType")]
    pub(super) predicate_type: String,
    pub(super) subject: Vec<Subject>,
    pub(super) predicate: Predicate,
}

#[derive(Debug, Deserialize)]
pub(super) struct Predicate {
    pub(super) ledger: Ledger,
    pub(super) operation: Value,
    pub(super) records: Vec<CitedRecord>,
}

/// What a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Subject {
    pub(super) digest: BTreeMap<String, String>,
    pub(super) name: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ledger {
    pub(super) origin: String,
    pub(super) root: String,
    pub(super) size: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CitedRecord {
    pub(super) entry: u64,
    pub(super) record: String,
}

/// The records that a statement about an operation cites: those that show it, and those of the
/// claims about who started it.
pub fn cited(operation: &Operation) -> BTreeSet<Cite> {
    let claims = operation.claims.iter().flat_map(|claim| claim.cites.iter());
    operation.cites.iter().chain(claims).cloned().collect()
}

/// The bytes of the statement: the same for the same operation under the same checkpoint.
pub fn statement(stated: &Stated<'_>) -> Result<Vec<u8>, serde_json::Error> {
    let Stated { story, operation, checkpoint, program, records } = *stated;
    let what = format!("{}@{}", operation.app.name, operation.set.version());
    let transition = story.population.iter().find(|t| t.what == what);
    let records: Vec<CitedRecord> = records
        .iter()
        .map(|(cite, entry, _)| CitedRecord { entry: *entry, record: cite.to_string() })
        .collect();
    let ledger = Ledger {
        origin: checkpoint.origin().to_string(),
        root: checkpoint.root().to_base64(),
        size: checkpoint.size().get(),
    };
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": subjects(stated, &what),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "change": change(story, &what, transition),
            "ledger": ledger,
            "not_shown": [
                "what never reached the ledger",
                "who held a credential",
                "whether what is stated follows from the records: a receipt does not hold them"
            ],
            "operation": operation,
            "program": program,
            "records": records,
            "rules": assess::rules(),
        },
    });
    serde_json::to_vec(&statement)
}

/// The class of the operation, its change, and whether the content was approved.
fn change(story: &Story, what: &str, transition: Option<&Transition>) -> Value {
    let deployed = story.changes.iter().flat_map(|c| &c.operations);
    let content = deployed
        .filter(|d| what == format!("{}@{}", d.app.name, d.version))
        .map(|d| &d.content)
        .next();
    json!({ "class": transition.map(|t| &t.class), "content": content })
}

/// The deployed commits, the image digests that its rollouts name, and where there is neither, the
/// envelopes of the records that show the operation: a subject without a digest is not allowed.
fn subjects(stated: &Stated<'_>, what: &str) -> BTreeSet<Subject> {
    let operation = stated.operation;
    let subject = |name: String, algorithm: &str, digest: &str| Subject {
        name,
        digest: BTreeMap::from([(algorithm.to_owned(), digest.to_owned())]),
    };
    let commits = operation.revision.iter().chain(&operation.revisions);
    let mut subjects: BTreeSet<Subject> = commits
        .filter(|commit| is_hex(commit, 40) || is_hex(commit, 64))
        .map(|commit| subject(what.to_owned(), "gitCommit", commit))
        .collect();
    for (name, digest) in images(stated).iter().filter_map(|i| i.split_once("@sha256:")) {
        if is_hex(digest, 64) {
            subjects.insert(subject(name.to_owned(), "sha256", digest));
        }
    }
    if subjects.is_empty() {
        for (cite, _, leaf) in stated.records {
            let digest = tlog::Hash::from_bytes(Sha256::digest(leaf).into()).to_string();
            subjects.insert(subject(cite.to_string(), "sha256", &digest));
        }
    }
    subjects
}

fn is_hex(text: &str, digits: usize) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == digits && text.bytes().all(hex)
}

/// The images of the rollouts that the operation brought about.
fn images<'a>(stated: &Stated<'a>) -> Vec<&'a String> {
    let (name, version) = (&stated.operation.app.name, stated.operation.set.version().0);
    let rollouts = stated.story.acts.iter().filter_map(|act| match &act.what {
        What::Rollout(rollout) => Some(rollout),
        _ => None,
    });
    let of = |cause: &Cause| {
        matches!(cause, Cause::Argocd { app: Some(app), operation: Some(at) }
            if app == name && *at == version)
    };
    rollouts.filter(|r| of(&r.cause)).flat_map(|r| &r.images).collect()
}
