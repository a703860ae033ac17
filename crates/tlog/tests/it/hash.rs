//! Hash functions against published values, and the spellings of a hash.

use proptest::prelude::*;
use tlog::{EMPTY_ROOT, Hash, HashParseError, empty_root, leaf_hash, node_hash};

use crate::oracle;

#[test]
fn empty_root_is_sha256_of_nothing() {
    let published = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(EMPTY_ROOT.to_string(), published);
    assert_eq!(empty_root(), EMPTY_ROOT);
    assert_eq!(*EMPTY_ROOT.as_bytes(), oracle::mth(&[]));
}

/// The leaves and roots of the tree used in the tests of Certificate Transparency.
#[test]
fn certificate_transparency_vectors() {
    let leaf = leaf_hash(b"").to_string();
    assert_eq!(leaf, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    let root = node_hash(&leaf_hash(b""), &leaf_hash(b"\0")).to_string();
    assert_eq!(root, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
}

#[test]
fn malformed_hashes_are_refused() {
    let base64 = EMPTY_ROOT.to_base64();
    let table = [
        ("", HashParseError::Length { found: 0 }),
        ("AAAA", HashParseError::Length { found: 3 }),
        (&format!("AAAA{base64}"), HashParseError::Length { found: 35 }),
        (base64.trim_end_matches('='), HashParseError::Base64),
        (&base64.replace("U=", "V="), HashParseError::Base64),
        (&format!("{base64}\n"), HashParseError::Base64),
        (&base64.replace('/', "_"), HashParseError::Base64),
    ];
    for (text, error) in table {
        assert_eq!(Hash::from_base64(text), Err(error), "{text:?}");
    }
    let hex = EMPTY_ROOT.to_string();
    for text in [&hex[1..], &hex.to_uppercase(), &format!("{hex}0"), &hex.replace('e', "g"), ""] {
        assert_eq!(text.parse::<Hash>(), Err(HashParseError::Hex), "{text:?}");
    }
}

proptest! {
    #[test]
    fn spellings_round_trip(bytes: [u8; 32]) {
        let hash = Hash::from_bytes(bytes);
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        prop_assert_eq!(Hash::from_base64(&hash.to_base64()), Ok(hash));
    }

    #[test]
    fn leaves_and_nodes_are_as_the_rfc_says(
        left: Vec<u8>,
        right in prop::collection::vec(any::<u8>(), 0..1100),
    ) {
        let root = node_hash(&leaf_hash(&left), &leaf_hash(&right));
        prop_assert_eq!(*root.as_bytes(), oracle::mth(&[left, right]));
    }
}
