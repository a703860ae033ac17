//! The hashes of the maximal perfect subtrees of a run of leaves.
//!
//! Growing a run to the right completes larger subtrees; their hashes replace those of their
//! halves, so that their number grows with the logarithm of the number of leaves only.

use std::ops::Range;

use super::{NodeId, TreeError, cover, fold_peaks};
use crate::hash::{EMPTY_ROOT, Hash, node_hash};
use crate::size::LeafIndex;

/// The hashes of the maximal perfect subtrees of the leaves `begin..end`, from left to right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompactRange {
    begin: u64,
    end: u64,
    /// One hash for each node of `cover(begin, end)`.
    hashes: Vec<Hash>,
}

impl CompactRange {
    /// The range without leaves that begins, and ends, before the leaf `begin`.
    pub const fn empty_at(begin: LeafIndex) -> Self {
        Self { begin: begin.get(), end: begin.get(), hashes: Vec::new() }
    }

    /// The range over `leaves` with the given subtree hashes, from left to right.
    ///
    /// The hashes are taken on trust; only their number is checked. Fails with
    /// [`TreeError::RangeReversed`] or [`TreeError::HashCount`].
    pub fn from_hashes(leaves: Range<LeafIndex>, hashes: Vec<Hash>) -> Result<Self, TreeError> {
        let Range { start: begin, end } = leaves;
        if begin > end {
            return Err(TreeError::RangeReversed { begin, end });
        }
        let expected = cover(begin.get(), end.get()).len();
        if hashes.len() != expected {
            return Err(TreeError::HashCount { expected, found: hashes.len() });
        }
        Ok(Self { begin: begin.get(), end: end.get(), hashes })
    }

    /// Appends one leaf. Calls `on_node` for the leaf and then for every larger subtree it
    /// completes, smallest first.
    pub fn push_leaf(&mut self, leaf: Hash, on_node: impl FnMut(NodeId, Hash)) {
        self.merge(NodeId::new(0, self.end), leaf, on_node);
        self.end += 1;
    }

    /// Appends a perfect subtree. Calls `on_node` for it and then for every larger subtree it
    /// completes, smallest first.
    ///
    /// Fails with [`TreeError::NotAdjacent`] unless the subtree begins where the range ends.
    pub fn push_node(
        &mut self,
        node: NodeId,
        hash: Hash,
        on_node: impl FnMut(NodeId, Hash),
    ) -> Result<(), TreeError> {
        let end = LeafIndex::new(self.end);
        let (Some(first), Some(size)) = (node.first_leaf(), node.size_through()) else {
            return Err(TreeError::NotAdjacent { node, end });
        };
        if first != end {
            return Err(TreeError::NotAdjacent { node, end });
        }
        self.merge(node, hash, on_node);
        self.end = size.get();
        Ok(())
    }

    /// Appends the range that begins where this one ends.
    ///
    /// Fails with [`TreeError::NotAdjacent`] if it begins elsewhere.
    pub fn join(&mut self, right: &Self) -> Result<(), TreeError> {
        for (node, hash) in right.node_ids().into_iter().zip(&right.hashes) {
            self.push_node(node, *hash, |_, _| ())?;
        }
        Ok(())
    }

    /// The leaves of the range.
    pub const fn leaves(&self) -> Range<LeafIndex> {
        LeafIndex::new(self.begin)..LeafIndex::new(self.end)
    }

    /// The coordinates of the subtrees, from left to right.
    pub fn node_ids(&self) -> Vec<NodeId> {
        cover(self.begin, self.end)
    }

    /// The hashes of the subtrees, from left to right.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The root hash of the tree with exactly these leaves, or `None` if the range does not begin
    /// at the first leaf.
    pub fn root(&self) -> Option<Hash> {
        (self.begin == 0).then(|| fold_peaks(&self.hashes).unwrap_or(EMPTY_ROOT))
    }

    /// Appends the subtrees `nodes`, which continue the range without a gap.
    pub(crate) fn extend(&mut self, nodes: &[NodeId], hashes: &[Hash]) {
        for (node, hash) in nodes.iter().zip(hashes) {
            debug_assert_eq!(node.index << node.level, self.end, "{node} continues the range");
            self.merge(*node, *hash, |_, _| ());
            self.end += 1 << node.level;
        }
    }

    /// Puts a subtree that begins at `self.end` in place, joined with its left sibling for as long
    /// as that sibling lies in the range. The caller moves `self.end`.
    fn merge(&mut self, mut node: NodeId, mut hash: Hash, mut on_node: impl FnMut(NodeId, Hash)) {
        on_node(node, hash);
        while node.index % 2 == 1 && (node.index - 1) << node.level >= self.begin {
            // A complete left sibling inside the range is maximal as long as this node is missing,
            // so it is the last subtree held.
            let Some(left) = self.hashes.pop() else { break };
            hash = node_hash(&left, &hash);
            node = node.parent();
            on_node(node, hash);
        }
        self.hashes.push(hash);
    }
}
