//! Reading notes: first the form, then the signatures ([C2SP signed-note]).
//!
//! [C2SP signed-note]: https://c2sp.org/signed-note

use thiserror::Error;

use super::{
    KeyId, KeyName, NoteSignature, SignatureLineError, SignatureType, VerifierKey, find_control,
};

/// Most bytes of a note that is read. Checkpoints are a few hundred bytes; with 64 post-quantum
/// signatures of 5 kB in base64 they stay below half of this.
pub const MAX_NOTE_BYTES: usize = 1 << 20;

/// Most signatures of a note that is read. The specification asks for at least 16.
pub const MAX_SIGNATURES: usize = 64;

/// A note in valid form. Nothing it says may be relied on before [`UnverifiedNote::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl UnverifiedNote {
    /// Reads a note (signed-note, "Format"), at most [`MAX_NOTE_BYTES`] long and with at most
    /// [`MAX_SIGNATURES`] signatures. Fails with the first departure from the form.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge { found: bytes.len() });
        }
        let note = str::from_utf8(bytes)
            .map_err(|error| NoteError::NotUtf8 { offset: error.valid_up_to() })?;
        if let Some((offset, byte)) = find_control(note) {
            return Err(NoteError::ControlCharacter { offset, byte });
        }
        let body = note.strip_suffix('\n').ok_or(NoteError::MissingFinalNewline)?;
        let text_bytes = note.rfind("\n\n").ok_or(NoteError::NoBlankLine)? + 1;
        // A blank line at the very end leaves `body` too short to have anything after it.
        let lines = body.get(text_bytes + 1..).ok_or(NoteError::NoSignatures)?;
        Ok(Self { text: note[..text_bytes].to_owned(), signatures: parse_lines(lines)? })
    }

    /// The text as claimed, with its final newline. Only to find out which keys to verify with.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The signatures in the order of the note, of known and unknown keys.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Checks the signatures of the keys in `known` (signed-note, "Signatures").
    ///
    /// Signatures of other keys are ignored. Fails with [`NoteError::BadSignature`] if a known
    /// key's signature is wrong, with [`NoteError::NoKnownSignature`] if no known key signed, and
    /// with [`NoteError::AmbiguousKey`] if two different keys in `known` share name and id.
    pub fn verify(self, known: &[VerifierKey]) -> Result<VerifiedNote, NoteError> {
        check_unambiguous(known)?;
        let mut verified: Vec<VerifiedSignature> = Vec::new();
        for signature in &self.signatures {
            let Some(key) = known.iter().find(|key| key.matches(signature)) else {
                continue;
            };
            let unix_seconds = key
                .check(&self.text, signature.bytes())
                .map_err(|_| NoteError::bad_signature(signature))?;
            // A key counts once, however often it signed.
            if verified.iter().all(|earlier| earlier.key != *key) {
                verified.push(VerifiedSignature { key: key.clone(), unix_seconds });
            }
        }
        if verified.is_empty() {
            return Err(NoteError::NoKnownSignature);
        }
        Ok(VerifiedNote { note: self, verified })
    }
}

/// Reads signature lines separated by newlines.
fn parse_lines(lines: &str) -> Result<Vec<NoteSignature>, NoteError> {
    let found = lines.split('\n').count();
    if found > MAX_SIGNATURES {
        return Err(NoteError::TooManySignatures { found });
    }
    let parse = |(line, text): (usize, &str)| {
        text.parse().map_err(|source| NoteError::SignatureLine { line: line + 1, source })
    };
    lines.split('\n').enumerate().map(parse).collect()
}

/// Refuses a set of keys in which name and id do not tell which key is meant.
fn check_unambiguous(known: &[VerifierKey]) -> Result<(), NoteError> {
    for (position, key) in known.iter().enumerate() {
        let clash = |other: &&VerifierKey| {
            other.id() == key.id() && other.name() == key.name() && *other != key
        };
        if known[..position].iter().any(|other| clash(&other)) {
            return Err(NoteError::AmbiguousKey { name: key.name().clone(), id: key.id() });
        }
    }
    Ok(())
}

/// A note signed by at least one known key, and by no known key wrongly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedNote {
    note: UnverifiedNote,
    /// Not empty, one for each key.
    verified: Vec<VerifiedSignature>,
}

impl VerifiedNote {
    /// The text, with its final newline.
    pub fn text(&self) -> &str {
        &self.note.text
    }

    /// The verified signatures in the order of the note, at least one and one for each key.
    pub fn signatures(&self) -> &[VerifiedSignature] {
        &self.verified
    }

    /// The whole note as it was read, including signatures of unknown keys.
    pub fn to_note_text(&self) -> String {
        super::assemble(&self.note.text, self.note.signatures.iter().cloned())
    }
}

/// A signature that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSignature {
    key: VerifierKey,
    unix_seconds: Option<u64>,
}

impl VerifiedSignature {
    /// The key that signed.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The type of the signature.
    pub const fn signature_type(&self) -> SignatureType {
        self.key.signature_type()
    }

    /// The time a cosigner states, in seconds since the Unix epoch; `None` for a plain signature,
    /// which states none.
    pub const fn unix_seconds(&self) -> Option<u64> {
        self.unix_seconds
    }
}

/// Why a note is not accepted, or cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// The note is longer than [`MAX_NOTE_BYTES`].
    #[error("note has {found} bytes, more than {MAX_NOTE_BYTES}")]
    TooLarge {
        /// Length in bytes.
        found: usize,
    },
    /// The note is not UTF-8.
    #[error("note is not utf-8 at byte {offset}")]
    NotUtf8 {
        /// Offset of the first wrong byte.
        offset: usize,
    },
    /// The note has an ASCII control character other than newline.
    #[error("note has control character {byte:#04x} at byte {offset}")]
    ControlCharacter {
        /// Offset of the character in bytes.
        offset: usize,
        /// The character.
        byte: u8,
    },
    /// The note, or the text to sign, does not end with a newline.
    #[error("note does not end with a newline")]
    MissingFinalNewline,
    /// No blank line separates text and signatures.
    #[error("note has no blank line before its signatures")]
    NoBlankLine,
    /// The note has no signature lines, or there is nobody to sign it.
    #[error("note has no signatures")]
    NoSignatures,
    /// The note has more than [`MAX_SIGNATURES`] signatures.
    #[error("note has {found} signatures, more than {MAX_SIGNATURES}")]
    TooManySignatures {
        /// Number of signature lines.
        found: usize,
    },
    /// A line after the last blank line is not a signature line.
    #[error("signature line {line} is malformed")]
    SignatureLine {
        /// Number of the line, counted from 1 after the blank line.
        line: usize,
        /// What is wrong with it.
        source: SignatureLineError,
    },
    /// Two different known keys have the same name and id.
    #[error("two keys are named {name} with id {id}")]
    AmbiguousKey {
        /// The name of both keys.
        name: KeyName,
        /// The id of both keys.
        id: KeyId,
    },
    /// The signature of a known key is wrong.
    #[error("signature by {name} with key id {id} is wrong")]
    BadSignature {
        /// The name of the key.
        name: KeyName,
        /// The id of the key.
        id: KeyId,
    },
    /// No known key signed the note.
    #[error("note is not signed by a known key")]
    NoKnownSignature,
}

impl NoteError {
    fn bad_signature(signature: &NoteSignature) -> Self {
        Self::BadSignature { name: signature.name().clone(), id: signature.key_id() }
    }
}
