//! What ties the covered range, and checkpoints from before, to the newest checkpoint.

use serde::{Deserialize, Serialize};
use tlog::{ConsistencyProof, Hash, HashParseError, RangeProof};

/// The member `proofs.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proofs {
    /// The hashes of the range proof, base64; none when the range is the whole ledger.
    pub range: Vec<String>,
    /// Consistency proofs of older sizes, in ascending order.
    pub consistency: Vec<Older>,
}

/// A consistency proof from an older tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Older {
    /// The size of the older tree.
    pub size: u64,
    /// The hashes, base64.
    pub hashes: Vec<String>,
}

impl Proofs {
    /// The member's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads the member, in its one form.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        super::manifest::decode(bytes, Self::encode)
    }

    /// The proof of the covered range.
    pub fn of_range(&self) -> Result<RangeProof, HashParseError> {
        hashes(&self.range).map(RangeProof::from_hashes)
    }

    /// The proof from an older size, if there is one.
    pub fn from_size(&self, size: u64) -> Option<Result<ConsistencyProof, HashParseError>> {
        let older = self.consistency.iter().find(|older| older.size == size)?;
        Some(hashes(&older.hashes).map(ConsistencyProof::from_hashes))
    }
}

fn hashes(texts: &[String]) -> Result<Vec<Hash>, HashParseError> {
    texts.iter().map(|text| Hash::from_base64(text)).collect()
}
