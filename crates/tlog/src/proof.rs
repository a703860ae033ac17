//! Proofs that tie leaves and older trees to a root hash.
//!
//! | proof | claim | specification |
//! |---|---|---|
//! | [`InclusionProof`] | this leaf is at this index | [RFC 9162 section 2.1.3] |
//! | [`ConsistencyProof`] | the older tree is a prefix of the newer | [RFC 9162 section 2.1.4] |
//! | [`RangeProof`] | exactly these leaves are at these indices | subtree hashes of RFC 6962 |
//!
//! Builders read complete subtrees from a [`NodeSource`]; verifiers need nothing but their
//! arguments, which come in the order proof, tree size, root, position, leaves. A verifier accepts
//! no missing, surplus or unused hash.
//!
//! A proof does not bind the tree size: `(0, size 3)` and `(0, size 4)` have proofs of the same
//! shape. Take size and root together from one verified checkpoint.
//!
//! **In scope**: building and verifying. **Out of scope**: fetching nodes, and which root to
//! trust.
//!
//! [RFC 9162 section 2.1.3]: https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3
//! [RFC 9162 section 2.1.4]: https://www.rfc-editor.org/rfc/rfc9162#section-2.1.4

mod consistency;
mod inclusion;
mod range;

use thiserror::Error;

pub use self::consistency::{ConsistencyProof, verify_consistency};
pub use self::inclusion::{InclusionProof, verify_inclusion};
pub use self::range::{RangeProof, root_within, verify_range};
use crate::hash::{EMPTY_ROOT, Hash};
use crate::size::{LeafIndex, TreeSize};
use crate::tree::{NodeId, cover, fold_peaks};

/// Where proof builders read the hashes of complete perfect subtrees.
///
/// A builder asks only for nodes with [`NodeId::size_through`] at most the tree size it was given.
pub trait NodeSource {
    /// Why a node could not be read.
    type Error;

    /// The hash of the complete subtree `id`.
    fn node(&self, id: NodeId) -> Result<Hash, Self::Error>;
}

impl<S: NodeSource + ?Sized> NodeSource for &S {
    type Error = S::Error;

    fn node(&self, id: NodeId) -> Result<Hash, Self::Error> {
        (**self).node(id)
    }
}

/// Why a proof could not be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BuildError<E> {
    /// The leaf, or the last leaf of the range, is not in the tree.
    #[error("leaf {index} is not in a tree of size {size}")]
    IndexOutOfRange {
        /// The leaf asked for.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The older tree is larger than the newer one.
    #[error("old size {old} is greater than new size {new}")]
    SizesReversed {
        /// The size of the older tree.
        old: TreeSize,
        /// The size of the newer tree.
        new: TreeSize,
    },
    /// The range has no leaves.
    #[error("range from leaf {start} to before leaf {end} is empty")]
    EmptyRange {
        /// First leaf of the range.
        start: LeafIndex,
        /// First leaf after the range.
        end: LeafIndex,
    },
    /// The source failed to deliver a node.
    #[error("cannot read node {id}")]
    Node {
        /// The node asked for.
        id: NodeId,
        /// What the source said.
        source: E,
    },
}

/// Why a proof is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The leaf, or the last leaf of the range, is not in the tree.
    #[error("leaf {index} is not in a tree of size {size}")]
    IndexOutOfRange {
        /// The leaf the proof is for.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The older tree is larger than the newer one.
    #[error("old size {old} is greater than new size {new}")]
    SizesReversed {
        /// The size of the older tree.
        old: TreeSize,
        /// The size of the newer tree.
        new: TreeSize,
    },
    /// The range has no leaves.
    #[error("range at leaf {start} is empty")]
    EmptyRange {
        /// First leaf of the range.
        start: LeafIndex,
    },
    /// The proof has too few or too many hashes.
    #[error("proof has {found} hashes, not {expected}")]
    HashCount {
        /// Number of hashes the positions call for.
        expected: usize,
        /// Number of hashes in the proof.
        found: usize,
    },
    /// The hashes lead to another root than that of the (newer) tree.
    #[error("proof leads to root {computed}, not {root}")]
    RootMismatch {
        /// The root the proof was checked against.
        root: Hash,
        /// The root the hashes lead to.
        computed: Hash,
    },
    /// The hashes lead to another root than that of the older tree.
    #[error("proof leads to old root {computed}, not {root}")]
    OldRootMismatch {
        /// The old root the proof was checked against.
        root: Hash,
        /// The old root the hashes lead to.
        computed: Hash,
    },
}

/// Refuses a proof of the wrong length before any hash is computed.
fn check_count(expected: usize, hashes: &[Hash]) -> Result<(), ProofError> {
    let found = hashes.len();
    if found == expected { Ok(()) } else { Err(ProofError::HashCount { expected, found }) }
}

/// Compares the root a proof leads to with the one it must lead to.
fn check_root(root: &Hash, computed: Hash) -> Result<(), ProofError> {
    if *root == computed { Ok(()) } else { Err(ProofError::RootMismatch { root: *root, computed }) }
}

/// The hash of the tree over the leaves `begin..end`, where `begin` is a multiple of the next
/// power of two of the length, as it is for every subtree of RFC 6962.
fn subtree_hash<S: NodeSource + ?Sized>(
    source: &S,
    (begin, end): (u64, u64),
) -> Result<Hash, BuildError<S::Error>> {
    let hashes = cover(begin, end)
        .into_iter()
        .map(|id| source.node(id).map_err(|source| BuildError::Node { id, source }))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(fold_peaks(&hashes).unwrap_or(EMPTY_ROOT))
}

/// Where RFC 6962 splits a tree of `size` leaves, at least 2: the largest power of two below it.
const fn split_point(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}
