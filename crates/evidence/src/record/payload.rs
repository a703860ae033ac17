//! The payload of an entry: segments, each under a commitment, and a layout that puts them
//! together again. Kept beside the tree; the envelope carries the commitment to it.
//!
//! ```text
//! line    {"user":"dave@bank.example","token":"abc","code":200}
//! layout  k9 p1 k11 s k12
//! kept    {"user":"","token":"","code":200}      one segment, one salt
//! p1      dave@bank.example                        own salt, can be erased
//! s       (never stored)
//! ```
//!
//! Format: `docs/formats/entry.md`.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use tlog::Hash;

use super::{CUT, REDACTED};

/// Bytes of a salt: 128 bits, as hiding commitments to guessable values need.
pub const SALT_BYTES: usize = 16;
/// A segment's salt: random and independent of every other, or an erased value could be guessed.
pub type Salt = [u8; SALT_BYTES];

/// One piece of a layout, in the order of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The next so many bytes of the kept segment; at least one.
    Kept(usize),
    /// The personal segment of that number, counted from 1.
    Personal(usize),
    /// A secret stood here, within a string.
    Secret,
    /// A secret number or truth value stood here.
    SecretNumber,
    /// A network address stood here.
    Address,
}

/// A personal segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Personal {
    /// As it came.
    Present {
        /// Its salt.
        salt: Salt,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Erased: only the commitment is left, so that every proof still holds.
    Erased {
        /// Commitment to the bytes that were here.
        commitment: Hash,
    },
    /// Replaced in an exported payload; never in a ledger.
    Shown {
        /// Commitment to the bytes that were here.
        commitment: Hash,
        /// What is read in their place.
        pseudonym: Vec<u8>,
    },
}

/// An entry's payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// How the segments make up the record.
    pub layout: Vec<Piece>,
    /// Salt of the kept segment.
    pub salt: Salt,
    /// The kept segment.
    pub kept: Vec<u8>,
    /// The personal segments, in the order of their first place in the record.
    pub personal: Vec<Personal>,
}

/// Why bytes are not a payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The bytes end early.
    #[error("payload is truncated")]
    Truncated,
    /// Bytes follow the payload.
    #[error("payload has {0} bytes too many")]
    Trailing(usize),
    /// Not version 1.
    #[error("payload version {0} is not known")]
    Version(u8),
    /// A state byte that is neither present nor erased.
    #[error("personal segment {segment} has unknown state {state}")]
    State {
        /// Number of the segment, from 1.
        segment: usize,
        /// The state byte.
        state: u8,
    },
    /// The layout is not one, or does not use every segment exactly as it is.
    #[error("payload layout does not fit its segments: {0}")]
    Layout(&'static str),
}

const VERSION: u8 = 1;
const PRESENT: u8 = 1;
const ERASED: u8 = 2;
const SHOWN: u8 = 3;

/// Commitment to one segment: `SHA-256("countersign/segment/v1\n" ‖ salt ‖ bytes)`.
pub fn segment_commitment(salt: &Salt, bytes: &[u8]) -> Hash {
    let mut hash = Sha256::new_with_prefix(b"countersign/segment/v1\n");
    hash.update(salt);
    hash.update(bytes);
    Hash::from_bytes(hash.finalize().into())
}

impl Personal {
    /// The commitment to the segment, whether it is still there or not.
    pub fn commitment(&self) -> Hash {
        match self {
            Self::Present { salt, bytes } => segment_commitment(salt, bytes),
            Self::Erased { commitment } | Self::Shown { commitment, .. } => *commitment,
        }
    }
}

impl Payload {
    /// The commitment that the envelope carries:
    /// `SHA-256("countersign/payload/v1\n" ‖ layout ‖ kept ‖ personal 1 ‖ …)`, the layout as text
    /// with its newline, each segment as its commitment.
    pub fn commitment(&self) -> Hash {
        let mut hash = Sha256::new_with_prefix(b"countersign/payload/v1\n");
        hash.update(self.layout_text().as_bytes());
        hash.update(segment_commitment(&self.salt, &self.kept).as_bytes());
        for personal in &self.personal {
            hash.update(personal.commitment().as_bytes());
        }
        Hash::from_bytes(hash.finalize().into())
    }

    /// The layout as text: `k9 p1 k11 s k12`, ending in a newline.
    pub fn layout_text(&self) -> String {
        let mut text = String::with_capacity(self.layout.len() * 5);
        for (i, piece) in self.layout.iter().enumerate() {
            let gap = if i == 0 { "" } else { " " };
            let written = match piece {
                Piece::Kept(bytes) => write!(text, "{gap}k{bytes}"),
                Piece::Personal(segment) => write!(text, "{gap}p{segment}"),
                Piece::Secret => write!(text, "{gap}s"),
                Piece::SecretNumber => write!(text, "{gap}n"),
                Piece::Address => write!(text, "{gap}a"),
            };
            debug_assert!(written.is_ok(), "writing to a String cannot fail");
        }
        text.push('\n');
        text
    }

    /// The record put together again, with [`CUT`] and [`REDACTED`] where something is missing.
    pub fn record(&self) -> Vec<u8> {
        let mut record = Vec::with_capacity(self.kept.len() + 64);
        let mut kept = self.kept.as_slice();
        for piece in &self.layout {
            match piece {
                Piece::Kept(bytes) => {
                    let (now, later) = kept.split_at_checked(*bytes).unwrap_or((kept, &[]));
                    record.extend_from_slice(now);
                    kept = later;
                }
                Piece::Personal(segment) => match self.personal.get(segment.wrapping_sub(1)) {
                    Some(
                        Personal::Present { bytes, .. } | Personal::Shown { pseudonym: bytes, .. },
                    ) => record.extend_from_slice(bytes),
                    _ => record.extend_from_slice(REDACTED.as_bytes()),
                },
                Piece::Secret | Piece::Address => record.extend_from_slice(CUT.as_bytes()),
                // In quotes of its own: the record stays JSON.
                Piece::SecretNumber => record.extend_from_slice(format!("\"{CUT}\"").as_bytes()),
            }
        }
        record
    }

    /// Encodes the payload for storage.
    pub fn encode(&self) -> Vec<u8> {
        let layout = self.layout_text();
        let mut out = Vec::with_capacity(self.kept.len() + layout.len() + 64);
        out.push(VERSION);
        put(&mut out, layout.as_bytes());
        out.extend_from_slice(&self.salt);
        put(&mut out, &self.kept);
        put_len(&mut out, self.personal.len());
        for personal in &self.personal {
            match personal {
                Personal::Present { salt, bytes } => {
                    out.push(PRESENT);
                    out.extend_from_slice(salt);
                    put(&mut out, bytes);
                }
                Personal::Erased { commitment } => {
                    out.push(ERASED);
                    out.extend_from_slice(commitment.as_bytes());
                }
                Personal::Shown { commitment, pseudonym } => {
                    out.push(SHOWN);
                    out.extend_from_slice(commitment.as_bytes());
                    put(&mut out, pseudonym);
                }
            }
        }
        out
    }

    /// Decodes a stored payload: the inverse of [`Payload::encode`], for exactly its outputs.
    pub fn decode(bytes: &[u8]) -> Result<Self, PayloadError> {
        let mut rest = bytes;
        let [version] = take_array(&mut rest)?;
        if version != VERSION {
            return Err(PayloadError::Version(version));
        }
        let layout = parse_layout(take_block(&mut rest)?)?;
        let salt = take_array(&mut rest)?;
        let kept = take_block(&mut rest)?.to_vec();
        let count = take_len(&mut rest)?;
        let mut personal = Vec::new();
        for segment in 1..=count {
            personal.push(take_personal(&mut rest, segment)?);
        }
        if !rest.is_empty() {
            return Err(PayloadError::Trailing(rest.len()));
        }
        let payload = Self { layout, salt, kept, personal };
        payload.fits().map(|()| payload)
    }

    /// The layout uses every kept byte once, and every personal segment, first in their order.
    fn fits(&self) -> Result<(), PayloadError> {
        let (mut kept, mut known, mut after_kept) = (0usize, 0, false);
        for piece in &self.layout {
            match *piece {
                Piece::Kept(0) => return Err(PayloadError::Layout("a kept piece is empty")),
                Piece::Kept(_) if after_kept => {
                    return Err(PayloadError::Layout("two kept pieces in a row"));
                }
                Piece::Kept(bytes) => kept = kept.saturating_add(bytes),
                Piece::Personal(segment) if segment == known + 1 => known += 1,
                Piece::Personal(segment) if segment == 0 || segment > known => {
                    return Err(PayloadError::Layout("personal segments are out of order"));
                }
                Piece::Personal(_) | Piece::Secret | Piece::SecretNumber | Piece::Address => {}
            }
            after_kept = matches!(piece, Piece::Kept(_));
        }
        if kept != self.kept.len() {
            return Err(PayloadError::Layout("the kept segment has another length"));
        }
        if known != self.personal.len() {
            return Err(PayloadError::Layout("a personal segment is not used"));
        }
        Ok(())
    }
}

fn parse_layout(bytes: &[u8]) -> Result<Vec<Piece>, PayloadError> {
    let bad = PayloadError::Layout("not a layout text");
    let text = std::str::from_utf8(bytes).map_err(|_| bad.clone())?;
    let pieces = text.strip_suffix('\n').ok_or(bad.clone())?;
    if pieces.is_empty() {
        return Ok(Vec::new());
    }
    pieces.split(' ').map(|token| parse_piece(token).ok_or(bad.clone())).collect()
}

fn parse_piece(token: &str) -> Option<Piece> {
    let number = |digits: &str| {
        let canonical = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        if canonical { digits.parse().ok() } else { None }
    };
    match token.split_at_checked(1)? {
        ("k", digits) => number(digits).map(Piece::Kept),
        ("p", digits) => number(digits).map(Piece::Personal),
        ("s", "") => Some(Piece::Secret),
        ("n", "") => Some(Piece::SecretNumber),
        ("a", "") => Some(Piece::Address),
        _ => None,
    }
}

fn put_len(out: &mut Vec<u8>, len: usize) {
    // Records are limited to far less than 4 GiB before they are sealed.
    out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
}

fn put(out: &mut Vec<u8>, block: &[u8]) {
    put_len(out, block.len());
    out.extend_from_slice(block);
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], PayloadError> {
    let (now, later) = rest.split_at_checked(len).ok_or(PayloadError::Truncated)?;
    *rest = later;
    Ok(now)
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], PayloadError> {
    take(rest, N)?.try_into().map_err(|_| PayloadError::Truncated)
}

fn take_len(rest: &mut &[u8]) -> Result<usize, PayloadError> {
    let len = u32::from_be_bytes(take_array(rest)?);
    usize::try_from(len).map_err(|_| PayloadError::Truncated)
}

fn take_block<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], PayloadError> {
    let len = take_len(rest)?;
    take(rest, len)
}

fn take_personal(rest: &mut &[u8], segment: usize) -> Result<Personal, PayloadError> {
    match take_array(rest)? {
        [PRESENT] => {
            Ok(Personal::Present { salt: take_array(rest)?, bytes: take_block(rest)?.to_vec() })
        }
        [ERASED] => Ok(Personal::Erased { commitment: Hash::from_bytes(take_array(rest)?) }),
        [SHOWN] => Ok(Personal::Shown {
            commitment: Hash::from_bytes(take_array(rest)?),
            pseudonym: take_block(rest)?.to_vec(),
        }),
        [state] => Err(PayloadError::State { segment, state }),
    }
}
