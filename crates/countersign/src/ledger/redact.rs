//! Erasing a person: their segments go, the commitments stay, every proof holds.
//!
//! First the redaction is recorded as an entry, then the segments are erased, then the file is
//! written anew so that no free page keeps a copy. A crash in between leaves a redaction that is
//! recorded and not carried out; `fsck` says so, and running the command again finishes it.

use std::ops::ControlFlow;

use evidence::channel::Channel;
use evidence::intake::PendingEntry;
use evidence::intake::json::unescape;
use evidence::intake::seal::{Salts, seal};
use evidence::parse::ledger_redaction::{Redaction, Segment};
use evidence::record::envelope::Auth;
use evidence::record::payload::{Payload, Personal};
use evidence::record::{Cite, RecordId};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use tlog::LeafIndex;

use super::append::Batch;
use super::dir::LedgerDir;
use super::read::Reader;
use super::{EmbeddedLedger, LedgerError, recover};
use crate::store::StoreError;
use crate::store::sqlite::{Closed, truncate_log};

/// Segments named by one redaction record at the most; more make several records.
const SEGMENTS_PER_RECORD: usize = 10_000;

/// What a redaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redacted {
    /// Entries that held something.
    pub entries: usize,
    /// Segments erased.
    pub segments: usize,
    /// Entries whose kept segment still holds a value: it was not known to be personal when the
    /// record was sealed, and a kept segment cannot be erased.
    pub kept_in: usize,
}

/// Where the values stand.
#[derive(Debug, Default)]
struct Found {
    segments: Vec<Segment>,
    kept_in: usize,
}

/// Erases every personal segment in which one of `values` stands.
pub fn redact(
    dir: &LedgerDir,
    values: &[String],
    reason: &str,
    now: Timestamp,
    salts: &mut dyn Salts,
) -> Result<Redacted, LedgerError> {
    let mut ledger = recover::open(dir)?;
    let found = find(dir, values)?;
    let kept_in = found.kept_in;
    if found.segments.is_empty() {
        // An earlier run may have been kept from rewriting the file.
        let rewritten = rewrite(ledger.store().connection()).map_err(failed)?;
        recover::close(ledger, dir)?;
        if rewritten == Closed::LogLeft {
            return Err(LedgerError::StillRead);
        }
        return Ok(Redacted { kept_in, ..Redacted::default() });
    }
    for segments in found.segments.chunks(SEGMENTS_PER_RECORD) {
        record(&mut ledger, segments, reason, now, salts)?;
    }
    let entries = erase(ledger.store().connection(), &found.segments).map_err(failed)?;
    let rewritten = rewrite(ledger.store().connection()).map_err(failed)?;
    recover::close(ledger, dir)?;
    if rewritten == Closed::LogLeft {
        return Err(LedgerError::StillRead);
    }
    Ok(Redacted { entries, segments: found.segments.len(), kept_in })
}

/// Lists the segments that hold one of the values, by entry.
fn find(dir: &LedgerDir, values: &[String]) -> Result<Found, LedgerError> {
    let mut found = Found::default();
    let unreadable = Reader::open(dir)?.entries(LeafIndex::FIRST, |entry| {
        let Ok(payload) = Payload::decode(&entry.payload) else {
            return ControlFlow::Break(entry.index);
        };
        for (number, segment) in (1u32..).zip(&payload.personal) {
            if matches!(segment, Personal::Present { bytes, .. } if holds(bytes, values)) {
                found.segments.push(Segment { entry: entry.index.get(), segment: number });
            }
        }
        found.kept_in += usize::from(holds(&payload.kept, values));
        ControlFlow::Continue(())
    })?;
    match unreadable {
        Some(index) => Err(StoreError::Damaged(format!("entry {index} has no payload")).into()),
        None => Ok(found),
    }
}

/// Whether a value stands in a segment, as it is or behind JSON escapes, in any case: accounts are
/// written in both.
fn holds(bytes: &[u8], values: &[String]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let plain = unescape(&text);
    values.iter().map(|v| v.to_lowercase()).any(|value| {
        text.contains(&value) || plain.as_ref().is_some_and(|p| p.to_lowercase().contains(&value))
    })
}

fn record(
    ledger: &mut EmbeddedLedger,
    segments: &[Segment],
    reason: &str,
    now: Timestamp,
    salts: &mut dyn Salts,
) -> Result<(), LedgerError> {
    let redaction =
        Redaction { redaction: 1, reason: reason.to_owned(), segments: segments.to_vec() };
    let broken = |e: String| LedgerError::Store(StoreError::Database(e));
    let json = serde_json::to_vec(&redaction).map_err(|e| broken(e.to_string()))?;
    let id =
        RecordId::new(format!("redaction/{}", ledger.size())).map_err(|e| broken(e.to_string()))?;
    let cite = Cite { channel: Channel::LedgerRedaction, id };
    let entry = PendingEntry::new(cite, &seal(&json, &[], salts), Auth::Ledger, now)
        .map_err(|e| broken(e.to_string()))?;
    ledger.append(&[Batch { entries: vec![entry], reading: None }]).map(drop)
}

/// Replaces the segments by their commitments, in one transaction.
fn erase(connection: &mut Connection, segments: &[Segment]) -> rusqlite::Result<usize> {
    let tx = connection.transaction()?;
    let mut entries = 0;
    for of_entry in segments.chunk_by(|a, b| a.entry == b.entry) {
        let index = of_entry[0].entry;
        let stored: Vec<u8> =
            tx.query_row("SELECT payload FROM entry WHERE idx = ?1", [index], |row| row.get(0))?;
        let Ok(mut payload) = Payload::decode(&stored) else {
            continue;
        };
        for segment in of_entry {
            let slot = usize::try_from(segment.segment - 1).unwrap_or(usize::MAX);
            if let Some(personal) = payload.personal.get_mut(slot) {
                *personal = Personal::Erased { commitment: personal.commitment() };
            }
        }
        tx.execute(
            "UPDATE entry SET payload = ?2 WHERE idx = ?1",
            params![index, payload.encode()],
        )?;
        entries += 1;
    }
    tx.commit()?;
    Ok(entries)
}

/// Writes the database anew: a page that was split can keep a copy of what moved off it. `LogLeft`
/// where a reader keeps the old pages alive.
fn rewrite(connection: &Connection) -> rusqlite::Result<Closed> {
    connection.execute_batch("VACUUM")?;
    truncate_log(connection)
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err, which gives the error away")]
fn failed(e: rusqlite::Error) -> LedgerError {
    StoreError::Database(e.to_string()).into()
}
