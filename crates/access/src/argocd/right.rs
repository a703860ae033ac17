//! What an operation of Argo CD asks of RBAC.
//!
//! The same word means different checks: a sync to another revision is a `sync`, unless a setting
//! makes it an `override`; a rollback is a `sync` until it is made a right of its own. Read in
//! argoproj/argo-cd at `37ee009`: `server/application/application.go` (`Sync`, `resolveSourceRevisions`,
//! `Rollback`, `Create`, `Update`, `Delete`, `getAppLiveResource`, `PodLogs`), `terminal.go` beside it
//! and `server/project/project.go`. Moving an Application to another project asks for more than is in
//! here, and so does changing which clusters and repositories a project takes in.

use serde::Serialize;

use super::settings::Settings;

/// The name of an Application as RBAC knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct AppName {
    /// Its project.
    pub project: String,
    /// Its namespace, when it lies outside of Argo CD's own.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl AppName {
    /// The name of an Application in `namespace`, where Argo CD itself runs in `own`.
    pub fn new(project: &str, namespace: &str, name: &str, own: &str) -> Self {
        let outside = !namespace.is_empty() && !own.is_empty() && namespace != own;
        Self {
            project: project.to_owned(),
            namespace: outside.then(|| namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// The object of a request: `project/app`, or `project/namespace/app`.
    pub fn object(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{}/{namespace}/{}", self.project, self.name),
            None => format!("{}/{}", self.project, self.name),
        }
    }
}

/// A resource that an Application manages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Managed {
    /// API group, empty for the core.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace, empty for a resource of the cluster.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// Something that a caller of Argo CD may want to do to an Application or around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub enum Right {
    /// Sync to what the Application pins.
    Sync,
    /// Sync to a revision that the caller names.
    SyncRevision,
    /// Sync manifests from the caller's machine: what runs is no commit.
    SyncLocal,
    /// Go back to an earlier entry of the history.
    Rollback,
    /// Create an Application of this name.
    Create,
    /// Change its specification: source, revision, destination, sync policy.
    Update,
    /// Delete it, and with it what it deployed.
    Delete,
    /// Run a resource action, such as a restart. `name` is the action.
    RunAction {
        /// API group of the resource.
        group: String,
        /// Kind of the resource.
        kind: String,
        /// Name of the action.
        name: String,
    },
    /// Patch a live resource of it.
    PatchResource(Managed),
    /// Delete a live resource of it.
    DeleteResource(Managed),
    /// Open a terminal in a container of it.
    Exec,
    /// Read the logs of its containers.
    ReadLogs,
    /// Change its project: destinations, sources, roles, sync windows.
    UpdateProject,
}

/// One check: resource, action, object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Check {
    /// The resource.
    pub resource: &'static str,
    /// The action.
    pub action: String,
    /// The object.
    pub object: String,
}

impl Right {
    /// The ways to be let through; each is a list of checks that must all pass.
    pub fn ways(&self, app: &AppName, settings: &Settings) -> Vec<Vec<Check>> {
        let on = |action: &str| check("applications", action, app.object());
        let with_get = |checks: &[&str]| {
            let all = std::iter::once("get").chain(checks.iter().copied());
            vec![all.map(on).collect::<Vec<_>>()]
        };
        match self {
            Self::SyncRevision if settings.revision_needs_override => {
                with_get(&["sync", "override"])
            }
            Self::Sync | Self::SyncRevision => with_get(&["sync"]),
            Self::SyncLocal => with_get(&["sync", "override"]),
            Self::Rollback if settings.rollback_is_own_right => vec![vec![on("rollback")]],
            Self::Rollback => vec![vec![on("sync")]],
            Self::Create => vec![vec![on("create")]],
            Self::Update => vec![vec![on("update")]],
            Self::Delete => with_get(&["delete"]),
            Self::RunAction { group, kind, name } => {
                vec![vec![on(&format!("action/{group}/{kind}/{name}"))]]
            }
            Self::PatchResource(resource) => fine("update", resource, settings, on),
            Self::DeleteResource(resource) => fine("delete", resource, settings, on),
            Self::Exec => vec![vec![on("get"), check("exec", "create", app.object())]],
            Self::ReadLogs => vec![vec![on("get"), check("logs", "get", app.object())]],
            Self::UpdateProject => vec![vec![check("projects", "update", app.project.clone())]],
        }
    }
}

fn check(resource: &'static str, action: &str, object: String) -> Check {
    Check { resource, action: action.to_owned(), object }
}

/// A right on one resource of an Application: its own action, and the Application's where rights
/// are inherited.
fn fine(
    action: &str,
    resource: &Managed,
    settings: &Settings,
    on: impl Fn(&str) -> Check,
) -> Vec<Vec<Check>> {
    let Managed { group, kind, namespace, name } = resource;
    let own = vec![on(&format!("{action}/{group}/{kind}/{namespace}/{name}"))];
    if settings.inheritance_disabled { vec![own] } else { vec![vec![on(action)], own] }
}
