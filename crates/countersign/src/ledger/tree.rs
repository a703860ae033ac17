//! The growing tree: its frontier and the tiles that are not full yet.

use tlog::{Frontier, Hash, LeafIndex, NodeId, NodeSource, TreeSize, node_hash, peak_ids};

use super::LedgerError;
use crate::store::TileId;

/// Levels of the tree in one tile (C2SP tlog-tiles).
const TILE_HEIGHT: u8 = 8;
/// Hashes of a full tile.
const TILE_WIDTH: usize = 256;
const HASH_BYTES: usize = 32;

/// Gives the stored bytes of a tile, full or not.
pub trait TileSource {
    /// The tile's hashes, or `None` if it is not there.
    fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, LedgerError>;
}

impl<F: Fn(TileId) -> Result<Option<Vec<u8>>, LedgerError>> TileSource for F {
    fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, LedgerError> {
        self(id)
    }
}

/// Nodes of the tree, read from its tiles.
#[derive(Debug)]
pub struct Nodes<T>(pub T);

impl<T: TileSource> NodeSource for Nodes<T> {
    type Error = LedgerError;

    fn node(&self, id: NodeId) -> Result<Hash, LedgerError> {
        let height = id.level % TILE_HEIGHT;
        let width = 1usize << height;
        let first = id.index << height;
        let tile = TileId { level: id.level / TILE_HEIGHT, number: first / TILE_WIDTH as u64 };
        let missing = LedgerError::MissingNode(id);
        let Some(bytes) = self.0.tile(tile)? else {
            return Err(missing);
        };
        let start = usize::try_from(first % TILE_WIDTH as u64).unwrap_or(usize::MAX);
        let hashes = bytes.chunks_exact(HASH_BYTES).skip(start).take(width);
        let hashes: Vec<Hash> =
            hashes.filter_map(|h| h.try_into().ok().map(Hash::from_bytes)).collect();
        if hashes.len() == width { Ok(subtree_root(hashes)) } else { Err(missing) }
    }
}

/// The root of a perfect subtree over a power of two of hashes.
fn subtree_root(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        hashes = hashes.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    hashes.first().copied().unwrap_or(tlog::EMPTY_ROOT)
}

/// The root that the first `size` entries have.
pub fn root_at(
    nodes: &impl NodeSource<Error = LedgerError>,
    size: TreeSize,
) -> Result<Hash, LedgerError> {
    frontier_at(nodes, size).map(|f| f.root())
}

fn frontier_at(
    nodes: &impl NodeSource<Error = LedgerError>,
    size: TreeSize,
) -> Result<Frontier, LedgerError> {
    let ids = peak_ids(size);
    let peaks = ids.iter().map(|id| nodes.node(*id)).collect::<Result<Vec<_>, _>>()?;
    let root = ids.last().copied().unwrap_or(NodeId::new(0, 0));
    Frontier::from_peaks(size, peaks).map_err(|_| LedgerError::MissingNode(root))
}

/// The tree as the writer keeps it in memory.
#[derive(Clone, Debug)]
pub struct GrowingTree {
    frontier: Frontier,
    /// The last tile of each level, as far as it has grown.
    growing: Vec<GrowingTile>,
    /// Tiles that became full since [`GrowingTree::take_tiles`].
    full: Vec<(TileId, Vec<u8>)>,
}

#[derive(Clone, Debug, Default)]
struct GrowingTile {
    number: u64,
    hashes: Vec<u8>,
    changed: bool,
}

impl GrowingTree {
    /// Reads the tree of `size` entries from its tiles.
    pub fn load(tiles: &impl TileSource, size: TreeSize) -> Result<Self, LedgerError> {
        let nodes = Nodes(|id| tiles.tile(id));
        let frontier = frontier_at(&nodes, size)?;
        let mut growing = Vec::new();
        let mut width = size.get();
        for level in 0.. {
            let (number, hashes) = (width / TILE_WIDTH as u64, width % TILE_WIDTH as u64);
            let id = TileId { level, number };
            let stored = if hashes == 0 { Vec::new() } else { tiles.tile(id)?.unwrap_or_default() };
            let bytes = usize::try_from(hashes).unwrap_or(0) * HASH_BYTES;
            if stored.len() != bytes {
                return Err(LedgerError::MissingNode(NodeId::new(level * TILE_HEIGHT, width)));
            }
            growing.push(GrowingTile { number, hashes: stored, changed: false });
            width /= TILE_WIDTH as u64;
            if width == 0 {
                break;
            }
        }
        Ok(Self { frontier, growing, full: Vec::new() })
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) -> LeafIndex {
        let (growing, full) = (&mut self.growing, &mut self.full);
        self.frontier.push(leaf, |id, hash| {
            if id.level % TILE_HEIGHT == 0 {
                grow(growing, full, id.level / TILE_HEIGHT, &hash);
            }
        })
    }

    /// The tiles that changed since the last call, each with all its hashes.
    pub fn take_tiles(&mut self) -> Vec<(TileId, Vec<u8>)> {
        let mut tiles = std::mem::take(&mut self.full);
        for (level, tile) in (0..).zip(&mut self.growing) {
            if std::mem::take(&mut tile.changed) {
                tiles.push((TileId { level, number: tile.number }, tile.hashes.clone()));
            }
        }
        tiles
    }

    /// How many entries it has.
    pub fn size(&self) -> TreeSize {
        self.frontier.size()
    }

    /// Its root.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }
}

fn grow(growing: &mut Vec<GrowingTile>, full: &mut Vec<(TileId, Vec<u8>)>, level: u8, hash: &Hash) {
    let slot = usize::from(level);
    if growing.len() == slot {
        growing.push(GrowingTile::default());
    }
    let tile = &mut growing[slot];
    tile.hashes.extend_from_slice(hash.as_bytes());
    tile.changed = true;
    if tile.hashes.len() == TILE_WIDTH * HASH_BYTES {
        full.push((TileId { level, number: tile.number }, std::mem::take(&mut tile.hashes)));
        *tile = GrowingTile { number: tile.number + 1, ..GrowingTile::default() };
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    /// A tree loaded from its tiles goes on exactly as the one that wrote them, at every size
    /// around the edges of tiles, and the roots of all smaller trees can be read from them.
    #[test]
    fn loading_from_tiles_continues_the_tree() {
        let stored: RefCell<BTreeMap<TileId, Vec<u8>>> = RefCell::default();
        let source = |id: TileId| Ok(stored.borrow().get(&id).cloned());
        let mut tree = GrowingTree::load(&source, TreeSize::EMPTY).expect("empty");
        let mut roots = vec![tree.root()];
        for i in 0..66_000u64 {
            tree.push(tlog::leaf_hash(&i.to_be_bytes()));
            roots.push(tree.root());
            let size = i + 1;
            if size % 256 <= 1 || size % 256 == 255 || size == 66_000 {
                stored.borrow_mut().extend(tree.take_tiles());
                tree = GrowingTree::load(&source, TreeSize::new(size)).expect("stored");
                assert_eq!(tree.root(), roots[roots.len() - 1], "size {size}");
            }
        }
        let nodes = Nodes(source);
        for size in [0, 1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537, 66_000] {
            let root = root_at(&nodes, TreeSize::new(size as u64)).expect("stored");
            assert_eq!(root, roots[size], "size {size}");
        }
        let beyond = root_at(&nodes, TreeSize::new(66_001));
        assert!(matches!(beyond, Err(LedgerError::MissingNode(_))));
    }
}
