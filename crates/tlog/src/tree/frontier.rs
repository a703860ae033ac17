//! The right edge of a growing log: all a writer must keep to append and to compute roots.

use super::{CompactRange, NodeId, TreeError};
use crate::hash::{EMPTY_ROOT, Hash};
use crate::size::{LeafIndex, MAX_PARSED, TreeSize};

/// The compact range of a whole tree: its peaks, one for each bit set in its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    /// Begins at the first leaf.
    range: CompactRange,
}

impl Frontier {
    /// The frontier of the empty tree.
    pub const fn new() -> Self {
        Self { range: CompactRange::empty_at(LeafIndex::FIRST) }
    }

    /// The frontier of a tree of `size` leaves with the given peaks, from left to right.
    ///
    /// The peaks are taken on trust; compare [`Frontier::root`] with a signed checkpoint before
    /// appending. Fails with [`TreeError::HashCount`] unless there is one peak for each bit set in
    /// the size, and with [`TreeError::TooLarge`] for a size above 2^63 - 1.
    pub fn from_peaks(size: TreeSize, peaks: Vec<Hash>) -> Result<Self, TreeError> {
        // The bound leaves room to append for longer than any log lives without overflow.
        if size.get() > MAX_PARSED {
            return Err(TreeError::TooLarge { size });
        }
        let range = CompactRange::from_hashes(LeafIndex::FIRST..size.next_index(), peaks)?;
        Ok(Self { range })
    }

    /// Appends one leaf hash and returns its index.
    ///
    /// Calls `on_node` once for every subtree that is complete now and was not before: the leaf
    /// itself at level 0 first, then each larger one.
    pub fn push(&mut self, leaf: Hash, on_node: impl FnMut(NodeId, Hash)) -> LeafIndex {
        let index = self.size().next_index();
        self.range.push_leaf(leaf, on_node);
        index
    }

    /// The root hash of the tree (RFC 6962 section 2.1).
    pub fn root(&self) -> Hash {
        self.range.root().unwrap_or(EMPTY_ROOT)
    }

    /// The number of leaves appended so far.
    pub const fn size(&self) -> TreeSize {
        TreeSize::new(self.range.leaves().end.get())
    }

    /// The hashes of the peaks, from left to right; [`peak_ids`](super::peak_ids) of the size are
    /// their coordinates.
    pub fn peaks(&self) -> &[Hash] {
        self.range.hashes()
    }
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}
