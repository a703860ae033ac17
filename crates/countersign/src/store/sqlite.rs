//! The embedded store: one `SQLite` file, write-ahead log, `synchronous=FULL`.
//!
//! `FULL` makes every commit wait for `fsync` of the log, which is what an acknowledgement stands
//! on (`docs/formats/ledger.md` shows it by `strace`).

use std::path::{Path, PathBuf};

use evidence::intake::PendingEntry;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Transaction, params};
use tlog::{LeafIndex, TreeSize};

use super::{Coverage, Cursor, Head, Placed, Refused, Store, StoreError, StoreTx, TileId};

/// Migrations, in their order; never edited once released.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/sqlite/0001_ledger.sql")];

/// Bytes of a database page.
pub const PAGE_BYTES: usize = 4096;

/// Bytes of page cache: the unique index of a million entries (45 MB) stays in memory, or every
/// insert would read a page of it.
const CACHE_KIB: i64 = 128 * 1024;

/// A `SQLite` database open for writing.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
}

impl SqliteStore {
    /// Creates the database; fails if there is one.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| of(e, path))?;
        let store = Self { connection, path: path.to_owned() };
        store.prepare()?;
        for migration in MIGRATIONS {
            let script = format!("BEGIN IMMEDIATE; {migration} COMMIT;");
            store.connection.execute_batch(&script).map_err(|e| of(e, path))?;
        }
        let version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        store.connection.pragma_update(None, "user_version", version).map_err(|e| of(e, path))?;
        Ok(store)
    }

    /// Opens the database for writing; fails if there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = Connection::open_with_flags(path, flags).map_err(|e| of(e, path))?;
        let store = Self { connection, path: path.to_owned() };
        store.prepare()?;
        store.check_version()?;
        Ok(store)
    }

    fn prepare(&self) -> Result<(), StoreError> {
        let set = |name: &str, value: &dyn rusqlite::ToSql| {
            self.connection.pragma_update(None, name, value).map_err(|e| of(e, &self.path))
        };
        set("page_size", &i64::try_from(PAGE_BYTES).unwrap_or(4096))?;
        set("journal_mode", &"wal")?;
        set("synchronous", &"FULL")?;
        set("cache_size", &-CACHE_KIB)?;
        set("secure_delete", &true)?;
        // Larger steps between copies from the log to the file: half the writing on a long ingest.
        set("wal_autocheckpoint", &8_000)?;
        // Nothing is copied into the file by merely opening and closing it: a start that is refused
        // leaves the file as its seal knows it.
        let quiet = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        self.connection.set_db_config(quiet, true).map_err(|e| of(e, &self.path))?;
        self.connection
            .busy_timeout(std::time::Duration::from_secs(5))
            .map_err(|e| of(e, &self.path))
    }

    fn check_version(&self) -> Result<(), StoreError> {
        let version: i64 = self
            .connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|e| of(e, &self.path))?;
        if usize::try_from(version).is_ok_and(|v| v == MIGRATIONS.len()) {
            return Ok(());
        }
        Err(StoreError::Damaged(format!(
            "schema version {version} where this program knows {}",
            MIGRATIONS.len()
        )))
    }

    /// The connection, for maintenance that is no append (redaction, closing).
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// How many readings of a source there were.
    pub fn last_epoch(&self, source: &str) -> Result<u64, StoreError> {
        self.connection
            .query_row(
                "SELECT ifnull(max(epoch), 0) FROM coverage WHERE source = ?1",
                [source],
                |row| row.get(0),
            )
            .map_err(|e| of(e, &self.path))
    }

    /// Copies the log into the file and closes; afterwards the file alone is the store, unless a
    /// reader was still open.
    pub fn close(self) -> Result<Closed, StoreError> {
        let path = self.path.clone();
        let closed = truncate_log(&self.connection).map_err(|e| of(e, &path))?;
        if closed == Closed::Whole {
            let quiet = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            self.connection.set_db_config(quiet, false).map_err(|e| of(e, &path))?;
        }
        self.connection.close().map_err(|(_, e)| of(e, &path))?;
        Ok(closed)
    }
}

/// Whether the database file is whole without its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Everything is in the file.
    Whole,
    /// A reader kept the log from being copied whole.
    LogLeft,
}

/// Copies the log into the file and empties it; a reader that is open can prevent that.
pub fn truncate_log(connection: &Connection) -> rusqlite::Result<Closed> {
    let busy: i64 =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(if busy == 0 { Closed::Whole } else { Closed::LogLeft })
}

impl Store for SqliteStore {
    type Tx<'a> = SqliteTx<'a>;

    fn begin(&mut self) -> Result<SqliteTx<'_>, StoreError> {
        let path = self.path.as_path();
        let behaviour = rusqlite::TransactionBehavior::Immediate;
        let tx = self.connection.transaction_with_behavior(behaviour).map_err(|e| of(e, path))?;
        Ok(SqliteTx { tx, path })
    }

    fn head(&mut self) -> Result<Head, StoreError> {
        read_head(&self.connection).map_err(|e| of(e, &self.path))
    }

    fn tile(&mut self, id: TileId) -> Result<Option<Vec<u8>>, StoreError> {
        read_tile(&self.connection, id).map_err(|e| of(e, &self.path))
    }

    fn take_over(&mut self) -> Result<Head, StoreError> {
        self.connection
            .execute("UPDATE head SET writer = writer + 1", [])
            .map_err(|e| of(e, &self.path))?;
        self.head()
    }
}

/// A write transaction.
#[derive(Debug)]
pub struct SqliteTx<'a> {
    tx: Transaction<'a>,
    path: &'a Path,
}

impl SqliteTx<'_> {
    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize, StoreError> {
        self.tx
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map_err(|e| of(e, self.path))
    }
}

impl StoreTx for SqliteTx<'_> {
    fn insert_new(
        &mut self,
        next: LeafIndex,
        entries: &[PendingEntry],
    ) -> Result<Vec<Placed>, StoreError> {
        let failed = |e| of(e, self.path);
        let mut insert = self
            .tx
            .prepare_cached(
                "INSERT INTO entry VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) DO NOTHING",
            )
            .map_err(failed)?;
        let mut find =
            self.tx.prepare_cached("SELECT idx FROM entry WHERE key = ?1").map_err(failed)?;
        let mut next = next.get();
        let mut placed = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = entry.key.as_bytes().as_slice();
            let row = params![next, key, entry.envelope.as_slice(), entry.payload.as_slice()];
            placed.push(if insert.execute(row).map_err(failed)? == 1 {
                next += 1;
                Placed::New(LeafIndex::new(next - 1))
            } else {
                let known = find.query_row([key], |r| r.get(0)).optional().map_err(failed)?;
                Placed::Known(LeafIndex::new(known.ok_or(StoreError::LostKey(entry.key))?))
            });
        }
        Ok(placed)
    }

    fn put_tile(&mut self, id: TileId, hashes: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO tile VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET hashes = excluded.hashes";
        self.run(sql, params![tile_row(id), hashes]).map(drop)
    }

    fn put_checkpoint(&mut self, size: TreeSize, note: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO checkpoint VALUES (?1, ?2) ON CONFLICT (size) DO NOTHING";
        self.run(sql, params![size.get(), note]).map(drop)
    }

    fn put_cursor(&mut self, cursor: &Cursor) -> Result<(), StoreError> {
        let sql = "INSERT INTO cursor VALUES (?1, ?2, ?3) ON CONFLICT (source) DO UPDATE SET lines = excluded.lines, bytes = excluded.bytes";
        self.run(sql, params![cursor.source, cursor.lines, cursor.bytes]).map(drop)
    }

    fn add_coverage(&mut self, seen: &Coverage) -> Result<(), StoreError> {
        let sql = "INSERT INTO coverage VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8) ON CONFLICT (source, epoch, channel) DO UPDATE SET accepted = accepted + excluded.accepted, duplicate = duplicate + excluded.duplicate, dropped = dropped + excluded.dropped, refused = refused + excluded.refused, last_at = excluded.last_at";
        let row = params![
            seen.source,
            seen.epoch,
            seen.channel,
            seen.accepted,
            seen.duplicate,
            seen.dropped,
            seen.refused,
            seen.at.to_string()
        ];
        self.run(sql, row).map(drop)
    }

    fn add_refusal(&mut self, refusal: &Refused) -> Result<(), StoreError> {
        let sql = "INSERT INTO refusal VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        self.run(sql, params![refusal.source, refusal.epoch, refusal.line, refusal.reason])
            .map(drop)
    }

    fn advance(&mut self, from: Head, to: TreeSize) -> Result<(), StoreError> {
        let sql = "UPDATE head SET size = ?1 WHERE size = ?2 AND writer = ?3";
        if self.run(sql, params![to.get(), from.size.get(), from.writer])? == 1 {
            return Ok(());
        }
        let found = read_head(&self.tx).map_err(|e| of(e, self.path))?;
        Err(StoreError::Fenced { found: found.writer, ours: from.writer })
    }

    fn commit(self) -> Result<(), StoreError> {
        let path = self.path;
        self.tx.commit().map_err(|e| of(e, path))
    }
}

/// Opens the database for reading only. `immutable` says that nobody writes and that no file may
/// be created beside it, as on a read-only medium.
pub fn open_read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let open = |target: &str| {
        let connection = Connection::open_with_flags(target, flags)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok::<_, rusqlite::Error>(connection)
    };
    let uri: String =
        path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    match open(&format!("file:{uri}")) {
        Err(rusqlite::Error::SqliteFailure(e, _)) if e.code == ErrorCode::CannotOpen => {
            // A log beside the file holds what is not in it yet: reading the file alone would
            // show an older state and take it for a rollback.
            let log = path.with_extension("db-wal");
            if log.metadata().is_ok_and(|m| m.len() > 0) {
                return Err(StoreError::Unfinished(log.display().to_string()));
            }
            open(&format!("file:{uri}?immutable=1")).map_err(|e| of(e, path))
        }
        other => other.map_err(|e| of(e, path)),
    }
}

/// Reads the head row.
pub fn read_head(connection: &Connection) -> rusqlite::Result<Head> {
    connection.query_row("SELECT size, writer FROM head", [], |row| {
        Ok(Head { size: TreeSize::new(row.get(0)?), writer: row.get(1)? })
    })
}

/// Reads a tile's hashes.
pub fn read_tile(connection: &Connection, id: TileId) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached("SELECT hashes FROM tile WHERE id = ?1")?;
    statement.query_row([tile_row(id)], |row| row.get(0)).optional()
}

/// The row of a tile: `level * 2^56 + number`, so that a level's tiles lie side by side.
pub fn tile_row(id: TileId) -> i64 {
    // Levels go up to 7 for 2^63 entries; numbers stay far below 2^56.
    let row = (u64::from(id.level) << 56) | id.number;
    i64::try_from(row).unwrap_or(i64::MAX)
}

/// Maps the database's errors to ours.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err, which gives the error away")]
fn of(error: rusqlite::Error, path: &Path) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, text) = &error else {
        return StoreError::Database(error.to_string());
    };
    let text = text.clone().unwrap_or_else(|| failure.to_string());
    match failure.code {
        ErrorCode::DiskFull => StoreError::DiskFull,
        ErrorCode::ReadOnly => StoreError::ReadOnly(path.display().to_string()),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(text),
        ErrorCode::CannotOpen => {
            StoreError::Database(format!("cannot open {}: {text}", path.display()))
        }
        // A write that does not fit may come back as an I/O error, not as "full".
        ErrorCode::SystemIoFailure => {
            StoreError::Database(format!("{text}; what was acknowledged before is safe"))
        }
        _ => StoreError::Database(text),
    }
}
