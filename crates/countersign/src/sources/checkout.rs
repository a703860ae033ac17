//! The files of a repository: those of a folder as they lie there, or those of a commit.
//!
//! A commit is read from the objects, as [`super::git`] reads them; a folder is read without its
//! `.git`. Links and submodules are left out, because what they lead to is not in the repository.

use std::fs;
use std::io;
use std::path::Path;

use access::repository::File;

use super::git;

/// What is read at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Files.
    pub files: usize,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Bytes of one file; a larger one is listed without its content.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        // Ten times the largest public GitOps repositories.
        Self { files: 1_000_000, bytes: 2 << 30, file_bytes: 64 << 20 }
    }
}

/// The files of a repository.
#[derive(Debug, Default)]
pub struct Checkout {
    /// The commit, when it is one.
    pub commit: Option<String>,
    /// The files, by path.
    files: Vec<(String, Vec<u8>)>,
    /// Paths that were left out, with the reason.
    pub left_out: Vec<(String, &'static str)>,
    bytes: u64,
}

impl Checkout {
    /// Reads a folder as it lies there.
    pub fn of_folder(folder: &Path, limits: &Limits) -> io::Result<Self> {
        let mut checkout = Self::default();
        let mut open = vec![String::new()];
        while let Some(below) = open.pop() {
            for entry in fs::read_dir(folder.join(&below))? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if below.is_empty() { name } else { format!("{below}/{name}") };
                let kind = entry.file_type()?;
                if path == ".git" {
                } else if kind.is_dir() {
                    open.push(path);
                } else if kind.is_file() {
                    let size = entry.metadata()?.len();
                    checkout.add(path, size, limits, || fs::read(entry.path()).map(Some))?;
                } else {
                    checkout.left_out.push((path, "a link, or no file"));
                }
            }
        }
        checkout.files.sort();
        Ok(checkout)
    }

    /// Reads a commit of a repository or a bundle: an id, its beginning, a branch or a tag; `HEAD`
    /// when none is named.
    pub fn of_commit(path: &Path, revision: Option<&str>, limits: &Limits) -> io::Result<Self> {
        let mut checkout = Self::default();
        let mut left = Vec::new();
        let commit = git::files(path, revision, &mut |path, file| {
            match file {
                git::TreeFile::Blob { size, read } => {
                    checkout.add(path, size, limits, || Ok(read()))?;
                }
                git::TreeFile::Link => left.push((path, "a link")),
                git::TreeFile::Submodule => left.push((path, "a submodule")),
            }
            Ok(())
        })?;
        checkout.commit = Some(commit);
        checkout.left_out.append(&mut left);
        checkout.files.sort();
        Ok(checkout)
    }

    fn add(
        &mut self,
        path: String,
        size: u64,
        limits: &Limits,
        read: impl FnOnce() -> io::Result<Option<Vec<u8>>>,
    ) -> io::Result<()> {
        self.bytes += size;
        if self.files.len() >= limits.files || self.bytes > limits.bytes {
            let text = format!(
                "has more than {} files or {} bytes; name the folder of the manifests",
                limits.files, limits.bytes
            );
            return Err(io::Error::other(text));
        }
        let content = if size > limits.file_bytes { None } else { read()? };
        if content.is_none() {
            self.left_out.push((path.clone(), "too large, or not in the repository"));
        }
        self.files.push((path, content.unwrap_or_default()));
        Ok(())
    }

    /// The files, as `access` takes them.
    pub fn files(&self) -> Vec<File<'_>> {
        self.files.iter().map(|(path, bytes)| File { path, bytes }).collect()
    }

    /// The content of a file.
    pub fn content(&self, path: &str) -> Option<&[u8]> {
        let at = self.files.binary_search_by(|(known, _)| known.as_str().cmp(path)).ok()?;
        Some(&self.files[at].1)
    }

    /// Puts another content in the place of a file that is there; says whether it is.
    pub fn set(&mut self, path: &str, content: Vec<u8>) -> bool {
        let at = self.files.binary_search_by(|(known, _)| known.as_str().cmp(path));
        at.is_ok_and(|at| {
            self.files[at].1 = content;
            true
        })
    }
}
