//! Checkpoints: the signed size and root hash of a log ([C2SP tlog-checkpoint]).
//!
//! ```text
//! example.com/behind-the-sofa                    ◀ origin
//! 20852163                                       ◀ tree size
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=   ◀ root hash
//!
//! — example.com/behind-the-sofa Az3grlgtzPICa5OS…
//! ```
//!
//! A checkpoint is read in two steps with a type each: [`UnverifiedCheckpoint::parse`] checks the
//! form, [`UnverifiedCheckpoint::verify`] the origin and the signatures.
//!
//! **In scope**: the text, signing and verifying. Extension lines of others are kept, because
//! signatures cover them, but have no meaning here, and none are written. **Out of scope**:
//! consistency with earlier checkpoints ([`crate::proof`]) and how many witnesses are enough.
//!
//! [C2SP tlog-checkpoint]: https://c2sp.org/tlog-checkpoint

mod origin;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use self::origin::{Origin, OriginError};
use crate::cosignature::Cosignature;
use crate::hash::{EMPTY_ROOT, Hash, HashParseError};
use crate::note::{
    NoteError, NoteSignature, SignatureType, Signer, UnverifiedNote, VerifiedNote, VerifierKey,
    assemble,
};
use crate::size::{ParseSizeError, TreeSize};

/// Signs `checkpoint` and returns the whole note.
///
/// The signer's name should equal the origin (tlog-checkpoint, "Signatures"). A log must never
/// sign two checkpoints of which neither extends the other.
pub fn sign_checkpoint(checkpoint: &Checkpoint, signer: &Signer) -> String {
    let text = checkpoint.to_string();
    let signature = signer.sign(text.as_bytes());
    assemble(&text, [signature])
}

/// What a checkpoint says: a log, the number of its leaves and their root hash.
///
/// The root of an empty tree is [`EMPTY_ROOT`]. `Display` and `FromStr` are the text of the note,
/// with its final newline.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    origin: Origin,
    size: TreeSize,
    root: Hash,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    ///
    /// Fails with [`CheckpointError::EmptyTreeRoot`] if `size` is 0 and `root` is not
    /// [`EMPTY_ROOT`] (RFC 6962 section 2.1).
    pub fn new(origin: Origin, size: TreeSize, root: Hash) -> Result<Self, CheckpointError> {
        if size.is_empty() && root != EMPTY_ROOT {
            return Err(CheckpointError::EmptyTreeRoot { found: root });
        }
        Ok(Self { origin, size, root, extensions: Vec::new() })
    }

    /// The log.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The number of leaves.
    pub const fn size(&self) -> TreeSize {
        self.size
    }

    /// The root hash of the tree with those leaves.
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// The extension lines, without newlines. Nobody audits them: never give them meaning
    /// (tlog-checkpoint, "Note text").
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads the text of a checkpoint note (tlog-checkpoint, "Note text"); fails with the first
    /// departure from the form.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::MissingFinalNewline)?;
        let lines: Vec<&str> = body.split('\n').collect();
        let [origin, size, root, extensions @ ..] = lines.as_slice() else {
            return Err(CheckpointError::TooFewLines { found: lines.len() });
        };
        let mut checkpoint =
            Self::new(Origin::new(*origin)?, size.parse()?, Hash::from_base64(root)?)?;
        if let Some(position) = extensions.iter().position(|line| line.is_empty()) {
            return Err(CheckpointError::EmptyExtension { line: position + 4 });
        }
        checkpoint.extensions = extensions.iter().map(ToString::to_string).collect();
        Ok(checkpoint)
    }
}

/// A checkpoint in valid form. Nothing it says may be relied on before
/// [`UnverifiedCheckpoint::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedCheckpoint {
    note: UnverifiedNote,
    checkpoint: Checkpoint,
}

impl UnverifiedCheckpoint {
    /// Reads a signed checkpoint. Fails with [`CheckpointError::Note`] if it is not a signed note
    /// and with the other variants if its text is not that of a checkpoint.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = UnverifiedNote::parse(bytes)?;
        let checkpoint = note.unverified_text().parse()?;
        Ok(Self { note, checkpoint })
    }

    /// What the checkpoint claims. Only to find out which keys to verify with.
    pub const fn unverified(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The signatures in the order of the note, of known and unknown keys.
    pub fn signatures(&self) -> &[NoteSignature] {
        self.note.signatures()
    }

    /// Checks that the checkpoint is for `origin` and signed by its log.
    ///
    /// `known` are the keys of the log (type 0x01) and of witnesses (type 0x04). At least one key
    /// of the log must have signed: cosignatures alone do not speak for it. Fails with
    /// [`CheckpointError::OriginMismatch`], [`CheckpointError::NoLogSignature`] or, from
    /// [`UnverifiedNote::verify`], [`CheckpointError::Note`].
    pub fn verify(
        self,
        origin: &Origin,
        known: &[VerifierKey],
    ) -> Result<VerifiedCheckpoint, CheckpointError> {
        if self.checkpoint.origin != *origin {
            return Err(CheckpointError::OriginMismatch {
                expected: origin.clone(),
                found: self.checkpoint.origin,
            });
        }
        let note = self.note.verify(known)?;
        let by_log = |key: &VerifierKey| key.signature_type() == SignatureType::Ed25519;
        if !note.signatures().iter().any(|signature| by_log(signature.key())) {
            return Err(CheckpointError::NoLogSignature { origin: self.checkpoint.origin });
        }
        Ok(VerifiedCheckpoint { note, checkpoint: self.checkpoint })
    }
}

/// A checkpoint signed by its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    note: VerifiedNote,
    checkpoint: Checkpoint,
}

impl VerifiedCheckpoint {
    /// What the checkpoint says.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The log.
    pub const fn origin(&self) -> &Origin {
        self.checkpoint.origin()
    }

    /// The number of leaves.
    pub const fn size(&self) -> TreeSize {
        self.checkpoint.size()
    }

    /// The root hash of the tree with those leaves.
    pub const fn root(&self) -> Hash {
        self.checkpoint.root()
    }

    /// The signed text, with its final newline.
    pub fn text(&self) -> &str {
        self.note.text()
    }

    /// The verified note, with the signatures of the log and of witnesses.
    pub const fn note(&self) -> &VerifiedNote {
        &self.note
    }

    /// The verified cosignatures in the order of the note, one for each key.
    pub fn cosignatures(&self) -> impl Iterator<Item = Cosignature<'_>> {
        self.note.signatures().iter().filter_map(|signature| {
            signature.unix_seconds().map(|time| Cosignature::new(signature.key(), time))
        })
    }

    /// The whole note as it was read, including signatures of unknown keys.
    pub fn to_note_text(&self) -> String {
        self.note.to_note_text()
    }
}

/// Why a checkpoint is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// The checkpoint is not a signed note, or not signed as it must be.
    #[error("checkpoint is not a valid signed note")]
    Note(#[from] NoteError),
    /// The text does not end with a newline.
    #[error("checkpoint text does not end with a newline")]
    MissingFinalNewline,
    /// The text has fewer than the lines origin, tree size and root hash.
    #[error("checkpoint text has {found} lines, fewer than 3")]
    TooFewLines {
        /// Number of lines.
        found: usize,
    },
    /// The first line is not an origin.
    #[error("checkpoint has no valid origin")]
    Origin(#[from] OriginError),
    /// The second line is not a tree size.
    #[error("checkpoint has no valid tree size")]
    Size(#[from] ParseSizeError),
    /// The third line is not a root hash.
    #[error("checkpoint has no valid root hash")]
    Root(#[from] HashParseError),
    /// The tree is empty, but its root is not [`EMPTY_ROOT`].
    #[error("root of the empty tree is {found}, not {EMPTY_ROOT}")]
    EmptyTreeRoot {
        /// The root in the checkpoint.
        found: Hash,
    },
    /// An extension line is empty.
    #[error("extension line {line} of the checkpoint is empty")]
    EmptyExtension {
        /// Number of the line in the text, counted from 1.
        line: usize,
    },
    /// The checkpoint is for another log.
    #[error("checkpoint is for {found}, not {expected}")]
    OriginMismatch {
        /// The log asked for.
        expected: Origin,
        /// The log in the checkpoint.
        found: Origin,
    },
    /// Only witnesses signed, but no key of the log.
    #[error("checkpoint is not signed by a key of the log {origin}")]
    NoLogSignature {
        /// The log.
        origin: Origin,
    },
}
