//! Consistency proofs against both oracles, and every way to spoil them.

use std::sync::LazyLock;

use ct_merkle::RootHash;
use proptest::prelude::*;
use sha2::Sha256;
use tlog::{
    BuildError, ConsistencyProof, EMPTY_ROOT, Hash, ProofError, TreeSize, verify_consistency,
};

use crate::fixture::{Nodes, damages, entries, flip, hashes, size};
use crate::oracle;

static ENTRIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| entries(3000));

fn build(nodes: &Nodes, m: usize, n: usize) -> ConsistencyProof {
    let proof = ConsistencyProof::build(nodes, size(m), size(n)).expect("sizes are in order");
    let reached = nodes.reached.take();
    assert!(reached.is_none_or(|reached| reached <= size(n)), "({m}, {n}) read a later node");
    proof
}

/// Builds a proof and compares it, and its verification, with both oracles.
fn check(nodes: &Nodes, m: usize, n: usize) {
    let proof = build(nodes, m, n);
    assert_eq!(proof.hashes(), hashes(oracle::proof(m, &ENTRIES[..n])), "({m}, {n})");
    let [old, new] = [m, n].map(|n| Hash::from_bytes(oracle::mth(&ENTRIES[..n])));
    assert_eq!(verify_consistency(&proof, size(m), &old, size(n), &new), Ok(()), "({m}, {n})");
    let peer_root =
        |n: usize, root: Hash| RootHash::<Sha256>::new((*root.as_bytes()).into(), n as u64);
    let bytes = proof.hashes().iter().flat_map(|hash| *hash.as_bytes()).collect();
    let peer_proof = ct_merkle::ConsistencyProof::try_from_bytes(bytes).expect("whole hashes");
    peer_root(n, new).verify_consistency(&peer_root(m, old), &peer_proof).expect("peer accepts");
}

#[test]
fn every_proof_up_to_70_agrees_with_both_oracles() {
    let nodes = Nodes::of(&ENTRIES[..70]);
    for n in 1..=70 {
        (1..=n).for_each(|m| check(&nodes, m, n));
    }
}

#[test]
fn every_damaged_proof_up_to_34_is_refused() {
    let nodes = Nodes::of(&ENTRIES[..34]);
    let mut refused = 0;
    for n in 0..=34 {
        refused += (0..=n).map(|m| refuse_damages(&nodes, m, n)).sum::<usize>();
    }
    assert!(refused > 10_000, "only {refused} damaged proofs");
}

/// Damages one proof in every way and returns in how many.
fn refuse_damages(nodes: &Nodes, m: usize, n: usize) -> usize {
    let (proof, [old, new]) = (build(nodes, m, n), [m, n].map(|n| nodes.root(n)));
    let damages = damages(proof.hashes());
    let count = damages.len();
    for damage in damages {
        let spoiled = ConsistencyProof::from_hashes(damage.hashes);
        let error = verify_consistency(&spoiled, size(m), &old, size(n), &new)
            .expect_err(&format!("({m}, {n}) {}", damage.what));
        let by_length = matches!(error, ProofError::HashCount { .. });
        assert_eq!(by_length, damage.wrong_length, "({m}, {n}) {}: {error}", damage.what);
    }
    let forged_old = verify_consistency(&proof, size(m), &flip(&old, n), size(n), &new);
    assert!(forged_old.is_err(), "({m}, {n}) with another old root");
    let forged_new = verify_consistency(&proof, size(m), &old, size(n), &flip(&new, m));
    // Every tree extends the empty tree.
    assert_eq!(forged_new.is_err(), m > 0 || n == 0, "({m}, {n}) with another new root");
    count
}

/// A proof says nothing about the sizes: wrong ones pass exactly if they lead through the proof in
/// the same way.
#[test]
fn a_proof_for_other_sizes_is_refused() {
    let nodes = Nodes::of(&ENTRIES[..18]);
    for (m, n) in (2..=18).flat_map(|n| (1..n).map(move |m| (m, n))) {
        let proof = build(&nodes, m, n);
        let (old, new) = (nodes.root(m), nodes.root(n));
        for (other_m, other_n) in (0..=20).flat_map(|n| (0..=20).map(move |m| (m, n))) {
            let result = verify_consistency(&proof, size(other_m), &old, size(other_n), &new);
            let same_steps = 0 < other_m
                && other_m < other_n
                && oracle::consistency_shape(other_m, other_n) == oracle::consistency_shape(m, n);
            assert_eq!(result.is_ok(), same_steps, "({m}, {n}) as ({other_m}, {other_n})");
        }
        let reversed = verify_consistency(&proof, size(n), &new, size(m), &old);
        let (old, new) = (size(n), size(m));
        assert_eq!(reversed, Err(ProofError::SizesReversed { old, new }));
    }
}

/// Sizes and roots come together from checkpoints: with those of other trees no proof passes.
#[test]
fn a_proof_for_other_trees_is_refused() {
    let nodes = Nodes::of(&ENTRIES[..20]);
    for (m, n) in (2..=20).flat_map(|n| (1..n).map(move |m| (m, n))) {
        let proof = build(&nodes, m, n);
        for (a, b) in (1..=20).flat_map(|b| (1..=b).map(move |a| (a, b))) {
            let (old, new) = (nodes.root(a), nodes.root(b));
            let result = verify_consistency(&proof, size(a), &old, size(b), &new);
            assert_eq!(result.is_ok(), (a, b) == (m, n), "({m}, {n}) for ({a}, {b})");
        }
    }
}

/// A log that rewrote one old entry has no consistent successor.
#[test]
fn a_rewritten_entry_is_found() {
    for (m, n) in (2..=20).flat_map(|n| (1..n).map(move |m| (m, n))) {
        let honest = Nodes::of(&ENTRIES[..n]);
        for rewritten in 0..m {
            let mut entries = ENTRIES[..n].to_vec();
            entries[rewritten].push(b'?');
            let forged = Nodes::of(&entries);
            let proof = build(&forged, m, n);
            let result =
                verify_consistency(&proof, size(m), &honest.root(m), size(n), &forged.root(n));
            assert!(result.is_err(), "entry {rewritten} rewritten between {m} and {n}");
        }
    }
}

#[test]
fn equal_and_empty_trees_need_an_empty_proof() {
    let nodes = Nodes::of(&ENTRIES[..4]);
    let (empty, four) = (nodes.root(0), nodes.root(4));
    let none = || ConsistencyProof::from_hashes(Vec::new());
    let one = || ConsistencyProof::from_hashes(vec![four]);
    let too_many = Err(ProofError::HashCount { expected: 0, found: 1 });
    let mismatch = |root, computed| Err(ProofError::RootMismatch { root, computed });
    let old_mismatch = |root, computed| Err(ProofError::OldRootMismatch { root, computed });
    let table = [
        (none(), 4, four, 4, four, Ok(())),
        (none(), 0, empty, 0, empty, Ok(())),
        (none(), 0, empty, 4, four, Ok(())),
        (one(), 4, four, 4, four, too_many.clone()),
        (one(), 0, empty, 0, empty, too_many.clone()),
        (one(), 0, empty, 4, four, too_many),
        (none(), 4, four, 4, empty, mismatch(empty, four)),
        (none(), 0, four, 0, four, old_mismatch(four, EMPTY_ROOT)),
        (none(), 0, four, 4, four, old_mismatch(four, EMPTY_ROOT)),
        (none(), 0, empty, 0, four, mismatch(four, EMPTY_ROOT)),
        (none(), 1, nodes.root(1), 4, four, Err(ProofError::HashCount { expected: 2, found: 0 })),
    ];
    for (row, (proof, m, old, n, new, expected)) in table.into_iter().enumerate() {
        let result = verify_consistency(&proof, size(m), &old, size(n), &new);
        assert_eq!(result, expected, "row {row}");
    }
    assert_eq!(build(&nodes, 0, 4), none());
    assert_eq!(build(&nodes, 4, 4), none());
    let (old, new) = (size(4), size(3));
    let reversed = ConsistencyProof::build(&nodes, old, new);
    assert_eq!(reversed, Err(BuildError::SizesReversed { old, new }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_proofs_agree_with_both_oracles(
        (m, n) in (1_usize..3000).prop_flat_map(|n| (1..=n, Just(n))),
    ) {
        let nodes = Nodes::of(&ENTRIES[..n]);
        check(&nodes, m, n);
        prop_assert!(refuse_damages(&nodes, m, n) > 0);
    }
}

proptest! {
    /// The length is checked before the hashes, so no pair of sizes can lead the verifier astray.
    #[test]
    fn no_sizes_upset_the_verifier(m: u64, n: u64, count in 0_usize..130, near in 0_u64..3) {
        let verify = |m: u64, n: u64, count: usize| {
            let proof = ConsistencyProof::from_hashes(vec![EMPTY_ROOT; count]);
            let other = flip(&EMPTY_ROOT, 9);
            verify_consistency(&proof, TreeSize::new(m), &EMPTY_ROOT, TreeSize::new(n), &other)
        };
        let m = m.max(1);
        for (m, n) in [(m, n), (m, u64::MAX - near), (n.saturating_sub(near).max(1), n)] {
            let result = verify(m, n, count);
            prop_assert!(result.is_err());
            if let Err(ProofError::HashCount { expected, .. }) = result {
                prop_assert!(expected <= 65);
                let result = verify(m, n, expected);
                let mismatch = matches!(
                    result,
                    Err(ProofError::RootMismatch { .. } | ProofError::OldRootMismatch { .. })
                );
                prop_assert!(mismatch, "{:?}", result);
            }
        }
    }
}
