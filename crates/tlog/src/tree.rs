//! The Merkle tree of [RFC 6962 section 2.1], seen as its perfect subtrees.
//!
//! A perfect subtree has 2^level leaves and starts at a multiple of 2^level. Once complete it
//! never changes, so it is the unit of storage and of proofs. Any run of leaves is covered by a
//! few maximal perfect subtrees (a *compact range*), and those of a whole tree are its *peaks*:
//!
//! ```text
//! level 2        ┌───●───┐                 size 7: peaks (2,0) (1,2) (0,6)
//! level 1     ┌──●──┐ ┌──●──┐ ┌──●──┐
//! level 0     0     1 2     3 4     5  6
//! ```
//!
//! **In scope**: coordinates, compact ranges, the growing [`Frontier`] of a log.
//! **Out of scope**: keeping nodes; every completed node is handed to the caller.
//!
//! [RFC 6962 section 2.1]: https://www.rfc-editor.org/rfc/rfc6962#section-2.1

mod compact_range;
mod frontier;

use std::fmt;

use thiserror::Error;

pub use self::compact_range::CompactRange;
pub use self::frontier::Frontier;
use crate::hash::{Hash, node_hash};
use crate::size::{LeafIndex, TreeSize};

/// The coordinates of a perfect subtree.
///
/// The subtree spans the leaves from `index * 2^level` up to, not including,
/// `(index + 1) * 2^level`. Plain coordinates: whether a tree has such a node is for the function
/// that takes it to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// The height of the subtree: 0 for a leaf.
    pub level: u8,
    /// The position among the subtrees of the same height, counted from 0.
    pub index: u64,
}

impl NodeId {
    /// The node at `level`, number `index` from the left.
    pub const fn new(level: u8, index: u64) -> Self {
        Self { level, index }
    }

    /// The node of a single leaf.
    pub const fn leaf(index: LeafIndex) -> Self {
        Self::new(0, index.get())
    }

    /// The smallest perfect subtree that strictly contains this one.
    #[must_use]
    pub const fn parent(self) -> Self {
        Self::new(self.level.saturating_add(1), self.index >> 1)
    }

    /// The other child of this node's parent.
    #[must_use]
    pub const fn sibling(self) -> Self {
        Self::new(self.level, self.index ^ 1)
    }

    /// The first leaf of the subtree, or `None` if it lies beyond the 64-bit range.
    pub fn first_leaf(self) -> Option<LeafIndex> {
        1_u64.checked_shl(u32::from(self.level))?.checked_mul(self.index).map(LeafIndex::new)
    }

    /// The size of the smallest tree that contains the whole subtree, or `None` if it lies beyond
    /// the 64-bit range.
    pub fn size_through(self) -> Option<TreeSize> {
        Self::new(self.level, self.index.checked_add(1)?)
            .first_leaf()
            .map(|next| TreeSize::new(next.get()))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.level, self.index)
    }
}

/// Why hashes do not form the compact range or the frontier asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TreeError {
    /// The range ends before it begins.
    #[error("range begins at leaf {begin} and ends before leaf {end}")]
    RangeReversed {
        /// First leaf of the range.
        begin: LeafIndex,
        /// First leaf after the range.
        end: LeafIndex,
    },
    /// The number of hashes is not the number of maximal perfect subtrees in the range.
    #[error("range needs {expected} hashes, found {found}")]
    HashCount {
        /// Number of maximal perfect subtrees in the range.
        expected: usize,
        /// Number of hashes given.
        found: usize,
    },
    /// The subtree to append does not begin where the range ends.
    #[error("node {node} does not begin at leaf {end}")]
    NotAdjacent {
        /// The subtree to append.
        node: NodeId,
        /// First leaf after the range.
        end: LeafIndex,
    },
    /// The tree has more leaves than 2^63 - 1.
    #[error("tree size {size} is greater than 2^63 - 1")]
    TooLarge {
        /// The size asked for.
        size: TreeSize,
    },
}

/// The peaks of a tree of `size` leaves, from left to right: the maximal perfect subtrees, one
/// for each bit set in the size. Empty for the empty tree.
pub fn peak_ids(size: TreeSize) -> Vec<NodeId> {
    cover(0, size.get())
}

/// The maximal perfect subtrees that together span the leaves `begin..end`, from left to right.
#[expect(clippy::cast_possible_truncation, reason = "levels are at most 63")]
pub(crate) fn cover(mut begin: u64, end: u64) -> Vec<NodeId> {
    let mut nodes = Vec::new();
    while begin < end {
        // The widest subtree that may start here, and the widest that still fits.
        let level = begin.trailing_zeros().min((end - begin).ilog2());
        nodes.push(NodeId::new(level as u8, begin >> level));
        begin += 1 << level;
    }
    nodes
}

/// The hash over adjacent subtrees of falling size, as the tree combines its peaks: the rightmost
/// two first (RFC 6962 section 2.1). `None` without hashes.
pub(crate) fn fold_peaks(hashes: &[Hash]) -> Option<Hash> {
    let (last, rest) = hashes.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}
