//! Making, opening and closing a ledger.
//!
//! Opening holds the store to every checkpoint that is known outside it: a store that lost entries
//! or changed them is not written to and not signed again.

use std::fs;
use std::path::{Path, PathBuf};

use tlog::{Checkpoint, Origin, TreeSize, UnverifiedCheckpoint, VerifierKey, sign_checkpoint};

use super::append::{Ledger, Published};
use super::dir::{LedgerDir, sync_folder, write_durable};
use super::history::History;
use super::tree::{GrowingTree, Nodes, root_at};
use super::{EmbeddedLedger, LedgerError, pages};
use crate::store::sqlite::{Closed, SqliteStore};
use crate::store::{Store, StoreError, TileId};

/// Makes a ledger in a new folder, with new keys and the checkpoint of the empty tree.
pub fn init(
    path: &Path,
    origin: &Origin,
    anchor: Option<PathBuf>,
) -> Result<LedgerDir, LedgerError> {
    let dir = LedgerDir::create(path, origin, anchor)?;
    let _whole = SqliteStore::create(&dir.database())?.close()?;
    let empty = Checkpoint::new(origin.clone(), TreeSize::EMPTY, tlog::EMPTY_ROOT)
        .map_err(|e| LedgerError::Stopped(e.to_string()))?;
    let note = sign_checkpoint(&empty, &dir.signer()?);
    History::create(&dir.checkpoints(), &note)?;
    if let Some(anchor) = &dir.settings.anchor {
        write_durable(anchor, note.as_bytes())?;
    }
    pages::seal(&dir)?;
    // Last: without its settings the folder is no ledger, so a crash before this leaves none.
    dir.write_settings()?;
    Ok(dir)
}

/// Opens a ledger for writing.
pub fn open(dir: &LedgerDir) -> Result<EmbeddedLedger, LedgerError> {
    let lock = dir.lock()?;
    let (signer, origin) = (dir.signer()?, dir.origin()?);
    let (history, last) = match History::open(&dir.checkpoints()) {
        Err(LedgerError::File { cause, .. }) if cause.kind() == std::io::ErrorKind::NotFound => {
            return Err(LedgerError::NoCheckpoint(dir.checkpoints()));
        }
        other => other?,
    };
    let mut store = SqliteStore::open(&dir.database())?;
    let size = store.head()?.size;
    let mut tree = load_tree(&mut store, size)?;
    let published = hold_to_checkpoints(dir, last.as_deref(), &mut store, size)?;
    // Sealing again what was changed meanwhile would hide the change.
    pages::hold(dir)?;
    // From here on the file changes, so the seal on its pages is broken; first make that durable,
    // or a crash would leave a seal that accuses an honest file.
    pages::unseal(dir)?;
    let head = store.take_over()?;
    if head.size != size {
        tree = load_tree(&mut store, head.size)?;
    }
    let anchor = dir.settings.anchor.clone();
    let mut ledger = Ledger {
        store,
        tree,
        head,
        signer,
        origin,
        history,
        anchor,
        published,
        lost: None,
        _lock: lock,
    };
    // Entries that were committed but not published when the last writer died; and an anchor that
    // it did not get to.
    ledger.publish()?;
    ledger.catch_up_anchor()?;
    Ok(ledger)
}

/// Closes a ledger: the database becomes one file, and its pages are sealed.
pub fn close(ledger: EmbeddedLedger, dir: &LedgerDir) -> Result<(), LedgerError> {
    let Ledger { store, _lock: lock, .. } = ledger;
    // With a reader open the log cannot be copied whole; then there is no seal, and `fsck` says so.
    if store.close()? == Closed::Whole {
        pages::seal(dir)?;
    }
    drop(lock);
    Ok(())
}

/// Reads the tree of `size` entries from a store's tiles.
pub(super) fn load_tree(
    store: &mut impl Store,
    size: TreeSize,
) -> Result<GrowingTree, LedgerError> {
    let store = std::cell::RefCell::new(store);
    let tiles = |id: TileId| store.borrow_mut().tile(id).map_err(LedgerError::from);
    GrowingTree::load(&tiles, size)
}

/// Compares the store with the last checkpoint of the file and with that of the anchor.
fn hold_to_checkpoints(
    dir: &LedgerDir,
    last: Option<&str>,
    store: &mut impl Store,
    found: TreeSize,
) -> Result<Published, LedgerError> {
    let file = dir.checkpoints();
    let note = last.ok_or_else(|| LedgerError::NoCheckpoint(file.clone()))?;
    let key = dir.verifier_key()?;
    let published = verified(note, dir, &key, &file)?;
    let size = published.size();
    hold(published, &file, store, found)?;
    if let Some(anchor) = &dir.settings.anchor {
        match fs::read_to_string(anchor) {
            Ok(note) => hold(verified(&note, dir, &key, anchor)?, anchor, store, found)?,
            // An anchor that was never written yet is no witness of anything.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && size.is_empty() => {}
            Err(e) => return Err(LedgerError::file("read", anchor)(e)),
        }
    }
    Ok(Published { size, note: note.to_owned(), in_store: false })
}

pub(super) fn verified(
    note: &str,
    dir: &LedgerDir,
    key: &VerifierKey,
    path: &Path,
) -> Result<Checkpoint, LedgerError> {
    let origin = dir.origin()?;
    UnverifiedCheckpoint::parse(note.as_bytes())
        .and_then(|c| c.verify(&origin, std::slice::from_ref(key)))
        .map(|c| c.checkpoint().clone())
        .map_err(|e| LedgerError::Settings {
            path: path.to_owned(),
            problem: format!("the last checkpoint is not this ledger's: {e}"),
        })
}

/// Holds the store to one published checkpoint.
fn hold(
    published: Checkpoint,
    witness: &Path,
    store: &mut impl Store,
    found: TreeSize,
) -> Result<(), LedgerError> {
    let (witness, published) = (witness.to_owned(), Box::new(published));
    if published.size() > found {
        return Err(LedgerError::Rollback { witness, published, found });
    }
    let store = std::cell::RefCell::new(store);
    let nodes = Nodes(|id: TileId| store.borrow_mut().tile(id).map_err(LedgerError::from));
    let root = root_at(&nodes, published.size())?;
    if root != published.root() {
        return Err(LedgerError::Fork { witness, published, found: root });
    }
    Ok(())
}

/// Removes a file if it is there, and makes the removal durable.
pub(super) fn remove_durable(path: &Path) -> Result<(), LedgerError> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder(path).map_err(LedgerError::file("remove", path)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::ReadOnlyFilesystem => {
            Err(StoreError::ReadOnly(path.display().to_string()).into())
        }
        Err(e) => Err(LedgerError::file("remove", path)(e)),
    }
}
