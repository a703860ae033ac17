//! Tiles: which a tree has, what is in them, and where its nodes are.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tlog::tile::{
    encode_entries, entry_bundles, entry_bundles_since, hash_tiles, hash_tiles_since, tile_width,
};
use tlog::{
    EntryBundle, Hash, HashTile, MAX_ENTRY_BYTES, NodeId, TileError, TileKind, TilePath, TileSlot,
    TileWidth, TreeSize, leaf_hash,
};

use crate::fixture::{Nodes, entries, leaf_hashes};
use crate::oracle;

fn width(width: u16) -> TileWidth {
    TileWidth::new(width).expect("a width")
}

/// Number of full tiles and widths of partial tiles, for each level.
fn summary(tiles: impl Iterator<Item = TilePath>) -> BTreeMap<TileKind, (usize, Vec<u16>)> {
    let mut levels = BTreeMap::<_, (usize, Vec<u16>)>::new();
    for tile in tiles {
        let (full, partial) = levels.entry(tile.kind()).or_default();
        if tile.width().is_full() { *full += 1 } else { partial.push(tile.width().get()) }
    }
    levels
}

#[test]
fn the_worked_example_of_the_specification() {
    let size = TreeSize::new(70_000);
    let expected = BTreeMap::from([
        (TileKind::Hashes(0), (273, vec![112])),
        (TileKind::Hashes(1), (1, vec![17])),
        (TileKind::Hashes(2), (0, vec![1])),
    ]);
    assert_eq!(summary(hash_tiles(size)), expected);
    assert_eq!(
        summary(entry_bundles(size)),
        BTreeMap::from([(TileKind::Entries, (273, vec![112]))])
    );
    assert_eq!(hash_tiles(size).last().expect("a tile").to_string(), "tile/2/000.p/1");
    let table = [
        (0, 0, Some(256)),
        (0, 272, Some(256)),
        (0, 273, Some(112)),
        (0, 274, None),
        (1, 0, Some(256)),
        (1, 1, Some(17)),
        (1, 2, None),
        (2, 0, Some(1)),
        (2, 1, None),
        (3, 0, None),
        (8, 0, None),
        (63, 0, None),
        (255, 0, None),
    ];
    for (level, index, expected) in table {
        let found = tile_width(size, level, index).map(TileWidth::get);
        assert_eq!(found, expected, "tile {index} of level {level}");
    }
}

#[test]
fn trees_at_the_edges_of_tiles() {
    let tiles = |size| hash_tiles(TreeSize::new(size)).map(|path| path.to_string()).collect();
    let table: [(u64, &[&str]); 5] = [
        (0, &[]),
        (1, &["tile/0/000.p/1"]),
        (255, &["tile/0/000.p/255"]),
        (256, &["tile/0/000", "tile/1/000.p/1"]),
        (257, &["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]),
    ];
    for (size, expected) in table {
        let found: Vec<String> = tiles(size);
        assert_eq!(found, expected, "size {size}");
    }
    let largest = TreeSize::new(u64::MAX);
    assert_eq!(tile_width(largest, 7, 0), Some(width(255)));
    assert_eq!(tile_width(largest, 0, u64::MAX / 256), Some(width(255)));
}

/// Each hash of each tile is the tree hash the specification gives for its place.
#[test]
fn tiles_hold_the_hashes_of_the_specification() {
    let entries = entries(1500);
    let nodes = Nodes::of(&entries);
    for path in hash_tiles(TreeSize::new(1500)) {
        let TileKind::Hashes(level) = path.kind() else { panic!("{path} holds hashes") };
        let leaves = 256_usize.pow(u32::from(level));
        for i in 0..usize::from(path.width().get()) {
            let number = usize::try_from(path.index()).expect("a small index") * 256 + i;
            let expected = oracle::mth(&entries[number * leaves..(number + 1) * leaves]);
            let found = nodes.get(NodeId::new(level * 8, number as u64));
            assert_eq!(found, Some(Hash::from_bytes(expected)), "hash {i} of {path}");
        }
    }
}

/// Every complete node can be read from the tiles, and no other.
#[test]
fn nodes_are_found_in_tiles() {
    let size = TreeSize::new(1500);
    let nodes = Nodes::of(&entries(1500));
    let tiles: BTreeMap<TilePath, HashTile> =
        hash_tiles(size).map(|path| (path, tile(&nodes, path))).collect();
    for level in 0..=12_u8 {
        for index in 0..=1500_u64 >> level {
            let id = NodeId::new(level, index);
            let slot = TileSlot::of(id).expect("within 64 bits");
            let found = slot.path(size).map(|path| slot.node_hash(&tiles[&path]));
            assert_eq!(found, nodes.get(id).map(Ok), "{id}");
        }
    }
}

fn tile(nodes: &Nodes, path: TilePath) -> HashTile {
    let TileKind::Hashes(level) = path.kind() else { panic!("{path} holds hashes") };
    let first = path.index() * 256;
    let numbers = first..first + u64::from(path.width().get());
    let hashes = numbers.map(|number| nodes.get(NodeId::new(level * 8, number)).expect("complete"));
    HashTile::new(hashes.collect()).expect("1 to 256 hashes")
}

#[test]
fn slots_are_runs_of_one_tile() {
    let table = [
        (NodeId::new(0, 0), (0, 0, 0, 1)),
        (NodeId::new(0, 257), (0, 1, 1, 1)),
        (NodeId::new(7, 1), (0, 0, 128, 128)),
        (NodeId::new(7, 3), (0, 1, 128, 128)),
        (NodeId::new(8, 3), (1, 0, 3, 1)),
        (NodeId::new(10, 64), (1, 1, 0, 4)),
        (NodeId::new(62, 2), (7, 0, 128, 64)),
    ];
    for (id, expected) in table {
        let slot = TileSlot::of(id).expect("within 64 bits");
        assert_eq!((slot.level(), slot.index(), slot.first(), slot.count()), expected, "{id}");
    }
    assert_eq!(TileSlot::of(NodeId::new(64, 0)), None);
    assert_eq!(TileSlot::of(NodeId::new(0, u64::MAX)), None);
    let slot = TileSlot::of(NodeId::new(1, 1)).expect("within 64 bits");
    let narrow = HashTile::new(leaf_hashes(&entries(3))).expect("3 hashes");
    let beyond = TileError::SlotBeyondWidth { width: width(3), end: 4 };
    assert_eq!(slot.node_hash(&narrow), Err(beyond));
}

#[test]
fn hash_tiles_of_the_wrong_form_are_refused() {
    let hashes = leaf_hashes(&entries(256));
    let full = HashTile::new(hashes.clone()).expect("256 hashes");
    assert_eq!(full.encode().len(), 8192);
    assert!(full.width().is_full());
    let table = [(8191, 256), (8193, 256), (8160, 256), (0, 1), (31, 1), (33, 1), (64, 1), (32, 2)];
    for (found, count) in table {
        let expected = 32 * usize::from(count);
        let decoded = HashTile::decode(&vec![0; found], width(count));
        assert_eq!(decoded, Err(TileError::ByteCount { expected, found }));
    }
    assert_eq!(HashTile::new(Vec::new()), Err(TileError::ItemCount { found: 0 }));
    let too_many = [hashes.as_slice(), &hashes[..1]].concat();
    assert_eq!(HashTile::new(too_many), Err(TileError::ItemCount { found: 257 }));
}

#[test]
fn entry_bundles_of_the_wrong_form_are_refused() {
    let bundle = encode_entries(&[b"abc".as_slice(), b"", b"de"]).expect("three entries");
    assert_eq!(bundle, b"\x00\x03abc\x00\x00\x00\x02de");
    let truncated = |entry| Err(TileError::Truncated { entry });
    let trailing = |found| Err(TileError::TrailingBytes { found });
    let table = [
        (bundle.as_slice(), 4, truncated(3)),
        (&bundle[..10], 3, truncated(2)),
        (&bundle[..8], 3, truncated(2)),
        (&bundle[..7], 3, truncated(2)),
        (&bundle[..4], 3, truncated(0)),
        (&bundle[..1], 3, truncated(0)),
        (&bundle[..0], 1, truncated(0)),
        (&bundle, 2, trailing(4)),
        (&bundle, 1, trailing(6)),
    ];
    for (bytes, count, error) in table {
        assert_eq!(EntryBundle::decode(bytes, width(count)), error, "{bytes:?} as {count}");
    }
    let none: [&[u8]; 0] = [];
    assert_eq!(encode_entries(&none), Err(TileError::ItemCount { found: 0 }));
    assert_eq!(encode_entries(&[b"a"; 257]), Err(TileError::ItemCount { found: 257 }));
}

#[test]
fn the_longest_entry_fits() {
    let longest = vec![7; MAX_ENTRY_BYTES];
    let bundle = encode_entries(&[b"a".as_slice(), &longest]).expect("65,535 bytes fit");
    let decoded = EntryBundle::decode(&bundle, width(2)).expect("our own form");
    assert_eq!(decoded.entries()[1], longest);
    let longer = vec![7; MAX_ENTRY_BYTES + 1];
    let refused = encode_entries(&[b"a".as_slice(), &longer]);
    assert_eq!(refused, Err(TileError::EntryTooLarge { entry: 1, found: 65_536 }));
}

proptest! {
    #[test]
    fn bundles_and_tiles_round_trip(entries in prop::collection::vec(any::<Vec<u8>>(), 1..=256)) {
        let width = width(u16::try_from(entries.len()).expect("a small number"));
        let bytes = encode_entries(&entries).expect("1 to 256 entries");
        let decoded = EntryBundle::decode(&bytes, width).expect("our own form");
        prop_assert_eq!(decoded.entries(), &entries);
        let hashes = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let tile = HashTile::new(hashes).expect("1 to 256 hashes");
        prop_assert_eq!(HashTile::decode(&tile.encode(), width), Ok(tile));
    }

    /// Writing the changed tiles after each growth leaves the tiles of the whole tree.
    #[test]
    fn growth_writes_exactly_the_new_tiles(old in 0_u64..200_000, grown in 0_u64..200_000) {
        let (old, new) = (TreeSize::new(old), TreeSize::new(old + grown));
        let before: BTreeSet<_> = hash_tiles(old).chain(entry_bundles(old)).collect();
        let after: BTreeSet<_> = hash_tiles(new).chain(entry_bundles(new)).collect();
        let written: BTreeSet<_> =
            hash_tiles_since(old, new).chain(entry_bundles_since(old, new)).collect();
        prop_assert_eq!(written, after.difference(&before).copied().collect());
    }
}
