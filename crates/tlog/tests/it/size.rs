//! Positions and their decimal spelling.

use proptest::prelude::*;
use tlog::size::MAX_PARSED;
use tlog::{LeafIndex, ParseSizeError, TreeSize};

#[test]
fn index_and_size_differ_by_one() {
    let table = [(0, 1), (6, 7), (255, 256), (u64::MAX - 1, u64::MAX)];
    for (index, through) in table {
        let (index, through) = (LeafIndex::new(index), TreeSize::new(through));
        assert_eq!(index.size_through(), through);
        assert!(through.contains(index), "{through} contains {index}");
        assert!(!through.contains(through.next_index()), "{through} ends before its next index");
        assert!(!TreeSize::new(index.get()).contains(index), "{index} is not before itself");
    }
    assert!(!TreeSize::EMPTY.contains(LeafIndex::FIRST));
    assert_eq!(TreeSize::EMPTY.next_index(), LeafIndex::FIRST);
}

#[test]
fn the_highest_index_is_in_no_tree() {
    let highest = LeafIndex::new(u64::MAX);
    assert!(!highest.size_through().contains(highest));
}

#[test]
fn malformed_sizes_are_refused() {
    let table = [
        ("", ParseSizeError::NotDecimal),
        ("-1", ParseSizeError::NotDecimal),
        ("+1", ParseSizeError::NotDecimal),
        (" 1", ParseSizeError::NotDecimal),
        ("1 ", ParseSizeError::NotDecimal),
        ("0x10", ParseSizeError::NotDecimal),
        ("1_000", ParseSizeError::NotDecimal),
        ("١", ParseSizeError::NotDecimal),
        ("00", ParseSizeError::LeadingZero),
        ("07", ParseSizeError::LeadingZero),
        ("9223372036854775808", ParseSizeError::TooLarge),
        ("18446744073709551616", ParseSizeError::TooLarge),
    ];
    for (text, error) in table {
        assert_eq!(text.parse::<TreeSize>(), Err(error.clone()), "{text:?}");
        assert_eq!(text.parse::<LeafIndex>(), Err(error), "{text:?}");
    }
}

proptest! {
    #[test]
    fn spelling_round_trips(number in 0..=MAX_PARSED) {
        let (size, index) = (TreeSize::new(number), LeafIndex::new(number));
        prop_assert_eq!(size.to_string().parse(), Ok(size));
        prop_assert_eq!(index.to_string().parse(), Ok(index));
    }
}
