//! Entries, a node store in memory and ways to damage a proof.

use std::cell::RefCell;
use std::collections::HashMap;

use sha2::Sha256;
use tlog::{Frontier, Hash, LeafIndex, NodeId, NodeSource, TreeSize, leaf_hash};

use crate::oracle::Bytes;

/// `count` different entries of different lengths.
pub(crate) fn entries(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|i| format!("entry {i}{}", "!".repeat(i % 70)).into_bytes()).collect()
}

pub(crate) fn leaf_hashes(entries: &[Vec<u8>]) -> Vec<Hash> {
    entries.iter().map(|entry| leaf_hash(entry)).collect()
}

pub(crate) fn size(size: usize) -> TreeSize {
    TreeSize::new(size as u64)
}

pub(crate) fn index(index: usize) -> LeafIndex {
    LeafIndex::new(index as u64)
}

pub(crate) fn hashes(bytes: Vec<Bytes>) -> Vec<Hash> {
    bytes.into_iter().map(Hash::from_bytes).collect()
}

/// The tree of another implementation.
pub(crate) fn second_opinion(
    entries: &[Vec<u8>],
) -> ct_merkle::mem_backed_tree::MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = ct_merkle::mem_backed_tree::MemoryBackedTree::new();
    for entry in entries {
        tree.push(entry.clone());
    }
    tree
}

/// Every complete subtree of a log, as a frontier hands them out.
pub(crate) struct Nodes {
    hashes: HashMap<NodeId, Hash>,
    roots: Vec<Hash>,
    /// The largest tree a builder needed, if any node was read.
    pub(crate) reached: RefCell<Option<TreeSize>>,
}

/// A node that is not complete.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("node {0} is missing")]
pub(crate) struct Missing(pub(crate) NodeId);

impl Nodes {
    pub(crate) fn of(entries: &[Vec<u8>]) -> Self {
        let (mut hashes, mut frontier) = (HashMap::new(), Frontier::new());
        let mut roots = vec![frontier.root()];
        for leaf in leaf_hashes(entries) {
            frontier.push(leaf, |id, hash| {
                assert_eq!(hashes.insert(id, hash), None, "{id} is completed once");
            });
            roots.push(frontier.root());
        }
        Self { hashes, roots, reached: RefCell::default() }
    }

    /// The root of the first `size` leaves.
    pub(crate) fn root(&self, size: usize) -> Hash {
        self.roots[size]
    }

    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    pub(crate) fn get(&self, id: NodeId) -> Option<Hash> {
        self.hashes.get(&id).copied()
    }
}

impl NodeSource for Nodes {
    type Error = Missing;

    fn node(&self, id: NodeId) -> Result<Hash, Missing> {
        let mut reached = self.reached.borrow_mut();
        *reached = (*reached).max(id.size_through());
        self.get(id).ok_or(Missing(id))
    }
}

/// A damaged proof, and whether the damage shows in its length.
pub(crate) struct Damage {
    pub(crate) what: String,
    pub(crate) hashes: Vec<Hash>,
    pub(crate) wrong_length: bool,
}

/// Flips one bit in each hash, drops each, adds one at each place and swaps neighbours.
pub(crate) fn damages(proof: &[Hash]) -> Vec<Damage> {
    let mut damages = Vec::new();
    let mut damage = |what: String, hashes: Vec<Hash>| {
        let wrong_length = hashes.len() != proof.len();
        damages.push(Damage { what, hashes, wrong_length });
    };
    for at in 0..proof.len() {
        damage(format!("bit flipped in {at}"), replaced(proof, at, flip(&proof[at], at * 37)));
        damage(format!("{at} dropped"), [&proof[..at], &proof[at + 1..]].concat());
        if at > 0 && proof[at] != proof[at - 1] {
            let mut swapped = proof.to_vec();
            swapped.swap(at, at - 1);
            damage(format!("{at} swapped with the one before"), swapped);
        }
    }
    for at in 0..=proof.len() {
        let added = proof.get(at).or(proof.last()).copied().unwrap_or(tlog::EMPTY_ROOT);
        damage(format!("one added at {at}"), [&proof[..at], &[added], &proof[at..]].concat());
    }
    damages
}

fn replaced(proof: &[Hash], at: usize, hash: Hash) -> Vec<Hash> {
    let mut hashes = proof.to_vec();
    hashes[at] = hash;
    hashes
}

/// The hash with one of its 256 bits inverted.
pub(crate) fn flip(hash: &Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8 % 32] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}
