//! Stores: where entries, tiles and cursors are kept.
//!
//! The contract is that of a transaction, not of a dialect: each store meets it in its own way
//! (`SQLite` row by row on one connection, `PostgreSQL` later with `COPY`), and the same story test
//! runs on each.
//!
//! - **Order**: entries get consecutive indexes in the order given.
//! - **Exactly once**: a key is in the store once, for ever; [`StoreTx::insert_new`] says where.
//! - **All or nothing**: what a transaction wrote is there after [`StoreTx::commit`] returned `Ok`,
//!   also after a power cut, and none of it if it was dropped. An `Err` of `commit` says nothing:
//!   the caller reads the store again.
//! - **One writer**: [`StoreTx::advance`] fails if another writer moved the head.

use evidence::intake::PendingEntry;
use evidence::intake::key::DedupKey;
use tlog::{LeafIndex, TreeSize};

pub mod sqlite;

/// A store that can be written.
pub trait Store: Send {
    /// Its transactions.
    type Tx<'a>: StoreTx
    where
        Self: 'a;

    /// Begins a transaction.
    fn begin(&mut self) -> Result<Self::Tx<'_>, StoreError>;

    /// Reads the head: how many entries there are, and who may write.
    fn head(&mut self) -> Result<Head, StoreError>;

    /// Reads one tile, as many hashes as are stored.
    fn tile(&mut self, id: TileId) -> Result<Option<Vec<u8>>, StoreError>;

    /// Becomes the writer: raises the fence so that a writer from before is refused.
    fn take_over(&mut self) -> Result<Head, StoreError>;
}

/// A transaction of a [`Store`].
pub trait StoreTx {
    /// Inserts each entry whose key is not there yet at the next index from `next`.
    fn insert_new(
        &mut self,
        next: LeafIndex,
        entries: &[PendingEntry],
    ) -> Result<Vec<Placed>, StoreError>;

    /// Writes a tile over whatever is stored of it: it only grows.
    fn put_tile(&mut self, id: TileId, hashes: &[u8]) -> Result<(), StoreError>;

    /// Keeps a published checkpoint.
    fn put_checkpoint(&mut self, size: TreeSize, note: &str) -> Result<(), StoreError>;

    /// Moves the reading position of a source.
    fn put_cursor(&mut self, cursor: &Cursor) -> Result<(), StoreError>;

    /// Adds to what was seen of a channel in an epoch.
    fn add_coverage(&mut self, seen: &Coverage) -> Result<(), StoreError>;

    /// Keeps why a line was refused.
    fn add_refusal(&mut self, refusal: &Refused) -> Result<(), StoreError>;

    /// Moves the head from `from` to `to`, or fails with [`StoreError::Fenced`].
    fn advance(&mut self, from: Head, to: TreeSize) -> Result<(), StoreError>;

    /// Makes everything durable.
    fn commit(self) -> Result<(), StoreError>;
}

/// How far the store has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries there are.
    pub size: TreeSize,
    /// The fence: grows with every writer that takes over.
    pub writer: u64,
}

/// A tile by level and number (C2SP tlog-tiles).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// Level, 0 at the leaves; each is 8 levels of the tree.
    pub level: u8,
    /// Number within the level.
    pub number: u64,
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It was new and is now here.
    New(LeafIndex),
    /// It was already here.
    Known(LeafIndex),
}

impl Placed {
    /// The index, new or known.
    pub const fn index(self) -> LeafIndex {
        match self {
            Self::New(index) | Self::Known(index) => index,
        }
    }
}

/// How far a source was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The source: a file as it was named, or `stdin`.
    pub source: String,
    /// Lines read, counted from the source's beginning.
    pub lines: u64,
    /// Bytes read, after decompression.
    pub bytes: u64,
}

/// What was seen of a channel in an epoch: one uninterrupted reading of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The source.
    pub source: String,
    /// Number of the reading of that source, from 1.
    pub epoch: u64,
    /// The channel's id, or `-` for lines of no channel.
    pub channel: String,
    /// Appended.
    pub accepted: u64,
    /// Already there.
    pub duplicate: u64,
    /// Not kept by rule: a person's read.
    pub dropped: u64,
    /// Refused.
    pub refused: u64,
    /// When: UTC, by the receiver's clock.
    pub at: jiff::Timestamp,
}

/// A line that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The source.
    pub source: String,
    /// Number of the reading.
    pub epoch: u64,
    /// The line, from 1.
    pub line: u64,
    /// Why; quotes nothing of the line but, at the most, one byte that cannot stand in it.
    pub reason: String,
}

/// What a store could not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer took over.
    #[error("another writer took over this ledger (fence {found}, ours {ours}); this one stops")]
    Fenced {
        /// The fence that was found.
        found: u64,
        /// Ours.
        ours: u64,
    },
    /// The disk is full.
    #[error(
        "the disk is full; nothing of this batch was kept, what was acknowledged before is safe: free space and run the same command again"
    )]
    DiskFull,
    /// The store cannot be written.
    #[error("the store is read-only; make {0} writable and run the same command again")]
    ReadOnly(String),
    /// A log beside the database was not copied into it, and cannot be here.
    #[error(
        "{0} holds entries that are not in the database file yet; copy the folder to a disk that can be written and read it there"
    )]
    Unfinished(String),
    /// The store's own form is damaged.
    #[error("the store is damaged: {0}; run `countersign ledger fsck`")]
    Damaged(String),
    /// A known key has no index: cannot happen while the unique index holds.
    #[error("the unique index lost key {0:?}; run `countersign ledger fsck`")]
    LostKey(DedupKey),
    /// Anything else that the database says.
    #[error("database: {0}")]
    Database(String),
}
