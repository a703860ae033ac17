//! The contract of a store, as one story. Every store must tell it alike.

use countersign::store::sqlite::SqliteStore;
use countersign::store::{Head, Placed, Store, StoreError, StoreTx, TileId};
use evidence::channel::Channel;
use evidence::intake::PendingEntry;
use evidence::intake::seal::{Salts, seal};
use evidence::record::envelope::Auth;
use evidence::record::payload::Salt;
use evidence::record::{Cite, RecordId};
use jiff::Timestamp;
use tlog::{LeafIndex, TreeSize};

struct Fixed;

impl Salts for Fixed {
    fn salt(&mut self) -> Salt {
        [1; 16]
    }
}

fn entry(id: &str) -> PendingEntry {
    let cite = Cite { channel: Channel::KubernetesAudit, id: RecordId::new(id).expect("an id") };
    let payload = seal(id.as_bytes(), &[], &mut Fixed);
    PendingEntry::new(cite, &payload, Auth::OperatorFile, Timestamp::UNIX_EPOCH).expect("short")
}

fn append<S: Store>(store: &mut S, head: Head, ids: &[&str]) -> Result<Vec<Placed>, StoreError> {
    let entries: Vec<PendingEntry> = ids.iter().map(|id| entry(id)).collect();
    let mut tx = store.begin()?;
    let placed = tx.insert_new(head.size.next_index(), &entries)?;
    let new = placed.iter().filter(|p| matches!(p, Placed::New(_))).count();
    tx.advance(head, TreeSize::new(head.size.get() + new as u64))?;
    tx.commit()?;
    Ok(placed)
}

/// Tells the story on a store that is new and empty.
fn story<S: Store>(store: &mut S) {
    let (new, known) = (|i| Placed::New(LeafIndex::new(i)), |i| Placed::Known(LeafIndex::new(i)));
    let head = store.take_over().expect("taken over");
    assert_eq!(head.size, TreeSize::EMPTY);

    // Consecutive indexes in the order given; a twin within a batch is known at once.
    let placed = append(store, head, &["a", "b", "a", "c"]).expect("appended");
    assert_eq!(placed, [new(0), new(1), known(0), new(2)]);
    let head = store.head().expect("a head");
    assert_eq!(head.size, TreeSize::new(3));
    assert_eq!(append(store, head, &["c", "d"]).expect("appended"), [known(2), new(3)]);

    // A transaction that is dropped leaves nothing.
    let head = store.head().expect("a head");
    {
        let mut tx = store.begin().expect("begun");
        tx.insert_new(head.size.next_index(), &[entry("e")]).expect("inserted");
        tx.put_tile(TileId { level: 0, number: 0 }, &[7; 32]).expect("put");
    }
    assert_eq!(store.head().expect("a head"), head);
    assert_eq!(store.tile(TileId { level: 0, number: 0 }).expect("read"), None);
    assert_eq!(append(store, head, &["e"]).expect("appended"), [new(4)]);

    // Tiles grow.
    let tile = TileId { level: 1, number: 3 };
    for hashes in [vec![1; 32], vec![1; 64]] {
        let mut tx = store.begin().expect("begun");
        tx.put_tile(tile, &hashes).expect("put");
        tx.commit().expect("committed");
        assert_eq!(store.tile(tile).expect("read"), Some(hashes));
    }

    // Whoever took over last writes; the one before is refused and changes nothing.
    let old = store.head().expect("a head");
    let new_head = store.take_over().expect("taken over");
    assert_eq!(new_head.writer, old.writer + 1);
    let refused = append(store, old, &["f"]).expect_err("fenced");
    assert!(matches!(refused, StoreError::Fenced { found, ours } if found == ours + 1));
    assert_eq!(append(store, new_head, &["f"]).expect("appended"), [new(5)]);
}

#[test]
fn sqlite_tells_the_story() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.db");
    let mut store = SqliteStore::create(&path).expect("created");
    story(&mut store);
    store.close().expect("closed");
    let mut again = SqliteStore::open(&path).expect("opened");
    assert_eq!(again.head().expect("a head").size, TreeSize::new(6), "and it is still there");
}

/// A database that cannot grow refuses the batch whole; with room again the same batch goes in.
#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = SqliteStore::create(&folder.path().join("ledger.db")).expect("created");
    let head = store.take_over().expect("taken over");
    append(&mut store, head, &["a"]).expect("appended");
    let head = store.head().expect("a head");
    let ids: Vec<String> = (0..2_000).map(|i| format!("big-{i}-{}", "x".repeat(400))).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();

    let pages: i64 = store
        .connection()
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .expect("counted");
    let limit = |store: &mut SqliteStore, pages: i64| {
        store.connection().pragma_update(None, "max_page_count", pages).expect("limited");
    };
    limit(&mut store, pages + 20);
    let refused = append(&mut store, head, &ids).expect_err("full");
    assert!(matches!(refused, StoreError::DiskFull), "{refused}");
    assert!(refused.to_string().contains("free space and run the same command again"));
    assert_eq!(store.head().expect("a head"), head);

    limit(&mut store, 1_000_000);
    let placed = append(&mut store, head, &ids).expect("appended");
    assert_eq!(placed.first(), Some(&Placed::New(LeafIndex::new(1))));
    assert_eq!(placed.len(), ids.len());
}
