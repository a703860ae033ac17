//! Cosignatures: a witness states when it saw a checkpoint ([C2SP tlog-cosignature]).
//!
//! The signed message is the time followed by the whole text of the checkpoint:
//!
//! ```text
//! cosignature/v1
//! time 1679315147
//! example.com/behind-the-sofa
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! ```
//!
//! Use one key for one cosigner: the message does not name it. Cosignatures are verified like
//! other note signatures, with a [`VerifierKey`] of type 0x04.
//!
//! **In scope**: Ed25519 `cosignature/v1`, signature type 0x04. **Out of scope**: ML-DSA-44
//! cosignatures (0x06), the witness protocol, and whether a stated time is plausible.
//!
//! [C2SP tlog-cosignature]: https://c2sp.org/tlog-cosignature

use std::fmt;

use thiserror::Error;

use crate::checkpoint::VerifiedCheckpoint;
use crate::note::{KeyName, KeyPair, NoteSignature, Scheme, VerifierKey, WrongSignature};

/// The latest time a cosignature can state: 2^63 - 1 seconds after the Unix epoch
/// (tlog-cosignature, "Format").
pub const MAX_UNIX_SECONDS: u64 = i64::MAX as u64;

/// A named Ed25519 key that cosigns checkpoints, type 0x04.
///
/// `Debug` shows the public key only, and the private key is overwritten when dropped.
pub struct Cosigner(KeyPair);

impl Cosigner {
    /// The cosigner with the private key `seed` (RFC 8032 section 5.1.5), named `name`.
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Self {
        Self(KeyPair::new(name, Scheme::CosignatureV1, seed))
    }

    /// The name of the key.
    pub const fn name(&self) -> &KeyName {
        self.0.public().name()
    }

    /// The key that verifies what this one signs.
    pub const fn verifier_key(&self) -> &VerifierKey {
        self.0.public()
    }

    /// States that `checkpoint` is the largest tree of its log seen by `unix_seconds`, the time in
    /// seconds since the Unix epoch. The result, as a line, goes under the checkpoint.
    ///
    /// The caller has verified consistency with what it cosigned before. Fails with
    /// [`CosignError::TimeTooLate`] for a time above [`MAX_UNIX_SECONDS`].
    pub fn cosign(
        &self,
        checkpoint: &VerifiedCheckpoint,
        unix_seconds: u64,
    ) -> Result<NoteSignature, CosignError> {
        if unix_seconds > MAX_UNIX_SECONDS {
            return Err(CosignError::TimeTooLate { unix_seconds });
        }
        let message = cosigned_message(checkpoint.text(), unix_seconds);
        let signature = self.0.sign(message.as_bytes());
        Ok(self.0.line([unix_seconds.to_be_bytes().as_slice(), &signature].concat()))
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({})", self.verifier_key())
    }
}

/// A verified cosignature: who saw a checkpoint, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cosignature<'a> {
    key: &'a VerifierKey,
    unix_seconds: u64,
}

impl<'a> Cosignature<'a> {
    pub(crate) const fn new(key: &'a VerifierKey, unix_seconds: u64) -> Self {
        Self { key, unix_seconds }
    }

    /// The key of the cosigner.
    pub const fn key(&self) -> &'a VerifierKey {
        self.key
    }

    /// The stated time, in seconds since the Unix epoch.
    pub const fn unix_seconds(&self) -> u64 {
        self.unix_seconds
    }
}

/// Why a checkpoint cannot be cosigned.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CosignError {
    /// The time is later than [`MAX_UNIX_SECONDS`].
    #[error("time {unix_seconds} is later than 2^63 - 1 seconds")]
    TimeTooLate {
        /// The time, in seconds since the Unix epoch.
        unix_seconds: u64,
    },
}

/// Checks the `timestamped_signature` of a cosigner over the text of a checkpoint and returns the
/// time it states.
pub(crate) fn verify_cosignature(
    key: &VerifierKey,
    text: &str,
    timestamped_signature: &[u8],
) -> Result<u64, WrongSignature> {
    let (time, signature) = timestamped_signature.split_first_chunk().ok_or(WrongSignature)?;
    let unix_seconds = u64::from_be_bytes(*time);
    if unix_seconds > MAX_UNIX_SECONDS {
        return Err(WrongSignature);
    }
    key.check_ed25519(cosigned_message(text, unix_seconds).as_bytes(), signature)?;
    Ok(unix_seconds)
}

/// The bytes a cosigner signs (tlog-cosignature, "Ed25519 signed message").
fn cosigned_message(text: &str, unix_seconds: u64) -> String {
    format!("cosignature/v1\ntime {unix_seconds}\n{text}")
}
