//! Sealing: a record and its cuts become a payload. The only place that makes one.

use std::collections::HashMap;

use super::cuts::{Class, Cut};
use crate::record::payload::{Payload, Personal, Piece, Salt};

/// Gives salts. Each must be random and independent of the others.
pub trait Salts {
    /// The next salt; never the same twice.
    fn salt(&mut self) -> Salt;
}

/// Seals a record. `cuts` are sorted and do not overlap, as [`Rules::cuts`] gives them.
///
/// A personal value that stands in several places is one segment: it is erased whole or not at all.
///
/// [`Rules::cuts`]: super::cuts::Rules::cuts
pub fn seal(record: &[u8], cuts: &[Cut], salts: &mut dyn Salts) -> Payload {
    let mut sealed =
        Payload { layout: Vec::new(), salt: salts.salt(), kept: Vec::new(), personal: Vec::new() };
    let mut numbers: HashMap<&[u8], usize> = HashMap::new();
    let mut at = 0;
    for cut in cuts {
        keep(&mut sealed, &record[at..cut.range.start]);
        at = cut.range.end;
        let piece = match cut.class {
            Class::Secret => Piece::Secret,
            Class::SecretNumber => Piece::SecretNumber,
            Class::Address => Piece::Address,
            Class::Personal => {
                let bytes = &record[cut.range.clone()];
                let segment = *numbers.entry(bytes).or_insert_with(|| {
                    let salt = salts.salt();
                    sealed.personal.push(Personal::Present { salt, bytes: bytes.to_vec() });
                    sealed.personal.len()
                });
                Piece::Personal(segment)
            }
        };
        sealed.layout.push(piece);
    }
    keep(&mut sealed, &record[at..]);
    sealed
}

fn keep(sealed: &mut Payload, bytes: &[u8]) {
    if !bytes.is_empty() {
        sealed.kept.extend_from_slice(bytes);
        sealed.layout.push(Piece::Kept(bytes.len()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::payload::PayloadError;

    struct Counting(u8);

    impl Salts for Counting {
        fn salt(&mut self) -> Salt {
            self.0 += 1;
            [self.0; 16]
        }
    }

    fn cut(range: std::ops::Range<usize>, class: Class) -> Cut {
        Cut { range, class }
    }

    #[test]
    fn segments_and_layout_of_a_record() {
        let record = br#"{"u":"dave","t":"abc","m":"dave did"}"#;
        let cuts =
            [cut(6..10, Class::Personal), cut(17..20, Class::Secret), cut(27..31, Class::Personal)];
        let sealed = seal(record, &cuts, &mut Counting(0));
        assert_eq!(sealed.layout_text(), "k6 p1 k7 s k7 p1 k6\n");
        assert_eq!(sealed.kept, br#"{"u":"","t":"","m":" did"}"#);
        assert_eq!(sealed.personal.len(), 1);
        assert_eq!(sealed.record(), br#"{"u":"dave","t":"[cut]","m":"dave did"}"#);
    }

    #[test]
    fn erasing_a_segment_leaves_the_commitment() {
        let mut sealed = seal(b"x dave y", &[cut(2..6, Class::Personal)], &mut Counting(0));
        let before = sealed.commitment();
        let commitment = sealed.personal[0].commitment();
        sealed.personal[0] = Personal::Erased { commitment };
        assert_eq!(sealed.commitment(), before);
        assert_eq!(sealed.record(), b"x [redacted] y");
        let stored = sealed.encode();
        assert!(!stored.windows(4).any(|w| w == b"dave"));
        assert_eq!(Payload::decode(&stored), Ok(sealed));
    }

    proptest! {
        /// Without cuts of secrets a record comes back byte for byte, and its stored form is the
        /// only one: any other byte is refused or changes the commitment.
        #[test]
        fn sealing_loses_nothing_and_binds_everything(
            record in prop::collection::vec(any::<u8>(), 0..200),
            marks in prop::collection::btree_set(0usize..200, 0..8),
            flip in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let marks: Vec<_> = marks.into_iter().filter(|m| *m <= record.len()).collect();
            let cuts: Vec<_> = marks
                .chunks_exact(2)
                .map(|pair| cut(pair[0]..pair[1], Class::Personal))
                .collect();
            let sealed = seal(&record, &cuts, &mut Counting(0));
            prop_assert_eq!(sealed.record(), record);
            let mut stored = sealed.encode();
            let decoded = Payload::decode(&stored);
            prop_assert_eq!(decoded.as_ref(), Ok(&sealed));
            let at = flip.index(stored.len());
            stored[at] ^= 1 << bit;
            match Payload::decode(&stored) {
                Ok(other) => prop_assert_ne!(other.commitment(), sealed.commitment()),
                Err(e) => prop_assert!(!matches!(e, PayloadError::Trailing(0))),
            }
        }
    }
}
