-- One row an entry: the leaf and its payload beside each other, appended in index order.
CREATE TABLE entry (
    idx     INTEGER PRIMARY KEY,
    key     BLOB NOT NULL UNIQUE,
    leaf    BLOB NOT NULL,
    payload BLOB NOT NULL
) STRICT;

-- The payload alone may change, when a personal segment is erased; its commitment stays.
CREATE TRIGGER entry_is_final BEFORE UPDATE OF idx, key, leaf ON entry
BEGIN SELECT raise(ABORT, 'entries are append-only'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry
BEGIN SELECT raise(ABORT, 'entries are append-only'); END;

-- Hash tiles of C2SP tlog-tiles: up to 256 hashes of 32 bytes; id = level * 2^56 + number.
CREATE TABLE tile (
    id     INTEGER PRIMARY KEY,
    hashes BLOB NOT NULL
) STRICT;

CREATE TABLE head (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    size   INTEGER NOT NULL,
    writer INTEGER NOT NULL
) STRICT;
INSERT INTO head VALUES (1, 0, 0);

-- Every checkpoint ever published, but the newest: that one is in the file `checkpoints` until the
-- next batch brings it here.
CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY,
    note TEXT NOT NULL
) STRICT;

CREATE TABLE cursor (
    source TEXT PRIMARY KEY,
    lines  INTEGER NOT NULL,
    bytes  INTEGER NOT NULL
) STRICT;

CREATE TABLE coverage (
    source    TEXT NOT NULL,
    epoch     INTEGER NOT NULL,
    channel   TEXT NOT NULL,
    accepted  INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    dropped   INTEGER NOT NULL,
    refused   INTEGER NOT NULL,
    first_at  TEXT NOT NULL,
    last_at   TEXT NOT NULL,
    PRIMARY KEY (source, epoch, channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE refusal (
    source TEXT NOT NULL,
    epoch  INTEGER NOT NULL,
    line   INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (source, epoch, line)
) STRICT, WITHOUT ROWID;
