//! Public keys that verify note signatures ([C2SP signed-note], "Verifier keys").
//!
//! [C2SP signed-note]: https://c2sp.org/signed-note

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, VerifyingKey};
use thiserror::Error;

use super::{KeyId, KeyName, KeyNameError, NoteSignature};
use crate::cosignature::verify_cosignature;
use crate::encoding::{base64_decode, base64_encode};

/// The algorithm and meaning of a signature (signed-note, "Signature types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureType {
    /// 0x01: Ed25519 over the text of the note.
    Ed25519,
    /// 0x02: ECDSA over the text of the note.
    Ecdsa,
    /// 0x04: Ed25519 over a time and the text of a checkpoint (tlog-cosignature).
    CosignatureV1,
    /// 0x05: the tree head signature of RFC 6962 (static-ct-api).
    Rfc6962TreeHead,
    /// 0x06: ML-DSA-44 over a time and a tree or subtree (tlog-cosignature).
    MlDsa44,
    /// 0xff: a type without an assigned byte.
    Unassigned,
}

impl SignatureType {
    /// The type identified by `byte`, or `None` if the byte is not assigned.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x02 => Some(Self::Ecdsa),
            0x04 => Some(Self::CosignatureV1),
            0x05 => Some(Self::Rfc6962TreeHead),
            0x06 => Some(Self::MlDsa44),
            0xff => Some(Self::Unassigned),
            _ => None,
        }
    }

    /// The byte that identifies the type.
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Ecdsa => 0x02,
            Self::CosignatureV1 => 0x04,
            Self::Rfc6962TreeHead => 0x05,
            Self::MlDsa44 => 0x06,
            Self::Unassigned => 0xff,
        }
    }
}

/// The signature types this crate can verify. Both use Ed25519 keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Ed25519,
    CosignatureV1,
}

impl Scheme {
    pub(crate) const fn signature_type(self) -> SignatureType {
        match self {
            Self::Ed25519 => SignatureType::Ed25519,
            Self::CosignatureV1 => SignatureType::CosignatureV1,
        }
    }
}

/// A public key with its name, id and signature type.
///
/// `Display` and `FromStr` are the `vkey` text `<name>+<id as hex>+<base64(type || key)>`. The id
/// always matches name, type and key, and the key is not one of the weak points that verify
/// signatures nobody made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    scheme: Scheme,
    key: VerifyingKey,
}

impl VerifierKey {
    /// The key `public_key` (RFC 8032 encoding) for Ed25519 note signatures, type 0x01.
    ///
    /// Fails with [`VerifierKeyError::PublicKey`] if it is not a usable Ed25519 key.
    pub fn ed25519(name: KeyName, public_key: &[u8; 32]) -> Result<Self, VerifierKeyError> {
        Self::with_scheme(name, Scheme::Ed25519, public_key)
    }

    /// The key `public_key` (RFC 8032 encoding) for `cosignature/v1` signatures, type 0x04.
    ///
    /// Fails with [`VerifierKeyError::PublicKey`] if it is not a usable Ed25519 key.
    pub fn cosignature_v1(name: KeyName, public_key: &[u8; 32]) -> Result<Self, VerifierKeyError> {
        Self::with_scheme(name, Scheme::CosignatureV1, public_key)
    }

    fn with_scheme(
        name: KeyName,
        scheme: Scheme,
        public_key: &[u8; 32],
    ) -> Result<Self, VerifierKeyError> {
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| VerifierKeyError::PublicKey)?;
        if key.is_weak() {
            return Err(VerifierKeyError::PublicKey);
        }
        Ok(Self::from_parts(name, scheme, key))
    }

    pub(crate) fn from_parts(name: KeyName, scheme: Scheme, key: VerifyingKey) -> Self {
        let id = KeyId::derive(&name, scheme.signature_type(), key.as_bytes());
        Self { name, id, scheme, key }
    }

    /// The name of the key.
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The type of the signatures the key verifies.
    pub const fn signature_type(&self) -> SignatureType {
        self.scheme.signature_type()
    }

    /// The public key in RFC 8032 encoding.
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether `signature` claims to be by this key: same name and same id.
    pub fn matches(&self, signature: &NoteSignature) -> bool {
        self.id == signature.key_id() && self.name == *signature.name()
    }

    /// Checks `signature`, without the key id in front, over the text of a note. Returns the time
    /// of a cosignature, of which plain signatures have none.
    pub(crate) fn check(
        &self,
        text: &str,
        signature: &[u8],
    ) -> Result<Option<u64>, WrongSignature> {
        match self.scheme {
            Scheme::Ed25519 => self.check_ed25519(text.as_bytes(), signature).map(|()| None),
            Scheme::CosignatureV1 => verify_cosignature(self, text, signature).map(Some),
        }
    }

    /// Checks an Ed25519 signature over `message` as it is, refusing every malleable form.
    ///
    /// Fails with [`WrongSignature`] if this key did not make it, or if it has other than 64 bytes.
    pub fn check_ed25519(&self, message: &[u8], signature: &[u8]) -> Result<(), WrongSignature> {
        let signature = Signature::from_slice(signature).map_err(|_| WrongSignature)?;
        self.key.verify_strict(message, &signature).map_err(|_| WrongSignature)
    }
}

/// A signature that its key did not make over the text it is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the key did not make this signature over this message")]
pub struct WrongSignature;

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut material = vec![self.signature_type().to_byte()];
        material.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, self.id, base64_encode(&material))
    }
}

impl FromStr for VerifierKey {
    type Err = VerifierKeyError;

    /// Reads a `vkey` (signed-note, "Verifier keys"); fails with the reason in
    /// [`VerifierKeyError`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Base64 may contain plus signs, names may not: split from the left.
        let (name, rest) = text.split_once('+').ok_or(VerifierKeyError::Parts)?;
        let (id, material) = rest.split_once('+').ok_or(VerifierKeyError::Parts)?;
        let name = KeyName::new(name)?;
        let id: KeyId = id.parse()?;
        let material = base64_decode(material).ok_or(VerifierKeyError::Base64)?;
        let (&type_byte, public_key) =
            material.split_first().ok_or(VerifierKeyError::KeyLength { found: 0 })?;
        let scheme = match SignatureType::from_byte(type_byte) {
            Some(SignatureType::Ed25519) => Scheme::Ed25519,
            Some(SignatureType::CosignatureV1) => Scheme::CosignatureV1,
            _ => return Err(VerifierKeyError::UnsupportedType { byte: type_byte }),
        };
        let public_key = public_key
            .try_into()
            .map_err(|_| VerifierKeyError::KeyLength { found: public_key.len() })?;
        let key = Self::with_scheme(name, scheme, public_key)?;
        if key.id != id {
            return Err(VerifierKeyError::KeyIdMismatch { found: id, expected: key.id });
        }
        Ok(key)
    }
}

/// Why a text or a public key is not a [`VerifierKey`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifierKeyError {
    /// The text does not have three parts separated by plus signs.
    #[error("verifier key does not have three parts")]
    Parts,
    /// The name is not a key name.
    #[error("verifier key has no valid name")]
    Name(#[from] KeyNameError),
    /// The key id is not eight lowercase hex digits.
    #[error("key id is not eight lowercase hex digits")]
    KeyId,
    /// The key material is not canonical base64.
    #[error("verifier key is not canonical base64")]
    Base64,
    /// The signature type is not one this crate verifies.
    #[error("signature type {byte:#04x} is not supported")]
    UnsupportedType {
        /// The signature type identifier.
        byte: u8,
    },
    /// The public key is not 32 bytes long.
    #[error("public key has {found} bytes, not 32")]
    KeyLength {
        /// Number of bytes in the text.
        found: usize,
    },
    /// The bytes are not an Ed25519 public key, or a weak one.
    #[error("public key is not a usable Ed25519 key")]
    PublicKey,
    /// The id in the text is not that of name, type and key.
    #[error("key id is {found}, but name and key have id {expected}")]
    KeyIdMismatch {
        /// The id in the text.
        found: KeyId,
        /// The id of name, type and key.
        expected: KeyId,
    },
}
