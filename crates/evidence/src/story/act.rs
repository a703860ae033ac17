//! Acts: what somebody or something did, beside the operations of Argo CD.
//!
//! Every act says who did it by which account, when, whose word that is, and cites its records. It
//! says nothing about whether it was right: that is for controls.

use serde::Serialize;

use super::claim::{Identity, Voice, Writer};
use super::wire::Cites;
use crate::time::Moment;

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Act {
    /// What was done.
    #[serde(flatten)]
    pub what: What,
    /// The Application that it concerns, by name, when the records tie it to one.
    pub app: Option<String>,
    /// The namespace that it took place in, when it has one.
    pub namespace: Option<String>,
    /// When; of something that lasts, from its beginning to its end.
    pub at: Option<Moment>,
    /// The account that did it, when an account did.
    pub who: Option<Identity>,
    /// Whose word it is that this account did it.
    pub voice: Voice,
    /// How the writer was authenticated and allowed, for audited writes.
    pub writer: Option<Writer>,
    /// What weakens the statement, or what is missing for a stronger one.
    pub notes: Vec<String>,
    /// The records that show it.
    pub cites: Cites,
}

impl Act {
    /// An act of which nothing more is known yet.
    pub(crate) fn new(what: What, at: Option<Moment>, voice: Voice, cites: Cites) -> Self {
        Self {
            what,
            app: None,
            namespace: None,
            at,
            who: None,
            voice,
            writer: None,
            notes: Vec::new(),
            cites,
        }
    }

    /// The person who did it, when the people map names one.
    pub fn person(&self) -> Option<&str> {
        self.who.as_ref()?.person.as_deref()
    }
}

/// What was done. In JSON, `kind` is the name of the variant in kebab-case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// An alert fired, and stopped firing when `at` has an end.
    Alert {
        /// The alert's name.
        name: String,
        /// Its severity label.
        severity: Option<String>,
        /// Whether it was seen to resolve.
        resolved: bool,
    },
    /// The spec of an Application was changed, or the Application created or deleted.
    ApplicationSpecEdit {
        /// What changed, as `path: before -> after`.
        changed: Vec<String>,
    },
    /// An Application object was created by an account that is not Argo CD's.
    ApplicationsCreated {},
    /// An Application object was deleted by an account that is not Argo CD's.
    ApplicationsDeleted {},
    /// A `ConfigMap` of Argo CD was written, other than its RBAC.
    ArgocdConfigEdit {
        /// The `ConfigMap`.
        name: String,
        /// The keys that changed, where both versions are known or a patch names them.
        changed: Vec<String>,
    },
    /// The RBAC policy of Argo CD was written.
    ArgocdRbacEdit {
        /// The `ConfigMap`.
        name: String,
        /// Policy lines that are there after it and were not before.
        granted: Vec<String>,
        /// Policy lines that were there before and are not after it.
        removed: Vec<String>,
    },
    /// A commit was pushed to a branch and belongs to no proposal.
    BranchPushWithoutProposal {
        /// The branch.
        branch: String,
        /// The branch's head after the push.
        commit: String,
    },
    /// A call of Argo CD's API server that asked for another change than a sync was refused.
    CallRefused {
        /// The call, as `service/method`.
        method: String,
        /// Why, by Argo CD's word.
        reason: String,
    },
    /// A `ConfigMap` was written by an account that is not Argo CD's.
    ConfigEdit {
        /// The `ConfigMap`.
        name: String,
        /// The keys and values that the write asked for, as far as recorded; secrets are cut.
        values: Vec<String>,
    },
    /// Containers of a pod restarted.
    ContainerRestarts {
        /// The pod.
        pod: String,
        /// Why the container ended, by the kubelet.
        reason: Option<String>,
        /// How often it was seen to have restarted.
        count: u64,
    },
    /// A commit was pushed to the default branch without a proposal.
    DirectPush {
        /// The branch.
        branch: String,
        /// The commit.
        commit: String,
    },
    /// The live state ceased to equal a desired one that had not moved.
    Drift {
        /// The version of the Application that shows it first.
        version: Option<u64>,
        /// What kind of drift it is.
        class: DriftClass,
        /// The objects that a write touched, as `kind/name`, where a write is known.
        objects: Vec<String>,
        /// The accounts whose writes brought it about, as far as the records show.
        actors: Vec<Identity>,
        /// The state before, by Argo CD's word, and the state after.
        state: Option<(String, String)>,
        /// Whether it was seen to end, which is then the end of `at`.
        ended: bool,
    },
    /// An `ExternalSecret` was made to refresh by hand.
    ExternalSecretRefresh {
        /// The `ExternalSecret`.
        name: String,
    },
    /// A Helm release was made or changed, which Argo CD never does.
    HelmRelease {
        /// The release.
        release: String,
        /// Its revision.
        revision: u64,
    },
    /// A write of roles or bindings of Kubernetes.
    KubernetesRbacEdit {
        /// `create`, `update`, `patch` or `delete`.
        verb: String,
        /// The object's kind.
        object_kind: String,
        /// The object's name.
        name: String,
        /// The role that a binding refers to.
        role: Option<String>,
        /// Whom a binding names.
        subjects: Vec<String>,
    },
    /// A Secret of Kubernetes was written by an account that is no software of the cluster.
    KubernetesSecretWrite {
        /// `create`, `update`, `patch` or `delete`.
        verb: String,
        /// The Secret.
        name: String,
    },
    /// A proposal was merged.
    Merge {
        /// Its number.
        number: u64,
        /// The repository.
        repository: String,
        /// The commit that the branch got.
        commit: Option<String>,
        /// The head that was merged.
        head: String,
    },
    /// The configuration of `OpenBao` or Vault was written.
    OpenbaoAdmin {
        /// The path.
        path: String,
        /// The operation.
        operation: String,
    },
    /// A pod was deleted by an account that is no software of the cluster.
    PodDeleted {
        /// The pod.
        pod: String,
    },
    /// An `AppProject` was created by an account that is not Argo CD's.
    ProjectCreated {
        /// The project.
        project: String,
    },
    /// An `AppProject` was changed otherwise than in its sync windows.
    ProjectEdit {
        /// The project.
        project: String,
        /// What changed, as top-level fields of its spec.
        changed: Vec<String>,
    },
    /// A token of a project role was made.
    ProjectTokenCreated {
        /// The project.
        project: String,
        /// The account that bears it: `proj:<project>:<role>`.
        role: String,
    },
    /// A proposal was closed without a merge.
    ProposalClosed {
        /// Its number.
        number: u64,
        /// The repository.
        repository: String,
    },
    /// A proposal was opened.
    ProposalOpened {
        /// Its number.
        number: u64,
        /// The repository.
        repository: String,
        /// Its head then.
        head: String,
        /// Its title.
        title: Option<String>,
    },
    /// Commits were pushed to a proposal.
    ProposalUpdated {
        /// Its number.
        number: u64,
        /// The repository.
        repository: String,
        /// Its head then.
        head: String,
    },
    /// A review of a proposal.
    Review {
        /// The proposal's number.
        number: u64,
        /// The repository.
        repository: String,
        /// The head that was reviewed, when the forge names it.
        commit: Option<String>,
        /// `approved`, `changes_requested`, `commented` or `dismissed`.
        state: String,
    },
    /// A `Deployment` got new pods from another template than before.
    Rollout(Rollout),
    /// Secrets of a namespace were listed by an account that is no software of the cluster.
    SecretList {},
    /// A secret was read by a person.
    SecretRead {
        /// Where: a path of a secret store, or `namespace/name` of a Secret.
        path: String,
    },
    /// A Secret was written by the software that brings it from a store.
    SecretSynced {
        /// The Secret.
        name: String,
    },
    /// A secret of a secret store was written.
    SecretWrite {
        /// The path.
        path: String,
        /// `create`, `update`, `patch`, `delete`, `undelete`, `destroy` or `delete-all`.
        operation: String,
        /// The version that it resulted in, when the store says so.
        version: Option<u64>,
    },
    /// A token of a service account was made.
    ServiceAccountTokenCreated {
        /// The service account.
        name: String,
    },
    /// A sync was asked for and refused.
    SyncRefused {
        /// Why, by Argo CD's word.
        reason: String,
    },
    /// The sync windows of a project were changed.
    SyncWindowEdit {
        /// The project.
        project: String,
        /// Windows that are there after it and were not before, as `kind schedule duration`.
        added: Vec<String>,
        /// Windows that were there before and are not after it.
        removed: Vec<String>,
    },
    /// A ticket changed its status.
    TicketStatus {
        /// The ticket.
        key: String,
        /// The status before.
        before: Option<String>,
        /// The status after.
        status: String,
    },
    /// A workload was written by an account that is not Argo CD's.
    WorkloadEdit {
        /// The object's kind.
        object_kind: String,
        /// The object's name.
        name: String,
        /// `patch`, `update`, `scale`, `create` or `delete`.
        verb: String,
        /// What changed, as `path: value`; secrets are cut.
        changed: Vec<String>,
        /// The images that the write asked for.
        images: Vec<String>,
        /// Whether it only restarts the pods.
        restart: bool,
    },
}

impl What {
    /// The commits that the act is about.
    pub fn commits(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::DirectPush { commit, .. } | Self::BranchPushWithoutProposal { commit, .. } => {
                (Some(commit), None)
            }
            Self::ProposalOpened { head, .. } | Self::ProposalUpdated { head, .. } => {
                (Some(head), None)
            }
            Self::Merge { commit, head, .. } => (commit.as_ref(), Some(head)),
            Self::Review { commit, .. } => (commit.as_ref(), None),
            _ => (None, None),
        };
        first.into_iter().chain(second).map(String::as_str)
    }
}

/// A rollout: a `Deployment` whose pods came from another template from then on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rollout {
    /// The `Deployment`.
    pub name: String,
    /// The revision that the deployment controller counts.
    pub deployment_revision: u64,
    /// The `ReplicaSet`.
    pub replica_set: Option<String>,
    /// The images, one a container.
    pub images: Vec<String>,
    /// What brought it about.
    pub cause: Cause,
    /// Pods of this rollout that were seen to start, by name.
    pub pods: Vec<String>,
}

/// What brought a rollout about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Cause {
    /// Argo CD's controller wrote the `Deployment`, under this operation if one is known.
    Argocd {
        /// The Application.
        app: Option<String>,
        /// The version at which the operation was set.
        operation: Option<u64>,
    },
    /// An account that is not Argo CD's wrote the `Deployment`.
    Hand {},
    /// Not known, with the reason.
    Undetermined {
        /// Why.
        reason: String,
    },
}

/// What kind of drift it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DriftClass {
    /// A write to the live objects, past Argo CD.
    LiveEdit,
    /// Something else than git's revision was synced.
    OtherRevision,
    /// A write that Argo CD does not report as a difference.
    Invisible,
    /// The records do not say.
    Undetermined,
}
