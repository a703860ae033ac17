//! The ledger: sealed entries in a store, a Merkle tree over them, signed checkpoints outside.
//!
//! ```text
//! batch ─► sequence ─► integrate ─► commit ─► publish ─────────────► acknowledge
//!          dedup,      tree, tiles  one fsync  sign, append to the
//!          indexes                             checkpoint file, fsync
//! ```
//!
//! One writer; readers read the database and never wait for it. An acknowledgement means: durable,
//! deduplicated, at a fixed index, under a checkpoint that is durable outside the database.

use std::path::PathBuf;

use tlog::{Checkpoint, TreeSize};

use crate::store::StoreError;

pub mod append;
pub mod assess;
pub mod dir;
pub mod fsck;
pub mod history;
pub mod pages;
pub mod read;
pub mod recover;
pub mod redact;
pub mod tree;
pub mod writer;

use self::append::Ledger;
use crate::store::sqlite::SqliteStore;

/// The embedded ledger.
pub type EmbeddedLedger = Ledger<SqliteStore>;

/// Why a ledger cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no ledger.
    #[error("no ledger at {}; make one with `countersign ledger init --ledger {} --origin NAME`", .0.display(), .0.display())]
    NotFound(PathBuf),
    /// There is something already.
    #[error("{} is not empty; a ledger is made in a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// Another process writes.
    #[error("another process is writing to the ledger at {}; wait for it or stop it", .0.display())]
    Locked(PathBuf),
    /// A settings or key file is not what it should be.
    #[error("{}: {problem}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {cause}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says; part of the text, so not told again as a source.
        cause: std::io::Error,
    },
    /// The store is behind a checkpoint that was published.
    #[error("rollback: {} holds a checkpoint of {} entries, the store has {found}; entries that were acknowledged are missing. Restore a newer copy of the store; this one is not signed again", witness.display(), published.size())]
    Rollback {
        /// Where the checkpoint was found.
        witness: PathBuf,
        /// The checkpoint.
        published: Box<Checkpoint>,
        /// How many entries the store has.
        found: TreeSize,
    },
    /// The store holds other entries than those of a checkpoint that was published.
    #[error("fork: {} holds a checkpoint of {} entries with root {}, the store's first {} entries have root {found}. The entries were changed after they were signed; run `countersign ledger fsck`", witness.display(), published.size(), published.root(), published.size())]
    Fork {
        /// Where the checkpoint was found.
        witness: PathBuf,
        /// The checkpoint.
        published: Box<Checkpoint>,
        /// The root of the same number of entries in the store.
        found: tlog::Hash,
    },
    /// The checkpoint file is gone or holds no checkpoint.
    #[error("{} holds no checkpoint of this ledger, though one is written when a ledger is made; restore it from a copy, or nobody can tell whether the store was rolled back", .0.display())]
    NoCheckpoint(PathBuf),
    /// An entry is not what its leaf or its place says.
    #[error(
        "entry {index}: {problem}; what the ledger holds is not what was recorded, run `countersign ledger fsck`"
    )]
    NotAsRecorded {
        /// The entry.
        index: tlog::LeafIndex,
        /// What is wrong.
        problem: String,
    },
    /// The entries are not those of the newest checkpoint.
    #[error(
        "the entries have another root than checkpoint {0} signs; what the ledger holds is not what was recorded, run `countersign ledger fsck`"
    )]
    NotAsSigned(TreeSize),
    /// The database was changed while nobody was writing.
    #[error(
        "{pages} pages of the database differ from their seal, the first is page {first}: somebody wrote to the file since it was closed. Run `countersign ledger fsck`; if nothing but the seal is wrong, `countersign ledger fsck --reseal` accepts the file as it is"
    )]
    PagesChanged {
        /// How many pages.
        pages: usize,
        /// The first of them, from 1.
        first: usize,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored tree has a hole.
    #[error("the stored tree has no hash at {0}; run `countersign ledger fsck`")]
    MissingNode(tlog::NodeId),
    /// Randomness.
    #[error("the system gave no randomness: {0}")]
    Randomness(String),
    /// A reader kept erased data from leaving the file.
    #[error(
        "the segments are erased, but another command is reading the ledger and keeps old pages of the file alive; run the same redaction again when it has ended"
    )]
    StillRead,
    /// The writer stopped before.
    #[error("the writer stopped: {0}")]
    Stopped(String),
}

impl LedgerError {
    /// Whether the ledger is not what it should be, rather than out of reach.
    pub const fn is_verification_failure(&self) -> bool {
        matches!(
            self,
            Self::Rollback { .. }
                | Self::Fork { .. }
                | Self::NoCheckpoint(_)
                | Self::NotAsRecorded { .. }
                | Self::NotAsSigned(_)
                | Self::PagesChanged { .. }
        )
    }

    /// Wraps what the system says of a file.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { action, path, cause }
    }
}
