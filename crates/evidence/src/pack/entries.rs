//! The entries of the covered range, one after the other.
//!
//! ```text
//! entry = length(2) envelope ( 0x00 / 0x01 length(4) payload )
//! ```
//!
//! `0x00`: the payload was left out, and the envelope's commitment stands for it.

/// An entry as it stands in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedEntry<'a> {
    /// The envelope: the leaf.
    pub leaf: &'a [u8],
    /// The payload, unless it was left out.
    pub payload: Option<&'a [u8]>,
}

/// Appends an entry.
pub fn put(out: &mut Vec<u8>, entry: PackedEntry<'_>) {
    // An envelope is limited to 65,535 bytes and a record to far less than 4 GiB.
    let leaf = u16::try_from(entry.leaf.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&leaf.to_be_bytes());
    out.extend_from_slice(entry.leaf);
    let Some(payload) = entry.payload else {
        return out.push(0);
    };
    out.push(1);
    out.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(payload);
}

/// Takes the first entry off, or gives `None` where it is not in its form.
pub fn take<'a>(rest: &mut &'a [u8]) -> Option<PackedEntry<'a>> {
    let (length, later) = rest.split_first_chunk()?;
    let (leaf, later) = later.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (state, later) = later.split_first()?;
    let (payload, later) = match state {
        0 => (None, later),
        1 => {
            let (length, later) = later.split_first_chunk()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (payload, later) = later.split_at_checked(length)?;
            (Some(payload), later)
        }
        _ => return None,
    };
    *rest = later;
    Some(PackedEntry { leaf, payload })
}
