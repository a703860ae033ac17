//! Checking a stored entry: does the payload belong under the envelope?
//!
//! Reads what [`seal`](crate::intake::seal) wrote, but shares no code with it: the layout and the segments
//! are taken apart and hashed here again, from the bytes and the written format
//! (`docs/formats/entry.md`) alone.

use sha2::{Digest as _, Sha256};

use super::envelope::{Envelope, EnvelopeError};

/// What a stored payload still holds of its record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Numbers of the personal segments that were erased, from 1.
    pub erased: Vec<u32>,
    /// How many personal segments there are.
    pub personal: u32,
    /// How many of them are there as a pseudonym, which is in exported payloads only.
    pub shown: u32,
}

/// What is wrong with a stored entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// The leaf is not an envelope.
    #[error("leaf: {0}")]
    Envelope(#[from] EnvelopeError),
    /// The payload is not in the stored form.
    #[error("payload is not in its stored form at byte {0}")]
    Form(usize),
    /// The payload is not the one that the envelope commits to.
    #[error("payload does not match the commitment in the leaf")]
    Commitment,
}

/// Checks that `payload` is the one that the envelope `leaf` commits to.
pub fn check_entry(leaf: &[u8], payload: &[u8]) -> Result<(Envelope, Checked), EntryFault> {
    check(leaf, payload, false)
}

/// Checks an entry as packs hold it: the payload may be left out, and personal segments in it may
/// be there as a pseudonym beside their commitment.
pub fn check_exported(
    leaf: &[u8],
    payload: Option<&[u8]>,
) -> Result<(Envelope, Checked), EntryFault> {
    match payload {
        Some(payload) => check(leaf, payload, true),
        None => Ok((Envelope::decode(leaf)?, Checked::default())),
    }
}

/// The kept segment of a stored payload; the whole record, where nothing was cut and nothing is
/// personal, as in the ledger's own records.
pub fn kept_segment(payload: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader { bytes: payload, at: 0, exported: true };
    reader.take(1)?;
    reader.block()?;
    reader.take(16)?;
    reader.block()
}

fn check(leaf: &[u8], payload: &[u8], exported: bool) -> Result<(Envelope, Checked), EntryFault> {
    let envelope = Envelope::decode(leaf)?;
    let mut reader = Reader { bytes: payload, at: 0, exported };
    let (digest, checked) = read(&mut reader).ok_or(EntryFault::Form(reader.at))?;
    if digest == *envelope.payload.as_bytes() {
        Ok((envelope, checked))
    } else {
        Err(EntryFault::Commitment)
    }
}

/// Reads the stored form and computes its commitment. `None` where the form breaks.
fn read(reader: &mut Reader<'_>) -> Option<([u8; 32], Checked)> {
    (reader.take(1)? == [1]).then_some(())?;
    let layout = reader.block()?;
    let salt = reader.take(16)?;
    let kept = reader.block()?;
    let mut whole = Sha256::new();
    whole.update(b"countersign/payload/v1\n");
    whole.update(layout);
    whole.update(segment(salt, kept));
    let mut checked = Checked { erased: Vec::new(), personal: reader.number()?, shown: 0 };
    for number in 1..=checked.personal {
        match reader.take(1)? {
            [1] => {
                let salt = reader.take(16)?;
                whole.update(segment(salt, reader.block()?));
            }
            [2] => {
                whole.update(reader.take(32)?);
                checked.erased.push(number);
            }
            [3] if reader.exported => {
                whole.update(reader.take(32)?);
                reader.block()?;
                checked.shown += 1;
            }
            _ => return None,
        }
    }
    (reader.at == reader.bytes.len()).then_some(())?;
    fits(layout, kept.len(), checked.personal)?;
    Some((whole.finalize().into(), checked))
}

/// The layout speaks of exactly the bytes and segments that are there, in its one spelling.
fn fits(layout: &[u8], kept_bytes: usize, personal: u32) -> Option<()> {
    let text = std::str::from_utf8(layout).ok()?.strip_suffix('\n')?;
    let (mut bytes, mut segments, mut after_kept) = (0usize, 0usize, false);
    for token in text.split(' ').filter(|_| !text.is_empty()) {
        let kept = token.starts_with('k');
        match token.as_bytes() {
            b"s" | b"a" | b"n" => {}
            [b'k', digits @ ..] if !after_kept => bytes = bytes.checked_add(decimal(digits)?)?,
            [b'p', digits @ ..] => match decimal(digits)? {
                known if known <= segments => {}
                next if next == segments + 1 => segments = next,
                _ => return None,
            },
            _ => return None,
        }
        after_kept = kept;
    }
    (bytes == kept_bytes && u32::try_from(segments).ok()? == personal).then_some(())
}

fn decimal(digits: &[u8]) -> Option<usize> {
    let canonical = digits.iter().all(u8::is_ascii_digit) && digits.first() != Some(&b'0');
    std::str::from_utf8(digits).ok().filter(|_| canonical)?.parse().ok()
}

fn segment(salt: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"countersign/segment/v1\n");
    hash.update(salt);
    hash.update(bytes);
    hash.finalize().into()
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    exported: bool,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn block(&mut self) -> Option<&'a [u8]> {
        let len = self.number()?;
        self.take(usize::try_from(len).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Channel;
    use crate::intake::cuts::Rules;
    use crate::intake::key::ContentKey;
    use crate::intake::seal::Salts;
    use crate::intake::{Intake, Taken, Terms};
    use crate::record::envelope::Auth;
    use crate::record::payload::{Payload, Personal, Salt};

    struct Counting(u8);

    impl Salts for Counting {
        fn salt(&mut self) -> Salt {
            self.0 += 1;
            [self.0; 16]
        }
    }

    fn entry() -> (Vec<u8>, Vec<u8>) {
        let terms = Terms {
            rules: Rules::new([]).expect("no names"),
            content_key: ContentKey::new([9; 32]),
            record_bytes_max: 2_000,
            named: Some(Channel::KubernetesAudit),
            auth: Auth::OperatorFile,
        };
        let line =
            br#"{"username":"d@b.example","token":"x","message":"d@b.example, e@b.example"}"#;
        let taken = Intake::new(&terms).take(line, jiff::Timestamp::UNIX_EPOCH, &mut Counting(0));
        match taken {
            Ok(Taken::Pending(entry)) => (entry.envelope, entry.payload),
            other => panic!("not pending: {other:?}"),
        }
    }

    #[test]
    fn every_changed_byte_of_an_entry_is_found() {
        let (leaf, payload) = entry();
        let (_, checked) = check_entry(&leaf, &payload).expect("as written");
        assert_eq!(checked, Checked { erased: vec![], personal: 2, shown: 0 });
        for at in 0..payload.len() {
            let mut changed = payload.clone();
            changed[at] ^= 0x10;
            check_entry(&leaf, &changed).expect_err("a changed payload must be found");
        }
        let longer = [payload.as_slice(), b"x"].concat();
        assert_eq!(check_entry(&leaf, &longer), Err(EntryFault::Form(payload.len())));
    }

    #[test]
    fn an_erased_segment_is_told_from_a_changed_one() {
        let (leaf, payload) = entry();
        let mut decoded = Payload::decode(&payload).expect("as written");
        decoded.personal[1] = Personal::Erased { commitment: decoded.personal[1].commitment() };
        let (_, checked) = check_entry(&leaf, &decoded.encode()).expect("proofs hold");
        assert_eq!(checked.erased, [2]);
        let commitment = decoded.personal[0].commitment();
        let shown = Personal::Shown { commitment, pseudonym: b"anon-1".to_vec() };
        decoded.personal[0] = shown;
        let stored = decoded.encode();
        assert!(matches!(check_entry(&leaf, &stored), Err(EntryFault::Form(_))), "not in a store");
        let (_, checked) = check_exported(&leaf, Some(&stored)).expect("proofs hold");
        assert_eq!((checked.shown, checked.erased), (1, vec![2]));
        decoded.personal[1] = Personal::Erased { commitment: tlog::Hash::from_bytes([0; 32]) };
        decoded.personal[0] = Personal::Erased { commitment };
        assert_eq!(check_entry(&leaf, &decoded.encode()), Err(EntryFault::Commitment));
    }
}
