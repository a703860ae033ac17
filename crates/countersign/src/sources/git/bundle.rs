//! Bundles: a repository, or a part of one, in a file.
//!
//! `git` itself unpacks it, into a folder of ours that is removed afterwards. It gets no
//! environment, no configuration and no way to the network.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use gix::ObjectId;

use super::Limits;

/// How a bundle begins (`git/git` `Documentation/gitformat-bundle.txt`).
const SIGNATURES: [&[u8]; 2] = [b"# v2 git bundle", b"# v3 git bundle"];

/// Whether a file is a bundle.
pub fn is_bundle(file: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(file).and_then(|f| f.take(16).read_to_end(&mut start));
    read.is_ok() && SIGNATURES.iter().any(|s| start.starts_with(s))
}

/// Where it was unpacked, the commits that its references name, and its `HEAD`.
pub(super) type Unpacked = (tempfile::TempDir, BTreeMap<String, ObjectId>, Option<String>);

/// Unpacks a bundle.
pub(super) fn unpack(file: &Path, limits: &Limits) -> io::Result<Unpacked> {
    let bytes = file.metadata()?.len();
    if bytes > limits.bundle_bytes {
        let limit = limits.bundle_bytes;
        let text = format!(
            "a bundle of {bytes} bytes is over the limit of {limit}; clone it and name the folder"
        );
        return Err(io::Error::other(text));
    }
    // An absolute path cannot be taken for an option.
    let file = file.canonicalize()?;
    let folder = tempfile::Builder::new().prefix("countersign-git-").tempdir()?;
    let init = ["init", "--quiet", "--bare", "--template="].map(AsRef::as_ref);
    run(folder.path(), &[&init[..], &["--".as_ref(), folder.path().as_os_str()]].concat())?;
    let unbundle = ["bundle", "unbundle", "--"].map(AsRef::as_ref);
    let listed = run(folder.path(), &[&unbundle[..], &[file.as_os_str()]].concat())?;
    let mut tips = BTreeMap::new();
    for line in String::from_utf8_lossy(&listed).lines() {
        if let Some((id, name)) = line.split_once(' ')
            && let Ok(id) = ObjectId::from_hex(id.as_bytes())
        {
            tips.insert(name.to_owned(), id);
        }
    }
    let head = tips.get("HEAD").map(ToString::to_string);
    Ok((folder, tips, head))
}

/// Runs git in a folder of ours, cut off from everything else.
fn run(folder: &Path, arguments: &[&std::ffi::OsStr]) -> io::Result<Vec<u8>> {
    let mut command = Command::new("git");
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", folder)
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_DIR", folder)
        .args(["-c", "protocol.allow=never", "-c", "core.hooksPath=/dev/null"])
        .args(arguments)
        .stdin(Stdio::null());
    let ran = command.output().map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => {
            let text = "a bundle is unpacked by git, which is not on the PATH; install git, or name a cloned folder";
            io::Error::new(io::ErrorKind::NotFound, text)
        }
        _ => cause,
    })?;
    if ran.status.success() {
        return Ok(ran.stdout);
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    let text = if said.contains("prerequisite") {
        "holds only a part of a repository and needs the commits before it; make it with: git bundle create FILE --all".to_owned()
    } else {
        let first = said.lines().next().unwrap_or("no reason given");
        format!("git cannot unpack it: {first:.200}")
    };
    Err(io::Error::other(text))
}
