//! The frontier and compact ranges against the recursive definition.

use proptest::prelude::*;
use tlog::{CompactRange, Frontier, Hash, LeafIndex, NodeId, TreeError, TreeSize, peak_ids};

use crate::fixture::{Nodes, entries, index, leaf_hashes, second_opinion, size};
use crate::oracle;

#[test]
fn roots_agree_with_both_oracles_up_to_300() {
    let entries = entries(300);
    let nodes = Nodes::of(&entries);
    for n in 0..=entries.len() {
        assert_eq!(*nodes.root(n).as_bytes(), oracle::mth(&entries[..n]), "size {n}");
        let peer = second_opinion(&entries[..n]).root();
        assert_eq!(nodes.root(n).as_bytes().as_slice(), peer.as_bytes().as_slice(), "size {n}");
    }
}

#[test]
fn a_frontier_hands_out_every_complete_subtree_once() {
    let entries = entries(300);
    let nodes = Nodes::of(&entries);
    let mut expected = 0;
    for level in 0..=8_u8 {
        let leaves = 1_usize << level;
        for (i, subtree) in entries.chunks_exact(leaves).enumerate() {
            let hash = nodes.get(NodeId::new(level, i as u64)).expect("subtree is complete");
            assert_eq!(*hash.as_bytes(), oracle::mth(subtree), "node ({level},{i})");
            expected += 1;
        }
    }
    assert_eq!(nodes.len(), expected);
}

#[test]
fn completed_nodes_come_smallest_first() {
    let mut frontier = Frontier::new();
    let mut completed = Vec::new();
    for leaf in leaf_hashes(&entries(4)) {
        completed.clear();
        frontier.push(leaf, |id, _| completed.push(id));
    }
    assert_eq!(completed, [NodeId::new(0, 3), NodeId::new(1, 1), NodeId::new(2, 0)]);
}

#[test]
fn peaks_follow_the_bits_of_the_size() {
    let ids = |n| peak_ids(TreeSize::new(n));
    assert_eq!(ids(0), []);
    assert_eq!(ids(1), [NodeId::new(0, 0)]);
    assert_eq!(ids(7), [NodeId::new(2, 0), NodeId::new(1, 2), NodeId::new(0, 6)]);
    assert_eq!(ids(1 << 63), [NodeId::new(63, 0)]);
    let all = ids(u64::MAX);
    assert_eq!(all.len(), 64);
    assert_eq!(all[63], NodeId::new(0, u64::MAX - 1));
}

#[test]
fn a_frontier_resumes_from_its_peaks() {
    let leaves = leaf_hashes(&entries(70));
    let mut through = Frontier::default();
    for (i, leaf) in leaves.iter().enumerate() {
        let mut resumed =
            Frontier::from_peaks(through.size(), through.peaks().to_vec()).expect("peaks fit");
        assert_eq!(resumed, through);
        assert_eq!(resumed.push(*leaf, |_, _| ()), index(i));
        through.push(*leaf, |_, _| ());
        assert_eq!(resumed.root(), through.root(), "size {}", i + 1);
    }
}

#[test]
fn wrong_peaks_are_refused() {
    let peaks = leaf_hashes(&entries(3));
    let refused = |n, count: usize| Frontier::from_peaks(TreeSize::new(n), peaks[..count].to_vec());
    assert_eq!(refused(7, 2), Err(TreeError::HashCount { expected: 3, found: 2 }));
    assert_eq!(refused(6, 3), Err(TreeError::HashCount { expected: 2, found: 3 }));
    assert_eq!(refused(0, 1), Err(TreeError::HashCount { expected: 0, found: 1 }));
    let size = TreeSize::new(1 << 63);
    assert_eq!(refused(1 << 63, 1), Err(TreeError::TooLarge { size }));
}

#[test]
fn compact_ranges_join_to_the_range_of_all_leaves() {
    let leaves = leaf_hashes(&entries(20));
    let range = |begin: usize, end: usize| {
        let mut range = CompactRange::empty_at(index(begin));
        leaves[begin..end].iter().for_each(|leaf| range.push_leaf(*leaf, |_, _| ()));
        assert_eq!(range.leaves(), index(begin)..index(end));
        assert_eq!(range.node_ids().len(), range.hashes().len());
        range
    };
    for a in 0..=20 {
        for b in a..=20 {
            for c in b..=20 {
                let mut joined = range(a, b);
                joined.join(&range(b, c)).expect("ranges are adjacent");
                assert_eq!(joined, range(a, c), "{a} {b} {c}");
            }
        }
    }
}

#[test]
fn compact_ranges_hold_the_hashes_of_their_nodes() {
    let entries = entries(40);
    let (nodes, leaves) = (Nodes::of(&entries), leaf_hashes(&entries));
    for begin in 0..=40 {
        let mut range = CompactRange::empty_at(index(begin));
        for end in begin..=40 {
            let expected: Option<Vec<Hash>> =
                range.node_ids().into_iter().map(|id| nodes.get(id)).collect();
            assert_eq!(Some(range.hashes().to_vec()), expected, "{begin}..{end}");
            assert_eq!(range.root(), (begin == 0).then(|| nodes.root(end)), "{begin}..{end}");
            if let Some(leaf) = leaves.get(end) {
                range.push_leaf(*leaf, |_, _| ());
            }
        }
    }
}

#[test]
fn misplaced_hashes_are_refused() {
    let leaves = leaf_hashes(&entries(2));
    let mut range = CompactRange::empty_at(index(4));
    let not_adjacent = |node, end| Err(TreeError::NotAdjacent { node, end: index(end) });
    for node in [NodeId::new(0, 5), NodeId::new(3, 1), NodeId::new(64, 0), NodeId::new(63, 2)] {
        assert_eq!(range.push_node(node, leaves[0], |_, _| ()), not_adjacent(node, 4));
    }
    range.push_node(NodeId::new(2, 1), leaves[0], |_, _| ()).expect("node is adjacent");
    assert_eq!(range.leaves().end, index(8));
    let mut gap = CompactRange::empty_at(index(9));
    gap.push_leaf(leaves[1], |_, _| ());
    assert_eq!(range.join(&gap), not_adjacent(NodeId::new(0, 9), 8));
    let reversed = CompactRange::from_hashes(index(2)..index(1), leaves.clone());
    assert_eq!(reversed, Err(TreeError::RangeReversed { begin: index(2), end: index(1) }));
    let short = CompactRange::from_hashes(index(1)..index(4), leaves[..1].to_vec());
    assert_eq!(short, Err(TreeError::HashCount { expected: 2, found: 1 }));
}

#[test]
fn nodes_beyond_64_bits_have_no_leaves() {
    assert_eq!(NodeId::new(63, 1).first_leaf(), Some(LeafIndex::new(1 << 63)));
    assert_eq!(NodeId::new(63, 1).size_through(), None);
    assert_eq!(NodeId::new(64, 0).first_leaf(), None);
    assert_eq!(NodeId::new(0, u64::MAX).size_through(), None);
    assert_eq!(NodeId::new(3, 2).size_through(), Some(size(24)));
    assert_eq!(NodeId::leaf(index(5)).parent(), NodeId::new(1, 2));
    assert_eq!(NodeId::leaf(index(5)).sibling(), NodeId::leaf(index(4)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_roots_agree_with_both_oracles(n in 0_usize..3000) {
        let entries = entries(n);
        let mut frontier = Frontier::new();
        for leaf in leaf_hashes(&entries) {
            frontier.push(leaf, |_, _| ());
        }
        let root = frontier.root();
        prop_assert_eq!(*root.as_bytes(), oracle::mth(&entries));
        let peer = second_opinion(&entries).root();
        prop_assert_eq!(root.as_bytes().as_slice(), peer.as_bytes().as_slice());
        prop_assert_eq!(frontier.size(), size(n));
    }
}
