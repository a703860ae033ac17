//! The tools of this machine.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use access::repository::Tool;

use super::run::{Limits, run};

/// Characters of a version that are shown.
const VERSION_MAX: usize = 60;

/// A tool that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where.
    pub path: PathBuf,
    /// What it calls its version.
    pub version: String,
}

/// The tools that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tools {
    helm: Option<Program>,
    kustomize: Option<Program>,
}

impl Tools {
    /// Looks for them in the folders of a `PATH`, and asks each for its version. A folder that is not
    /// absolute is passed over: a repository must not bring the program that reads it.
    pub fn find(path: Option<&OsStr>) -> Self {
        let folders: Vec<PathBuf> =
            path.map(|p| std::env::split_paths(p).collect()).unwrap_or_default();
        let one = |tool: Tool, version: &[&str]| {
            let mut named = folders.iter().filter(|f| f.is_absolute()).map(|f| f.join(tool.name()));
            let path = named.find(|path| is_program(path))?;
            let version = version_of(&path, version);
            Some(Program { path, version })
        };
        Self {
            helm: one(Tool::Helm, &["version", "--short"]),
            kustomize: one(Tool::Kustomize, &["version"]),
        }
    }

    /// A tool, if it is there.
    pub fn get(&self, tool: Tool) -> Option<&Program> {
        match tool {
            Tool::Helm => self.helm.as_ref(),
            Tool::Kustomize => self.kustomize.as_ref(),
        }
    }
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

fn version_of(path: &Path, arguments: &[&str]) -> String {
    let limits = Limits { time: Duration::from_secs(20), output_bytes: 4096 };
    let unknown = || "of an unknown version".to_owned();
    let Ok(folder) = tempfile::tempdir() else { return unknown() };
    let mut command = Command::new(path);
    super::folder::clean(&mut command, folder.path());
    let output = run(command.args(arguments), &limits).unwrap_or_default();
    let text = String::from_utf8_lossy(&output);
    let line = text.lines().next().unwrap_or_default().trim();
    let shown: String = line.chars().filter(|c| !c.is_control()).take(VERSION_MAX).collect();
    if shown.is_empty() { unknown() } else { shown }
}
