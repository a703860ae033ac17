//! Which tiles a tree has, and where in them its nodes are ([C2SP tlog-tiles], "Merkle Tree").
//!
//! [C2SP tlog-tiles]: https://c2sp.org/tlog-tiles

use super::{HashTile, TileError, TilePath, TileWidth};
use crate::hash::{EMPTY_ROOT, Hash, node_hash};
use crate::size::TreeSize;
use crate::tree::{NodeId, fold_peaks};

/// Tree levels that one tile level spans: 2^8 = 256 hashes in a tile.
const LEVELS_PER_TILE: u8 = 8;
/// Tile levels of a tree of 64-bit size.
const TILE_LEVELS: u8 = 64 / LEVELS_PER_TILE;
const FULL_WIDTH: u64 = 256;

/// The width of the hash tile number `index` of tile level `level` in a tree of `size` leaves, or
/// `None` if the tree has no such tile. Level 0 also holds for entry bundles.
///
/// The last tile of a level is `floor(size / 256^level) mod 256` wide (tlog-tiles, "Partial
/// Tiles").
pub const fn tile_width(size: TreeSize, level: u8, index: u64) -> Option<TileWidth> {
    let hashes = level_width(size, level);
    let full_tiles = hashes / FULL_WIDTH;
    if index < full_tiles {
        Some(TileWidth::FULL)
    } else if index == full_tiles {
        TileWidth::new((hashes % FULL_WIDTH) as u16)
    } else {
        None
    }
}

/// The hash tiles of a tree of `size` leaves: level by level, each from left to right.
pub fn hash_tiles(size: TreeSize) -> impl Iterator<Item = TilePath> {
    hash_tiles_since(TreeSize::EMPTY, size)
}

/// The hash tiles that a tree of `new` leaves has and its prefix of `old` leaves has not, or not
/// with the same width: what to write when the log grows.
pub fn hash_tiles_since(old: TreeSize, new: TreeSize) -> impl Iterator<Item = TilePath> {
    (0..TILE_LEVELS).flat_map(move |level| {
        tiles_since(old, new, level)
            .filter_map(move |(index, width)| TilePath::hashes(level, index, width).ok())
    })
}

/// The entry bundles of a log of `size` entries, from left to right.
pub fn entry_bundles(size: TreeSize) -> impl Iterator<Item = TilePath> {
    entry_bundles_since(TreeSize::EMPTY, size)
}

/// The entry bundles that a log of `new` entries has and its prefix of `old` entries has not, or
/// not with the same width: what to write when the log grows.
pub fn entry_bundles_since(old: TreeSize, new: TreeSize) -> impl Iterator<Item = TilePath> {
    tiles_since(old, new, 0).map(|(index, width)| TilePath::entries(index, width))
}

/// Index and width of the tiles of one level that change between two sizes.
fn tiles_since(old: TreeSize, new: TreeSize, level: u8) -> impl Iterator<Item = (u64, TileWidth)> {
    let (before, after) = (level_width(old, level), level_width(new, level));
    let changed =
        if before < after { before / FULL_WIDTH..after.div_ceil(FULL_WIDTH) } else { 0..0 };
    changed.filter_map(move |index| Some((index, tile_width(new, level, index)?)))
}

/// The number of hashes at a tile level: complete subtrees of 256^level leaves.
const fn level_width(size: TreeSize, level: u8) -> u64 {
    if level < TILE_LEVELS { size.get() >> (level * LEVELS_PER_TILE) } else { 0 }
}

/// Where the hash of a node comes from: a run of 1, 2, 4 … or 128 hashes of one tile.
///
/// A tile keeps every eighth level of the tree; the levels between are hashed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileSlot {
    level: u8,
    index: u64,
    first: u16,
    count: u16,
}

impl TileSlot {
    /// The slot of the node `id`, or `None` if the node lies beyond the 64-bit range.
    pub fn of(id: NodeId) -> Option<Self> {
        let size = id.size_through()?;
        let height = id.level % LEVELS_PER_TILE;
        let position = id.index << height;
        debug_assert!(position < level_width(size, id.level / LEVELS_PER_TILE));
        Some(Self {
            level: id.level / LEVELS_PER_TILE,
            index: position / FULL_WIDTH,
            first: (position % FULL_WIDTH) as u16,
            count: 1 << height,
        })
    }

    /// The tile level.
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// The number of the tile from the left, counted from 0.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The position of the first hash in the tile, counted from 0.
    pub const fn first(&self) -> u16 {
        self.first
    }

    /// The number of hashes: a power of two.
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// The tile that has the slot in a tree of `size` leaves, or `None` if the node is not
    /// complete in that tree.
    pub fn path(&self, size: TreeSize) -> Option<TilePath> {
        let width = tile_width(size, self.level, self.index)?;
        (self.first + self.count <= width.get())
            .then(|| TilePath::hashes(self.level, self.index, width).ok())
            .flatten()
    }

    /// The hash of the node, from the tile at [`TileSlot::path`].
    ///
    /// Fails with [`TileError::SlotBeyondWidth`] if the tile is too narrow.
    pub fn node_hash(&self, tile: &HashTile) -> Result<Hash, TileError> {
        let end = self.first + self.count;
        let run = tile
            .hashes()
            .get(usize::from(self.first)..usize::from(end))
            .ok_or(TileError::SlotBeyondWidth { width: tile.width(), end })?;
        let mut row = run.to_vec();
        while row.len() > 1 {
            row = row.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
        }
        Ok(fold_peaks(&row).unwrap_or(EMPTY_ROOT))
    }
}
