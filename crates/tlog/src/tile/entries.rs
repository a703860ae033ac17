//! The contents of entry bundles ([C2SP tlog-tiles], "Log entries").
//!
//! A bundle is a sequence of entries, each after its length as a big-endian 16-bit number.
//!
//! [C2SP tlog-tiles]: https://c2sp.org/tlog-tiles

use super::hashes::check_width;
use super::{TileError, TileWidth};

/// Most bytes of one entry: what the 16-bit length in front of it can say.
pub const MAX_ENTRY_BYTES: usize = u16::MAX as usize;

/// Encodes 1 to 256 entries as a bundle.
///
/// Fails with [`TileError::ItemCount`] for another number of entries and with
/// [`TileError::EntryTooLarge`] if one is longer than [`MAX_ENTRY_BYTES`].
pub fn encode_entries<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, TileError> {
    check_width(entries.len())?;
    let mut bytes = Vec::new();
    for (position, entry) in entries.iter().map(AsRef::as_ref).enumerate() {
        let length = u16::try_from(entry.len())
            .map_err(|_| TileError::EntryTooLarge { entry: position, found: entry.len() })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of one bundle, 1 to 256 of them, borrowed from its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryBundle<'a>(Vec<&'a [u8]>);

impl<'a> EntryBundle<'a> {
    /// Reads a bundle of exactly `width` entries.
    ///
    /// Fails with [`TileError::Truncated`] if it has fewer and with [`TileError::TrailingBytes`] if
    /// anything follows the last one.
    pub fn decode(bytes: &'a [u8], width: TileWidth) -> Result<Self, TileError> {
        let mut rest = bytes;
        let mut entries = Vec::with_capacity(usize::from(width.get()));
        for entry in 0..width.get() {
            let (found, after) = split_entry(rest).ok_or(TileError::Truncated { entry })?;
            entries.push(found);
            rest = after;
        }
        if rest.is_empty() {
            Ok(Self(entries))
        } else {
            Err(TileError::TrailingBytes { found: rest.len() })
        }
    }

    /// The entries, in the order of the log.
    pub fn entries(&self) -> &[&'a [u8]] {
        &self.0
    }
}

/// Splits the first entry off a sequence of entries.
fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
