//! Channels: the ways by which records reach a ledger.
//!
//! A channel is one kind of stream from one kind of system. The same act seen through two channels
//! is two records that corroborate each other, never a duplicate; so a record's natural key is
//! unique within its channel only.

use std::fmt;
use std::str::FromStr;

/// One kind of stream from one kind of system.
///
/// The kebab-case id names the channel everywhere: in envelopes, on the command line, in the name
/// of its module under `parse/`, its test and its page under `docs/channels/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Webhook deliveries of Alertmanager, version 4.
    AlertmanagerWebhook,
    /// Kubernetes watch lines of Argo CD `Application` objects.
    ArgocdApplicationWatch,
    /// Log lines of Argo CD's application controller.
    ArgocdControllerLog,
    /// Applications sent by argocd-notifications with the template that Countersign ships.
    ArgocdNotification,
    /// Log lines of Argo CD's API server.
    ArgocdServerLog,
    /// Lines of Argo CD's `/api/v1/stream/applications`.
    ArgocdStream,
    /// `CloudEvents` of any type.
    Cloudevent,
    /// Settings of a forge, as its API answered them: protection, teams, members.
    ForgeSnapshot,
    /// Commits and references, as read from a git repository or bundle.
    GitCommit,
    /// Webhook deliveries of GitHub.
    GithubWebhook,
    /// Webhook deliveries of GitLab.
    GitlabWebhook,
    /// Webhook deliveries of Jira.
    JiraWebhook,
    /// Audit events of a Kubernetes API server, one `audit.k8s.io/v1` `Event` a record.
    KubernetesAudit,
    /// Kubernetes watch lines of core `v1` `Event` objects.
    KubernetesEventWatch,
    /// Kubernetes watch lines of any other object.
    KubernetesObjectWatch,
    /// The ledger's own records of populations frozen and samples drawn; cannot be ingested.
    LedgerAssessment,
    /// The ledger's own records of what was erased from it; cannot be ingested.
    LedgerRedaction,
    /// Audit lines of `OpenBao` or Vault.
    OpenbaoAudit,
    /// Answers of Prometheus' `query_range`.
    PrometheusRange,
}

impl Channel {
    /// Every channel, in the order of their ids.
    pub const ALL: [Self; 19] = [
        Self::AlertmanagerWebhook,
        Self::ArgocdApplicationWatch,
        Self::ArgocdControllerLog,
        Self::ArgocdNotification,
        Self::ArgocdServerLog,
        Self::ArgocdStream,
        Self::Cloudevent,
        Self::ForgeSnapshot,
        Self::GitCommit,
        Self::GithubWebhook,
        Self::GitlabWebhook,
        Self::JiraWebhook,
        Self::KubernetesAudit,
        Self::KubernetesEventWatch,
        Self::KubernetesObjectWatch,
        Self::LedgerAssessment,
        Self::LedgerRedaction,
        Self::OpenbaoAudit,
        Self::PrometheusRange,
    ];

    /// The channel's kebab-case id.
    pub const fn id(self) -> &'static str {
        match self {
            Self::AlertmanagerWebhook => "alertmanager-webhook",
            Self::ArgocdApplicationWatch => "argocd-application-watch",
            Self::ArgocdControllerLog => "argocd-controller-log",
            Self::ArgocdNotification => "argocd-notification",
            Self::ArgocdServerLog => "argocd-server-log",
            Self::ArgocdStream => "argocd-stream",
            Self::Cloudevent => "cloudevent",
            Self::ForgeSnapshot => "forge-snapshot",
            Self::GitCommit => "git-commit",
            Self::GithubWebhook => "github-webhook",
            Self::GitlabWebhook => "gitlab-webhook",
            Self::JiraWebhook => "jira-webhook",
            Self::KubernetesAudit => "kubernetes-audit",
            Self::KubernetesEventWatch => "kubernetes-event-watch",
            Self::KubernetesObjectWatch => "kubernetes-object-watch",
            Self::LedgerAssessment => "ledger-assessment",
            Self::LedgerRedaction => "ledger-redaction",
            Self::OpenbaoAudit => "openbao-audit",
            Self::PrometheusRange => "prometheus-range",
        }
    }

    /// The parser hint written into envelopes: the parser that the record was recognised for, and
    /// its version. A later parser may read the record too.
    pub fn parser(self) -> String {
        format!("{}/1", self.id())
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// A name that belongs to no channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown channel {0:?}; known are {known}", known = Channel::ALL.map(Channel::id).join(", "))]
pub struct UnknownChannel(pub String);

impl FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|c| c.id() == s).ok_or_else(|| UnknownChannel(s.to_owned()))
    }
}
