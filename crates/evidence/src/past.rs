//! The past: which objects, settings and branches were in force at a time, by the records.
//!
//! ```text
//! watches ──► versions of objects ─┐
//! audit ────► when a version was ──┼──► at(time): which record shows each object, the forge's
//! forge ────► snapshots, pushes ───┘             settings, the heads, and what is not known
//! ```
//!
//! Versions of one cluster are numbered in the order in which they were written
//! (`resourceVersion`), and the audit log tells the time of many of them; the others lie between
//! their neighbours, and not before their own time stamps. What cannot be told is a [`Gap`]: a kind
//! that nobody watched then, a version that came about while it was asked for.
//!
//! Records are only pointed at, so that a large ledger is not held in memory: whoever asks reads the
//! chosen ones.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use self::clock::Clock;
use crate::channel::Channel;
use crate::parse::forge::{ForgeEvent, Push};
use crate::parse::kubernetes_object_watch::{self as objects, is_argocd_config};
use crate::parse::{
    ResourceVersion, WatchLine, argocd_application_watch as applications, forge_snapshot,
    github_webhook, gitlab_webhook, kubernetes_audit,
};
use crate::record::{Cite, Record};

mod clock;

/// Kinds of objects by which rights are judged, as group and kind.
const KINDS: [(&str, &str); 10] = [
    ("", "ConfigMap"),
    ("", "Namespace"),
    ("", "ServiceAccount"),
    ("argoproj.io", "AppProject"),
    ("argoproj.io", "Application"),
    ("argoproj.io", "ApplicationSet"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
];

/// Kinds without which a right may be missing in the answer; the others only describe.
const NEEDED: [&str; 7] = [
    "AppProject",
    "Application",
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "Role",
    "RoleBinding",
];

/// Kinds that hold Argo CD's own rules.
const ARGOCD: [&str; 2] = ["AppProject", "ConfigMap"];

/// Group, kind, namespace, name.
type Name = (String, String, String, String);

/// Everything that records show of the past, by pointing at them.
#[derive(Debug, Default)]
pub struct Past {
    objects: BTreeMap<Name, BTreeMap<ResourceVersion, Version>>,
    clock: Clock,
    /// By kind, the first and the last version at which its watch was surely alive.
    signs: BTreeMap<String, (ResourceVersion, ResourceVersion)>,
    /// Where a watch broke off, with what it said.
    broken: BTreeSet<String>,
    snapshots: BTreeMap<(Timestamp, Cite), String>,
    pushes: BTreeSet<Pushed>,
}

#[derive(Debug)]
struct Version {
    deleted: bool,
    cite: Cite,
}

/// A branch that was moved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pushed {
    /// When, by the forge's word or the receiver's.
    pub at: Timestamp,
    /// The repository's full name.
    pub repository: String,
    /// The branch.
    pub branch: String,
    /// Its new head; `None` when it was deleted.
    pub head: Option<String>,
    /// Whether it is the default branch.
    pub is_default: bool,
}

/// What was in force at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// The records that show the objects, in the order of their names.
    pub objects: Vec<Cite>,
    /// The newest snapshot of each repository's forge, with its time.
    pub forges: BTreeMap<String, (Timestamp, Cite)>,
    /// The newest move of each branch, by repository and branch.
    pub heads: Vec<Pushed>,
    /// What is not known.
    pub gaps: Vec<Gap>,
}

/// What is not known of a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Of what.
    pub what: String,
    /// Why.
    pub why: String,
}

impl Past {
    /// Adds what a record shows. What a parser does not understand shows nothing.
    pub fn add(&mut self, record: &Record) {
        let (cite, payload) = (&record.cite, record.payload.as_slice());
        match cite.channel {
            Channel::KubernetesObjectWatch => self.add_object(cite, payload),
            Channel::ArgocdApplicationWatch => self.add_application(cite, payload),
            Channel::KubernetesAudit => self.add_audit(payload),
            Channel::ForgeSnapshot => self.add_snapshot(cite, payload),
            Channel::GithubWebhook => {
                if let Ok(delivery) = github_webhook::parse(payload) {
                    self.add_event(delivery.event);
                }
            }
            Channel::GitlabWebhook => {
                if let Ok(delivery) = gitlab_webhook::parse(payload) {
                    self.add_event(delivery.event);
                }
            }
            _ => {}
        }
    }

    fn add_object(&mut self, cite: &Cite, payload: &[u8]) {
        match objects::parse(payload) {
            Ok(WatchLine::Version(v) | WatchLine::Deleted(v)) => {
                if let Some(stamp) = v.not_before() {
                    self.clock.not_before(v.resource_version, stamp.earliest());
                }
                let is_known = KINDS.contains(&(v.group.as_str(), v.kind.as_str()));
                if !is_known || (v.kind == "ConfigMap" && !is_argocd_config(&v.name)) {
                    return;
                }
                if !v.added {
                    self.sign(&v.kind, v.resource_version);
                }
                let name = (v.group, v.kind, v.namespace, v.name);
                self.version(name, v.resource_version, v.deleted, cite);
            }
            Ok(WatchLine::Bookmark) => {
                let mut parts = cite.id.as_str().strip_prefix("bookmark/").unwrap_or("").split('/');
                let (kind, version) = (parts.next(), parts.next().and_then(|v| v.parse().ok()));
                if let (Some(kind), Some(version)) = (kind, version) {
                    self.sign(kind, ResourceVersion(version));
                }
            }
            Ok(WatchLine::Gap(reason)) => drop(self.broken.insert(reason)),
            Err(_) => {}
        }
    }

    fn add_application(&mut self, cite: &Cite, payload: &[u8]) {
        match applications::parse(payload) {
            Ok(WatchLine::Version(v) | WatchLine::Deleted(v)) => {
                if let Some(stamp) = v.not_before {
                    self.clock.not_before(v.resource_version, stamp.earliest());
                }
                self.sign("Application", v.resource_version);
                let name =
                    ("argoproj.io".to_owned(), "Application".to_owned(), v.namespace, v.name);
                self.version(name, v.resource_version, v.deleted, cite);
            }
            Ok(WatchLine::Gap(reason)) => drop(self.broken.insert(reason)),
            Ok(WatchLine::Bookmark) | Err(_) => {}
        }
    }

    fn version(&mut self, name: Name, at: ResourceVersion, deleted: bool, cite: &Cite) {
        let versions = self.objects.entry(name).or_default();
        let version = Version { deleted, cite: cite.clone() };
        // Of two records of one version the smaller id is kept, so that their order does not matter.
        let known = versions.entry(at).or_insert_with(|| version);
        known.deleted |= deleted;
        if *cite < known.cite {
            known.cite = cite.clone();
        }
    }

    fn sign(&mut self, kind: &str, at: ResourceVersion) {
        let known = self.signs.entry(kind.to_owned()).or_insert((at, at));
        *known = (known.0.min(at), known.1.max(at));
    }

    fn add_audit(&mut self, payload: &[u8]) {
        let Ok(event) = kubernetes_audit::parse(payload) else { return };
        let write = event.write.filter(kubernetes_audit::AuditWrite::succeeded);
        if let Some((write, version)) = write.and_then(|w| Some((w.time, w.resulting_version?))) {
            self.clock.written(version, write.earliest(), write.latest());
        }
    }

    fn add_snapshot(&mut self, cite: &Cite, payload: &[u8]) {
        let Ok(snapshot) = forge_snapshot::parse(payload) else { return };
        if let (Some(at), Some(repository)) = (snapshot.taken_at, snapshot.repository) {
            self.snapshots.insert((at.earliest(), cite.clone()), repository);
        }
    }

    fn add_event(&mut self, event: ForgeEvent) {
        let ForgeEvent::Push(push) = event else { return };
        let (Some(at), Some(branch)) = (push.at().or(push.received_at), push.branch()) else {
            return;
        };
        let is_default = push.is_to_default() == Some(true);
        let branch = branch.to_owned();
        let Push { repository, after, .. } = *push;
        self.pushes.insert(Pushed { at: at.latest(), repository, branch, head: after, is_default });
    }

    /// Whether anything of an object is known.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// What was in force at a time.
    pub fn at(&self, time: Timestamp) -> At {
        let mut at = self.at_of(time, &NEEDED, |_| true);
        at.forges = self.forges_at(time);
        let mut heads = BTreeMap::new();
        for push in self.pushes.iter().filter(|push| push.at <= time) {
            heads.insert((&push.repository, &push.branch), push);
        }
        at.heads = heads.into_values().cloned().collect();
        at
    }

    /// The newest snapshot of each repository's forge at a time, with its own.
    pub fn forges_at(&self, time: Timestamp) -> BTreeMap<String, (Timestamp, Cite)> {
        let before = self.snapshots.iter().take_while(|((taken, _), _)| *taken <= time);
        let newest = before.map(|((taken, cite), of)| (of.clone(), (*taken, cite.clone())));
        newest.collect()
    }

    /// Argo CD's own rules at a time: its `ConfigMap`s and projects, and nothing of the cluster.
    pub fn argocd_at(&self, time: Timestamp) -> At {
        self.at_of(time, &ARGOCD, |kind| ARGOCD.contains(&kind))
    }

    fn at_of(&self, time: Timestamp, needed: &[&str], is_wanted: impl Fn(&str) -> bool) -> At {
        let mut at = At::default();
        for (name, versions) in self.objects.iter().filter(|((_, kind, ..), _)| is_wanted(kind)) {
            self.object_at(name, versions, time, &mut at);
        }
        self.kinds_at(time, needed, &mut at);
        at
    }

    /// The last version that was surely there, and whether the next one may have been.
    fn object_at(
        &self,
        name: &Name,
        versions: &BTreeMap<ResourceVersion, Version>,
        time: Timestamp,
        at: &mut At,
    ) {
        let began = |version: &ResourceVersion| self.clock.bounds(*version);
        let last = versions.iter().rev().find(|(v, _)| began(v).0.is_some_and(|b| b <= time));
        let Some((version, last)) = last else { return };
        if !last.deleted {
            at.objects.push(last.cite.clone());
        }
        let (from, until) = began(version);
        if until.is_none_or(|until| until > time) && versions.len() > 1 {
            let (_, kind, namespace, object) = name;
            let place = if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
            let until = until.map_or_else(|| "a time not known".to_owned(), |t| t.to_string());
            at.gaps.push(Gap {
                what: format!("{kind} {place}{object}"),
                why: format!(
                    "its version {version} came about between {} and {until}; it is taken as in force",
                    from.unwrap_or(time)
                ),
            });
        }
    }

    /// Of which kinds the records are not whole at that time.
    fn kinds_at(&self, time: Timestamp, needed: &[&str], at: &mut At) {
        for kind in needed {
            let Some((first, last)) = self.signs.get(*kind) else {
                let why = "no record shows that this kind was watched".to_owned();
                at.gaps.push(Gap { what: format!("objects of kind {kind}"), why });
                continue;
            };
            let (from, until) = (self.clock.bounds(*first).1, self.clock.bounds(*last).0);
            let why = if from.is_none_or(|from| from > time) {
                let from = from.map_or_else(|| "a time not known".to_owned(), |t| t.to_string());
                format!("its watch is surely alive only from {from} on")
            } else if until.is_none_or(|until| until < time) {
                let until = until.map_or_else(|| "not known".to_owned(), |t| t.to_string());
                format!("the last sign of life of its watch is of {until}")
            } else {
                continue;
            };
            at.gaps.push(Gap { what: format!("objects of kind {kind}"), why });
        }
        for reason in &self.broken {
            let why = format!("a watch broke off ({reason}); changes may be missing");
            at.gaps.push(Gap { what: "objects of the cluster".to_owned(), why });
        }
    }
}

/// The object of a watch line, as the API gave it.
pub fn object_of(payload: &[u8]) -> Option<Value> {
    let mut line: Value = serde_json::from_slice(payload).ok()?;
    let object = line.get_mut("object")?.take();
    object.is_object().then_some(object)
}
