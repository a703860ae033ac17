//! Who signed: the name and the short identifier of a key ([C2SP signed-note], "Signatures").
//!
//! [C2SP signed-note]: https://c2sp.org/signed-note

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::SignatureType;
use crate::encoding::hex_decode;

/// The name of a key, usually a URL without scheme such as `example.com/log42`.
///
/// Not empty; without Unicode white space, plus sign or control character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// Checks and takes a key name. Fails with the reason in [`KeyNameError`].
    pub fn new(name: impl Into<String>) -> Result<Self, KeyNameError> {
        let name = name.into();
        if name.is_empty() {
            return Err(KeyNameError::Empty);
        }
        match name.chars().find_map(refusal) {
            Some(refused) => Err(refused),
            None => Ok(Self(name)),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a character cannot be in a key name, if so.
fn refusal(found: char) -> Option<KeyNameError> {
    match found {
        '+' => Some(KeyNameError::Plus),
        // Before control characters, of which tab and newline are white space too.
        space if space.is_whitespace() => Some(KeyNameError::Space),
        control if control < ' ' => Some(KeyNameError::Control),
        _ => None,
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

/// Why a text is not a [`KeyName`] (signed-note, "Format").
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyNameError {
    /// The name is empty.
    #[error("key name is empty")]
    Empty,
    /// The name has a Unicode white space character.
    #[error("key name contains white space")]
    Space,
    /// The name has a plus sign, which separates the parts of a verifier key.
    #[error("key name contains a plus sign")]
    Plus,
    /// The name has a control character, which no note may contain.
    #[error("key name contains a control character")]
    Control,
}

/// The four bytes that, together with the name, tell which key made a signature.
///
/// An identifier, not a commitment: anyone can find another key with the same id. Shown as eight
/// lowercase hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; KeyId::BYTES]);

impl KeyId {
    /// Length of a key id in bytes.
    pub const BYTES: usize = 4;

    /// Takes the bytes of a key id, most significant first.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The id of a key: the first four bytes of `SHA-256(name || 0x0A || type || public key)`
    /// (signed-note, "Signatures").
    pub fn derive(name: &KeyName, signature_type: SignatureType, public_key: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(name.as_str());
        hasher.update([b'\n', signature_type.to_byte()]);
        hasher.update(public_key);
        let digest: [u8; 32] = hasher.finalize().into();
        Self([digest[0], digest[1], digest[2], digest[3]])
    }

    /// The bytes of the key id, most significant first.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = super::VerifierKeyError;

    /// Reads eight lowercase hex digits; fails with
    /// [`VerifierKeyError::KeyId`](super::VerifierKeyError::KeyId) on anything else.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex_decode(text).map(Self).ok_or(super::VerifierKeyError::KeyId)
    }
}
