//! One signature line of a note ([C2SP signed-note], "Format").
//!
//! [C2SP signed-note]: https://c2sp.org/signed-note

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{KeyId, KeyName, KeyNameError};
use crate::encoding::{base64_decode, base64_encode};

/// Em dash (U+2014) and space, at the start of every signature line.
const LINE_PREFIX: &str = "\u{2014} ";

/// A signature as it stands in a note: who claims to have made it, and its bytes.
///
/// `Display` and `FromStr` are the signature line without its newline.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NoteSignature {
    name: KeyName,
    key_id: KeyId,
    /// At least one byte.
    bytes: Vec<u8>,
}

impl NoteSignature {
    /// The signature `bytes` of a key of this crate; never empty.
    pub(crate) const fn new(name: KeyName, key_id: KeyId, bytes: Vec<u8>) -> Self {
        Self { name, key_id, bytes }
    }

    /// The name of the key.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key.
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The signature itself, in the form its type prescribes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = [self.key_id.as_bytes().as_slice(), &self.bytes].concat();
        write!(f, "{LINE_PREFIX}{} {}", self.name, base64_encode(&payload))
    }
}

impl FromStr for NoteSignature {
    type Err = SignatureLineError;

    /// Reads a signature line without its newline; fails with the reason in
    /// [`SignatureLineError`].
    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let line = line.strip_prefix(LINE_PREFIX).ok_or(SignatureLineError::Prefix)?;
        let (name, payload) = line.split_once(' ').ok_or(SignatureLineError::NoSignature)?;
        let name = KeyName::new(name)?;
        let payload = base64_decode(payload).ok_or(SignatureLineError::Base64)?;
        match payload.split_first_chunk() {
            Some((key_id, bytes)) if !bytes.is_empty() => {
                Ok(Self::new(name, KeyId::from_bytes(*key_id), bytes.to_vec()))
            }
            _ => Err(SignatureLineError::TooShort { found: payload.len() }),
        }
    }
}

/// Why a line is not a signature line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignatureLineError {
    /// The line does not begin with em dash (U+2014) and space.
    #[error("line does not begin with an em dash and a space")]
    Prefix,
    /// There is no space after the key name.
    #[error("line has no signature after the key name")]
    NoSignature,
    /// The name is not a key name.
    #[error("line has no valid key name")]
    Name(#[from] KeyNameError),
    /// The signature is not canonical base64.
    #[error("signature is not canonical base64")]
    Base64,
    /// The base64 text holds no more than a key id.
    #[error("signature with key id has {found} bytes, fewer than 5")]
    TooShort {
        /// Number of bytes, including those of the key id.
        found: usize,
    },
}
