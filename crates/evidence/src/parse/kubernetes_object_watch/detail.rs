//! What is read of the kinds that a story tells of.

use std::collections::BTreeMap;

use crate::time::Moment;

/// What is read of an object beside its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A `Deployment`.
    Deployment(Deployment),
    /// A `ReplicaSet`.
    ReplicaSet(ReplicaSet),
    /// A pod.
    Pod(Pod),
    /// The data of one of Argo CD's `ConfigMap`s.
    Config(BTreeMap<String, String>),
    /// An `AppProject`.
    Project(Project),
    /// An `ExternalSecret`.
    ExternalSecret(ExternalSecret),
    /// Any other object.
    Other,
}

/// A `Deployment`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// The images, one a container, in their order.
    pub images: Vec<String>,
    /// How many pods it asks for.
    pub replicas: Option<i64>,
    /// Stands for the whole pod template: differs when the template does.
    pub template: String,
    /// The generation that the status is about.
    pub observed_generation: Option<i64>,
    /// Whether all pods are of the newest template and available, and there are no others
    /// (`kubernetes/kubernetes` `pkg/controller/deployment/util/deployment_util.go`,
    /// `DeploymentComplete`).
    pub complete: bool,
}

/// A `ReplicaSet`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaSet {
    /// The images, one a container, in their order.
    pub images: Vec<String>,
    /// How many pods it asks for.
    pub replicas: Option<i64>,
}

/// A pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// When a kubelet took it up.
    pub started: Option<Moment>,
    /// Its containers, those that run before the others too.
    pub containers: Vec<Container>,
}

/// A container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// How often it was started again.
    pub restarts: u64,
    /// Since when it runs.
    pub running: Option<Moment>,
    /// Why it last ended.
    pub ended: Option<String>,
    /// When it last ended.
    pub ended_at: Option<Moment>,
}

/// An `AppProject`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// The sync windows, each as `kind schedule duration` and as a whole.
    pub windows: Vec<(String, String)>,
    /// The other top-level fields of the specification, as JSON with sorted keys. The tokens of
    /// roles are left out: Argo CD keeps them in the status and copies them to and fro by itself
    /// (`argoproj/argo-cd` `pkg/apis/application/v1alpha1/app_project_types.go`,
    /// `NormalizeJWTTokens`).
    pub fields: BTreeMap<String, String>,
}

/// An `ExternalSecret`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalSecret {
    /// The Secret that it brings.
    pub target: Option<String>,
    /// When it was last brought.
    pub refreshed: Option<Moment>,
}
