//! Signing notes with Ed25519 ([C2SP signed-note], "Ed25519 signatures").
//!
//! [C2SP signed-note]: https://c2sp.org/signed-note

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey};

use super::key::Scheme;
use super::{KeyName, NoteError, NoteSignature, VerifierKey, find_control};

/// A private key with its public counterpart. The private key is overwritten when dropped.
pub(crate) struct KeyPair {
    key: SigningKey,
    public: VerifierKey,
}

impl KeyPair {
    pub(crate) fn new(name: KeyName, scheme: Scheme, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let public = VerifierKey::from_parts(name, scheme, key.verifying_key());
        Self { key, public }
    }

    pub(crate) const fn public(&self) -> &VerifierKey {
        &self.public
    }

    /// The 64 bytes of the signature over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// A signature line of this key with the given content.
    pub(crate) fn line(&self, bytes: Vec<u8>) -> NoteSignature {
        NoteSignature::new(self.public.name().clone(), self.public.id(), bytes)
    }
}

/// A named Ed25519 key that signs notes, type 0x01.
///
/// `Debug` shows the public key only, and the private key is overwritten when dropped.
pub struct Signer(KeyPair);

impl Signer {
    /// The signer with the private key `seed` (RFC 8032 section 5.1.5), named `name`.
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Self {
        Self(KeyPair::new(name, Scheme::Ed25519, seed))
    }

    /// The name of the key.
    pub const fn name(&self) -> &KeyName {
        self.0.public().name()
    }

    /// The key that verifies what this one signs.
    pub const fn verifier_key(&self) -> &VerifierKey {
        self.0.public()
    }

    /// Signs `message` as it is; for notes see [`sign_note`].
    ///
    /// One key signs more than notes only if nothing can be taken for both: a checkpoint begins with
    /// its origin, which holds no space, a DSSE message with `DSSEv1` and a space.
    pub fn sign(&self, message: &[u8]) -> NoteSignature {
        self.0.line(self.0.sign(message).to_vec())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.verifier_key())
    }
}

/// Signs `text` with every one of `signers` and returns the whole note.
///
/// Fails with [`NoteError::MissingFinalNewline`] or [`NoteError::ControlCharacter`] if `text`
/// cannot be the text of a note, and with [`NoteError::NoSignatures`] without signers
/// (signed-note, "Format").
pub fn sign_note(text: &str, signers: &[&Signer]) -> Result<String, NoteError> {
    if !text.ends_with('\n') {
        return Err(NoteError::MissingFinalNewline);
    }
    if let Some((offset, byte)) = find_control(text) {
        return Err(NoteError::ControlCharacter { offset, byte });
    }
    if signers.is_empty() {
        return Err(NoteError::NoSignatures);
    }
    let lines = signers.iter().map(|signer| signer.sign(text.as_bytes()));
    Ok(assemble(text, lines))
}

/// Puts the signature lines under the text.
pub(crate) fn assemble(text: &str, lines: impl IntoIterator<Item = NoteSignature>) -> String {
    lines.into_iter().fold(format!("{text}\n"), |note, line| format!("{note}{line}\n"))
}
