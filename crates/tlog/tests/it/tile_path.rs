//! Tile paths: a strict pair of spelling and reading.

use proptest::prelude::*;
use tlog::{TileKind, TilePath, TilePathError, TileWidth};

fn width(width: u16) -> TileWidth {
    TileWidth::new(width).expect("a width")
}

#[test]
fn paths_are_spelled_as_the_specification_says() {
    let full = TileWidth::FULL;
    let table = [
        (TilePath::hashes(0, 0, full), "tile/0/000"),
        (TilePath::hashes(0, 999, full), "tile/0/999"),
        (TilePath::hashes(0, 1000, full), "tile/0/x001/000"),
        (TilePath::hashes(0, 1_234_067, full), "tile/0/x001/x234/067"),
        (TilePath::hashes(63, 1_000_000, full), "tile/63/x001/x000/000"),
        (TilePath::hashes(1, 0, width(17)), "tile/1/000.p/17"),
        (TilePath::hashes(0, u64::MAX, full), "tile/0/x018/x446/x744/x073/x709/x551/615"),
        (Ok(TilePath::entries(273, width(112))), "tile/entries/273.p/112"),
        (Ok(TilePath::entries(5, full)), "tile/entries/005"),
        (Ok(TilePath::entries(1005, width(255))), "tile/entries/x001/005.p/255"),
    ];
    for (path, text) in table {
        let path = path.expect("a level in range");
        assert_eq!(path.to_string(), text);
        assert_eq!(text.parse(), Ok(path));
    }
}

#[test]
fn malformed_paths_are_refused() {
    let table = [
        ("", TilePathError::Prefix),
        ("tile", TilePathError::Prefix),
        ("tile/", TilePathError::Prefix),
        ("tile/0", TilePathError::Prefix),
        ("/tile/0/000", TilePathError::Prefix),
        ("tiles/0/000", TilePathError::Prefix),
        ("Tile/0/000", TilePathError::Prefix),
        ("checkpoint", TilePathError::Prefix),
        ("tile//000", TilePathError::Level),
        ("tile/64/000", TilePathError::Level),
        ("tile/256/000", TilePathError::Level),
        ("tile/00/000", TilePathError::Level),
        ("tile/01/000", TilePathError::Level),
        ("tile/-1/000", TilePathError::Level),
        ("tile/+1/000", TilePathError::Level),
        ("tile/Entries/000", TilePathError::Level),
        ("tile/data/000", TilePathError::Level),
        ("tile/0/", TilePathError::Index),
        ("tile/0/0", TilePathError::Index),
        ("tile/0/00", TilePathError::Index),
        ("tile/0/0000", TilePathError::Index),
        ("tile/0/1000", TilePathError::Index),
        ("tile/0/x000", TilePathError::Index),
        ("tile/0/x000/001", TilePathError::Index),
        ("tile/0/x000/x001/000", TilePathError::Index),
        ("tile/0/001/000", TilePathError::Index),
        ("tile/0/X001/000", TilePathError::Index),
        ("tile/0/x001/x000", TilePathError::Index),
        ("tile/0/x01/000", TilePathError::Index),
        ("tile/0/x0001/000", TilePathError::Index),
        ("tile/0/x001//000", TilePathError::Index),
        ("tile/0/x001/000/", TilePathError::Index),
        ("tile/0//000", TilePathError::Index),
        ("tile/0/0a0", TilePathError::Index),
        ("tile/0/+01", TilePathError::Index),
        ("tile/0/000 ", TilePathError::Index),
        ("tile/0/../000", TilePathError::Index),
        ("tile/0/000.p", TilePathError::Index),
        ("tile/0/000.p1", TilePathError::Index),
        ("tile/0/x018/x446/x744/x073/x709/x551/616", TilePathError::IndexTooLarge),
        ("tile/0/x999/x999/x999/x999/x999/x999/999", TilePathError::IndexTooLarge),
        ("tile/0/000.p/", TilePathError::Width),
        ("tile/0/000.p/0", TilePathError::Width),
        ("tile/0/000.p/256", TilePathError::Width),
        ("tile/0/000.p/65537", TilePathError::Width),
        ("tile/0/000.p/01", TilePathError::Width),
        ("tile/0/000.p/-1", TilePathError::Width),
        ("tile/0/000.p/1/", TilePathError::Width),
        ("tile/0/000.p/1.p/1", TilePathError::Width),
        ("tile/entries/000.p/x", TilePathError::Width),
    ];
    for (text, error) in table {
        assert_eq!(text.parse::<TilePath>(), Err(error), "{text:?}");
    }
    assert_eq!(TilePath::hashes(64, 0, TileWidth::FULL), Err(TilePathError::Level));
    for refused in [0, 257, u16::MAX] {
        assert_eq!(TileWidth::new(refused), None, "{refused}");
    }
}

#[test]
fn a_partial_tile_has_a_full_successor() {
    let partial: TilePath = "tile/2/x001/234.p/9".parse().expect("a path");
    assert_eq!(partial.kind(), TileKind::Hashes(2));
    assert_eq!((partial.index(), partial.width()), (1234, width(9)));
    assert_eq!(partial.to_full().to_string(), "tile/2/x001/234");
}

proptest! {
    #[test]
    fn paths_round_trip(
        level in 0_u8..64,
        digits in 0_u32..64,
        index: u64,
        count in 1_u16..=256,
        entries: bool,
    ) {
        let index = index >> digits;
        let path = if entries {
            TilePath::entries(index, width(count))
        } else {
            TilePath::hashes(level, index, width(count)).expect("a level in range")
        };
        prop_assert_eq!(path.to_string().parse(), Ok(path));
    }

    /// What is accepted is written back letter for letter: there is one spelling.
    #[test]
    fn every_accepted_path_is_canonical(
        path in "tile/(entries|[0-9]{1,2})(/x[0-9]{3}){0,3}/[0-9]{3}(\\.p/[0-9]{1,3})?",
    ) {
        if let Ok(parsed) = path.parse::<TilePath>() {
            prop_assert_eq!(parsed.to_string(), path);
        }
    }
}
