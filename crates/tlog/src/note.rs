//! Signed notes: a text and the signatures under it ([C2SP signed-note]).
//!
//! ```text
//! This is an example message.
//!                                  ◀ the last blank line ends the text
//! — example.com/foo Uw2QOkn8srV1…  ◀ em dash, key name, base64(key id || signature)
//! ```
//!
//! A note is read in two steps with a type each. [`UnverifiedNote::parse`] checks the form;
//! [`UnverifiedNote::verify`] checks the signatures and is the only way to a [`VerifiedNote`].
//! Signatures of unknown keys are ignored, one bad signature of a known key refuses the note, and
//! at least one must verify.
//!
//! **In scope**: Ed25519 (0x01) and Ed25519 `cosignature/v1` (0x04). **Out of scope**: the other
//! assigned signature types, which are ignored like any unknown key, and which keys to trust.
//!
//! [C2SP signed-note]: https://c2sp.org/signed-note

mod key;
mod name;
mod signature;
mod signer;
mod unverified;

pub(crate) use self::key::Scheme;
pub use self::key::{SignatureType, VerifierKey, VerifierKeyError, WrongSignature};
pub use self::name::{KeyId, KeyName, KeyNameError};
pub use self::signature::{NoteSignature, SignatureLineError};
pub(crate) use self::signer::{KeyPair, assemble};
pub use self::signer::{Signer, sign_note};
pub use self::unverified::{
    MAX_NOTE_BYTES, MAX_SIGNATURES, NoteError, UnverifiedNote, VerifiedNote, VerifiedSignature,
};

/// Finds the first ASCII control character other than newline, with its byte offset.
///
/// Control characters are those below U+0020 (signed-note, "Format").
fn find_control(text: &str) -> Option<(usize, u8)> {
    text.bytes().enumerate().find(|&(_, byte)| byte < 0x20 && byte != b'\n')
}
