//! Consistency proofs: an older tree is a prefix of a newer one ([RFC 9162 section 2.1.4]).
//!
//! The builder follows the recursive definition from the root down; the verifier follows the
//! bitwise algorithm from the old right edge up. They share no code but the hash.
//!
//! [RFC 9162 section 2.1.4]: https://www.rfc-editor.org/rfc/rfc9162#section-2.1.4

use super::{BuildError, NodeSource, ProofError, check_count, check_root, split_point};
use crate::hash::{EMPTY_ROOT, Hash, node_hash};
use crate::size::TreeSize;

/// The hashes that complete an older tree to a newer one, from the old right edge up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof(Vec<Hash>);

impl ConsistencyProof {
    /// Takes the hashes of a proof, in the order of RFC 9162. Nothing is checked before
    /// [`verify_consistency`].
    pub const fn from_hashes(hashes: Vec<Hash>) -> Self {
        Self(hashes)
    }

    /// Builds the proof from the tree of `old` leaves to the tree of `new` leaves.
    ///
    /// The proof is empty if the sizes are equal or the old tree is empty. Fails with
    /// [`BuildError::SizesReversed`] if the old tree is larger and with [`BuildError::Node`] if
    /// `source` fails.
    pub fn build<S: NodeSource + ?Sized>(
        source: &S,
        old: TreeSize,
        new: TreeSize,
    ) -> Result<Self, BuildError<S::Error>> {
        if old > new {
            return Err(BuildError::SizesReversed { old, new });
        }
        let hashes = proof_subtrees(old.get(), new.get())
            .into_iter()
            .map(|leaves| super::subtree_hash(source, leaves))
            .collect::<Result<_, _>>()?;
        Ok(Self(hashes))
    }

    /// The hashes, in the order of RFC 9162.
    pub fn hashes(&self) -> &[Hash] {
        &self.0
    }

    /// The hashes, in the order of RFC 9162, without a copy.
    pub fn into_hashes(self) -> Vec<Hash> {
        self.0
    }
}

/// The leaves below each hash of the proof: `SUBPROOF(m, D[n], true)` of the RFC.
fn proof_subtrees(old: u64, new: u64) -> Vec<(u64, u64)> {
    if old == 0 {
        return Vec::new();
    }
    let (mut begin, mut end) = (0, new);
    let mut subtrees = Vec::new();
    while end != old {
        let middle = begin + split_point(end - begin);
        if old <= middle {
            subtrees.push((middle, end));
            end = middle;
        } else {
            subtrees.push((begin, middle));
            begin = middle;
        }
    }
    // The verifier knows the old root, so the subtree is left out if it is the whole old tree.
    if begin != 0 {
        subtrees.push((begin, end));
    }
    subtrees.reverse();
    subtrees
}

/// Checks that the tree with `old_size` and `old_root` is a prefix of the tree with `new_size` and
/// `new_root` (RFC 9162 section 2.1.4.2).
///
/// Trees of equal size need equal roots and an empty proof; every tree is consistent with the
/// empty tree, again with an empty proof (tlog-witness, "add-checkpoint"). The root given for a
/// size of 0 must be [`EMPTY_ROOT`]. Fails with [`ProofError::SizesReversed`],
/// [`ProofError::HashCount`], [`ProofError::OldRootMismatch`] or [`ProofError::RootMismatch`].
pub fn verify_consistency(
    proof: &ConsistencyProof,
    old_size: TreeSize,
    old_root: &Hash,
    new_size: TreeSize,
    new_root: &Hash,
) -> Result<(), ProofError> {
    if old_size > new_size {
        return Err(ProofError::SizesReversed { old: old_size, new: new_size });
    }
    if old_size.is_empty() {
        check_count(0, &proof.0)?;
        check_old_root(old_root, EMPTY_ROOT)?;
        return if new_size.is_empty() { check_root(new_root, EMPTY_ROOT) } else { Ok(()) };
    }
    if old_size == new_size {
        check_count(0, &proof.0)?;
        return check_root(new_root, *old_root);
    }
    let (old_last, new_last) = (old_size.get() - 1, new_size.get() - 1);
    check_count(proof_length(old_last, new_last), &proof.0)?;
    let (computed_old, computed_new) = climb(&proof.0, old_root, old_last, new_last);
    check_old_root(old_root, computed_old)?;
    check_root(new_root, computed_new)
}

/// Follows the right edge of the old tree up to both roots, given the indices of the last leaves.
fn climb(proof: &[Hash], old_root: &Hash, old_last: u64, new_last: u64) -> (Hash, Hash) {
    // Start at the largest complete subtree that ends with the old tree.
    let level = old_last.trailing_ones();
    let (mut node, mut last) = (old_last >> level, new_last >> level);
    let (start, rest) = match proof {
        // No bits left: the old tree is that one complete subtree, and its root is known.
        rest if node == 0 => (*old_root, rest),
        [start, rest @ ..] => (*start, rest),
        [] => return (EMPTY_ROOT, EMPTY_ROOT),
    };
    let (mut old, mut new) = (start, start);
    for hash in rest {
        if node % 2 == 1 || node == last {
            old = node_hash(hash, &old);
            new = node_hash(hash, &new);
            // A rightmost node without a sibling rises unchanged until it has a left one.
            let lonely_levels = node.trailing_zeros();
            (node, last) = (node >> lonely_levels, last >> lonely_levels);
        } else {
            new = node_hash(&new, hash);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    (old, new)
}

/// Number of hashes between two trees of different size, given the indices of their last leaves.
const fn proof_length(old_last: u64, new_last: u64) -> usize {
    let start_level = old_last.trailing_ones();
    let node = old_last >> start_level;
    // From the start both edges rise together: below their meeting each level adds a sibling,
    // above it each right child does.
    let meeting_level = u64::BITS - (old_last ^ new_last).leading_zeros();
    let edge = if meeting_level == u64::BITS { 0 } else { old_last >> meeting_level };
    let start = if node == 0 { 0 } else { 1 };
    (start + meeting_level - start_level + edge.count_ones()) as usize
}

fn check_old_root(root: &Hash, computed: Hash) -> Result<(), ProofError> {
    if *root == computed {
        Ok(())
    } else {
        Err(ProofError::OldRootMismatch { root: *root, computed })
    }
}
