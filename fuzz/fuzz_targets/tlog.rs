//! Notes, checkpoints, keys, cosignatures, tile paths, tiles and proofs. The first byte selects.

#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use tlog::tile::encode_entries;
use tlog::{
    Checkpoint, ConsistencyProof, EntryBundle, Frontier, Hash, HashTile, InclusionProof, KeyName,
    LeafIndex, NodeId, NodeSource, NoteSignature, Origin, RangeProof, Signer, TilePath, TileWidth,
    TreeSize, UnverifiedCheckpoint, UnverifiedNote, VerifierKey, sign_note, verify_consistency,
    verify_inclusion, verify_range,
};

fuzz_target!(|data: &[u8]| {
    let Some((select, bytes)) = data.split_first() else { return };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    match select % 10 {
        0 => one_spelling::<VerifierKey>(text),
        1 => note(bytes, text),
        2 => checkpoint(bytes, text),
        3 => one_spelling::<TilePath>(text),
        4 => tiles(bytes),
        5 => proofs(bytes),
        6 => built(bytes),
        7 => one_spelling::<NoteSignature>(text),
        8 => one_spelling::<TreeSize>(text),
        _ => {
            one_spelling::<Origin>(text);
            one_spelling::<KeyName>(text);
            if let Ok(hash) = Hash::from_base64(text) {
                assert_eq!(hash.to_base64(), text);
            }
        }
    }
});

/// What is read is written alike: no value has two spellings.
fn one_spelling<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text);
    }
}

fn signer() -> Signer {
    Signer::from_seed(KeyName::new("fuzz.example").expect("a name"), &[3; 32])
}

fn note(bytes: &[u8], text: &str) {
    let key = signer().verifier_key().clone();
    if let Ok(note) = UnverifiedNote::parse(bytes) {
        let _ = note.verify(std::slice::from_ref(&key));
    }
    if let Ok(signed) = sign_note(text, &[&signer()]) {
        let note = UnverifiedNote::parse(signed.as_bytes()).expect("what is signed is a note");
        let verified = note.verify(&[key]).expect("by the key that signed it");
        assert_eq!(verified.text(), text);
        assert_eq!(verified.to_note_text(), signed);
    }
}

fn checkpoint(bytes: &[u8], text: &str) {
    one_spelling::<Checkpoint>(text);
    let key = signer().verifier_key().clone();
    if let Ok(unverified) = UnverifiedCheckpoint::parse(bytes) {
        let origin = unverified.unverified().origin().clone();
        let _ = unverified.verify(&origin, &[key]);
    }
}

fn tiles(bytes: &[u8]) {
    let Some((width, rest)) = bytes.split_first() else { return };
    let width = TileWidth::new(u16::from(*width) + 1).expect("1 to 256");
    if let Ok(bundle) = EntryBundle::decode(rest, width) {
        assert_eq!(encode_entries(bundle.entries()).as_deref(), Ok(rest));
    }
    if let Ok(tile) = HashTile::decode(rest, width) {
        assert_eq!(tile.encode(), rest);
    }
}

/// Proofs of anything at all: refused, without a panic, at any size.
fn proofs(bytes: &[u8]) {
    let Some((numbers, rest)) = bytes.split_first_chunk::<16>() else { return };
    let [a, b] =
        [&numbers[..8], &numbers[8..]].map(|n| u64::from_be_bytes(n.try_into().expect("8")));
    let hashes: Vec<Hash> = rest.as_chunks().0.iter().copied().map(Hash::from_bytes).collect();
    let (root, leaf) = (Hash::from_bytes([1; 32]), Hash::from_bytes([2; 32]));
    let inclusion = InclusionProof::from_hashes(hashes.clone());
    let _ = verify_inclusion(&inclusion, TreeSize::new(a), &root, LeafIndex::new(b), &leaf);
    let consistency = ConsistencyProof::from_hashes(hashes.clone());
    let _ = verify_consistency(&consistency, TreeSize::new(b), &leaf, TreeSize::new(a), &root);
    let range = RangeProof::from_hashes(hashes);
    for leaves in [1, 2, 300] {
        let leaves = vec![leaf; leaves];
        let _ = verify_range(&range, TreeSize::new(a), &root, LeafIndex::new(b), &leaves);
    }
}

/// A small tree with every node in memory.
struct Nodes(Vec<(NodeId, Hash)>);

impl NodeSource for Nodes {
    type Error = String;

    fn node(&self, id: NodeId) -> Result<Hash, String> {
        let found = self.0.iter().find(|(known, _)| *known == id);
        found.map(|(_, hash)| *hash).ok_or_else(|| format!("no node {id}"))
    }
}

/// A proof that was built verifies; with a changed hash, or at another place, it does not.
fn built(bytes: &[u8]) {
    let [size, at, other, flip, ..] = *bytes else { return };
    let (size, mut tree, mut nodes) = (u64::from(size % 70) + 1, Frontier::new(), Vec::new());
    let leaf = |n: u64| tlog::leaf_hash(&n.to_be_bytes());
    let mut roots = vec![tree.root()];
    for n in 0..size {
        tree.push(leaf(n), |id, hash| nodes.push((id, hash)));
        roots.push(tree.root());
    }
    let (source, root, at) = (Nodes(nodes), tree.root(), u64::from(at) % size);
    let (index, tree_size) = (LeafIndex::new(at), TreeSize::new(size));
    let proof = InclusionProof::build(&source, index, tree_size).expect("a leaf of the tree");
    verify_inclusion(&proof, tree_size, &root, index, &leaf(at)).expect("as built");
    let mut hashes = proof.into_hashes();
    if let Some(changed) = changed(&mut hashes, flip) {
        let proof = InclusionProof::from_hashes(changed);
        verify_inclusion(&proof, tree_size, &root, index, &leaf(at)).expect_err("a changed hash");
    }
    let old = u64::from(other) % (size + 1);
    let proof = ConsistencyProof::build(&source, TreeSize::new(old), tree_size).expect("older");
    let old_root = roots[usize::try_from(old).expect("small")];
    verify_consistency(&proof, TreeSize::new(old), &old_root, tree_size, &root).expect("as built");
    if let Some(changed) = changed(&mut proof.into_hashes(), flip) {
        let proof = ConsistencyProof::from_hashes(changed);
        verify_consistency(&proof, TreeSize::new(old), &old_root, tree_size, &root)
            .expect_err("a changed hash");
    }
    let end = at + 1 + u64::from(flip) % (size - at);
    let leaves: Vec<Hash> = (at..end).map(leaf).collect();
    let proof = RangeProof::build(&source, index..LeafIndex::new(end), tree_size).expect("a range");
    verify_range(&proof, tree_size, &root, index, &leaves).expect("as built");
}

fn changed(hashes: &mut [Hash], flip: u8) -> Option<Vec<Hash>> {
    let at = usize::from(flip).checked_rem(hashes.len())?;
    let mut bytes = *hashes[at].as_bytes();
    bytes[usize::from(flip) % 32] ^= 1 << (flip % 8);
    hashes[at] = Hash::from_bytes(bytes);
    Some(hashes.to_vec())
}
