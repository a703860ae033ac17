//! Files, folders and standard input.
//!
//! A file's lines are taken in its own order and appended in batches; its position is kept in the
//! same transaction as its entries. Reading a file again is harmless: its records are recognised.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use evidence::channel::Channel;
use evidence::intake::seal::Salts;
use evidence::intake::{Intake, Refusal, Taken, Terms};
use jiff::Timestamp;

use super::git::{GitLines, Limits, is_bundle, is_repository};
use super::lines::{Line, Lines};
use crate::ledger::LedgerError;
use crate::ledger::append::{Batch, Reading, Receipt};
use crate::ledger::writer::{Waiting, Writer};
use crate::store::{Cursor, Placed};

/// Entries of a batch: enough to share an `fsync`, few enough to be acknowledged soon.
pub const BATCH_ENTRIES: usize = 1_024;
/// Bytes of a batch, whichever is reached first.
const BATCH_BYTES: usize = 4 << 20;
/// Refusals kept for one reading; the rest is counted only.
const REFUSALS_KEPT: u64 = 1_000;
/// Endings of files that are taken from a folder, before an optional `.gz`.
const RECORD_ENDINGS: &[&str] = &["jsonl", "ndjson", "log"];

/// How much of a document tells what it is.
const RANGE_ANSWER_BEGINS_BYTES: u64 = 256;

/// One stream of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file of lines.
    File(PathBuf),
    /// A file that may be one JSON document over several lines.
    Document(PathBuf),
    /// A git repository or a bundle.
    Git(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    /// The source's name, as the operator gave it.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) | Self::Document(path) | Self::Git(path) => path.display().to_string(),
            Self::Stdin => "stdin".to_owned(),
        }
    }

    /// Its size in bytes, if known.
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Self::File(path) | Self::Document(path) => path.metadata().ok().map(|m| m.len()),
            Self::Git(_) | Self::Stdin => None,
        }
    }

    /// Opens it for reading line by line; a longer line than the limit is not held.
    pub fn open(&self, record_bytes_max: usize) -> std::io::Result<Lines> {
        let stream: Box<dyn Read> = match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Document(path) => {
                return Lines::document(Box::new(File::open(path)?), record_bytes_max);
            }
            Self::Git(path) => {
                let limits = Limits { line_bytes: record_bytes_max, ..Limits::default() };
                Box::new(GitLines::open(path, limits)?)
            }
            Self::Stdin => Box::new(std::io::stdin()),
        };
        Lines::new(stream, record_bytes_max)
    }
}

/// What was found below the paths that the operator named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// To be read, in order of name.
    pub sources: Vec<Source>,
    /// In a folder, but no record file by its ending.
    pub passed_over: Vec<PathBuf>,
}

/// Finds the sources: `-` is standard input, a repository is read as one, any other folder is
/// searched, a file is taken as it is.
pub fn find(paths: &[PathBuf]) -> Result<Found, LedgerError> {
    let mut found = Found::default();
    for path in paths {
        if path == Path::new("-") {
            found.sources.push(Source::Stdin);
        } else if path.is_dir() {
            folder(path, &mut found)?;
        } else {
            // Opening it now tells a wrong name before anything is appended.
            File::open(path).map_err(LedgerError::file("open", path))?;
            found.sources.push(file(path));
        }
    }
    Ok(found)
}

/// A file that was named.
fn file(path: &Path) -> Source {
    if is_bundle(path) {
        Source::Git(path.to_owned())
    } else if ends_in(path, &["json"]) {
        Source::Document(path.to_owned())
    } else {
        Source::File(path.to_owned())
    }
}

/// Whether a document begins as Prometheus begins its answers (`prometheus/prometheus`
/// `web/api/v1/api.go` `Response`, `QueryData`): the one kind of record that is a whole file.
fn begins_as_range_answer(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let packed = path.extension().is_some_and(|e| e == "gz");
    let stream: Box<dyn Read> =
        if packed { Box::new(flate2::read::GzDecoder::new(file)) } else { Box::new(file) };
    let mut start = Vec::new();
    // What cannot be read is passed over, and reading it by name says why.
    let read = stream.take(RANGE_ANSWER_BEGINS_BYTES).read_to_end(&mut start);
    let text = String::from_utf8_lossy(&start);
    read.is_ok()
        && text.trim_start().starts_with(r#"{"status""#)
        && text.contains(r#""resultType""#)
}

fn folder(path: &Path, found: &mut Found) -> Result<(), LedgerError> {
    if is_repository(path) {
        found.sources.push(Source::Git(path.to_owned()));
        return Ok(());
    }
    search(path, found)
}

fn search(path: &Path, found: &mut Found) -> Result<(), LedgerError> {
    let list = std::fs::read_dir(path).map_err(LedgerError::file("list", path))?;
    let mut paths = list
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(LedgerError::file("list", path))?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            folder(&path, found)?;
        } else if ends_in(&path, RECORD_ENDINGS) {
            found.sources.push(Source::File(path));
        } else if ends_in(&path, &["bundle"]) && is_bundle(&path) {
            found.sources.push(Source::Git(path));
        } else if ends_in(&path, &["json"]) && begins_as_range_answer(&path) {
            found.sources.push(Source::Document(path));
        } else {
            found.passed_over.push(path);
        }
    }
    Ok(())
}

/// Whether a name ends in one of these, before an optional `.gz`.
fn ends_in(path: &Path, endings: &[&str]) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    endings.iter().any(|e| name.strip_suffix(e).is_some_and(|n| n.ends_with('.')))
}

/// Who watches an ingest: the terminal's bar, or nobody.
pub trait Monitor {
    /// A source begins.
    fn source(&mut self, source: &Source);
    /// So many bytes of the source were read, as it lies on disk.
    fn bytes(&mut self, read: u64);
    /// So many records were acknowledged.
    fn acknowledged(&mut self, records: u64);
    /// A line or the rest of a source was refused.
    fn refused(&mut self, source: &str, line: u64, reason: &str);
}

/// What became of a source's lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Appended, by channel.
    pub accepted: BTreeMap<Channel, u64>,
    /// Already there, by channel.
    pub duplicate: BTreeMap<Channel, u64>,
    /// Not kept by rule: reads of people.
    pub dropped: BTreeMap<Channel, u64>,
    /// Refused.
    pub refused: u64,
    /// Lines read.
    pub lines: u64,
    /// Bytes read, unpacked.
    pub bytes: u64,
}

impl Tally {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.accepted, &other.accepted),
            (&mut self.duplicate, &other.duplicate),
            (&mut self.dropped, &other.dropped),
        ] {
            for (channel, count) in theirs {
                *mine.entry(*channel).or_default() += count;
            }
        }
        self.refused += other.refused;
        self.lines += other.lines;
        self.bytes += other.bytes;
    }
}

/// Everything an ingest needs, whatever the source.
pub struct Ingest<'a> {
    /// Where batches go.
    pub writer: &'a Writer,
    /// Limits and rules.
    pub terms: &'a Terms,
    /// Salts for sealing.
    pub salts: &'a mut dyn Salts,
    /// The receiver's clock.
    pub clock: fn() -> Timestamp,
    /// Who watches.
    pub monitor: &'a mut dyn Monitor,
    /// Where acknowledgements are noted: `<index> <leaf hash>` a line.
    pub acks: Option<&'a mut dyn Write>,
    /// Entries of a batch.
    pub batch_entries: usize,
}

impl Ingest<'_> {
    /// Reads one source to its end. `epoch` is the number of this reading.
    pub fn source(&mut self, source: &Source, epoch: u64) -> Result<Tally, LedgerError> {
        self.monitor.source(source);
        let name = source.name();
        let opened = source.open(self.terms.record_bytes_max);
        let mut lines = opened.map_err(LedgerError::file("read", &name))?;
        let mut open = OpenSource {
            intake: Intake::new(self.terms),
            gathered: Gathered::new(name, epoch),
            tally: Tally::default(),
            waiting: None,
            buffer: Vec::new(),
        };
        while self.line(&mut lines, &mut open) {
            let gathered = &open.gathered;
            if gathered.batch.entries.len() >= self.batch_entries || gathered.bytes >= BATCH_BYTES {
                self.submit(&lines, &mut open)?;
            }
        }
        self.submit(&lines, &mut open)?;
        self.settle(&mut open)?;
        (open.tally.lines, open.tally.bytes) = (lines.lines(), lines.bytes());
        Ok(open.tally)
    }

    /// Takes in the next line; `false` at the end, or where the stream cannot be read on.
    fn line(&mut self, lines: &mut Lines, open: &mut OpenSource<'_>) -> bool {
        let taken = match lines.next(&mut open.buffer) {
            Ok(Line::End) => return false,
            Ok(Line::Whole) if open.buffer.iter().all(u8::is_ascii_whitespace) => return true,
            Ok(Line::Whole) => open.intake.take(&open.buffer, (self.clock)(), self.salts),
            Ok(Line::TooLong { bytes }) => {
                Err(Refusal::TooLong { bytes, limit: self.terms.record_bytes_max })
            }
            Err(e) => {
                self.refuse(open, lines.lines() + 1, &e.to_string());
                return false;
            }
        };
        self.taken(taken, lines.lines(), open);
        true
    }

    fn taken(&mut self, taken: Result<Taken, Refusal>, line: u64, open: &mut OpenSource<'_>) {
        match taken {
            Ok(Taken::Pending(entry)) => {
                open.gathered.bytes += entry.payload.len() + entry.envelope.len();
                open.gathered.batch.entries.push(*entry);
            }
            Ok(Taken::ReadByPerson(channel)) => {
                *open.gathered.dropped.entry(channel).or_default() += 1;
                *open.tally.dropped.entry(channel).or_default() += 1;
            }
            Ok(Taken::Several(several)) => {
                for taken in several {
                    self.taken(taken, line, open);
                }
            }
            Err(refusal) => self.refuse(open, line, &refusal.to_string()),
        }
    }

    fn refuse(&mut self, open: &mut OpenSource<'_>, line: u64, reason: &str) {
        self.monitor.refused(&open.gathered.name, line, reason);
        if open.tally.refused < REFUSALS_KEPT {
            open.gathered.refused.push((line, reason.to_owned()));
        }
        open.tally.refused += 1;
    }

    /// Hands the batch to the writer, and waits for the one before: one is sealed while another is
    /// committed.
    fn submit(&mut self, lines: &Lines, open: &mut OpenSource<'_>) -> Result<(), LedgerError> {
        let batch = open.gathered.take(lines, (self.clock)());
        let leaves = batch.entries.iter().map(|e| (e.cite.channel, e.leaf)).collect();
        let receipt = self.writer.submit(batch)?;
        self.settle(open)?;
        open.waiting = Some((receipt, leaves));
        self.monitor.bytes(lines.packed_bytes());
        Ok(())
    }

    fn settle(&mut self, open: &mut OpenSource<'_>) -> Result<(), LedgerError> {
        let Some((receipt, leaves)) = open.waiting.take() else {
            return Ok(());
        };
        let receipt: Receipt = receipt.wait()?;
        let mut noted = String::new();
        for (place, (channel, leaf)) in receipt.placed.iter().zip(leaves) {
            let counts = match place {
                Placed::New(index) => {
                    let written = writeln!(noted, "{index} {leaf}");
                    debug_assert!(written.is_ok(), "writing to a String cannot fail");
                    &mut open.tally.accepted
                }
                Placed::Known(_) => &mut open.tally.duplicate,
            };
            *counts.entry(channel).or_default() += 1;
        }
        if let Some(acks) = &mut self.acks {
            acks.write_all(noted.as_bytes())
                .and_then(|()| acks.flush())
                .map_err(LedgerError::file("write acknowledgements to", "--acks"))?;
        }
        self.monitor.acknowledged(receipt.placed.len() as u64);
        Ok(())
    }
}

/// A source while it is read.
struct OpenSource<'t> {
    intake: Intake<'t>,
    gathered: Gathered,
    tally: Tally,
    waiting: Option<(Waiting, Vec<(Channel, tlog::Hash)>)>,
    buffer: Vec<u8>,
}

/// What is gathered for the next batch.
struct Gathered {
    name: String,
    epoch: u64,
    batch: Batch,
    bytes: usize,
    dropped: BTreeMap<Channel, u64>,
    refused: Vec<(u64, String)>,
}

impl Gathered {
    fn new(name: String, epoch: u64) -> Self {
        let (batch, dropped) = (Batch::default(), BTreeMap::new());
        Self { name, epoch, batch, bytes: 0, dropped, refused: Vec::new() }
    }

    fn take(&mut self, lines: &Lines, at: Timestamp) -> Batch {
        let mut batch = std::mem::take(&mut self.batch);
        let source = self.name.clone();
        batch.reading = Some(Reading {
            cursor: Cursor { source, lines: lines.lines(), bytes: lines.bytes() },
            epoch: self.epoch,
            at,
            dropped: std::mem::take(&mut self.dropped),
            refused: std::mem::take(&mut self.refused),
        });
        self.bytes = 0;
        batch
    }
}
