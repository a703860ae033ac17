//! Appending: the one path by which anything gets into a ledger.

use std::collections::BTreeMap;
use std::path::PathBuf;

use evidence::channel::Channel;
use evidence::intake::PendingEntry;
use jiff::Timestamp;
use tlog::{Checkpoint, Origin, Signer, TreeSize, sign_checkpoint};

use super::dir::WriterLock;
use super::history::History;
use super::tree::GrowingTree;
use super::{LedgerError, dir};
use crate::store::{Coverage, Cursor, Head, Placed, Refused, Store, StoreTx};

/// A ledger open for writing.
#[derive(Debug)]
pub struct Ledger<S> {
    pub(super) store: S,
    pub(super) tree: GrowingTree,
    pub(super) head: Head,
    pub(super) signer: Signer,
    pub(super) origin: Origin,
    pub(super) history: History,
    pub(super) anchor: Option<PathBuf>,
    /// The newest published checkpoint: its size, and its note until the store has it too.
    pub(super) published: Published,
    /// Why nothing may be appended any more: what the store holds is not known.
    pub(super) lost: Option<String>,
    pub(super) _lock: WriterLock,
}

/// The newest published checkpoint.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) size: TreeSize,
    pub(super) note: String,
    pub(super) in_store: bool,
}

/// What is appended together: all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The entries, in their source's order.
    pub entries: Vec<PendingEntry>,
    /// Where they were read, if from a source with a position.
    pub reading: Option<Reading>,
}

/// How far a source was read when a batch was made, and what of it is not in the batch.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The new position.
    pub cursor: Cursor,
    /// Number of this reading of the source.
    pub epoch: u64,
    /// When, by the receiver's clock.
    pub at: Timestamp,
    /// Lines not kept by rule, per channel.
    pub dropped: BTreeMap<Channel, u64>,
    /// Lines refused: number and reason.
    pub refused: Vec<(u64, String)>,
}

/// The acknowledgement of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Where each entry is, in the batch's order.
    pub placed: Vec<Placed>,
    /// The size of the published checkpoint that covers them.
    pub size: TreeSize,
}

impl<S: Store> Ledger<S> {
    /// Appends batches as one group: sequence, integrate, commit, publish, acknowledge.
    ///
    /// An `Err` acknowledges nothing. Whether the group is in the store is then not known to the
    /// caller; appending it again is harmless, because its records are recognised.
    pub fn append(&mut self, group: &[Batch]) -> Result<Vec<Receipt>, LedgerError> {
        if let Some(reason) = &self.lost {
            return Err(LedgerError::Stopped(reason.clone()));
        }
        let placed = match self.sequence(group).and_then(|p| self.publish().map(|()| p)) {
            Ok(placed) => placed,
            // An unknown outcome is read again, never guessed.
            Err(error) => {
                if let Err(again) = self.reload() {
                    self.lost =
                        Some(format!("the store could not be read again after: {error}; {again}"));
                }
                return Err(error);
            }
        };
        let size = self.tree.size();
        Ok(placed.into_iter().map(|placed| Receipt { placed, size }).collect())
    }

    fn sequence(&mut self, group: &[Batch]) -> Result<Vec<Vec<Placed>>, LedgerError> {
        // The tree in memory is that of the store, or a hole would be signed.
        if self.tree.size() != self.head.size {
            return Err(LedgerError::Stopped(
                "the tree in memory is not that of the store".to_owned(),
            ));
        }
        let mut tx = self.store.begin()?;
        // A crash from here to the commit leaves nothing: all of it is one transaction.

        // Sequence. The unique index decides what is new; a redelivery gets its old index.
        let mut placed = Vec::with_capacity(group.len());
        for batch in group {
            let next = self.tree.size().next_index();
            let where_at = tx.insert_new(next, &batch.entries)?;
            // Integrate. The tree grows in memory only; `reload` undoes it if the commit fails.
            for (entry, place) in batch.entries.iter().zip(&where_at) {
                if let Placed::New(index) = place {
                    let integrated = self.tree.push(entry.leaf);
                    debug_assert_eq!(integrated, *index, "the store and the tree count alike");
                }
            }
            if let Some(reading) = &batch.reading {
                note_reading(&mut tx, reading, &batch.entries, &where_at)?;
            }
            placed.push(where_at);
        }
        for (id, hashes) in self.tree.take_tiles() {
            tx.put_tile(id, &hashes)?;
        }
        // The checkpoint published before is only in the file yet; now it gets into the store.
        if !self.published.in_store {
            tx.put_checkpoint(self.published.size, &self.published.note)?;
        }
        // The fence: if another writer moved the head, nothing of this is kept.
        tx.advance(self.head, self.tree.size())?;

        // Commit. When this returns, the entries survive a power cut. A crash here leaves them in
        // the store but not acknowledged; the next start publishes them.
        tx.commit()?;
        self.published.in_store = true;
        self.head.size = self.tree.size();
        Ok(placed)
    }

    /// Signs the tree as it is in the store, and makes the checkpoint durable outside it.
    ///
    /// Only a committed tree is signed, so a signature never speaks of what a crash took back.
    pub(super) fn publish(&mut self) -> Result<(), LedgerError> {
        let size = self.head.size;
        if size == self.published.size {
            // Nothing new: no churn of checkpoints when it is quiet.
            return Ok(());
        }
        let checkpoint = Checkpoint::new(self.origin.clone(), size, self.tree.root())
            .map_err(|e| LedgerError::Stopped(e.to_string()))?;
        let note = sign_checkpoint(&checkpoint, &self.signer);
        // A crash here: the note was shown to nobody. The next start signs the same tree again.
        self.history.append(&note)?;
        // A crash here: published. The next start finds it in the file and holds the store to it.
        if let Some(anchor) = &self.anchor {
            dir::write_durable(anchor, note.as_bytes())?;
        }
        self.published = Published { size, note, in_store: false };
        Ok(())
    }

    /// Brings an anchor up to date that a crash or a full disk left behind.
    pub(super) fn catch_up_anchor(&self) -> Result<(), LedgerError> {
        match &self.anchor {
            Some(anchor)
                if std::fs::read(anchor).is_ok_and(|a| a == self.published.note.as_bytes()) =>
            {
                Ok(())
            }
            Some(anchor) => dir::write_durable(anchor, self.published.note.as_bytes()),
            None => Ok(()),
        }
    }

    /// Reads head and tree from the store again.
    fn reload(&mut self) -> Result<(), LedgerError> {
        let found = self.store.head()?;
        if found.writer != self.head.writer {
            let ours = self.head.writer;
            return Err(crate::store::StoreError::Fenced { found: found.writer, ours }.into());
        }
        self.tree = super::recover::load_tree(&mut self.store, found.size)?;
        self.head = found;
        Ok(())
    }

    /// How many entries are published.
    pub fn size(&self) -> TreeSize {
        self.published.size
    }

    /// The newest published checkpoint, as a signed note.
    pub fn checkpoint(&self) -> &str {
        &self.published.note
    }

    /// The store, for maintenance by the writer itself.
    pub fn store(&mut self) -> &mut S {
        &mut self.store
    }
}

/// Writes the reading position and what was seen, in the batch's own transaction: after a crash
/// the position is never ahead of the entries, nor behind them.
fn note_reading(
    tx: &mut impl StoreTx,
    reading: &Reading,
    entries: &[PendingEntry],
    places: &[Placed],
) -> Result<(), LedgerError> {
    tx.put_cursor(&reading.cursor)?;
    let mut seen: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for (entry, place) in entries.iter().zip(places) {
        let counts = seen.entry(entry.cite.channel.id()).or_default();
        counts[usize::from(matches!(place, Placed::Known(_)))] += 1;
    }
    for (channel, dropped) in &reading.dropped {
        seen.entry(channel.id()).or_default()[2] += dropped;
    }
    if !reading.refused.is_empty() {
        seen.entry("-").or_default()[3] += reading.refused.len() as u64;
    }
    let (source, epoch) = (&reading.cursor.source, reading.epoch);
    for (channel, [accepted, duplicate, dropped, refused]) in seen {
        tx.add_coverage(&Coverage {
            source: source.clone(),
            epoch,
            channel: channel.to_owned(),
            accepted,
            duplicate,
            dropped,
            refused,
            at: reading.at,
        })?;
    }
    for (line, reason) in &reading.refused {
        let (source, reason) = (source.clone(), reason.clone());
        tx.add_refusal(&Refused { source, epoch, line: *line, reason })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{dir::LedgerDir, recover};
    use crate::store::sqlite::{SqliteStore, SqliteTx};
    use crate::store::{StoreError, TileId};

    /// A store that is full and then cannot be read.
    struct Failing {
        inner: SqliteStore,
        fails: bool,
    }

    impl Store for Failing {
        type Tx<'a> = SqliteTx<'a>;

        fn begin(&mut self) -> Result<SqliteTx<'_>, StoreError> {
            if self.fails { Err(StoreError::DiskFull) } else { self.inner.begin() }
        }

        fn head(&mut self) -> Result<Head, StoreError> {
            if self.fails { Err(StoreError::DiskFull) } else { self.inner.head() }
        }

        fn tile(&mut self, id: TileId) -> Result<Option<Vec<u8>>, StoreError> {
            self.inner.tile(id)
        }

        fn take_over(&mut self) -> Result<Head, StoreError> {
            self.inner.take_over()
        }
    }

    #[test]
    fn a_ledger_that_cannot_be_read_again_takes_nothing_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = "fail.example".parse().expect("an origin");
        let dir = recover::init(&folder.path().join("l"), &origin, None).expect("made");
        let dir = LedgerDir::open(dir.path()).expect("opened");
        let Ledger {
            store,
            tree,
            head,
            signer,
            origin,
            history,
            anchor,
            published,
            lost,
            _lock: lock,
        } = recover::open(&dir).expect("opened");
        let store = Failing { inner: store, fails: true };
        let mut ledger = Ledger {
            store,
            tree,
            head,
            signer,
            origin,
            history,
            anchor,
            published,
            lost,
            _lock: lock,
        };
        let first = ledger.append(&[Batch::default()]).expect_err("full");
        assert!(matches!(first, LedgerError::Store(StoreError::DiskFull)), "{first}");
        ledger.store.fails = false;
        let second = ledger.append(&[Batch::default()]).expect_err("lost");
        assert!(second.to_string().contains("could not be read again"), "{second}");
    }
}
