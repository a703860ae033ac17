//! Receipts: one operation, signed, in a file that other tools check too.
//!
//! ```text
//! { payload, payloadType, signatures }    a DSSE envelope around an in-toto Statement v1
//! { countersign: checkpoint, entries, … } beside it: where the cited records are in the tree
//! ```
//!
//! The file is a DSSE envelope with one member more. DSSE lets producers add members and has
//! consumers ignore them, so a tool that knows nothing of Countersign checks the signature of the
//! file as it is. A receipt says what the signer derived; it holds no record's content, so the story
//! cannot be derived from it: that is what a pack is for. Format: `docs/formats/receipt.md`.

mod statement;
mod verify;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tlog::{Hash, InclusionProof, LeafIndex, Signer, VerifierKey};

pub use self::statement::{Stated, cited, statement};
pub use self::verify::{Fault, Verdict, is_receipt, verify, verify_under};

/// The version of the member `countersign`. A reader must refuse a version it does not know.
pub const VERSION: u32 = 1;

/// The payload type of an in-toto statement in a DSSE envelope (`in-toto/attestation`
/// `spec/v1/envelope.md`).
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of a statement (`in-toto/attestation` `spec/v1/statement.md`).
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of a receipt's predicate: a name, not an address.
pub const PREDICATE_TYPE: &str = "https://countersign.example/receipt/v1";

/// The file. The members stand in the order of RFC 8785.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    countersign: Beside,
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<Signature>,
}

/// What stands beside the envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beside {
    checkpoint: String,
    entries: Vec<Included>,
    key: String,
    receipt: u32,
}

/// An entry and its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Included {
    entry: u64,
    leaf: String,
    proof: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

impl Included {
    /// An entry's envelope, and the proof that it is in the tree of the receipt's checkpoint.
    pub fn new(entry: LeafIndex, leaf: &[u8], proof: &InclusionProof) -> Self {
        Self {
            entry: entry.get(),
            leaf: STANDARD.encode(leaf),
            proof: proof.hashes().iter().map(Hash::to_base64).collect(),
        }
    }
}

/// Signs a statement and writes the receipt.
///
/// `checkpoint` is the signed note over the tree that `entries` are proved to be in; they stand in
/// the order of the statement's records.
pub fn sign(
    statement: &[u8],
    signer: &Signer,
    checkpoint: &str,
    entries: Vec<Included>,
) -> Result<Vec<u8>, serde_json::Error> {
    let signature = signer.sign(&pae(PAYLOAD_TYPE, statement));
    let key = signer.verifier_key();
    let wire = Wire {
        countersign: Beside {
            checkpoint: checkpoint.to_owned(),
            entries,
            key: key.to_string(),
            receipt: VERSION,
        },
        payload: STANDARD.encode(statement),
        payload_type: PAYLOAD_TYPE.to_owned(),
        signatures: vec![Signature { keyid: key_id(key), sig: STANDARD.encode(signature.bytes()) }],
    };
    encode(&wire)
}

fn encode(wire: &Wire) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec(wire)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// How the envelope names the key: name and id of the verifier key, as they stand in it.
fn key_id(key: &VerifierKey) -> String {
    format!("{}+{}", key.name(), key.id())
}

/// What a DSSE signature is made over (`secure-systems-lab/dsse` `protocol.md`, PAE).
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

#[cfg(test)]
mod tests {
    use super::pae;

    #[test]
    fn the_message_is_that_of_the_specification() {
        let expected = "DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), expected.as_bytes());
        assert_eq!(pae("", "\u{e4}".as_bytes()), "DSSEv1 0  2 \u{e4}".as_bytes(), "bytes count");
    }
}
