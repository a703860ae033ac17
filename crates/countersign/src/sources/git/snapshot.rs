//! The files of one commit.

use std::io;
use std::path::Path;

use gix::ObjectId;
use gix::objs::{CommitRef, Kind, TreeRefIter};

use super::{Limits, Opened, object, walk};

/// A file of a commit.
pub enum TreeFile<'r> {
    /// A file with a content.
    Blob {
        /// Its size in bytes.
        size: u64,
        /// Reads it; `None` when it is not there, too large or damaged.
        read: &'r dyn Fn() -> Option<Vec<u8>>,
    },
    /// A symbolic link.
    Link,
    /// A submodule.
    Submodule,
}

/// Called for each file.
type Each<'e> = &'e mut dyn FnMut(String, TreeFile<'_>) -> io::Result<()>;

/// Folders within one another that are followed.
const DEPTH_MAX: usize = 256;

/// Hands over every file of a commit of a repository or a bundle, and returns the commit's id.
pub fn files(path: &Path, revision: Option<&str>, each: Each<'_>) -> io::Result<String> {
    let limits = Limits::default();
    let opened = Opened::of(path, &limits)?;
    let (repository, (tips, head)) = (&opened.repository, opened.references()?);
    let wanted = revision.unwrap_or("HEAD");
    let named = [wanted.to_owned(), format!("refs/heads/{wanted}"), format!("refs/tags/{wanted}")];
    let of_head = head.as_deref().filter(|_| wanted == "HEAD");
    let by_name = of_head.into_iter().chain(named.iter().map(String::as_str));
    let mut found: Vec<ObjectId> = by_name.filter_map(|name| tips.get(name).copied()).collect();
    found.extend(of_head.and_then(|id| ObjectId::from_hex(id.as_bytes()).ok()));
    found.truncate(1);
    // A full id or its beginning; only commits that a reference reaches are of the repository.
    if found.is_empty() && wanted.len() >= 7 && wanted.bytes().all(|b| b.is_ascii_hexdigit()) {
        let begin = wanted.to_ascii_lowercase();
        let all = walk(repository, &limits, tips.values().copied())?;
        found = all.into_iter().filter(|id| id.to_string().starts_with(&begin)).collect();
    }
    let [commit] = found[..] else {
        let what = if found.is_empty() { "no commit" } else { "several commits" };
        let text = format!("{what} under {wanted:?}; name a branch, a tag or the id of a commit");
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    };
    let damaged = || io::Error::other(format!("commit {commit} is not there or damaged"));
    let data = object(repository, &limits, commit, Kind::Commit).ok_or_else(damaged)?;
    let tree = CommitRef::from_bytes(&data.data, commit.kind()).map_err(io::Error::other)?.tree();
    walk_tree(repository, &limits, tree, each)?;
    Ok(commit.to_string())
}

fn walk_tree(
    repository: &gix::Repository,
    limits: &Limits,
    tree: ObjectId,
    each: Each<'_>,
) -> io::Result<()> {
    let mut folders = vec![(String::new(), tree, 0)];
    while let Some((below, id, depth)) = folders.pop() {
        let missing = || io::Error::other(format!("the tree of {below:?} is not there or damaged"));
        let data = object(repository, limits, id, Kind::Tree).ok_or_else(missing)?;
        for entry in TreeRefIter::from_bytes(&data.data, id.kind()) {
            let entry = entry.map_err(io::Error::other)?;
            let path = format!("{below}{}", String::from_utf8_lossy(entry.filename));
            let id = entry.oid.to_owned();
            if entry.mode.is_tree() {
                if depth >= DEPTH_MAX {
                    return Err(io::Error::other("folders are nested too deep"));
                }
                folders.push((format!("{path}/"), id, depth + 1));
            } else if entry.mode.is_link() {
                each(path, TreeFile::Link)?;
            } else if entry.mode.is_commit() {
                each(path, TreeFile::Submodule)?;
            } else {
                let header = repository.try_find_header(id).ok().flatten();
                let size = header.map_or(0, |header| header.size());
                let read = || object(repository, limits, id, Kind::Blob).map(|o| o.data.clone());
                each(path, TreeFile::Blob { size, read: &read })?;
            }
        }
    }
    Ok(())
}
