//! The names of tiles ([C2SP tlog-tiles], "Merkle Tree" and "Log entries").
//!
//! [C2SP tlog-tiles]: https://c2sp.org/tlog-tiles

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::TileWidth;
use crate::size::parse_decimal;

/// The highest tile level the path syntax allows. A tree of 64-bit size uses levels 0 to 7.
pub const MAX_TILE_LEVEL: u8 = 63;

/// The name of a tile below the prefix of a log: `tile/<L>/<N>[.p/<W>]` or
/// `tile/entries/<N>[.p/<W>]`.
///
/// `Display` and `FromStr` are a strict pair: each tile has one spelling, and every other spelling
/// is refused. `N` is in groups of three digits, all but the last with an `x` before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: TileWidth,
}

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of the given tile level, 0 to [`MAX_TILE_LEVEL`]; level 0 are leaf hashes.
    Hashes(u8),
    /// The entries whose leaf hashes are in the tile of level 0 with the same index.
    Entries,
}

impl TilePath {
    /// The hash tile number `index` of the tile level `level`.
    ///
    /// Fails with [`TilePathError::Level`] if the level is above [`MAX_TILE_LEVEL`].
    pub const fn hashes(level: u8, index: u64, width: TileWidth) -> Result<Self, TilePathError> {
        if level > MAX_TILE_LEVEL {
            return Err(TilePathError::Level);
        }
        Ok(Self { kind: TileKind::Hashes(level), index, width })
    }

    /// The entry bundle number `index`.
    pub const fn entries(index: u64, width: TileWidth) -> Self {
        Self { kind: TileKind::Entries, index, width }
    }

    /// What the tile holds.
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// The number of the tile from the left, counted from 0.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The number of hashes or entries in the tile.
    pub const fn width(&self) -> TileWidth {
        self.width
    }

    /// The full tile at the same place, which may replace a partial one once it exists
    /// (tlog-tiles, "Partial Tiles").
    #[must_use]
    pub const fn to_full(self) -> Self {
        Self { width: TileWidth::FULL, ..self }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        write_index(f, self.index)?;
        if !self.width.is_full() {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

/// Writes 1234067 as `x001/x234/067`.
fn write_index(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    let mut groups = vec![index % 1000];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(rest % 1000);
        rest /= 1000;
    }
    groups[1..].iter().rev().try_for_each(|group| write!(f, "x{group:03}/"))?;
    write!(f, "{:03}", groups[0])
}

impl FromStr for TilePath {
    type Err = TilePathError;

    /// Reads the path of a tile; fails with the first part that is not as `Display` writes it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.strip_prefix("tile/").ok_or(TilePathError::Prefix)?;
        let (kind, place) = path.split_once('/').ok_or(TilePathError::Prefix)?;
        let kind = parse_kind(kind)?;
        let (index, width) = match place.split_once(".p/") {
            Some((index, width)) => (index, parse_partial_width(width)?),
            None => (place, TileWidth::FULL),
        };
        Ok(Self { kind, index: parse_index(index)?, width })
    }
}

fn parse_kind(text: &str) -> Result<TileKind, TilePathError> {
    if text == "entries" {
        return Ok(TileKind::Entries);
    }
    let level = parse_decimal(text).map_err(|_| TilePathError::Level)?;
    match u8::try_from(level) {
        Ok(level) if level <= MAX_TILE_LEVEL => Ok(TileKind::Hashes(level)),
        _ => Err(TilePathError::Level),
    }
}

fn parse_partial_width(text: &str) -> Result<TileWidth, TilePathError> {
    let width = parse_decimal(text).map_err(|_| TilePathError::Width)?;
    let width = u16::try_from(width).ok().and_then(TileWidth::new).ok_or(TilePathError::Width)?;
    if width.is_full() { Err(TilePathError::Width) } else { Ok(width) }
}

fn parse_index(text: &str) -> Result<u64, TilePathError> {
    let (leading, last) = match text.rsplit_once('/') {
        Some((leading, last)) => (Some(leading), last),
        None => (None, text),
    };
    let mut index = 0;
    for group in leading.iter().flat_map(|groups| groups.split('/')) {
        let digits = group.strip_prefix('x').ok_or(TilePathError::Index)?;
        index = push_group(index, digits)?;
        // Only the first group can leave the index at zero, and then it should not be there.
        if index == 0 {
            return Err(TilePathError::Index);
        }
    }
    push_group(index, last)
}

/// Appends a group of exactly three digits to an index.
fn push_group(index: u64, digits: &str) -> Result<u64, TilePathError> {
    if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TilePathError::Index);
    }
    let group: u64 = digits.parse().map_err(|_| TilePathError::Index)?;
    let shifted = index.checked_mul(1000).ok_or(TilePathError::IndexTooLarge)?;
    shifted.checked_add(group).ok_or(TilePathError::IndexTooLarge)
}

/// Why a text is not a [`TilePath`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TilePathError {
    /// The path does not have the form `tile/<level or entries>/<index>`.
    #[error("path does not have the form tile/<level>/<index>")]
    Prefix,
    /// The level is not a decimal number from 0 to [`MAX_TILE_LEVEL`].
    #[error("tile level is not a number from 0 to {MAX_TILE_LEVEL}")]
    Level,
    /// The index is not in groups of three digits, or has a superfluous group.
    #[error("tile index is not in canonical groups of three digits")]
    Index,
    /// The index does not fit into 64 bits.
    #[error("tile index does not fit into 64 bits")]
    IndexTooLarge,
    /// The width of a partial tile is not a decimal number from 1 to 255.
    #[error("width of a partial tile is not a number from 1 to 255")]
    Width,
}
