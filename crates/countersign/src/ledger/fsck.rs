//! `fsck`: derives everything again from the bytes of the entries and compares.
//!
//! Shares nothing with the append path but `tlog` and the readers of the written formats (envelope,
//! stored payload, redaction record): its own reading of the tables, its own check of payloads
//! against commitments ([`evidence::record::check`]), its own tiles.
//!
//! | checked | against |
//! |---|---|
//! | every byte of the closed database | the page seal |
//! | each leaf, key and payload | the format, the commitment in the leaf |
//! | every tile | the tree grown again from the leaves |
//! | every published checkpoint, in the database and outside | its signature, the root at its size |
//! | each erased segment | the redaction record that names it |
//! | each acknowledgement, if given | index and leaf |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use evidence::channel::Channel;
use evidence::parse::ledger_redaction;
use evidence::record::check::check_entry;
use evidence::record::payload::Payload;
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use tlog::{Hash, LeafIndex, TreeSize, UnverifiedCheckpoint};

use self::reread::{FoundNote, Regrown, Row, each_entry, stored_notes};
use super::dir::LedgerDir;
use super::pages::{self, Seal};
use super::{LedgerError, history};
use crate::store::sqlite::open_read_only;

mod reread;

/// How the place of a changed page begins.
const PAGE: &str = "ledger.db page";

/// What was found wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The place: `entry 17`, `tile 0/3`, `checkpoint 4096 (file)`, `ledger.db page 12`.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// What `fsck` looked at and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Everything that is wrong.
    pub faults: Vec<Fault>,
    /// What is not wrong but should be known.
    pub notes: Vec<String>,
    /// Entries read.
    pub entries: u64,
    /// Tiles compared.
    pub tiles: u64,
    /// Different checkpoints verified, in the database and outside.
    pub checkpoints: u64,
    /// Personal segments that were erased under a redaction record.
    pub redacted: u64,
    /// Acknowledgements compared.
    pub acknowledged: u64,
    /// The root of all entries.
    pub root: Option<Hash>,
}

/// An acknowledged record, as the one who got the acknowledgement noted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The index.
    pub index: LeafIndex,
    /// The leaf hash.
    pub leaf: Hash,
}

/// Checks a ledger. `step` hears of each entry, for progress.
pub fn fsck(
    dir: &LedgerDir,
    acknowledged: &[Acknowledged],
    step: &mut dyn FnMut(u64),
) -> Result<Report, LedgerError> {
    let mut check = Check::default();
    check.pages(pages::check(dir)?);
    let notes = check.notes_outside(dir);
    match open_read_only(&dir.database()) {
        Ok(connection) => check.database(&connection, dir, notes, acknowledged, step),
        Err(e) => check.fault("ledger.db", e),
    }
    Ok(check.report)
}

#[derive(Default)]
struct Check {
    report: Report,
    /// Roots wanted at these sizes, filled while the tree grows.
    at_size: BTreeMap<u64, Option<Hash>>,
    verified_sizes: BTreeSet<u64>,
}

impl Check {
    fn fault(&mut self, place: impl fmt::Display, problem: impl fmt::Display) {
        let (place, problem) = (place.to_string(), problem.to_string());
        self.report.faults.push(Fault { place, problem });
    }

    fn pages(&mut self, seal: Seal) {
        match seal {
            Seal::Whole { .. } => {}
            Seal::Broken(pages) => {
                // Neighbours are one fault: a file that was swapped differs in thousands of pages.
                for run in pages.chunk_by(|a, b| a + 1 == *b) {
                    let (first, last) = (run[0], run[run.len() - 1]);
                    let problem = if first == last {
                        "differs from its seal".to_owned()
                    } else {
                        format!("and all up to page {last} differ from their seal")
                    };
                    self.fault(format_args!("{PAGE} {first}"), problem);
                }
            }
            Seal::Absent => self.report.notes.push(
                "no page seal: the ledger is being written, or its last writer did not close it; \
                 bytes that no row covers were not checked"
                    .to_owned(),
            ),
            Seal::Unreadable => self.fault("ledger.pages", "is not a page seal"),
        }
    }

    /// The checkpoints outside the database: the file, and the anchor.
    fn notes_outside(&mut self, dir: &LedgerDir) -> Vec<FoundNote> {
        let mut found = Vec::new();
        match history::read(&dir.checkpoints()) {
            Ok((notes, unfinished)) => {
                if notes.is_empty() {
                    self.fault("checkpoints", "holds no checkpoint");
                }
                if unfinished > 0 && matches!(pages::check(dir), Ok(Seal::Whole { .. })) {
                    self.fault(
                        "checkpoints",
                        format_args!("{unfinished} bytes at its end are no checkpoint"),
                    );
                }
                found.extend(notes.into_iter().map(|note| FoundNote { place: "file", note }));
            }
            Err(e) => self.fault("checkpoints", e),
        }
        match dir.settings.anchor.as_ref().map(std::fs::read_to_string) {
            Some(Ok(note)) => found.push(FoundNote { place: "anchor", note }),
            Some(Err(e)) => self.fault("anchor", e),
            None => self.report.notes.push(
                "no anchor is configured: whoever can write this folder can replace it whole"
                    .to_owned(),
            ),
        }
        found
    }

    fn database(
        &mut self,
        connection: &Connection,
        dir: &LedgerDir,
        mut notes: Vec<FoundNote>,
        acknowledged: &[Acknowledged],
        step: &mut dyn FnMut(u64),
    ) {
        // One read transaction: a writer at work changes nothing under the check.
        if let Err(e) = connection.execute_batch("BEGIN") {
            return self.fault("ledger.db", e);
        }
        self.own_integrity(connection);
        match stored_notes(connection) {
            Ok(stored) => notes.extend(stored),
            Err(e) => self.fault("table checkpoint", e),
        }
        let verified = self.verified(dir, notes);
        self.at_size.extend(verified.iter().map(|(_, c)| (c.size().get(), None)));
        let acks: BTreeMap<u64, Hash> =
            acknowledged.iter().map(|a| (a.index.get(), a.leaf)).collect();
        let tree = self.entries(connection, &acks, step);
        self.head(connection, &tree);
        self.tiles(connection, &tree);
        let newest = verified.iter().map(|(_, c)| c.size()).max().unwrap_or(TreeSize::EMPTY);
        let outside: BTreeSet<u64> = (verified.iter().filter(|(place, _)| *place == "file"))
            .map(|(_, c)| c.size().get())
            .collect();
        for (place, checkpoint) in verified {
            if place == "database" && !outside.contains(&checkpoint.size().get()) {
                self.fault(
                    "checkpoints",
                    format_args!(
                        "lacks the checkpoint of {} entries that the database has",
                        checkpoint.size()
                    ),
                );
            }
            self.checkpoint(place, &checkpoint);
        }
        let unsigned = self.report.entries.saturating_sub(newest.get());
        if unsigned > 0 {
            self.report.notes.push(format!(
                "{unsigned} entries are under no checkpoint yet; the next writer signs them"
            ));
        }
    }

    /// The database's own check: its pages form trees, its index matches its table.
    fn own_integrity(&mut self, connection: &Connection) {
        let rows = connection.prepare("PRAGMA integrity_check(20)").and_then(|mut statement| {
            statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
        });
        match rows {
            Ok(rows) => {
                for row in rows.into_iter().filter(|r| r != "ok") {
                    self.fault("ledger.db", row);
                }
            }
            Err(e) => self.fault("ledger.db", e),
        }
    }

    fn verified(
        &mut self,
        dir: &LedgerDir,
        notes: Vec<FoundNote>,
    ) -> Vec<(&'static str, tlog::Checkpoint)> {
        let (origin, key) = match (dir.origin(), dir.verifier_key()) {
            (Ok(origin), Ok(key)) => (origin, key),
            (Err(e), _) | (_, Err(e)) => {
                self.fault("ledger.toml", e);
                return Vec::new();
            }
        };
        let mut verified = Vec::new();
        for (number, found) in (1u64..).zip(notes) {
            let checked = UnverifiedCheckpoint::parse(found.note.as_bytes())
                .and_then(|c| c.verify(&origin, std::slice::from_ref(&key)));
            match checked {
                Ok(checked) => verified.push((found.place, checked.checkpoint().clone())),
                Err(e) => self.fault(format_args!("checkpoint no. {number} ({})", found.place), e),
            }
        }
        verified
    }

    fn checkpoint(&mut self, place: &str, checkpoint: &tlog::Checkpoint) {
        let name = format!("checkpoint {} ({place})", checkpoint.size());
        match self.at_size.get(&checkpoint.size().get()).copied().flatten() {
            Some(root) if root == checkpoint.root() => {
                self.verified_sizes.insert(checkpoint.size().get());
                self.report.checkpoints = self.verified_sizes.len() as u64;
            }
            Some(root) => self.fault(
                name,
                format_args!("signs root {}, the entries have {root}", checkpoint.root()),
            ),
            None => {
                let entries = self.report.entries;
                self.fault(
                    name,
                    format_args!("the ledger has only {entries} entries: rolled back"),
                );
            }
        }
    }

    /// Reads every entry and grows the tree again.
    fn entries(
        &mut self,
        connection: &Connection,
        acks: &BTreeMap<u64, Hash>,
        step: &mut dyn FnMut(u64),
    ) -> Regrown {
        let mut tree = Regrown::default();
        let mut redactions = Redactions::default();
        self.note_root(&tree);
        let read = each_entry(connection, |row| {
            let expected = tree.frontier.size().get();
            if row.index != expected {
                self.fault(format_args!("entry {expected}"), "is missing");
            }
            self.entry(&row, acks, &mut redactions);
            tree.push(&row.leaf);
            self.note_root(&tree);
            step(row.index + 1);
        });
        if let Err(e) = read {
            self.fault(format_args!("entry {}", tree.frontier.size()), e);
        }
        self.report.entries = tree.frontier.size().get();
        self.report.root = Some(tree.frontier.root());
        for (index, _) in acks.range(self.report.entries..) {
            self.fault(format_args!("entry {index}"), "was acknowledged and is not there");
        }
        self.redactions(&redactions);
        tree
    }

    fn note_root(&mut self, tree: &Regrown) {
        if let Some(root) = self.at_size.get_mut(&tree.frontier.size().get()) {
            *root = Some(tree.frontier.root());
        }
    }

    fn entry(&mut self, row: &Row, acks: &BTreeMap<u64, Hash>, redactions: &mut Redactions) {
        let place = format!("entry {}", row.index);
        match check_entry(&row.leaf, &row.payload) {
            Err(e) => self.fault(&place, e),
            Ok((envelope, checked)) => {
                let mut key = Sha256::new();
                key.update(b"countersign/record/v1\n");
                key.update(format!("{}\n{}", envelope.cite.channel, envelope.cite.id));
                if key.finalize().as_slice() != row.key {
                    self.fault(&place, "its unique key is not that of its record");
                }
                redactions.erased.extend(checked.erased.iter().map(|s| (row.index, *s)));
                if envelope.cite.channel == Channel::LedgerRedaction {
                    self.redaction(&place, row, redactions);
                }
            }
        }
        if let Some(leaf) = acks.get(&row.index) {
            self.report.acknowledged += 1;
            if tlog::leaf_hash(&row.leaf) != *leaf {
                self.fault(place, "another record than the one acknowledged at this index");
            }
        }
    }

    fn redaction(&mut self, place: &str, row: &Row, redactions: &mut Redactions) {
        let parsed = Payload::decode(&row.payload)
            .map_err(|e| e.to_string())
            .and_then(|p| ledger_redaction::parse(&p.record()).map_err(|e| e.to_string()));
        match parsed {
            Ok(parsed) => {
                redactions.named.extend(parsed.segments.iter().map(|s| (s.entry, s.segment)));
            }
            Err(e) => self.fault(place, e),
        }
    }

    fn redactions(&mut self, redactions: &Redactions) {
        for (entry, segment) in redactions.erased.difference(&redactions.named) {
            let problem =
                format_args!("personal segment {segment} is gone and no redaction names it");
            self.fault(format_args!("entry {entry}"), problem);
        }
        let open = redactions.named.difference(&redactions.erased).count();
        if open > 0 {
            self.report.notes.push(format!(
                "{open} segments are named by a redaction and still there; run `ledger redact` again"
            ));
        }
        self.report.redacted = redactions.erased.intersection(&redactions.named).count() as u64;
    }

    fn head(&mut self, connection: &Connection, tree: &Regrown) {
        match crate::store::sqlite::read_head(connection) {
            Ok(head) if head.size == tree.frontier.size() => {}
            Ok(head) => {
                let found = tree.frontier.size();
                self.fault(
                    "table head",
                    format_args!("says {} entries, there are {found}", head.size),
                );
            }
            Err(e) => self.fault("table head", e),
        }
    }

    fn tiles(&mut self, connection: &Connection, tree: &Regrown) {
        let stored = connection.prepare("SELECT id, hashes FROM tile").and_then(|mut statement| {
            let rows = statement.query_map([], |row| Ok((row.get::<_, u64>(0)?, row.get(1)?)))?;
            rows.collect::<Result<BTreeMap<u64, Vec<u8>>, _>>()
        });
        let stored = match stored {
            Ok(stored) => stored,
            Err(e) => return self.fault("table tile", e),
        };
        let own = tree.tiles();
        self.report.tiles = own.len() as u64;
        let ids: BTreeSet<_> = own.keys().chain(stored.keys()).collect();
        for id in ids {
            let problem = match (own.get(id), stored.get(id)) {
                (Some(own), Some(stored)) if own == stored => continue,
                (Some(_), Some(_)) => "is not that of the entries",
                (Some(_), None) => "is missing",
                (None, _) => "should not be there",
            };
            self.fault(format_args!("tile {}/{}", id >> 56, id & ((1 << 56) - 1)), problem);
        }
    }
}

#[derive(Default)]
struct Redactions {
    /// Entry and segment of what is gone.
    erased: BTreeSet<(u64, u32)>,
    /// Entry and segment of what redaction records name.
    named: BTreeSet<(u64, u32)>,
}

/// Reads acknowledgements: a line each, `<index> <leaf hash in hex>`, as `ingest --acks` writes.
///
/// A last line without its end is what a crash left; it acknowledges nothing.
pub fn read_acknowledged(text: &str) -> Result<Vec<Acknowledged>, String> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(number, line): (usize, &str)| {
        let parsed = line.split_once(' ').and_then(|(index, leaf)| {
            Some(Acknowledged {
                index: LeafIndex::new(index.parse().ok()?),
                leaf: leaf.parse().ok()?,
            })
        });
        parsed.ok_or_else(|| format!("line {}: not `<index> <leaf hash>`", number + 1))
    };
    whole.lines().enumerate().map(parse).collect()
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether all that is wrong are pages that differ from their seal.
    pub fn only_the_seal_is_wrong(&self) -> bool {
        self.faults.iter().all(|f| f.place.starts_with(PAGE) || f.place == "ledger.pages")
    }

    /// How many entries there are, as a size.
    pub fn size(&self) -> TreeSize {
        TreeSize::new(self.entries)
    }
}
