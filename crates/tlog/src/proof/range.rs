//! Range proofs: a contiguous run of leaves in one tree.
//!
//! With the hashes of the subtrees to the left and to the right of the run, anyone who has the
//! leaves can recompute the root. That takes at most 2 * log2(size) hashes, rounded up, however
//! long the run is:
//!
//! ```text
//!             root
//!         ┌────┴────┐
//!      ┌──┴──┐      T        run:   x x, leaves 1 and 2 of 7
//!     ┌┴┐   ┌┴┐   ┌─┼─┐      proof: L, R, T
//!     L x   x R   4 5 6      T is one hash, although its subtree is not complete
//! ```
//!
//! The order is left to right: the maximal complete subtrees before the run, those after it that
//! its right edge meets on the way up, and one hash for all that is left. These are the subtree
//! hashes of RFC 6962 section 2.1; for a run of one leaf they are those of its inclusion proof.

use std::ops::Range;

use super::{BuildError, NodeSource, ProofError, check_count, check_root, subtree_hash};
use crate::hash::{EMPTY_ROOT, Hash};
use crate::size::{LeafIndex, TreeSize};
use crate::tree::{CompactRange, NodeId, cover, fold_peaks};

/// The hashes of the subtrees around a run of leaves, from left to right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeProof(Vec<Hash>);

impl RangeProof {
    /// Takes the hashes of a proof, from left to right. Nothing is checked before
    /// [`verify_range`].
    pub const fn from_hashes(hashes: Vec<Hash>) -> Self {
        Self(hashes)
    }

    /// Builds the proof for the leaves from `range.start` up to, not including, `range.end` in the
    /// tree of `size` leaves.
    ///
    /// Fails with [`BuildError::EmptyRange`] if the range has no leaves, with
    /// [`BuildError::IndexOutOfRange`] if its last leaf is not in the tree and with
    /// [`BuildError::Node`] if `source` fails.
    pub fn build<S: NodeSource + ?Sized>(
        source: &S,
        range: Range<LeafIndex>,
        size: TreeSize,
    ) -> Result<Self, BuildError<S::Error>> {
        let Range { start, end } = range;
        if start >= end {
            return Err(BuildError::EmptyRange { start, end });
        }
        if end.get() > size.get() {
            let index = LeafIndex::new(end.get() - 1);
            return Err(BuildError::IndexOutOfRange { index, size });
        }
        let surroundings = Surroundings::of(start.get(), end.get(), size.get());
        let hashes = surroundings
            .subtrees()
            .map(|leaves| subtree_hash(source, leaves))
            .collect::<Result<_, _>>()?;
        Ok(Self(hashes))
    }

    /// The hashes, from left to right.
    pub fn hashes(&self) -> &[Hash] {
        &self.0
    }

    /// The hashes, from left to right, without a copy.
    pub fn into_hashes(self) -> Vec<Hash> {
        self.0
    }
}

/// Checks that the leaves `leaf_hashes` are, in this order and without a gap, at the indices from
/// `start` on in the tree with this size and root.
///
/// Fails with [`ProofError::EmptyRange`] without leaves, with [`ProofError::IndexOutOfRange`] if
/// the last leaf is not in a tree of this size, with [`ProofError::HashCount`] if the proof has
/// another length than the positions call for, and with [`ProofError::RootMismatch`] if the hashes
/// lead elsewhere.
pub fn verify_range(
    proof: &RangeProof,
    tree_size: TreeSize,
    root: &Hash,
    start: LeafIndex,
    leaf_hashes: &[Hash],
) -> Result<(), ProofError> {
    if leaf_hashes.is_empty() {
        return Err(ProofError::EmptyRange { start });
    }
    let last = LeafIndex::new(start.get().saturating_add(leaf_hashes.len() as u64 - 1));
    if !tree_size.contains(last) {
        return Err(ProofError::IndexOutOfRange { index: last, size: tree_size });
    }
    let surroundings = Surroundings::of(start.get(), last.get() + 1, tree_size.get());
    check_count(surroundings.subtrees().count(), &proof.0)?;
    check_root(root, surroundings.root(leaf_hashes, &proof.0))
}

/// The root of the older tree of `older` leaves, of which a verified range proof and its leaves tell:
/// `None` if that tree ends before the run, or after it.
///
/// The hashes before the run are those of complete subtrees, which older trees have too.
pub fn root_within(
    proof: &RangeProof,
    start: LeafIndex,
    leaf_hashes: &[Hash],
    older: TreeSize,
) -> Option<Hash> {
    let within = usize::try_from(older.get().checked_sub(start.get())?).ok()?;
    let run = leaf_hashes.get(..within)?;
    let before = cover(0, start.get());
    let mut tree = CompactRange::empty_at(LeafIndex::FIRST);
    tree.extend(&before, proof.0.get(..before.len())?);
    for leaf in run {
        tree.push_leaf(*leaf, |_, _| ());
    }
    Some(fold_peaks(tree.hashes()).unwrap_or(EMPTY_ROOT))
}

/// What a tree holds besides a run of leaves.
struct Surroundings {
    /// Maximal complete subtrees before the run, from left to right.
    before: Vec<NodeId>,
    /// Complete subtrees after the run that pair up with its right edge, from left to right.
    after: Vec<NodeId>,
    /// The leaves after those, one subtree of RFC 6962 that may be incomplete.
    rest: Option<(u64, u64)>,
}

impl Surroundings {
    /// The surroundings of the leaves `start..end` in a tree of `size` leaves, where
    /// `start < end <= size`.
    fn of(start: u64, end: u64, size: u64) -> Self {
        // The path of the last leaf and the path of the end of the tree part at the highest bit in
        // which they differ. To the left of `parting` subtrees grow; to the right they are the
        // tree's last peaks, which RFC 6962 joins into one hash first.
        let level = ((end - 1) ^ size).ilog2();
        let parting = size >> level << level;
        Self {
            before: cover(0, start),
            after: cover(end, parting),
            rest: (parting < size).then_some((parting, size)),
        }
    }

    /// The leaves below each hash of the proof, from left to right.
    fn subtrees(&self) -> impl Iterator<Item = (u64, u64)> {
        let complete = self.before.iter().chain(&self.after);
        complete.map(|id| (id.index << id.level, (id.index + 1) << id.level)).chain(self.rest)
    }

    /// The root of the tree made of the run and its surroundings; `proof` has one hash for each of
    /// [`Self::subtrees`].
    fn root(&self, run: &[Hash], proof: &[Hash]) -> Hash {
        let (before, after) = proof.split_at(self.before.len());
        let (after, rest) = after.split_at(self.after.len());
        let mut tree = CompactRange::empty_at(LeafIndex::FIRST);
        tree.extend(&self.before, before);
        for leaf in run {
            tree.push_leaf(*leaf, |_, _| ());
        }
        tree.extend(&self.after, after);
        let peaks: Vec<Hash> = tree.hashes().iter().chain(rest).copied().collect();
        fold_peaks(&peaks).unwrap_or(EMPTY_ROOT)
    }
}
