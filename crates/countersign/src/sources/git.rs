//! Git repositories and bundles, read as lines: one commit a line, parents first, then where the
//! references were.
//!
//! Only what git itself binds by hashes is read, straight from the objects: no index, no work tree,
//! no hook, no filter, no replacement (`refs/replace`), no configuration but the repository's own.
//! A commit whose bytes do not have its id is left out, and what it would show stays unknown.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::path::Path;

use gix::ObjectId;
use gix::objs::{CommitRef, Kind};
use serde::Serialize;

mod before;
mod bundle;
mod changes;
mod commit;
mod snapshot;

pub use self::before::{Before, before};
pub use self::bundle::is_bundle;
pub use self::snapshot::{TreeFile, files};

/// What is read at most of one repository.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Commits; the largest public repositories have a little over a million.
    pub commits: usize,
    /// Bytes of one commit or one tree.
    pub object_bytes: u64,
    /// Bytes of a bundle.
    pub bundle_bytes: u64,
    /// Files and folders that are compared for one commit.
    pub compared: usize,
    /// Bytes of a line: the changes are left out of a longer one.
    pub line_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            commits: 2_000_000,
            object_bytes: 16 << 20,
            bundle_bytes: 4 << 30,
            compared: 50_000,
            line_bytes: 1 << 20,
        }
    }
}

/// Whether a folder is a repository: a bare one, or a work tree with its `.git`.
pub fn is_repository(folder: &Path) -> bool {
    let bare = |path: &Path| path.join("HEAD").is_file() && path.join("objects").is_dir();
    // A linked work tree and a submodule have a file there, which names the folder.
    bare(folder) || bare(&folder.join(".git")) || folder.join(".git").is_file()
}

/// The lines of a repository.
pub struct GitLines {
    opened: Opened,
    limits: Limits,
    /// Parents first.
    commits: std::vec::IntoIter<ObjectId>,
    refs: Option<Refs>,
    line: io::Cursor<Vec<u8>>,
}

/// The last line: where the references were.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are named as in the line")]
struct Refs {
    git: &'static str,
    refs: BTreeMap<String, String>,
    head: Option<String>,
}

impl GitLines {
    /// Opens a repository or a bundle and finds its commits.
    pub fn open(path: &Path, limits: Limits) -> io::Result<Self> {
        let opened = Opened::of(path, &limits)?;
        let (tips, head) = opened.references()?;
        let commits = walk(&opened.repository, &limits, tips.values().copied())?.into_iter();
        let refs = tips.iter().map(|(name, id)| (name.clone(), id.to_string())).collect();
        let refs = Some(Refs { git: "refs", refs, head });
        Ok(Self { opened, limits, commits, refs, line: io::Cursor::default() })
    }

    /// The next line, or nothing at the end.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = match self.commits.next() {
            Some(id) => commit::line(&self.opened.repository, &self.limits, id)?,
            None => match self.refs.take() {
                Some(refs) => serde_json::to_vec(&refs)?,
                None => return Ok(None),
            },
        };
        line.push(b'\n');
        Ok(Some(line))
    }
}

impl Read for GitLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.line.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.next()? {
                Some(line) => self.line = io::Cursor::new(line),
                None => return Ok(0),
            }
        }
    }
}

/// A repository of a folder or a bundle.
struct Opened {
    repository: gix::Repository,
    /// What a bundle was unpacked to: its folder has to last until its objects are read, and is
    /// removed at the end.
    unpacked: Option<bundle::Unpacked>,
}

impl Opened {
    fn of(path: &Path, limits: &Limits) -> io::Result<Self> {
        if path.is_dir() {
            return Ok(Self { repository: open(path)?, unpacked: None });
        }
        let unpacked = bundle::unpack(path, limits)?;
        Ok(Self { repository: open(unpacked.0.path())?, unpacked: Some(unpacked) })
    }

    /// What the references name: those of a bundle stand in its header.
    fn references(&self) -> io::Result<Tips> {
        match &self.unpacked {
            Some((_, tips, head)) => Ok((tips.clone(), head.clone())),
            None => references(&self.repository),
        }
    }
}

fn open(folder: &Path) -> io::Result<gix::Repository> {
    // A replacement would show other bytes under the id of a commit.
    let overrides = ["core.useReplaceRefs=false"];
    let options = gix::open::Options::isolated().config_overrides(overrides);
    gix::open_opts(folder, options).map_err(io::Error::other)
}

/// The commits that references name, and the reference or the commit that `HEAD` names.
type Tips = (BTreeMap<String, ObjectId>, Option<String>);

fn references(repository: &gix::Repository) -> io::Result<Tips> {
    let mut tips = BTreeMap::new();
    let all = repository.references().map_err(io::Error::other)?;
    for reference in all.all().map_err(io::Error::other)? {
        let mut reference = reference.map_err(io::Error::other)?;
        let name = reference.name().as_bstr().to_string();
        // One that leads nowhere, or to something else than a commit, names no commit.
        if let Ok(id) = reference.peel_to_id()
            && kind(repository, id.detach()) == Some(Kind::Commit)
        {
            tips.insert(name, id.detach());
        }
    }
    let head = repository.head().ok();
    let id = head.as_ref().and_then(gix::Head::id).map(gix::Id::detach);
    let name = head.as_ref().and_then(|h| h.referent_name()).map(|n| n.as_bstr().to_string());
    if let (Some(id), None) = (id, &name) {
        tips.insert("HEAD".to_owned(), id);
    }
    Ok((tips, name.or_else(|| id.map(|id| id.to_string()))))
}

fn kind(repository: &gix::Repository, id: ObjectId) -> Option<Kind> {
    repository.try_find_header(id).ok().flatten().map(|header| header.kind())
}

/// Reads an object whose bytes have its id; `None` when it is not there, too large or damaged.
fn object<'r>(
    repository: &'r gix::Repository,
    limits: &Limits,
    id: ObjectId,
    kind: Kind,
) -> Option<gix::Object<'r>> {
    let header = repository.try_find_header(id).ok().flatten()?;
    if header.kind() != kind || header.size() > limits.object_bytes {
        return None;
    }
    let object = repository.try_find_object(id).ok().flatten()?;
    let hash = gix::objs::compute_hash(id.kind(), kind, &object.data).ok()?;
    (hash == id).then_some(object)
}

/// All commits that the tips reach, parents before children, in an order that depends on the graph
/// and the names of the references only. A parent that is not there ends its line: a shallow clone
/// has less.
fn walk(
    repository: &gix::Repository,
    limits: &Limits,
    tips: impl Iterator<Item = ObjectId>,
) -> io::Result<Vec<ObjectId>> {
    let mut order = Vec::new();
    let mut seen = HashSet::new();
    for tip in tips {
        let mut stack = vec![(tip, false)];
        while let Some((id, parents_done)) = stack.pop() {
            if parents_done {
                order.push(id);
                continue;
            }
            if !seen.insert(id) {
                continue;
            }
            if seen.len() > limits.commits {
                let most = limits.commits;
                let text = format!(
                    "has more than {most} commits; make a bundle of the part that matters: git bundle create PART --since=… --all"
                );
                return Err(io::Error::other(text));
            }
            let Some(object) = object(repository, limits, id, Kind::Commit) else { continue };
            let Ok(commit) = CommitRef::from_bytes(&object.data, id.kind()) else { continue };
            stack.push((id, true));
            let parents: Vec<ObjectId> = commit.parents().collect();
            stack.extend(parents.into_iter().rev().map(|parent| (parent, false)));
        }
    }
    Ok(order)
}
