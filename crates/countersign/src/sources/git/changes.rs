//! What a commit changes against its first parent: files by path and blob, no content.

use std::collections::{BTreeMap, BTreeSet};

use gix::ObjectId;
use gix::objs::tree::EntryMode;
use gix::objs::{Kind, TreeRefIter};
use serde::Serialize;

use super::{Limits, object};

/// A file that a commit changes.
#[derive(Serialize)]
pub(super) struct Change {
    path: String,
    status: &'static str,
    blob: Option<String>,
}

/// Why there is no list.
pub(super) enum Unlisted {
    /// A tree is not there: a partial clone, or a parent beyond a shallow one.
    Missing,
    /// There are more files than are compared.
    TooMany,
}

/// The entries of a tree by name.
type Entries = BTreeMap<Vec<u8>, (EntryMode, ObjectId)>;

/// One folder on both sides.
struct Folder {
    path: Vec<u8>,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
}

/// Compares two trees; without one before, every file of the other is new.
pub(super) fn between(
    repository: &gix::Repository,
    limits: &Limits,
    before: Option<ObjectId>,
    after: ObjectId,
) -> Result<Vec<Change>, Unlisted> {
    let mut changes = Vec::new();
    let mut folders = vec![Folder { path: Vec::new(), before, after: Some(after) }];
    let mut compared = 0;
    while let Some(folder) = folders.pop() {
        let read = |id: Option<ObjectId>| {
            id.map_or(Ok(Entries::new()), |id| entries(repository, limits, id))
        };
        let (old, new) = (read(folder.before)?, read(folder.after)?);
        let names: BTreeSet<&Vec<u8>> = old.keys().chain(new.keys()).collect();
        // Folders that hold one another many times over would have no end.
        compared += names.len() + 1;
        if compared > limits.compared {
            return Err(Unlisted::TooMany);
        }
        for name in names {
            let path = [&folder.path[..], name].concat();
            let (old, new) = (old.get(name).copied(), new.get(name).copied());
            if old != new {
                compare(&path, old, new, &mut folders, &mut changes);
            }
        }
    }
    changes.sort_by(|a, b| (&a.path, a.status).cmp(&(&b.path, b.status)));
    Ok(changes)
}

fn compare(
    path: &[u8],
    old: Option<(EntryMode, ObjectId)>,
    new: Option<(EntryMode, ObjectId)>,
    folders: &mut Vec<Folder>,
    changes: &mut Vec<Change>,
) {
    let tree =
        |of: Option<(EntryMode, ObjectId)>| of.filter(|(m, _)| m.is_tree()).map(|(_, id)| id);
    let file =
        |of: Option<(EntryMode, ObjectId)>| of.filter(|(m, _)| !m.is_tree()).map(|(_, id)| id);
    let text = String::from_utf8_lossy(path).into_owned();
    let mut change = |status, blob: Option<ObjectId>| {
        let blob = blob.map(|id| id.to_string());
        changes.push(Change { path: text.clone(), status, blob });
    };
    match (file(old), file(new)) {
        (Some(_), Some(id)) => change("modified", Some(id)),
        (Some(_), None) => change("removed", None),
        (None, Some(id)) => change("added", Some(id)),
        (None, None) => {}
    }
    let (before, after) = (tree(old), tree(new));
    if before.is_some() || after.is_some() {
        folders.push(Folder { path: [path, b"/"].concat(), before, after });
    }
}

fn entries(
    repository: &gix::Repository,
    limits: &Limits,
    id: ObjectId,
) -> Result<Entries, Unlisted> {
    let tree = object(repository, limits, id, Kind::Tree).ok_or(Unlisted::Missing)?;
    let entries = TreeRefIter::from_bytes(&tree.data, id.kind());
    let one = |entry: gix::objs::tree::EntryRef<'_>| {
        (entry.filename.to_vec(), (entry.mode, entry.oid.to_owned()))
    };
    entries.map(|e| e.map(one).map_err(|_| Unlisted::Missing)).collect()
}
