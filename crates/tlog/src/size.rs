//! Positions in a log: the index of a leaf and the number of leaves are different types.
//!
//! Both are 64-bit numbers and differ by one at the end of the log, which is where mistakes
//! happen. There is no implicit conversion: [`TreeSize::next_index`] and
//! [`LeafIndex::size_through`] name the two steps between them.
//!
//! **In scope**: comparing and converting positions, and their decimal spelling in notes
//! (tlog-checkpoint, "tree size"). **Out of scope**: what is stored at a position.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The largest number the parsers accept: 2^63 - 1.
///
/// Other implementations and databases keep positions in signed 64-bit integers, so a larger
/// number could be read differently elsewhere. No log reaches it.
pub const MAX_PARSED: u64 = i64::MAX as u64;

/// The position of one leaf, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(u64);

impl LeafIndex {
    /// The index of the first leaf.
    pub const FIRST: Self = Self(0);

    /// The leaf at position `index`, counted from 0.
    pub const fn new(index: u64) -> Self {
        Self(index)
    }

    /// The position as a number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The size of the smallest tree that contains this leaf: the index plus one.
    ///
    /// Saturates at the highest index, which therefore is in no tree
    /// ([`TreeSize::contains`] is false for it).
    pub const fn size_through(self) -> TreeSize {
        TreeSize(self.0.saturating_add(1))
    }
}

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for LeafIndex {
    type Err = ParseSizeError;

    /// Reads a decimal number without sign or leading zeros, at most [`MAX_PARSED`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_decimal(text).map(Self)
    }
}

/// The number of leaves of a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeSize(u64);

impl TreeSize {
    /// The size of the tree without leaves.
    pub const EMPTY: Self = Self(0);

    /// A tree of `size` leaves.
    pub const fn new(size: u64) -> Self {
        Self(size)
    }

    /// The number of leaves as a number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether the tree has no leaves.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a tree of this size has a leaf at `index`.
    pub const fn contains(self, index: LeafIndex) -> bool {
        index.0 < self.0
    }

    /// The index the next appended leaf will have.
    pub const fn next_index(self) -> LeafIndex {
        LeafIndex(self.0)
    }
}

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TreeSize {
    type Err = ParseSizeError;

    /// Reads a decimal number without sign or leading zeros, at most [`MAX_PARSED`]
    /// (tlog-checkpoint, "tree size").
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_decimal(text).map(Self)
    }
}

/// Why a text is not a [`LeafIndex`] or a [`TreeSize`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseSizeError {
    /// The text is empty or has a character that is not an ASCII digit, such as a sign.
    #[error("number is not made of decimal digits")]
    NotDecimal,
    /// The number has a leading zero.
    #[error("number has a leading zero")]
    LeadingZero,
    /// The number is greater than [`MAX_PARSED`].
    #[error("number is greater than 2^63 - 1")]
    TooLarge,
}

/// Reads the one canonical decimal spelling of a number.
pub(crate) fn parse_decimal(text: &str) -> Result<u64, ParseSizeError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseSizeError::NotDecimal);
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(ParseSizeError::LeadingZero);
    }
    let number: u64 = text.parse().map_err(|_| ParseSizeError::TooLarge)?;
    if number > MAX_PARSED {
        return Err(ParseSizeError::TooLarge);
    }
    Ok(number)
}
