//! The packed form of bytes: one for each byte string, so that no two packs mean the same.
//!
//! ```text
//! packed = *( literals match ) [ literals ]
//! literals = length bytes        match = length-8 distance
//! ```
//!
//! Numbers are LEB128. A general compressor has many outputs for one input, and which of them it
//! gives is a matter of its version; so this one is part of the format: greedy, the latest
//! occurrence of eight bytes, by a table of 65,536 positions. A reader packs again what it
//! unpacked and compares.

/// The shortest match.
const MATCH_MIN: usize = 8;
/// Positions that are remembered.
const SLOT_BITS: u32 = 16;
/// 2^64 divided by the golden ratio: spreads keys over the slots.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
/// The longest byte string that can be packed: positions are kept in 32 bits, and a reader must
/// not be made to unpack without end.
pub const BYTES_MAX: usize = 1 << 30;

/// Packs bytes, at most [`BYTES_MAX`] of them.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    // Position plus one of the latest occurrence; 0 means none.
    let mut table = vec![0u32; 1 << SLOT_BITS];
    let mut out = Vec::with_capacity(bytes.len() / 8);
    let (mut at, mut literals) = (0, 0);
    while let Some(key) = bytes.get(at..at + MATCH_MIN).and_then(|k| <[u8; 8]>::try_from(k).ok()) {
        let slot = u64::from_le_bytes(key).wrapping_mul(MULTIPLIER) >> (u64::BITS - SLOT_BITS);
        let slot = usize::try_from(slot).unwrap_or_default();
        let earlier = usize::try_from(table[slot]).unwrap_or_default();
        table[slot] = u32::try_from(at + 1).unwrap_or_default();
        let length = earlier.checked_sub(1).map_or(0, |from| common(&bytes[from..], &bytes[at..]));
        if length < MATCH_MIN {
            at += 1;
            continue;
        }
        put_literals(&mut out, &bytes[literals..at]);
        put(&mut out, length - MATCH_MIN);
        put(&mut out, at + 1 - earlier);
        at += length;
        literals = at;
    }
    if literals < bytes.len() {
        put_literals(&mut out, &bytes[literals..]);
    }
    out
}

/// How many bytes two strings begin with in common.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn put_literals(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put(out: &mut Vec<u8>, mut number: usize) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

/// Bytes that are not the packed form of any: where it breaks, and what came out before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPacked {
    /// What could be unpacked.
    pub bytes: Vec<u8>,
    /// What is wrong.
    pub problem: String,
}

/// Unpacks exactly `size` bytes, and refuses every other form of them than the packed one.
pub fn unpack(packed: &[u8], size: usize) -> Result<Vec<u8>, NotPacked> {
    let mut bytes = Vec::new();
    let mut rest = packed;
    if size > BYTES_MAX || expand(&mut rest, size, &mut bytes).is_none() {
        let problem = format!("packed form breaks at byte {}", packed.len() - rest.len());
        return Err(NotPacked { bytes, problem });
    }
    if pack(&bytes) == packed {
        Ok(bytes)
    } else {
        let problem = "is not in its one packed form".to_owned();
        Err(NotPacked { bytes, problem })
    }
}

/// `None` where the form breaks; `rest` then begins there.
fn expand(rest: &mut &[u8], size: usize, out: &mut Vec<u8>) -> Option<()> {
    while out.len() < size {
        let length = number(rest)?;
        let literals = rest.get(..length).filter(|_| length <= size - out.len())?;
        out.extend_from_slice(literals);
        *rest = &rest[length..];
        if out.len() == size {
            break;
        }
        let length = number(rest)?.checked_add(MATCH_MIN).filter(|n| *n <= size - out.len())?;
        let from = out.len().checked_sub(number(rest)?).filter(|from| *from < out.len())?;
        repeat(out, from, length);
    }
    rest.is_empty().then_some(())
}

/// Appends `length` bytes from `from` on; where they overlap with what is appended, it repeats.
fn repeat(out: &mut Vec<u8>, from: usize, length: usize) {
    let end = out.len() + length;
    while out.len() < end {
        let now = (out.len() - from).min(end - out.len());
        out.extend_from_within(from..from + now);
    }
}

/// At most five bytes of LEB128: more than any number of the form.
fn number(rest: &mut &[u8]) -> Option<usize> {
    let mut number = 0usize;
    for shift in [0, 7, 14, 21, 28] {
        let (byte, later) = rest.split_first()?;
        *rest = later;
        number |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_one_of_the_document() {
        let table: [(&[u8], &[u8]); 5] = [
            (b"", b""),
            (b"abc", b"\x03abc"),
            (b"abcdefghabcdefgh", b"\x08abcdefgh\x00\x08"),
            (b"aaaaaaaaaaaa", b"\x01a\x03\x01"),
            (b"abcdefghabcdefgh!", b"\x08abcdefgh\x00\x08\x01!"),
        ];
        for (bytes, packed) in table {
            assert_eq!(pack(bytes), packed, "{bytes:?}");
            assert_eq!(unpack(packed, bytes.len()).as_deref(), Ok(bytes));
        }
    }

    #[test]
    fn another_form_of_the_same_bytes_is_refused() {
        let others: [&[u8]; 5] = [
            b"\x10abcdefghabcdefgh",     // no match taken
            b"\x08abcdefgh\x80\x00\x08", // a longer number
            b"\x08abcdefgh\x00\x08\x00", // something behind the end
            b"\x04abcd\x04efgh\x00\x08", // a match that is none
            b"\x00\x08abcdefgh\x00\x08", // a match before the beginning
        ];
        for packed in others {
            unpack(packed, 16).expect_err("another form");
        }
        unpack(b"\x03abc", 2).expect_err("too long");
        unpack(b"\x03abc", 4).expect_err("too short");
    }

    proptest::proptest! {
        #[test]
        fn what_is_packed_unpacks_and_what_unpacks_was_packed(
            words in proptest::collection::vec("[ab]{0,3}(pods|watch-line){0,3}", 0..60),
            raw in proptest::collection::vec(0u8..4, 0..40),
        ) {
            let bytes = words.concat().into_bytes();
            proptest::prop_assert_eq!(unpack(&pack(&bytes), bytes.len()), Ok(bytes));
            for size in 0..60 {
                if let Ok(bytes) = unpack(&raw, size) {
                    proptest::prop_assert_eq!(&pack(&bytes), &raw);
                }
            }
        }
    }
}
