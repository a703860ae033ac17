//! Inclusion proofs: one leaf in one tree ([RFC 9162 section 2.1.3]).
//!
//! The builder follows the recursive definition from the root down; the verifier follows the
//! bitwise algorithm from the leaf up. They share no code but the hash.
//!
//! [RFC 9162 section 2.1.3]: https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3

use super::{BuildError, NodeSource, ProofError, check_count, check_root, split_point};
use crate::hash::{Hash, node_hash};
use crate::size::{LeafIndex, TreeSize};

/// The hashes next to the path from a leaf to the root, from the leaf up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof(Vec<Hash>);

impl InclusionProof {
    /// Takes the hashes of a proof, from the leaf up. Nothing is checked before
    /// [`verify_inclusion`].
    pub const fn from_hashes(hashes: Vec<Hash>) -> Self {
        Self(hashes)
    }

    /// Builds the proof for the leaf `index` in the tree of `size` leaves.
    ///
    /// Fails with [`BuildError::IndexOutOfRange`] if the tree has no such leaf and with
    /// [`BuildError::Node`] if `source` fails.
    pub fn build<S: NodeSource + ?Sized>(
        source: &S,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<Self, BuildError<S::Error>> {
        if !size.contains(index) {
            return Err(BuildError::IndexOutOfRange { index, size });
        }
        let hashes = path_subtrees(index.get(), size.get())
            .into_iter()
            .map(|leaves| super::subtree_hash(source, leaves))
            .collect::<Result<_, _>>()?;
        Ok(Self(hashes))
    }

    /// The hashes, from the leaf up.
    pub fn hashes(&self) -> &[Hash] {
        &self.0
    }

    /// The hashes, from the leaf up, without a copy.
    pub fn into_hashes(self) -> Vec<Hash> {
        self.0
    }
}

/// The leaves below each hash of the proof, from the leaf up: `PATH(m, D[n])` of the RFC.
fn path_subtrees(index: u64, size: u64) -> Vec<(u64, u64)> {
    let (mut begin, mut end) = (0, size);
    let mut subtrees = Vec::new();
    while end - begin > 1 {
        let middle = begin + split_point(end - begin);
        if index < middle {
            subtrees.push((middle, end));
            end = middle;
        } else {
            subtrees.push((begin, middle));
            begin = middle;
        }
    }
    subtrees.reverse();
    subtrees
}

/// Checks that the leaf `leaf_hash` is at `leaf_index` in the tree with this size and root
/// (RFC 9162 section 2.1.3.2).
///
/// Fails with [`ProofError::IndexOutOfRange`] if a tree of this size has no such leaf, with
/// [`ProofError::HashCount`] if the proof has another length than the position calls for, and with
/// [`ProofError::RootMismatch`] if the hashes lead elsewhere.
pub fn verify_inclusion(
    proof: &InclusionProof,
    tree_size: TreeSize,
    root: &Hash,
    leaf_index: LeafIndex,
    leaf_hash: &Hash,
) -> Result<(), ProofError> {
    if !tree_size.contains(leaf_index) {
        return Err(ProofError::IndexOutOfRange { index: leaf_index, size: tree_size });
    }
    // `node` is the leaf's ancestor at the current level, `last` the rightmost node there.
    let (mut node, mut last) = (leaf_index.get(), tree_size.get() - 1);
    check_count(path_length(node, last), &proof.0)?;
    let mut computed = *leaf_hash;
    for hash in &proof.0 {
        if node % 2 == 1 || node == last {
            computed = node_hash(hash, &computed);
            // A rightmost node without a sibling rises unchanged until it has a left one.
            let lonely_levels = node.trailing_zeros();
            (node, last) = (node >> lonely_levels, last >> lonely_levels);
        } else {
            computed = node_hash(&computed, hash);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    check_root(root, computed)
}

/// Number of siblings between a leaf and the root, given the index of the last leaf.
const fn path_length(leaf: u64, last: u64) -> usize {
    // Below the level where the paths of the two leaves meet every node has a sibling. Above it the
    // path runs along the right edge, where only the right children have one.
    let meeting_level = u64::BITS - (leaf ^ last).leading_zeros();
    let edge = if meeting_level == u64::BITS { 0 } else { leaf >> meeting_level };
    (meeting_level + edge.count_ones()) as usize
}
