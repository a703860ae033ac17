//! Inclusion proofs against both oracles, and every way to spoil them.

use std::sync::LazyLock;

use ct_merkle::RootHash;
use proptest::prelude::*;
use sha2::Sha256;
use tlog::{
    BuildError, Hash, InclusionProof, LeafIndex, ProofError, TreeSize, leaf_hash, verify_inclusion,
};

use crate::fixture::{Nodes, damages, entries, flip, hashes, index, leaf_hashes, size};
use crate::oracle;

static ENTRIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| entries(3000));

fn build(nodes: &Nodes, m: usize, n: usize) -> InclusionProof {
    let proof = InclusionProof::build(nodes, index(m), size(n)).expect("leaf is in the tree");
    let reached = nodes.reached.take();
    assert!(reached.is_none_or(|reached| reached <= size(n)), "({m}, {n}) read a later node");
    proof
}

/// Builds a proof and compares it, and its verification, with both oracles.
fn check(nodes: &Nodes, m: usize, n: usize) {
    let proof = build(nodes, m, n);
    assert_eq!(proof.hashes(), hashes(oracle::path(m, &ENTRIES[..n])), "({m}, {n})");
    let root = Hash::from_bytes(oracle::mth(&ENTRIES[..n]));
    let leaf = leaf_hash(&ENTRIES[m]);
    assert_eq!(verify_inclusion(&proof, size(n), &root, index(m), &leaf), Ok(()), "({m}, {n})");
    let peer_root = RootHash::<Sha256>::new((*root.as_bytes()).into(), n as u64);
    let bytes = proof.hashes().iter().flat_map(|hash| *hash.as_bytes()).collect();
    let peer_proof = ct_merkle::InclusionProof::from_bytes(bytes);
    peer_root.verify_inclusion(&ENTRIES[m], m as u64, &peer_proof).expect("peer accepts");
}

#[test]
fn every_proof_up_to_70_agrees_with_both_oracles() {
    let nodes = Nodes::of(&ENTRIES[..70]);
    for n in 1..=70 {
        (0..n).for_each(|m| check(&nodes, m, n));
    }
}

#[test]
fn every_damaged_proof_up_to_34_is_refused() {
    let (nodes, leaves) = (Nodes::of(&ENTRIES[..34]), leaf_hashes(&ENTRIES[..34]));
    let mut refused = 0;
    for n in 1..=34 {
        for (m, leaf) in leaves[..n].iter().enumerate() {
            refused += refuse_damages(&nodes, (m, n), leaf);
        }
    }
    assert!(refused > 10_000, "only {refused} damaged proofs");
}

/// Damages one proof in every way and returns in how many.
fn refuse_damages(nodes: &Nodes, (m, n): (usize, usize), leaf: &Hash) -> usize {
    let (proof, root) = (build(nodes, m, n), nodes.root(n));
    let damages = damages(proof.hashes());
    let count = damages.len();
    for damage in damages {
        let spoiled = InclusionProof::from_hashes(damage.hashes);
        let error = verify_inclusion(&spoiled, size(n), &root, index(m), leaf)
            .expect_err(&format!("({m}, {n}) {}", damage.what));
        let by_length = matches!(error, ProofError::HashCount { .. });
        assert_eq!(by_length, damage.wrong_length, "({m}, {n}) {}: {error}", damage.what);
    }
    for (root, leaf) in [(flip(&root, m), *leaf), (root, flip(leaf, n))] {
        let error = verify_inclusion(&proof, size(n), &root, index(m), &leaf);
        assert!(matches!(error, Err(ProofError::RootMismatch { .. })), "({m}, {n}): {error:?}");
    }
    count
}

/// A proof says nothing about the size, so a wrong size passes exactly if index and size have the
/// same path; a wrong index never has.
#[test]
fn a_proof_for_another_position_is_refused() {
    let (nodes, leaves) = (Nodes::of(&ENTRIES[..18]), leaf_hashes(&ENTRIES[..18]));
    for (m, n) in (1..=18).flat_map(|n| (0..n).map(move |m| (m, n))) {
        let proof = build(&nodes, m, n);
        for (other_m, other_n) in (0..=20).flat_map(|n| (0..=20).map(move |m| (m, n))) {
            let (index, size) = (index(other_m), size(other_n));
            let result = verify_inclusion(&proof, size, &nodes.root(n), index, &leaves[m]);
            let same_path = other_m < other_n
                && oracle::inclusion_shape(other_m, other_n) == oracle::inclusion_shape(m, n);
            assert_eq!(result.is_ok(), same_path, "({m}, {n}) as ({other_m}, {other_n})");
            assert!(n != other_n || m == other_m || result.is_err());
            if let Some(&other_leaf) = leaves.get(other_m).filter(|_| other_m != m) {
                let forged = verify_inclusion(&proof, size, &nodes.root(n), index, &other_leaf);
                assert!(forged.is_err(), "({m}, {n}) for leaf {other_m} of {other_n}");
            }
        }
    }
}

/// Size and root come together from a checkpoint: with those of another tree no proof passes.
#[test]
fn a_proof_for_another_tree_is_refused() {
    let (nodes, leaves) = (Nodes::of(&ENTRIES[..34]), leaf_hashes(&ENTRIES[..34]));
    for (m, n) in (1..=34).flat_map(|n| (0..n).map(move |m| (m, n))) {
        let proof = build(&nodes, m, n);
        for other in (0..=34).filter(|&other| other != n) {
            let root = nodes.root(other);
            let result = verify_inclusion(&proof, size(other), &root, index(m), &leaves[m]);
            assert!(result.is_err(), "({m}, {n}) in the tree of {other}");
        }
    }
}

#[test]
fn positions_outside_the_tree_are_refused() {
    let nodes = Nodes::of(&ENTRIES[..4]);
    let proof = InclusionProof::from_hashes(Vec::new());
    for (m, n) in [(0, 0), (4, 4), (5, 4), (u64::MAX, 4), (u64::MAX, u64::MAX)] {
        let (index, size) = (LeafIndex::new(m), TreeSize::new(n));
        let built = InclusionProof::build(&nodes, index, size);
        assert_eq!(built, Err(BuildError::IndexOutOfRange { index, size }));
        let verified = verify_inclusion(&proof, size, &nodes.root(0), index, &nodes.root(1));
        assert_eq!(verified, Err(ProofError::IndexOutOfRange { index, size }));
    }
}

#[test]
fn a_missing_node_is_named() {
    let nodes = Nodes::of(&ENTRIES[..4]);
    let error = InclusionProof::build(&nodes, index(0), size(6)).expect_err("leaf 4 is missing");
    let BuildError::Node { id, source } = error else { panic!("{error}") };
    assert_eq!((id, source.0), (tlog::NodeId::new(1, 2), id));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_proofs_agree_with_both_oracles(
        (m, n) in (1_usize..3000).prop_flat_map(|n| (0..n, Just(n))),
    ) {
        let nodes = Nodes::of(&ENTRIES[..n]);
        check(&nodes, m, n);
        prop_assert!(refuse_damages(&nodes, (m, n), &leaf_hash(&ENTRIES[m])) > 0);
    }
}

proptest! {
    /// The length is checked before the hashes, so no index or size can lead the verifier astray.
    #[test]
    fn no_position_upsets_the_verifier(m: u64, n: u64, count in 0_usize..130, near in 0_u64..3) {
        let proof = InclusionProof::from_hashes(vec![tlog::EMPTY_ROOT; count]);
        let near_the_end = (n.wrapping_sub(near), n);
        for (m, n) in [(m, n), near_the_end, (m, u64::MAX - near), (m.min(n), n.max(m))] {
            let (index, size) = (LeafIndex::new(m), TreeSize::new(n));
            let (root, leaf) = (tlog::EMPTY_ROOT, tlog::EMPTY_ROOT);
            let result = verify_inclusion(&proof, size, &root, index, &leaf);
            prop_assert!(result.is_err());
            if let Err(ProofError::HashCount { expected, .. }) = result {
                prop_assert!(expected <= 64);
                let fitting = InclusionProof::from_hashes(vec![tlog::EMPTY_ROOT; expected]);
                let result = verify_inclusion(&fitting, size, &root, index, &leaf);
                let mismatch = matches!(result, Err(ProofError::RootMismatch { .. }));
                prop_assert!(mismatch || (expected == 0 && result.is_ok()));
            }
        }
    }
}
