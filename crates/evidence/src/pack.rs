//! A pack: a ledger's record and story in one file that verifies offline.
//!
//! This is the preview form (version 0): the whole ledger, a JSON object a line. The strict
//! container of version 1 replaces it; a version 0 pack stays readable.
//!
//! ```text
//! {"pack":0, origin, key, checkpoint, people, story}     the head
//! {"leaf":…, "payload":…}                                 entry 0
//! {"leaf":…, "payload":…}                                 entry 1 …
//! ```
//!
//! Two verdicts, the first without the second: *integrity* (the entries are those that the
//! checkpoint signs, the payloads those that the leaves commit to) and *story* (what is told
//! follows from the records, byte for byte). Format: `docs/formats/pack.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tlog::{Checkpoint, Frontier, Hash, Origin, UnverifiedCheckpoint, VerifierKey};

use crate::channel::Channel;
use crate::parse::ledger_redaction::parse;
use crate::people::People;
use crate::record::Record;
use crate::record::check::check_entry;
use crate::record::payload::Payload;
use crate::story::derive;

/// Faults told to people; all of them are in [`Verdict::integrity`].
const FAULTS_TOLD: usize = 20;

/// The first line of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Version: 0.
    pub pack: u32,
    /// The ledger's name.
    pub origin: String,
    /// The verifier key of the ledger. A reader who pins a key from elsewhere does not need it.
    pub key: String,
    /// The signed checkpoint over exactly the entries that follow.
    pub checkpoint: String,
    /// The people map, as JSON text: which accounts are one person.
    pub people: String,
    /// The story that was derived, as JSON text.
    pub story: String,
}

/// A line of a pack after the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    leaf: String,
    payload: String,
}

/// What is wrong with a pack, and at which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackFault {
    /// The line of the file, from 1; entry `n` stands at line `n + 2`.
    pub line: usize,
    /// The member or entry.
    pub place: String,
    /// What is wrong.
    pub problem: String,
}

/// Which key the signature was checked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFrom {
    /// A key that the reader brought.
    Reader,
    /// The one in the pack: it shows that the pack agrees with itself, not who made it.
    Pack,
}

/// What the verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Everything that breaks integrity.
    pub integrity: Vec<PackFault>,
    /// Whether the story follows from the records; `None` when integrity is broken.
    pub story: Option<bool>,
    /// The checkpoint, if it verified.
    pub checkpoint: Option<Checkpoint>,
    /// The key that was used.
    pub key_from: KeyFrom,
    /// Entries read.
    pub entries: u64,
    /// Entries with erased personal segments.
    pub redacted: u64,
}

/// Encodes the head line.
pub fn encode_head(head: &Head) -> Result<Vec<u8>, serde_json::Error> {
    line(head)
}

/// Encodes an entry's line.
pub fn encode_entry(leaf: &[u8], payload: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    line(&EntryLine { leaf: STANDARD.encode(leaf), payload: STANDARD.encode(payload) })
}

fn line(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Verifies a pack. `pinned` is a key that the reader trusts, got from elsewhere than the pack.
pub fn verify(pack: &[u8], pinned: Option<&VerifierKey>) -> Verdict {
    let key_from = if pinned.is_some() { KeyFrom::Reader } else { KeyFrom::Pack };
    let (story, checkpoint) = (None, None);
    let mut verdict =
        Verdict { integrity: Vec::new(), story, checkpoint, key_from, entries: 0, redacted: 0 };
    let mut lines = pack.split_inclusive(|b| *b == b'\n');
    let head = lines.next().ok_or_else(|| "is empty".to_owned()).and_then(read_line::<Head>);
    let head = match head {
        Ok(head) if head.pack == 0 => head,
        Ok(head) => return verdict.broken("pack", format!("version {} is not known", head.pack)),
        Err(problem) => return verdict.broken("head", problem),
    };
    match checkpoint_of(&head, pinned) {
        Ok(checkpoint) => verdict.checkpoint = Some(checkpoint),
        Err((place, problem)) => return verdict.broken(place, problem),
    }
    let records = verdict.entries(lines);
    if verdict.integrity.is_empty() {
        verdict.story = Some(follows(&head, records));
    }
    verdict
}

/// Whether the story in the head is the one that the records give.
fn follows(head: &Head, records: Vec<Record>) -> bool {
    let Ok(people) = People::from_json(head.people.as_bytes()) else {
        return false;
    };
    derive(records, &people).to_json() == head.story.as_bytes()
}

fn checkpoint_of(
    head: &Head,
    pinned: Option<&VerifierKey>,
) -> Result<Checkpoint, (&'static str, String)> {
    let origin: Origin = head.origin.parse().map_err(|e| ("origin", format!("{e}")))?;
    let key = match pinned {
        Some(key) => key.clone(),
        None => head.key.parse().map_err(|e| ("key", format!("{e}")))?,
    };
    UnverifiedCheckpoint::parse(head.checkpoint.as_bytes())
        .and_then(|c| c.verify(&origin, &[key]))
        .map(|c| c.checkpoint().clone())
        .map_err(|e| ("checkpoint", e.to_string()))
}

/// Reads a line and refuses any other spelling of the same value.
fn read_line<T: Serialize + for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, String> {
    let value: T = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    let again = line(&value).map_err(|e| e.to_string())?;
    if again == bytes { Ok(value) } else { Err("is not in its canonical form".to_owned()) }
}

impl Verdict {
    fn broken(mut self, place: &str, problem: String) -> Self {
        self.integrity.push(PackFault { line: 1, place: place.to_owned(), problem });
        self
    }

    /// Reads every entry, and holds them to the checkpoint.
    fn entries<'p>(&mut self, lines: impl Iterator<Item = &'p [u8]>) -> Vec<Record> {
        let (mut tree, mut records) = (Frontier::new(), Vec::new());
        let mut erased = BTreeMap::new();
        for (number, bytes) in (2..).zip(lines) {
            let leaf = match self.entry(bytes, tree.size().get(), &mut records, &mut erased) {
                Ok(leaf) => leaf,
                Err(problem) => {
                    let place = format!("entry {}", tree.size());
                    self.integrity.push(PackFault { line: number, place, problem });
                    tlog::EMPTY_ROOT
                }
            };
            tree.push(leaf, |_, _| {});
        }
        self.entries = tree.size().get();
        self.erasures(&erased, &records);
        if let Some(problem) = self.checkpoint.as_ref().and_then(|c| differs(c, &tree)) {
            // An entry that is named already explains another root.
            if self.integrity.is_empty() {
                let place = "checkpoint".to_owned();
                self.integrity.push(PackFault { line: 1, place, problem });
            }
        }
        records
    }

    /// Holds what is erased to the redaction records: a segment that none of them names was taken
    /// out, not erased.
    fn erasures(&mut self, erased: &BTreeMap<u64, Vec<u32>>, records: &[Record]) {
        let of_ledger = |r: &&Record| r.cite.channel == Channel::LedgerRedaction;
        let read = records.iter().filter(of_ledger).filter_map(|r| parse(&r.payload).ok());
        let named: BTreeSet<(u64, u32)> =
            read.flat_map(|r| r.segments).map(|s| (s.entry, s.segment)).collect();
        for (entry, segments) in erased {
            for segment in segments.iter().filter(|s| !named.contains(&(*entry, **s))) {
                let line = usize::try_from(*entry).unwrap_or(usize::MAX).saturating_add(2);
                let problem =
                    format!("personal segment {segment} is gone and no redaction names it");
                self.integrity.push(PackFault { line, place: format!("entry {entry}"), problem });
            }
        }
    }

    /// Checks one entry and gives its leaf hash.
    fn entry(
        &mut self,
        bytes: &[u8],
        index: u64,
        records: &mut Vec<Record>,
        erased: &mut BTreeMap<u64, Vec<u32>>,
    ) -> Result<Hash, String> {
        let line: EntryLine = read_line(bytes)?;
        let decode = |text: &str| STANDARD.decode(text).map_err(|e| e.to_string());
        let (leaf, payload) = (decode(&line.leaf)?, decode(&line.payload)?);
        let (envelope, checked) = check_entry(&leaf, &payload).map_err(|e| e.to_string())?;
        if !checked.erased.is_empty() {
            self.redacted += 1;
            erased.insert(index, checked.erased);
        }
        let payload = Payload::decode(&payload).map_err(|e| e.to_string())?.record();
        records.push(Record { cite: envelope.cite, payload });
        Ok(tlog::leaf_hash(&leaf))
    }
}

/// How a checkpoint differs from the tree of the entries.
fn differs(checkpoint: &Checkpoint, tree: &Frontier) -> Option<String> {
    if checkpoint.size() != tree.size() {
        return Some(format!("signs {} entries, the pack has {}", checkpoint.size(), tree.size()));
    }
    let other_root = checkpoint.root() != tree.root();
    other_root.then(|| "signs another root than that of the entries".to_owned())
}

impl Verdict {
    /// Whether both verdicts are good.
    pub fn holds(&self) -> bool {
        self.integrity.is_empty() && self.story == Some(true)
    }

    /// The verdict for people: the answer first, then what it rests on and what it cannot say.
    pub fn report(&self) -> String {
        let faults = self.integrity.iter().take(FAULTS_TOLD);
        let faults: String = faults.map(|f| format!("FAULT      {f}\n")).collect();
        let integrity = if self.integrity.is_empty() { "intact" } else { "NOT INTACT" };
        let (entries, redacted) = (self.entries, self.redacted);
        let signed = match &self.checkpoint {
            Some(c) => format!("{entries} entries under checkpoint {} of {}", c.size(), c.origin()),
            None => "no checkpoint verified".to_owned(),
        };
        let story = match self.story {
            Some(true) => "follows from the records, byte for byte",
            Some(false) => "DOES NOT FOLLOW from the records",
            None => "not derived: the record is not intact",
        };
        let key = match self.key_from {
            KeyFrom::Reader => "given by the reader",
            KeyFrom::Pack => {
                "from the pack itself: it agrees with itself; who made it is not shown"
            }
        };
        format!(
            "{faults}Integrity  {integrity}: {signed}\n\
             Story      {story}\n\
             Key        {key}\n\
             Redacted   personal segments erased in {redacted} entries\n\
             Not shown  what never reached the ledger; who held a credential\n"
        )
    }
}

impl fmt::Display for PackFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {}: {}", self.line, self.place, self.problem)
    }
}
