//! SHA-256 hashes of the Merkle tree, with the domain separation of [RFC 6962 section 2.1].
//!
//! **In scope**: leaf, node and empty-tree hashes, and their hex and base64 spellings.
//! **Out of scope**: any other hash algorithm; the log formats of this crate fix SHA-256.
//!
//! [RFC 6962 section 2.1]: https://www.rfc-editor.org/rfc/rfc6962#section-2.1

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::encoding::{base64_decode, base64_encode, hex_decode};

/// The hash of the tree without leaves: SHA-256 of the empty string (RFC 6962 section 2.1).
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

const LEAF_PREFIX: [u8; 1] = [0x00];
const NODE_PREFIX: u8 = 0x01;

/// A SHA-256 hash: of a leaf, of an inner node or of a whole tree.
///
/// `Display` and `FromStr` are lowercase hex; notes and checkpoints use base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Hash::BYTES]);

impl Hash {
    /// Length of a hash in bytes.
    pub const BYTES: usize = 32;

    /// Takes the 32 bytes of a hash as they are.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the hash.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// The hash in standard base64 with padding, as in a checkpoint (tlog-checkpoint, note text).
    pub fn to_base64(&self) -> String {
        base64_encode(&self.0)
    }

    /// Reads the hash from canonical base64.
    ///
    /// Fails with [`HashParseError::Base64`] on any spelling [`Hash::to_base64`] would not write,
    /// and with [`HashParseError::Length`] if the text holds other than 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, HashParseError> {
        let bytes = base64_decode(text).ok_or(HashParseError::Base64)?;
        let found = bytes.len();
        let bytes = bytes.try_into().map_err(|_| HashParseError::Length { found })?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = HashParseError;

    /// Reads 64 lowercase hex digits; fails with [`HashParseError::Hex`] on anything else.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex_decode(text).map(Self).ok_or(HashParseError::Hex)
    }
}

/// Why a text is not a [`struct@Hash`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HashParseError {
    /// The text is not base64, or not in its one canonical form.
    #[error("hash is not canonical base64")]
    Base64,
    /// The base64 text holds the wrong number of bytes.
    #[error("hash has {found} bytes, not 32")]
    Length {
        /// Number of bytes in the text.
        found: usize,
    },
    /// The text is not 64 lowercase hex digits.
    #[error("hash is not 64 lowercase hex digits")]
    Hex,
}

/// The hash of the tree without leaves (RFC 6962 section 2.1). Same as [`EMPTY_ROOT`].
pub const fn empty_root() -> Hash {
    EMPTY_ROOT
}

/// The hash of one entry: `SHA-256(0x00 || entry)` (RFC 6962 section 2.1).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(LEAF_PREFIX);
    hasher.update(entry);
    Hash(hasher.finalize().into())
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)` (RFC 6962 section 2.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    // One contiguous input keeps the hasher on its block path: 65 bytes are exactly two blocks.
    let mut input = [NODE_PREFIX; 1 + 2 * Hash::BYTES];
    input[1..=Hash::BYTES].copy_from_slice(&left.0);
    input[1 + Hash::BYTES..].copy_from_slice(&right.0);
    Hash(Sha256::digest(input).into())
}
