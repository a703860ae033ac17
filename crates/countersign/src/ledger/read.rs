//! Reading a ledger: entries, proofs and coverage, without waiting for the writer.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use evidence::channel::Channel;
use evidence::record::Record;
use evidence::record::check::check_entry;
use evidence::record::envelope::Envelope;
use evidence::record::payload::Payload;
use rusqlite::Connection;
use tlog::{Checkpoint, Frontier, InclusionProof, LeafIndex, TreeSize};

use super::dir::LedgerDir;
use super::tree::Nodes;
use super::{LedgerError, history, recover};
use crate::store::sqlite::{open_read_only, read_head, read_tile};
use crate::store::{Coverage, Refused, StoreError, TileId};

/// What the names of live sources begin with: what they sent is not read again.
pub const LIVE_SOURCE: &str = "http:";

/// A ledger open for reading. It reads one state of the database as long as it lives.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    size: TreeSize,
    /// The newest checkpoint before the state that is read: its entries are all there.
    note: String,
}

/// A stored entry, as it is in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its index.
    pub index: LeafIndex,
    /// Its unique key.
    pub key: Vec<u8>,
    /// Its leaf: the envelope's bytes.
    pub leaf: Vec<u8>,
    /// Its payload as stored.
    pub payload: Vec<u8>,
}

/// Where and why an entry cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("entry {index} cannot be read: {problem}; run `countersign ledger fsck`")]
pub struct Unreadable {
    /// The entry.
    pub index: LeafIndex,
    /// What is wrong.
    pub problem: String,
}

impl StoredEntry {
    /// The record that the entry holds.
    pub fn record(&self) -> Result<(Envelope, Record), Unreadable> {
        let unreadable = |problem: String| Unreadable { index: self.index, problem };
        let envelope = Envelope::decode(&self.leaf).map_err(|e| unreadable(e.to_string()))?;
        let payload = Payload::decode(&self.payload).map_err(|e| unreadable(e.to_string()))?;
        let record = Record { cite: envelope.cite.clone(), payload: payload.record() };
        Ok((envelope, record))
    }
}

impl Reader {
    /// Opens the ledger of a folder.
    pub fn open(dir: &LedgerDir) -> Result<Self, LedgerError> {
        // The checkpoint comes first: what is published afterwards may not be in the state read.
        let (notes, _) = history::read(&dir.checkpoints())?;
        let note = notes.into_iter().next_back();
        let note = note.ok_or_else(|| LedgerError::NoCheckpoint(dir.checkpoints()))?;
        let connection = open_read_only(&dir.database())?;
        // A read transaction: what follows sees one state, whatever the writer does meanwhile.
        connection.execute_batch("BEGIN").map_err(failed)?;
        let size = read_head(&connection).map_err(failed)?.size;
        Ok(Self { connection, size, note })
    }

    /// The checkpoint that answers rest on, as a signed note.
    pub fn checkpoint(&self) -> &str {
        &self.note
    }

    /// The size of an older checkpoint of this ledger, from its signed note.
    pub fn older(
        &self,
        dir: &LedgerDir,
        note: &[u8],
        path: &std::path::Path,
    ) -> Result<TreeSize, LedgerError> {
        let note = String::from_utf8_lossy(note);
        recover::verified(&note, dir, &dir.verifier_key()?, path).map(|c| c.size())
    }

    /// How many entries there are.
    pub fn size(&self) -> TreeSize {
        self.size
    }

    /// Calls `visit` with every entry from `from` on, in their order, until it breaks.
    pub fn entries<B>(
        &self,
        from: LeafIndex,
        mut visit: impl FnMut(StoredEntry) -> ControlFlow<B>,
    ) -> Result<Option<B>, LedgerError> {
        let sql = "SELECT idx, key, leaf, payload FROM entry WHERE idx >= ?1 ORDER BY idx";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query([from.get()]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let entry = stored(row).map_err(failed)?;
            if let ControlFlow::Break(found) = visit(entry) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Calls `visit` with the entries of a range, in their order.
    pub fn range(
        &self,
        range: std::ops::Range<LeafIndex>,
        mut visit: impl FnMut(StoredEntry),
    ) -> Result<(), LedgerError> {
        self.entries(range.start, |entry| {
            if entry.index >= range.end {
                return ControlFlow::Break(());
            }
            visit(entry);
            ControlFlow::Continue(())
        })
        .map(drop)
    }

    /// Calls `visit` with every record under the newest checkpoint, in their order, each held to
    /// its leaf and all of them to the checkpoint's root: an answer rests on what was signed.
    pub fn records(
        &self,
        dir: &LedgerDir,
        mut visit: impl FnMut(LeafIndex, Record),
    ) -> Result<Checkpoint, LedgerError> {
        let read = self.records_after(dir, &mut Frontier::new(), |index, record| {
            visit(index, record);
            ControlFlow::Continue(())
        })?;
        read.ok_or_else(|| LedgerError::Stopped("reading was broken off".to_owned()))
    }

    /// The same from the end of `tree` on, which holds the entries that were read before; it grows
    /// over those that are read now. `None` if `visit` broke it off.
    pub fn records_after(
        &self,
        dir: &LedgerDir,
        tree: &mut Frontier,
        mut visit: impl FnMut(LeafIndex, Record) -> ControlFlow<()>,
    ) -> Result<Option<Checkpoint>, LedgerError> {
        let key = dir.verifier_key()?;
        let checkpoint = recover::verified(&self.note, dir, &key, &dir.checkpoints())?;
        let size = checkpoint.size();
        let ended = self.entries(tree.size().next_index(), |entry| {
            if !size.contains(entry.index) {
                return ControlFlow::Break(Ended::Here);
            }
            let record = match checked(&entry, tree.size()) {
                Ok(record) => record,
                Err(problem) => return ControlFlow::Break(Ended::Unfit(entry.index, problem)),
            };
            tree.push(tlog::leaf_hash(&entry.leaf), |_, _| {});
            visit(entry.index, record).map_break(|()| Ended::BrokenOff)
        })?;
        match ended {
            Some(Ended::BrokenOff) => Ok(None),
            Some(Ended::Unfit(index, problem)) => {
                Err(LedgerError::NotAsRecorded { index, problem })
            }
            _ if tree.size() == size && tree.root() == checkpoint.root() => Ok(Some(checkpoint)),
            _ => Err(LedgerError::NotAsSigned(size)),
        }
    }

    /// Reads one entry.
    pub fn entry(&self, index: LeafIndex) -> Result<Option<StoredEntry>, LedgerError> {
        self.entries(index, ControlFlow::Break).map(|e| e.filter(|e| e.index == index))
    }

    /// Proves that an entry is in the tree of `size`.
    pub fn inclusion(
        &self,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<InclusionProof, LedgerError> {
        InclusionProof::build(&self.nodes(), index, size)
            .map_err(|e| StoreError::Damaged(format!("no proof for entry {index}: {e}")).into())
    }

    /// The tree's nodes, read from its tiles.
    pub fn nodes(
        &self,
    ) -> Nodes<impl Fn(TileId) -> Result<Option<Vec<u8>>, LedgerError> + use<'_>> {
        Nodes(|id| read_tile(&self.connection, id).map_err(failed))
    }

    /// Every coverage row, by channel, source and epoch.
    pub fn coverage(&self) -> Result<Vec<Coverage>, LedgerError> {
        let sql = "SELECT source, epoch, channel, accepted, duplicate, dropped, refused, last_at
                   FROM coverage ORDER BY channel, source, epoch";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let rows = statement.query_map([], |row| {
            let at: String = row.get(7)?;
            Ok(Coverage {
                source: row.get(0)?,
                epoch: row.get(1)?,
                channel: row.get(2)?,
                accepted: row.get(3)?,
                duplicate: row.get(4)?,
                dropped: row.get(5)?,
                refused: row.get(6)?,
                at: at.parse().unwrap_or_default(),
            })
        });
        rows.map_err(failed)?.collect::<Result<_, _>>().map_err(failed)
    }

    /// Lines that were refused in the last reading of sources that a channel's records came from:
    /// what they would have said is not known. A live source is never read again, so all of its
    /// readings count.
    pub fn refused_by_channel(&self) -> Result<BTreeMap<Channel, u64>, LedgerError> {
        let rows = self.coverage()?;
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for row in &rows {
            let epoch = last.entry(&row.source).or_default();
            *epoch = row.epoch.max(*epoch);
        }
        let current = |row: &&Coverage| {
            row.source.starts_with(LIVE_SOURCE) || last.get(row.source.as_str()) == Some(&row.epoch)
        };
        let mut refused: BTreeMap<&str, u64> = BTreeMap::new();
        for row in rows.iter().filter(current) {
            *refused.entry(&row.source).or_default() += row.refused;
        }
        let (mut by_channel, mut counted) = (BTreeMap::new(), BTreeSet::new());
        for row in rows.iter().filter(current).filter(|r| r.accepted + r.duplicate > 0) {
            let lines = refused.get(row.source.as_str()).copied().unwrap_or(0);
            let first = counted.insert((row.source.as_str(), row.channel.as_str()));
            if let (true, 1.., Ok(channel)) = (first, lines, row.channel.parse::<Channel>()) {
                *by_channel.entry(channel).or_default() += lines;
            }
        }
        Ok(by_channel)
    }

    /// Refused lines, the newest reading first, at most `most`.
    pub fn refusals(&self, most: u32) -> Result<Vec<Refused>, LedgerError> {
        let sql = "SELECT source, epoch, line, reason FROM refusal
                   ORDER BY epoch DESC, source, line LIMIT ?1";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let rows = statement.query_map([most], |row| {
            Ok(Refused {
                source: row.get(0)?,
                epoch: row.get(1)?,
                line: row.get(2)?,
                reason: row.get(3)?,
            })
        });
        rows.map_err(failed)?.collect::<Result<_, _>>().map_err(failed)
    }
}

/// The record of an entry that is at its place and is what its leaf commits to.
/// Why reading records ended before the last entry.
enum Ended {
    /// What follows is under no checkpoint yet.
    Here,
    /// The visitor had enough.
    BrokenOff,
    /// An entry is not what was recorded.
    Unfit(LeafIndex, String),
}

fn checked(entry: &StoredEntry, expected: TreeSize) -> Result<Record, String> {
    if entry.index != expected.next_index() {
        return Err(format!("stands where entry {expected} should"));
    }
    check_entry(&entry.leaf, &entry.payload).map_err(|e| e.to_string())?;
    entry.record().map(|(_, record)| record).map_err(|e| e.problem)
}

fn stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredEntry> {
    Ok(StoredEntry {
        index: LeafIndex::new(row.get(0)?),
        key: row.get(1)?,
        leaf: row.get(2)?,
        payload: row.get(3)?,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err, which gives the error away")]
fn failed(e: rusqlite::Error) -> LedgerError {
    let damaged = matches!(
        e.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    );
    if damaged {
        StoreError::Damaged(e.to_string()).into()
    } else {
        StoreError::Database(e.to_string()).into()
    }
}
