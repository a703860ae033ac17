//! Range proofs against the recursive definition, and every way to spoil them.

use std::sync::LazyLock;

use proptest::prelude::*;
use tlog::{
    BuildError, Hash, InclusionProof, LeafIndex, ProofError, RangeProof, TreeSize, verify_range,
};

use crate::fixture::{Nodes, damages, entries, flip, hashes, index, leaf_hashes, size};
use crate::oracle;

static ENTRIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| entries(3000));

fn build(nodes: &Nodes, a: usize, b: usize, n: usize) -> RangeProof {
    let proof = RangeProof::build(nodes, index(a)..index(b), size(n)).expect("run is in the tree");
    let reached = nodes.reached.take();
    assert!(reached.is_none_or(|reached| reached <= size(n)), "({a}, {b}, {n}) read a later node");
    proof
}

/// All runs `a..b` in trees of up to `max` leaves.
fn runs(max: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (1..=max).flat_map(|n| (1..=n).flat_map(move |b| (0..b).map(move |a| (a, b, n))))
}

/// Builds a proof and compares it, and its verification, with the oracle and the size bound.
fn check(nodes: &Nodes, leaves: &[Hash], (a, b, n): (usize, usize, usize)) {
    let proof = build(nodes, a, b, n);
    assert_eq!(proof.hashes(), hashes(oracle::range(a, b, &ENTRIES[..n])), "({a}, {b}, {n})");
    let result = verify_range(&proof, size(n), &nodes.root(n), index(a), &leaves[a..b]);
    assert_eq!(result, Ok(()), "({a}, {b}, {n})");
    let bound = 2 * n.next_power_of_two().ilog2() as usize;
    assert!(proof.hashes().len() <= bound, "({a}, {b}, {n}) has {proof:?}");
}

#[test]
fn every_proof_up_to_40_agrees_with_the_oracle() {
    let (nodes, leaves) = (Nodes::of(&ENTRIES[..40]), leaf_hashes(&ENTRIES[..40]));
    runs(40).for_each(|run| check(&nodes, &leaves, run));
}

#[test]
fn a_run_of_one_leaf_needs_the_hashes_of_its_inclusion_proof() {
    let nodes = Nodes::of(&ENTRIES[..70]);
    for (m, n) in (1..=70).flat_map(|n| (0..n).map(move |m| (m, n))) {
        let mut range = build(&nodes, m, m + 1, n).into_hashes();
        let inclusion = InclusionProof::build(&nodes, index(m), size(n)).expect("leaf is there");
        let mut path = inclusion.into_hashes();
        range.sort_unstable();
        path.sort_unstable();
        assert_eq!(range, path, "({m}, {n})");
    }
}

#[test]
fn all_leaves_need_no_hashes() {
    let nodes = Nodes::of(&ENTRIES[..70]);
    assert!((1..=70).all(|n| build(&nodes, 0, n, n).hashes().is_empty()));
}

#[test]
fn every_damaged_proof_up_to_20_is_refused() {
    let (nodes, leaves) = (Nodes::of(&ENTRIES[..20]), leaf_hashes(&ENTRIES[..20]));
    let refused: usize = runs(20).map(|run| refuse_damages(&nodes, &leaves, run)).sum();
    assert!(refused > 10_000, "only {refused} damaged proofs");
}

/// Damages one proof in every way and returns in how many.
fn refuse_damages(nodes: &Nodes, leaves: &[Hash], (a, b, n): (usize, usize, usize)) -> usize {
    let (proof, root) = (build(nodes, a, b, n), nodes.root(n));
    let damages = damages(proof.hashes());
    let count = damages.len();
    for damage in damages {
        let spoiled = RangeProof::from_hashes(damage.hashes);
        let error = verify_range(&spoiled, size(n), &root, index(a), &leaves[a..b])
            .expect_err(&format!("({a}, {b}, {n}) {}", damage.what));
        let by_length = matches!(error, ProofError::HashCount { .. });
        assert_eq!(by_length, damage.wrong_length, "({a}, {b}, {n}) {}: {error}", damage.what);
    }
    let forged = verify_range(&proof, size(n), &flip(&root, a), index(a), &leaves[a..b]);
    assert!(matches!(forged, Err(ProofError::RootMismatch { .. })), "({a}, {b}, {n}) other root");
    let damaged_leaves = damages_of_leaves(&leaves[a..b]);
    for run in &damaged_leaves {
        let result = verify_range(&proof, size(n), &root, index(a), run);
        assert!(result.is_err(), "({a}, {b}, {n}) with other leaves");
    }
    count + damaged_leaves.len()
}

/// Changes, drops, repeats and swaps leaves of a run.
fn damages_of_leaves(run: &[Hash]) -> Vec<Vec<Hash>> {
    damages(run).into_iter().map(|damage| damage.hashes).collect()
}

/// A proof says nothing about the size: another position passes exactly if the tree around the run
/// looks the same, and at another start never.
#[test]
fn a_proof_for_another_position_is_refused() {
    let (nodes, leaves) = (Nodes::of(&ENTRIES[..11]), leaf_hashes(&ENTRIES[..11]));
    for (a, b, n) in runs(11) {
        let proof = build(&nodes, a, b, n);
        let shape = oracle::range_shape(a, b, n);
        for (start, other_n) in (0..=13).flat_map(|n| (0..=13).map(move |a| (a, n))) {
            let end = start + b - a;
            let (root, run) = (nodes.root(n), &leaves[a..b]);
            let result = verify_range(&proof, size(other_n), &root, index(start), run);
            let same = end <= other_n && oracle::range_shape(start, end, other_n) == shape;
            assert_eq!(result.is_ok(), same, "({a}, {b}, {n}) at {start} of {other_n}");
            assert!(n != other_n || a == start || result.is_err());
        }
    }
}

/// Size and root come together from a checkpoint: with those of another tree no proof passes.
#[test]
fn a_proof_for_another_tree_is_refused() {
    let (nodes, leaves) = (Nodes::of(&ENTRIES[..16]), leaf_hashes(&ENTRIES[..16]));
    for (a, b, n) in runs(16) {
        let proof = build(&nodes, a, b, n);
        for other in (0..=16).filter(|&other| other != n) {
            let root = nodes.root(other);
            let result = verify_range(&proof, size(other), &root, index(a), &leaves[a..b]);
            assert!(result.is_err(), "({a}, {b}, {n}) in the tree of {other}");
        }
    }
}

#[test]
fn empty_runs_and_runs_outside_the_tree_are_refused() {
    let (nodes, leaves) = (Nodes::of(&ENTRIES[..6]), leaf_hashes(&ENTRIES[..6]));
    let build = |start: usize, end: usize| {
        RangeProof::build(&nodes, index(start)..index(end), size(5)).expect_err("run is refused")
    };
    for (a, b) in [(0, 0), (3, 3), (4, 2), (9, 9)] {
        assert_eq!(build(a, b), BuildError::EmptyRange { start: index(a), end: index(b) });
    }
    for (a, b) in [(0, 6), (5, 6), (4, 9)] {
        let index = index(b - 1);
        assert_eq!(build(a, b), BuildError::IndexOutOfRange { index, size: size(5) });
    }
    let proof = RangeProof::from_hashes(Vec::new());
    let verify = |start: u64, run: &[Hash]| {
        verify_range(&proof, size(5), &nodes.root(5), LeafIndex::new(start), run)
    };
    let start = index(2);
    assert_eq!(verify(2, &[]), Err(ProofError::EmptyRange { start }));
    for (start, last) in [(0, 5), (5, 10), (u64::MAX - 2, u64::MAX), (u64::MAX, u64::MAX)] {
        let index = LeafIndex::new(last);
        let expected = ProofError::IndexOutOfRange { index, size: size(5) };
        assert_eq!(verify(start, &leaves), Err(expected));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_proofs_agree_with_the_oracle(
        (a, b, n) in (1_usize..3000)
            .prop_flat_map(|n| (1..=n, Just(n)))
            .prop_flat_map(|(b, n)| (0..b, Just(b), Just(n))),
    ) {
        let (nodes, leaves) = (Nodes::of(&ENTRIES[..n]), leaf_hashes(&ENTRIES[..n]));
        check(&nodes, &leaves, (a, b, n));
        let (proof, root) = (build(&nodes, a, b, n), nodes.root(n));
        for older in [0, a.saturating_sub(1), a, usize::midpoint(a, b), b, b + 1] {
            let within = tlog::root_within(&proof, index(a), &leaves[a..b], size(older));
            let expected = (a..=b).contains(&older).then(|| nodes.root(older));
            prop_assert_eq!(within, expected, "{} of {}..{}", older, a, b);
        }
        for damage in damages(proof.hashes()) {
            let spoiled = RangeProof::from_hashes(damage.hashes);
            let result = verify_range(&spoiled, size(n), &root, index(a), &leaves[a..b]);
            prop_assert!(result.is_err(), "{}", damage.what);
        }
    }
}

proptest! {
    /// The length is checked before the hashes, so no position can lead the verifier astray, and
    /// the bound of 2 * log2(size) holds for every size.
    #[test]
    fn no_position_upsets_the_verifier(start: u64, n: u64, len in 1_usize..40, near in 0_u64..50) {
        let run = vec![tlog::EMPTY_ROOT; len];
        for (start, n) in [(start, n), (n.saturating_sub(near), n), (start, u64::MAX - near)] {
            let verify = |count: usize| {
                let proof = RangeProof::from_hashes(vec![tlog::EMPTY_ROOT; count]);
                let (start, size) = (LeafIndex::new(start), TreeSize::new(n));
                verify_range(&proof, size, &tlog::EMPTY_ROOT, start, &run)
            };
            if let Err(ProofError::HashCount { expected, .. }) = verify(200) {
                let log2 = u64::BITS - (n - 1).leading_zeros();
                prop_assert!(expected <= 2 * log2 as usize);
                let mismatch = matches!(verify(expected), Err(ProofError::RootMismatch { .. }));
                prop_assert!(mismatch);
            }
        }
    }
}
