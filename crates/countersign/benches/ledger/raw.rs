//! The limit of appending: the same rows in a table of the same shape, and nothing else.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use countersign::ledger::append::Batch;
use countersign::store::sqlite::SqliteStore;
use rusqlite::types::Value;
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
const INSERT: &str = "INSERT INTO entry VALUES (?1, ?2, ?3, ?4)";
/// The ledger's table of entries, without the triggers that refuse changes.
const TABLE: &str = "CREATE TABLE entry (idx INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, \
                     leaf BLOB NOT NULL, payload BLOB NOT NULL) STRICT";

/// A database with the ledger's settings and one table.
pub(crate) struct Raw {
    connection: Connection,
    next: u64,
    /// Whether each row's bytes go through SHA-256 once.
    hashing: bool,
}

impl Raw {
    /// Makes the database in a folder.
    pub(crate) fn create(folder: &Path, hashing: bool) -> Outcome<Self> {
        let mut store = SqliteStore::create(&folder.join("settings.db"))?;
        let connection = Connection::open(folder.join("raw.db"))?;
        for name in SETTINGS {
            let value: Value =
                store.connection().pragma_query_value(None, name, |row| row.get(0))?;
            connection.pragma_update(None, name, &value)?;
            let set: Value = connection.pragma_query_value(None, name, |row| row.get(0))?;
            assert_eq!(set, value, "{name} is as in the ledger");
        }
        connection.execute_batch(TABLE)?;
        Ok(Self { connection, next: 0, hashing })
    }

    /// Inserts a batch in a transaction of its own.
    pub(crate) fn insert(&mut self, batch: &Batch) -> Outcome<Duration> {
        let start = Instant::now();
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut statement = self.connection.prepare_cached(INSERT)?;
        for entry in &batch.entries {
            if self.hashing {
                let mut hash = Sha256::new();
                hash.update(&entry.envelope);
                hash.update(&entry.payload);
                black_box(hash.finalize());
            }
            let key = entry.key.as_bytes().as_slice();
            statement.execute(params![self.next, key, entry.envelope, entry.payload])?;
            self.next += 1;
        }
        self.connection.execute_batch("COMMIT")?;
        Ok(start.elapsed())
    }
}
