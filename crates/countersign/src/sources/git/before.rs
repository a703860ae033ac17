//! Files as they were before commits: what the base branch held when something was merged.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use gix::ObjectId;
use gix::objs::{CommitRef, Kind, TreeRefIter};

use super::{Limits, Opened, object};

/// The wanted files that were there, by path; or why that is not known.
pub type Before = Result<BTreeMap<String, Vec<u8>>, String>;

/// Reads wanted files of the first parent of each commit, from a repository or a bundle. Before the
/// first commit of all there was none.
pub fn before(
    path: &Path,
    commits: &BTreeSet<&str>,
    wanted: &[&str],
) -> io::Result<BTreeMap<String, Before>> {
    let limits = Limits::default();
    let opened = Opened::of(path, &limits)?;
    let reader = Reader { repository: &opened.repository, limits: &limits };
    Ok(commits.iter().map(|commit| ((*commit).to_owned(), reader.before(commit, wanted))).collect())
}

struct Reader<'r> {
    repository: &'r gix::Repository,
    limits: &'r Limits,
}

impl Reader<'_> {
    fn before(&self, commit: &str, wanted: &[&str]) -> Before {
        let missing = |id: &str| format!("commit {id} is not in the repository, or damaged");
        let id = ObjectId::from_hex(commit.as_bytes()).map_err(|_| missing(commit))?;
        let (_, parent) = self.commit(id).ok_or_else(|| missing(commit))?;
        let Some(parent) = parent else { return Ok(BTreeMap::new()) };
        let (tree, _) = self.commit(parent).ok_or_else(|| missing(&parent.to_string()))?;
        let mut files = BTreeMap::new();
        for path in wanted {
            if let Some(bytes) = self.file(tree, path)? {
                files.insert((*path).to_owned(), bytes);
            }
        }
        Ok(files)
    }

    /// The tree and the first parent of a commit.
    fn commit(&self, id: ObjectId) -> Option<(ObjectId, Option<ObjectId>)> {
        let data = object(self.repository, self.limits, id, Kind::Commit)?;
        let commit = CommitRef::from_bytes(&data.data, id.kind()).ok()?;
        Some((commit.tree(), commit.parents().next()))
    }

    fn file(&self, root: ObjectId, path: &str) -> Result<Option<Vec<u8>>, String> {
        let damaged = || format!("{path} is not there as its commit says, or too large");
        let mut tree = root;
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        for folder in folders.split('/').filter(|f| !f.is_empty()) {
            match self.entry(tree, folder).map_err(|Damaged| damaged())? {
                Some((id, true)) => tree = id,
                _ => return Ok(None),
            }
        }
        match self.entry(tree, name).map_err(|Damaged| damaged())? {
            Some((id, false)) => {
                let blob = object(self.repository, self.limits, id, Kind::Blob);
                Ok(Some(blob.ok_or_else(damaged)?.data.clone()))
            }
            _ => Ok(None),
        }
    }

    /// An entry of a folder, and whether it is a folder itself.
    fn entry(&self, tree: ObjectId, name: &str) -> Result<Option<(ObjectId, bool)>, Damaged> {
        let data = object(self.repository, self.limits, tree, Kind::Tree).ok_or(Damaged)?;
        for entry in TreeRefIter::from_bytes(&data.data, tree.kind()) {
            let entry = entry.map_err(|_| Damaged)?;
            if entry.filename == name.as_bytes() {
                return Ok(Some((entry.oid.to_owned(), entry.mode.is_tree())));
            }
        }
        Ok(None)
    }
}

/// A folder that is not there as its commit says.
struct Damaged;
