//! What helm and kustomize would have to render: the jobs out, and what came of them in.
//!
//! No tool runs here. A job holds everything that Argo CD would tell the tool, and which files it
//! reads; what cannot be told faithfully, or would be fetched, makes no job but a [`Reason`]. The
//! caller runs the jobs and reads again with [`Options::rendered`]; [`read_rendered`] does both until
//! nothing is left to ask, because a chart may deploy Applications that ask for more.
//!
//! ```text
//! Application ──► Rendering ──► (the caller: helm, kustomize) ──► Made ──► objects, with places
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::{File, Options, Repository};

mod closure;
mod helm;
mod kustomize;
mod output;
mod places;
mod said;

pub(super) use self::helm::{asks_cluster, job as helm_job, tells_cluster};
pub(super) use self::kustomize::job as kustomize_job;
pub(super) use self::output::{Kept, Outputs, parts};
pub use self::said::said;
#[cfg(doc)]
use super::unassessed::Reason;

/// Readings until nothing more is asked for: one for each level of Applications that deploy others,
/// and the public repositories have three at most.
const ROUNDS_MAX: usize = 12;

/// A rendering that a tool would make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rendering {
    /// The folder of the chart or the kustomization.
    pub folder: String,
    /// What the tool is told.
    pub job: Job,
    /// The files of the commit that it reads.
    pub files: BTreeSet<Arc<str>>,
}

/// What a tool is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::large_enum_variant, reason = "most jobs are the large one")]
pub enum Job {
    /// `helm template`.
    Helm(HelmJob),
    /// `kustomize build`.
    Kustomize(KustomizeJob),
}

/// What `helm template` is told, as Argo CD tells it (`argoproj/argo-cd`
/// `reposerver/repository/repository.go` `helmTemplate`, `util/helm/cmd.go`).
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HelmJob {
    /// The name of the release.
    pub release: String,
    /// The namespace that templates are told.
    pub namespace: Option<String>,
    /// The namespace that Argo CD gives to what the output leaves without: no option of helm's.
    pub destination: Option<Arc<str>>,
    /// Files of values in the repository, in their order.
    pub value_files: Vec<String>,
    /// Paths of files of values that are not there, where that is no error to Argo CD.
    pub absent: BTreeSet<String>,
    /// Values that the Application holds, as YAML; they count over those of files.
    pub values: Option<String>,
    /// Parameters, escaped as `--set` takes them; they count over all values.
    pub set: BTreeMap<String, String>,
    /// Those that are text whatever they look like.
    pub set_string: BTreeMap<String, String>,
    /// Those whose value is the content of a file of the repository.
    pub set_file: BTreeMap<String, String>,
    /// The version of Kubernetes to render for.
    pub kube_version: Option<String>,
    /// API versions that templates may ask for.
    pub api_versions: Vec<String>,
    /// Whether the chart's CRDs are left out.
    pub skip_crds: bool,
    /// Whether the chart's schema of values is passed over.
    pub skip_schema_validation: bool,
    /// Whether tests are left out.
    pub skip_tests: bool,
}

/// What `kustomize build` is told: nothing but a kustomization file, in which stand the options of
/// the Application, as Argo CD writes them into it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KustomizeJob {
    /// The path of the kustomization.
    pub file: String,
    /// What is to stand in it.
    pub content: String,
    /// Whether the Application's options changed it.
    pub is_changed: bool,
}

/// What renders manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tool {
    /// `helm template`.
    Helm,
    /// `kustomize build`.
    Kustomize,
}

/// What came of a rendering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// The manifests.
    Output(Vec<u8>),
    /// The tool could not do it; why, in words that may be shown: see [`said()`].
    Failed(String),
    /// The tool is not there.
    NoTool,
}

impl Rendering {
    /// The tool that makes it.
    pub fn tool(&self) -> Tool {
        match self.job {
            Job::Helm(_) => Tool::Helm,
            Job::Kustomize(_) => Tool::Kustomize,
        }
    }
}

impl Tool {
    /// Its name, which is that of its program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Helm => "helm",
            Self::Kustomize => "kustomize",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Values and parameters may be secrets.
impl fmt::Debug for HelmJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("HelmJob");
        shown.field("release", &self.release).field("namespace", &self.namespace);
        shown.field("value_files", &self.value_files).finish_non_exhaustive()
    }
}

/// A kustomization may hold literals of Secrets.
impl fmt::Debug for KustomizeJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KustomizeJob").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Reads a repository, has rendered what it asks for, and reads it again, until it asks for nothing
/// more. `render` gets what is new each time.
pub fn read_rendered(
    files: &[File<'_>],
    options: Options,
    render: &mut dyn FnMut(&BTreeSet<Rendering>) -> BTreeMap<Rendering, Made>,
) -> Repository {
    let mut options = options;
    let mut repository = Repository::read(files, &options);
    for _ in 0..ROUNDS_MAX {
        let (wanted, used) = (repository.renderings(), repository.rendered());
        // What a rendered object replaced may have asked for what nobody asks for now.
        let is_stale = options.rendered.keys().any(|rendering| !used.contains(rendering));
        if wanted.is_empty() && !is_stale {
            return repository;
        }
        options.rendered.retain(|rendering, _| used.contains(rendering));
        options.rendered.extend(render(&wanted));
        repository = Repository::read(files, &options);
    }
    let used = repository.rendered();
    if repository.renderings().is_empty() && options.rendered.keys().all(|one| used.contains(one)) {
        return repository;
    }
    // Whose output counts depends on whose output counts: none does.
    options.rendered.clear();
    let mut repository = Repository::read(files, &options);
    repository.note_unsettled();
    repository
}
