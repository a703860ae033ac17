//! What `fsck` reads for itself, and the tree that it grows again.

use std::collections::BTreeMap;

use rusqlite::Connection;
use tlog::Frontier;

/// A checkpoint and where it was found.
pub(super) struct FoundNote {
    pub(super) place: &'static str,
    pub(super) note: String,
}

/// The tree grown again: every eighth level's hashes, one run a level.
#[derive(Default)]
pub(super) struct Regrown {
    pub(super) frontier: Frontier,
    levels: Vec<Vec<u8>>,
}

impl Regrown {
    pub(super) fn push(&mut self, leaf: &[u8]) {
        let levels = &mut self.levels;
        self.frontier.push(tlog::leaf_hash(leaf), |id, hash| {
            let (level, rest) = (usize::from(id.level / 8), id.level % 8);
            if rest == 0 {
                if levels.len() <= level {
                    levels.push(Vec::new());
                }
                levels[level].extend_from_slice(hash.as_bytes());
            }
        });
    }

    /// The tiles by row id: level times 2^56 plus number, as the migration says.
    pub(super) fn tiles(&self) -> BTreeMap<u64, &[u8]> {
        let rows = (0u64..).zip(&self.levels).flat_map(|(level, run)| {
            (0u64..)
                .zip(run.chunks(256 * 32))
                .map(move |(number, tile)| ((level << 56) | number, tile))
        });
        rows.collect()
    }
}

pub(super) struct Row {
    pub(super) index: u64,
    pub(super) key: Vec<u8>,
    pub(super) leaf: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

pub(super) fn each_entry(
    connection: &Connection,
    mut visit: impl FnMut(Row),
) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare("SELECT idx, key, leaf, payload FROM entry NOT INDEXED ORDER BY idx")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (index, key) = (row.get(0)?, row.get(1)?);
        visit(Row { index, key, leaf: row.get(2)?, payload: row.get(3)? });
    }
    Ok(())
}

pub(super) fn stored_notes(connection: &Connection) -> rusqlite::Result<Vec<FoundNote>> {
    let mut statement = connection.prepare("SELECT note FROM checkpoint ORDER BY size")?;
    let rows =
        statement.query_map([], |row| Ok(FoundNote { place: "database", note: row.get(0)? }))?;
    rows.collect()
}
