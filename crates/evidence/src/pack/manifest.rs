//! The manifest: what a pack holds, and the digests of its members.
//!
//! Everything in it is compared with the rest of the pack; what is only the exporter's word is
//! marked as such in `docs/formats/pack.md`.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The member `manifest.json`. Its fields stand in the order of the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format: [`super::VERSION`].
    pub pack: u32,
    /// The ledger's name.
    pub origin: String,
    /// Its verifier key, for convenience: a reader who brings one does not need it.
    pub key: String,
    /// The size that the checkpoint signs.
    pub size: u64,
    /// The root that the checkpoint signs, base64.
    pub root: String,
    /// The first entry of the covered range.
    pub start: u64,
    /// The first entry after it.
    pub end: u64,
    /// Which records are there in full.
    pub selection: Selection,
    /// Whether personal values are replaced by pseudonyms.
    pub pseudonyms: bool,
    /// What there is of each channel in the covered range, sorted by id.
    pub channels: Vec<ChannelCount>,
    /// The rules by which the story was derived.
    pub rules: u32,
    /// SHA-256 of the policy that was applied, hexadecimal; null while none is.
    pub policy: Option<String>,
    /// SHA-256 of the members' contents, hexadecimal.
    pub sha256: Digests,
}

/// Which records are there in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Selection {
    /// All of them.
    Ledger,
    /// Those of one change, as it was asked for: `pr:103`, a commit, a ticket, an operation.
    Change {
        /// What was asked for.
        what: String,
    },
    /// Those of one Application.
    Application {
        /// Its name.
        name: String,
    },
    /// Those of the Applications of one environment.
    Environment {
        /// Its name.
        name: String,
    },
    /// Those of a period.
    Period {
        /// The beginning, RFC 3339 in UTC.
        from: String,
        /// The end, itself no longer within it.
        to: String,
    },
}

/// What there is of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelCount {
    /// Its id.
    pub channel: String,
    /// Entries in the covered range.
    pub entries: u64,
    /// Those of them whose payload is there.
    pub payloads: u64,
    /// Lines of its sources that were refused at intake: the exporter's word.
    pub refused: u64,
}

/// SHA-256 of the members' contents, hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digests {
    /// Of `checkpoint`.
    pub checkpoint: String,
    /// Of `proofs.json`.
    pub proofs: String,
    /// Of `people.json`.
    pub people: String,
    /// Of `entries`.
    pub entries: String,
    /// Of `story.json`.
    pub story: String,
}

impl Manifest {
    /// The member's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads the member, in its one form.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let manifest = decode(bytes, Self::encode)?;
        if manifest.pack == super::VERSION {
            Ok(manifest)
        } else {
            Err(format!("version {} is not known", manifest.pack))
        }
    }

    /// Payloads that are there, and entries in the covered range.
    pub fn counts(&self) -> (u64, u64) {
        let sum = |of: fn(&ChannelCount) -> u64| {
            self.channels.iter().map(of).fold(0u64, u64::saturating_add)
        };
        (sum(|c| c.payloads), sum(|c| c.entries))
    }
}

impl Selection {
    /// What it is, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Ledger => "everything".to_owned(),
            Self::Change { what } => format!("change {what}"),
            Self::Application { name } => format!("application {name}"),
            Self::Environment { name } => format!("environment {name}"),
            Self::Period { from, to } => format!("from {from} to before {to}"),
        }
    }
}

/// Reads JSON and refuses any other spelling of the same value.
pub(super) fn decode<T: for<'de> Deserialize<'de>>(
    bytes: &[u8],
    encode: fn(&T) -> Vec<u8>,
) -> Result<T, String> {
    let value: T = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if encode(&value) == bytes { Ok(value) } else { Err("is not in its one form".to_owned()) }
}

/// SHA-256, hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let written = write!(hex, "{byte:02x}");
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
        hex
    })
}
