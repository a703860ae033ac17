//! Tiles: the Merkle tree and the entries as immutable files ([C2SP tlog-tiles]).
//!
//! A tile is 256 consecutive hashes of one level; each hash of the next tile level stands for a
//! whole tile below, eight tree levels higher. The rightmost tile of a level is usually partial:
//!
//! ```text
//! tile level 1   [h0 h1 h2 …]           each hash: one full tile of level 0
//! tile level 0   [256][256][256][ w ]   leaf hashes, with one entry bundle each
//! ```
//!
//! **In scope**: paths, contents, which tiles a tree has, and where in them a
//! [`NodeId`](crate::tree::NodeId) is.
//! **Out of scope**: fetching, compression, caching and pruning.
//!
//! [C2SP tlog-tiles]: https://c2sp.org/tlog-tiles

mod entries;
mod hashes;
mod layout;
mod path;

use std::fmt;

use thiserror::Error;

pub use self::entries::{EntryBundle, MAX_ENTRY_BYTES, encode_entries};
pub use self::hashes::HashTile;
pub use self::layout::{
    TileSlot, entry_bundles, entry_bundles_since, hash_tiles, hash_tiles_since, tile_width,
};
pub use self::path::{MAX_TILE_LEVEL, TileKind, TilePath, TilePathError};

/// The number of hashes in a tile or of entries in a bundle: 1 to 256.
///
/// 256 is a full tile, which never changes again; less is a partial one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileWidth(u16);

impl TileWidth {
    /// The width of a full tile.
    pub const FULL: Self = Self(256);

    /// Checks and takes a width. `None` unless it is 1 to 256.
    pub const fn new(width: u16) -> Option<Self> {
        if 1 <= width && width <= Self::FULL.0 { Some(Self(width)) } else { None }
    }

    /// The width as a number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether this is the width of a full tile.
    pub const fn is_full(self) -> bool {
        self.0 == Self::FULL.0
    }
}

impl fmt::Display for TileWidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why bytes are not a tile or an entry bundle, or cannot become one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TileError {
    /// The tile has the wrong number of bytes for its width.
    #[error("tile has {found} bytes, not {expected}")]
    ByteCount {
        /// Number of bytes a tile of this width has.
        expected: usize,
        /// Number of bytes found.
        found: usize,
    },
    /// The number of hashes or entries is not 1 to 256.
    #[error("tile of {found} items is not 1 to 256 items wide")]
    ItemCount {
        /// Number of hashes or entries.
        found: usize,
    },
    /// The bundle ends within an entry or before the last one.
    #[error("entry bundle ends within entry {entry}")]
    Truncated {
        /// Position of the entry in the bundle, counted from 0.
        entry: u16,
    },
    /// The bundle has bytes after its last entry.
    #[error("entry bundle has {found} bytes after its last entry")]
    TrailingBytes {
        /// Number of surplus bytes.
        found: usize,
    },
    /// An entry is longer than [`MAX_ENTRY_BYTES`].
    #[error("entry {entry} has {found} bytes, more than {MAX_ENTRY_BYTES}")]
    EntryTooLarge {
        /// Position of the entry in the bundle, counted from 0.
        entry: usize,
        /// Length of the entry in bytes.
        found: usize,
    },
    /// The tile is too narrow to hold the hashes of a node.
    #[error("tile of width {width} does not reach to hash {end}")]
    SlotBeyondWidth {
        /// Width of the tile.
        width: TileWidth,
        /// First position after the node's hashes.
        end: u16,
    },
}
