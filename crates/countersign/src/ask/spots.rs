//! Blind spots: what no record of a ledger could show, because its source never came or because none
//! exists.

use std::collections::{BTreeMap, BTreeSet};

use evidence::channel::Channel;
use schemars::JsonSchema;
use serde::Serialize;

/// Something that the records cannot show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BlindSpot {
    /// What kind of spot it is.
    pub kind: SpotKind,
    /// What is missing: a channel's id, the kind of a watched object, or the place itself.
    pub of: String,
    /// What it would have shown, or why nothing shows it.
    pub shows: String,
}

/// What kind of blind spot it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SpotKind {
    /// A channel of which no record came.
    Channel,
    /// A kind of object of which no watch came.
    WatchedKind,
    /// No channel that Countersign knows shows it.
    Always,
}

/// Ways to the same facts: where one of a group came, the others are no blind spot of their own.
const INSTEAD: [&[Channel]; 2] = [
    &[Channel::ArgocdApplicationWatch, Channel::ArgocdStream, Channel::ArgocdNotification],
    &[Channel::GithubWebhook, Channel::GitlabWebhook],
];

/// What records of a channel would have shown; `None` for one that says nothing of the world, or
/// whose meaning is its sender's.
const fn shown(channel: Channel) -> Option<&'static str> {
    Some(match channel {
        Channel::AlertmanagerWebhook => "which alerts fired, and whether they followed a change",
        Channel::ArgocdApplicationWatch => {
            "every version of each Application: operations, states, results"
        }
        Channel::ArgocdControllerLog => "Argo CD's own word on starts, ends and changes of state",
        Channel::ArgocdServerLog => "refused calls of Argo CD, and who made them",
        Channel::ArgocdStream | Channel::ArgocdNotification => {
            "Applications, where they are not watched"
        }
        Channel::ForgeSnapshot => "who could merge and push at a time, by the forge's settings",
        Channel::GitCommit => {
            "commits, their trees and signatures: whether what ran is what was approved"
        }
        Channel::GithubWebhook | Channel::GitlabWebhook => {
            "pushes, proposals, reviews and merges, and by which account"
        }
        Channel::JiraWebhook => "tickets: who moved them to which status, and when",
        Channel::KubernetesAudit => "which account wrote what, and by which right",
        Channel::KubernetesEventWatch => "whom Argo CD's API server called the caller of a sync",
        Channel::KubernetesObjectWatch => "rollouts, restarts, and what came of a write",
        Channel::OpenbaoAudit => "secrets read and written in the secret store, and by whom",
        Channel::PrometheusRange => "the error ratio before and after a change",
        Channel::Cloudevent | Channel::LedgerAssessment | Channel::LedgerRedaction => return None,
    })
}

/// Kinds of objects that stories are told from, and what a watch of each shows.
const KINDS: [(&str, &str); 12] = [
    ("AppProject", "sync windows and projects as they were before and after a write"),
    ("ClusterRole", "what a role of the whole cluster allowed"),
    ("ClusterRoleBinding", "who held a role of the whole cluster"),
    ("ConfigMap", "Argo CD's settings and RBAC policy as they were before and after a write"),
    ("Deployment", "rollouts: which template ran from when on"),
    ("ExternalSecret", "when a secret was synced from its store"),
    ("Pod", "which pods started and ended, and restarts of their containers"),
    ("ReplicaSet", "which pods belong to which rollout"),
    ("Role", "what a role of a namespace allowed"),
    ("RoleBinding", "who held a role of a namespace"),
    ("Secret", "that a Secret changed (metadata only; its values are never kept)"),
    ("SecretStore", "which secret store an ExternalSecret reads"),
];

/// What no channel shows, whatever comes.
const ALWAYS: [(&str, &str); 4] = [
    (
        "inside of pods",
        "processes, and what was typed in a session: the audit log shows that one began",
    ),
    ("behind an account", "who held a password, token or key: an account is not a person"),
    ("past the API server", "what was done on a node, in etcd or at the cloud provider"),
    ("data", "what an application or a person did to the contents of databases"),
];

/// The blind spots of a ledger with records of these channels and watches of these kinds.
pub fn blind_spots(seen: &BTreeSet<Channel>, kinds: &BTreeMap<String, u64>) -> Vec<BlindSpot> {
    let replaced = |channel: Channel| {
        let group = INSTEAD.iter().find(|group| group.contains(&channel));
        group.is_some_and(|group| group.iter().any(|other| seen.contains(other)))
    };
    let missing = Channel::ALL.into_iter().filter(|c| !seen.contains(c) && !replaced(*c));
    let spot = |kind, of: &str, shows: &str| BlindSpot {
        kind,
        of: of.to_owned(),
        shows: shows.to_owned(),
    };
    let channels =
        missing.filter_map(|c| shown(c).map(|shows| spot(SpotKind::Channel, c.id(), shows)));
    // Without any watch the channel's own line says it.
    let watched = seen.contains(&Channel::KubernetesObjectWatch);
    // Secrets are watched by their metadata, whose lines have a kind of their own.
    let came = |kind: &str| {
        kinds.contains_key(kind)
            || (kind == "Secret" && kinds.contains_key("PartialObjectMetadata"))
    };
    let unwatched = KINDS.iter().filter(|(kind, _)| watched && !came(kind));
    let unwatched = unwatched.map(|(kind, shows)| spot(SpotKind::WatchedKind, kind, shows));
    let always = ALWAYS.iter().map(|(of, shows)| spot(SpotKind::Always, of, shows));
    channels.chain(unwatched).chain(always).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(seen: &[Channel], kinds: &[&str]) -> Vec<String> {
        let kinds = kinds.iter().map(|k| ((*k).to_owned(), 1)).collect();
        let spots = blind_spots(&seen.iter().copied().collect(), &kinds);
        spots.into_iter().filter(|s| s.kind != SpotKind::Always).map(|s| s.of).collect()
    }

    #[test]
    fn what_came_is_no_blind_spot_and_neither_is_what_another_channel_shows() {
        let all: Vec<Channel> = Channel::ALL.into_iter().collect();
        assert_eq!(named(&all, &KINDS.map(|(kind, _)| kind)), Vec::<String>::new());
        let without = |left_out: &[Channel]| -> Vec<Channel> {
            all.iter().copied().filter(|c| !left_out.contains(c)).collect()
        };
        let every = KINDS.map(|(kind, _)| kind);
        let table = [
            (without(&[Channel::JiraWebhook]), &every[..], vec!["jira-webhook"]),
            (without(&[Channel::GitlabWebhook]), &every[..], vec![]),
            (
                without(&[Channel::GithubWebhook, Channel::GitlabWebhook]),
                &every[..],
                vec!["github-webhook", "gitlab-webhook"],
            ),
            (without(&[]), &every[1..], vec!["AppProject"]),
            (without(&[Channel::KubernetesObjectWatch]), &[], vec!["kubernetes-object-watch"]),
        ];
        for (seen, kinds, expected) in table {
            assert_eq!(named(&seen, kinds), expected);
        }
        let none = named(&[], &[]);
        assert_eq!(none.len(), Channel::ALL.len() - 3, "{none:?}");
    }
}
