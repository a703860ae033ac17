//! The contents of hash tiles ([C2SP tlog-tiles], "Merkle Tree").
//!
//! [C2SP tlog-tiles]: https://c2sp.org/tlog-tiles

use super::{TileError, TileWidth};
use crate::hash::Hash;

/// The hashes of one tile, 1 to 256 of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashTile {
    hashes: Vec<Hash>,
    /// The number of hashes.
    width: TileWidth,
}

impl HashTile {
    /// The tile with the given hashes. Fails with [`TileError::ItemCount`] unless there are 1 to
    /// 256.
    pub fn new(hashes: Vec<Hash>) -> Result<Self, TileError> {
        let width = check_width(hashes.len())?;
        Ok(Self { hashes, width })
    }

    /// Reads a tile of the given width: 32 bytes for each hash, 8,192 for a full tile.
    ///
    /// Fails with [`TileError::ByteCount`] if the length is another.
    pub fn decode(bytes: &[u8], width: TileWidth) -> Result<Self, TileError> {
        let expected = usize::from(width.get()) * Hash::BYTES;
        if bytes.len() != expected {
            return Err(TileError::ByteCount { expected, found: bytes.len() });
        }
        let (hashes, _) = bytes.as_chunks();
        let hashes = hashes.iter().copied().map(Hash::from_bytes).collect();
        Ok(Self { hashes, width })
    }

    /// The bytes of the tile: the hashes one after the other.
    pub fn encode(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
    }

    /// The hashes, from left to right.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The number of hashes.
    pub const fn width(&self) -> TileWidth {
        self.width
    }
}

/// The width of a tile of `found` hashes or entries.
pub(super) fn check_width(found: usize) -> Result<TileWidth, TileError> {
    let width = u16::try_from(found).ok().and_then(TileWidth::new);
    width.ok_or(TileError::ItemCount { found })
}
