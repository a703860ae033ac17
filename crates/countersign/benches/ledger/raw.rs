//! The limit of appending: the same rows in a table of the same shape, and nothing else.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use countersign::ledger::append::Batch;
use countersign::store::sqlite::SqliteStore;
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};

use crate::measure::Outcome;

/// Settings that decide how fast rows get in; taken from the ledger's own connection.
const SETTINGS: [&str; 6] = [
    "page_size",
    "journal_mode",
    "synchronous",
    "cache_size",
    "wal_autocheckpoint",
    "secure_delete",
];
/// The ledger's table of entries, without the triggers that refuse changes.
const TABLE: &str = "CREATE TABLE entry (idx INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, \
                     leaf BLOB NOT NULL, payload BLOB NOT NULL) STRICT";

/// A database with the ledger's settings and one empty table.
pub(crate) fn database(folder: &Path) -> Outcome<Connection> {
    let mut store = SqliteStore::create(&folder.join("settings.db"))?;
    let raw = Connection::open(folder.join("raw.db"))?;
    for name in SETTINGS {
        let value: rusqlite::types::Value =
            store.connection().pragma_query_value(None, name, |row| row.get(0))?;
        raw.pragma_update(None, name, &value)?;
        let set: rusqlite::types::Value = raw.pragma_query_value(None, name, |row| row.get(0))?;
        assert_eq!(set, value, "{name} is as in the ledger");
    }
    raw.execute_batch(TABLE)?;
    Ok(raw)
}

/// Inserts every batch in a transaction of its own. With `hashing`, each row's bytes go through
/// SHA-256 once.
pub(crate) fn insert(raw: &Connection, batches: &[Batch], hashing: bool) -> Outcome<Duration> {
    let (mut index, start) = (0u64, Instant::now());
    let mut statement = raw.prepare("INSERT INTO entry VALUES (?1, ?2, ?3, ?4)")?;
    for batch in batches {
        raw.execute_batch("BEGIN IMMEDIATE")?;
        for entry in &batch.entries {
            if hashing {
                let mut hash = Sha256::new();
                hash.update(&entry.envelope);
                hash.update(&entry.payload);
                black_box(hash.finalize());
            }
            let key = entry.key.as_bytes().as_slice();
            statement.execute(params![index, key, entry.envelope, entry.payload])?;
            index += 1;
        }
        raw.execute_batch("COMMIT")?;
    }
    Ok(start.elapsed())
}
