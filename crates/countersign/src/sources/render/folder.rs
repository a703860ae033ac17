//! The private folder in which a tool works: files of a commit, and nothing that leads out of it.
//!
//! ```text
//! files/    what the renderings read, laid out once for all
//! own/N/    the same for one rendering, where an Application's options change a kustomization
//! values/   values that Applications hold, and what is on its way to its place
//! home/     HOME and every cache; empty
//! none/     the PATH, and where plugins would be; empty
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use access::repository::Rendering;
use access::repository::rendering::Job;
use tempfile::TempDir;

use super::tools::Program;
use crate::sources::checkout::Checkout;

/// An address at which nothing listens: kustomize and helm reach no other host than this one, should
/// they try. The discard port (RFC 863).
const NOWHERE: &str = "http://127.0.0.1:9";

/// The folder.
pub(super) struct Folder<'c> {
    temporary: TempDir,
    root: PathBuf,
    checkout: &'c Checkout,
    /// What is laid out in `files`, and how many folders there are in `own` and `values`.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    laid: BTreeSet<PathBuf>,
    numbered: usize,
}

/// Where the files of a rendering lie.
pub(super) struct Laid {
    /// The root of the repository's files: where the tool is started.
    pub(super) root: PathBuf,
    /// The file of values, from there.
    pub(super) values: Option<String>,
}

impl<'c> Folder<'c> {
    pub(super) fn new(checkout: &'c Checkout) -> io::Result<Self> {
        let temporary = tempfile::Builder::new().prefix("countersign-render-").tempdir()?;
        // Tools name files by their real path in their errors.
        let root = temporary.path().canonicalize()?;
        for name in ["files", "own", "values", "home", "none"] {
            fs::create_dir(root.join(name))?;
        }
        Ok(Self { temporary, root, checkout, state: Mutex::default() })
    }

    /// Lays out what a rendering reads.
    pub(super) fn lay_out(&self, rendering: &Rendering) -> io::Result<Laid> {
        let mut state = self.state.lock().map_err(|_| io::Error::other("another one broke off"))?;
        state.numbered += 1;
        let number = state.numbered;
        let mut laid = Laid { root: self.root.join("files"), values: None };
        match &rendering.job {
            Job::Helm(job) => {
                self.copy(rendering, &laid.root, &mut state.laid)?;
                if let Some(values) = &job.values {
                    let name = format!("{number}.yaml");
                    fs::write(self.root.join("values").join(&name), values)?;
                    laid.values = Some(format!("../values/{name}"));
                }
            }
            Job::Kustomize(job) => {
                // Another rendering may read the same kustomization as it stands in the repository.
                if job.is_changed {
                    laid.root = self.root.join(format!("own/{number}"));
                    self.copy(rendering, &laid.root, &mut BTreeSet::new())?;
                } else {
                    self.copy(rendering, &laid.root, &mut state.laid)?;
                }
                // In one step: another rendering may be reading it as its base.
                let written = self.root.join(format!("values/{number}.yaml"));
                fs::write(&written, &job.content)?;
                fs::rename(written, inside(&laid.root, &job.file)?)?;
            }
        }
        Ok(laid)
    }

    fn copy(
        &self,
        rendering: &Rendering,
        root: &Path,
        laid: &mut BTreeSet<PathBuf>,
    ) -> io::Result<()> {
        // A folder without files is one to the tool all the same.
        fs::create_dir_all(inside(root, &rendering.folder)?)?;
        for path in &rendering.files {
            let at = inside(root, path)?;
            if laid.contains(&at) {
                continue;
            }
            let content = self.checkout.content(path);
            let content = content.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            if let Some(folder) = at.parent() {
                fs::create_dir_all(folder)?;
            }
            File::create_new(&at)?.write_all(content)?;
            laid.insert(at);
        }
        Ok(())
    }

    /// A tool, started where the files lie.
    pub(super) fn command(&self, program: &Program, laid: &Laid) -> Command {
        let mut command = Command::new(&program.path);
        clean(&mut command, self.temporary.path());
        command.current_dir(&laid.root);
        command
    }
}

/// Leaves a tool no environment but an empty home, so that no setting, plugin, cache, cluster or
/// other program of this machine has a part in what it makes. Kustomize runs git and helm, and finds
/// neither.
pub(super) fn clean(command: &mut Command, folder: &Path) {
    let (home, none) = (folder.join("home"), folder.join("none"));
    command
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", &none)
        .env("KUBECONFIG", none.join("config"));
    for name in ["HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env(name, &home);
    }
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(name, &home);
    }
    for name in ["HELM_PLUGINS", "KUSTOMIZE_PLUGIN_HOME"] {
        command.env(name, &none);
    }
    command.env("HELM_NO_PLUGINS", "1");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        command.env(name, NOWHERE);
    }
}

/// A path of a commit below a folder; an error if it would lead anywhere else.
fn inside(root: &Path, path: &str) -> io::Result<PathBuf> {
    let is_plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if is_plain && !path.contains('\0') {
        Ok(root.join(path))
    } else {
        Err(io::Error::other("a path leads out of the repository"))
    }
}
