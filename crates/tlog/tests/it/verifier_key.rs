//! Verifier keys: the table of every text that is not one, and the assigned signature types.

use tlog::{KeyNameError, SignatureType, VerifierKey, VerifierKeyError};

use crate::note::VKEY;

#[test]
fn malformed_verifier_keys_are_refused() {
    let (head, material) = VKEY.rsplit_once('+').expect("three parts");
    let key = |material: &str| format!("{head}+{material}");
    let table = [
        (String::new(), VerifierKeyError::Parts),
        ("example.com/foo".to_owned(), VerifierKeyError::Parts),
        (head.to_owned(), VerifierKeyError::Parts),
        (VKEY.replacen("example.com/foo", "", 1), VerifierKeyError::Name(KeyNameError::Empty)),
        (VKEY.replacen('/', " ", 1), VerifierKeyError::Name(KeyNameError::Space)),
        (VKEY.replacen('/', "\u{1}", 1), VerifierKeyError::Name(KeyNameError::Control)),
        (VKEY.replace("530d903a", "530D903A"), VerifierKeyError::KeyId),
        (VKEY.replace("530d903a", "530d903"), VerifierKeyError::KeyId),
        (VKEY.replace("530d903a", "530d903ax"), VerifierKeyError::KeyId),
        (VKEY.replace("530d903a", "+30d903a"), VerifierKeyError::KeyId),
        (VKEY.replacen('/', "+", 1), VerifierKeyError::KeyId),
        (format!("{VKEY}\n"), VerifierKeyError::Base64),
        (format!("{VKEY}+"), VerifierKeyError::Base64),
        (key("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2"), VerifierKeyError::Base64),
        (key(""), VerifierKeyError::KeyLength { found: 0 }),
        (key("AQ=="), VerifierKeyError::KeyLength { found: 0 }),
        (key(&format!("{material}AAAA")), VerifierKeyError::KeyLength { found: 35 }),
        (key(&format!("Au{}", &material[2..])), VerifierKeyError::UnsupportedType { byte: 0x02 }),
        (key(&format!("Bu{}", &material[2..])), VerifierKeyError::UnsupportedType { byte: 0x06 }),
        (key(&format!("A{}", &material[..43])), VerifierKeyError::UnsupportedType { byte: 0x00 }),
        // The neutral element, under which anyone can sign anything.
        (key(&format!("AQE{}", "A".repeat(41))), VerifierKeyError::PublicKey),
        // Not the coordinate of any point.
        (key(&format!("AQI{}", "A".repeat(41))), VerifierKeyError::PublicKey),
    ];
    for (text, error) in table {
        assert_eq!(text.parse::<VerifierKey>(), Err(error), "{text:?}");
    }
    let mismatch = VKEY.replace("530d903a", "530d903b").parse::<VerifierKey>();
    let (found, expected) = ("530d903b".parse(), "530d903a".parse());
    let (Ok(found), Ok(expected)) = (found, expected) else { panic!("key ids") };
    assert_eq!(mismatch, Err(VerifierKeyError::KeyIdMismatch { found, expected }));
}

#[test]
fn signature_types_have_their_assigned_bytes() {
    for byte in 0..=u8::MAX {
        let assigned = matches!(byte, 0x01 | 0x02 | 0x04 | 0x05 | 0x06 | 0xff);
        let signature_type = SignatureType::from_byte(byte);
        assert_eq!(signature_type.map(SignatureType::to_byte), assigned.then_some(byte));
    }
}
