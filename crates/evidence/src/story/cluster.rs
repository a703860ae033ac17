//! Objects of the cluster and the audited writes to them.
//!
//! Two channels tell of one change: the audit log names the account, the watch shows what came of
//! it. They are tied by the version that a write resulted in, or, where the audit policy does not
//! record it, by being the only write in the time between two versions.

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::index::Index;
use super::Around;
use super::act::Act;
use super::fold::{Cited, Noted, merge};
use crate::parse::kubernetes_audit::AuditWrite;
use crate::parse::kubernetes_event_watch::ProjectEvent;
use crate::parse::kubernetes_object_watch::{self as objects, ObjectVersion};
use crate::parse::{NotUnderstood, ResourceVersion, WatchLine};
use crate::record::Cite;
use crate::time::Moment;

mod application;
mod config;
mod index;
mod project;
mod restart;
mod rollout;
mod secret;
mod write;
mod written;

/// All versions seen of one object, in the order of their resourceVersions.
pub(super) type ObjectVersions = BTreeMap<ResourceVersion, Cited<ObjectVersion>>;

/// What an object is known by: group, kind, namespace, name and uid. One object may be watched in
/// several forms, so the uid alone does not tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectKey {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
}

impl ObjectKey {
    fn of(version: &ObjectVersion) -> Self {
        Self {
            group: version.group.clone(),
            kind: version.kind.clone(),
            namespace: version.namespace.clone(),
            name: version.name.clone(),
            uid: version.uid.clone(),
        }
    }
}

/// Objects of the cluster, version by version, and what else the cluster records about them.
#[derive(Debug, Default)]
pub(crate) struct ClusterFacts {
    pub(super) objects: BTreeMap<ObjectKey, ObjectVersions>,
    /// Reads of Secrets, by audit id, stage and the time of the stage.
    pub(super) secret_reads: BTreeMap<(String, String, Timestamp), Cited<AuditWrite>>,
    /// What Argo CD's API server says of projects, by the Event's uid and version.
    pub(super) project_events: BTreeMap<(String, ResourceVersion), Cited<ProjectEvent>>,
}

impl ClusterFacts {
    /// Adds what a record says.
    pub(crate) fn add(&mut self, cite: &Cite, payload: &[u8]) -> Result<Noted, NotUnderstood> {
        Ok(match objects::parse(payload)? {
            WatchLine::Version(version) | WatchLine::Deleted(version) => {
                // What was there when a watch began may be years old: that says nothing of when the
                // channel was alive.
                let time = if version.added { None } else { version.not_before() };
                self.add_version(version, cite);
                Noted::At(time)
            }
            WatchLine::Bookmark => Noted::Bookmark,
            WatchLine::Gap(reason) => Noted::Gap(reason),
        })
    }

    fn add_version(&mut self, mut version: ObjectVersion, cite: &Cite) {
        let versions = self.objects.entry(ObjectKey::of(&version)).or_default();
        if let Some(known) = versions.get_mut(&version.resource_version) {
            // A watch that is begun anew brings a known version as `ADDED`.
            known.fact.deleted |= version.deleted;
            known.fact.added &= version.added;
            (version.deleted, version.added) = (known.fact.deleted, known.fact.added);
        }
        merge(versions, version.resource_version, version, cite);
    }

    /// Adds a read of Secrets.
    pub(crate) fn add_secret_read(&mut self, time: Moment, read: AuditWrite, cite: &Cite) {
        let key = (read.audit_id.clone(), read.stage.clone(), time.latest());
        merge(&mut self.secret_reads, key, read, cite);
    }

    /// Adds what Argo CD's API server says of a project.
    pub(crate) fn add_project_event(
        &mut self,
        key: (String, ResourceVersion),
        event: ProjectEvent,
        cite: &Cite,
    ) {
        merge(&mut self.project_events, key, event, cite);
    }
}

/// The acts that follow from it.
pub(crate) fn acts(around: Around<'_>) -> Vec<Act> {
    let index = Index::of(around);
    let families = [
        write::acts(&index),
        config::acts(&index),
        project::acts(&index),
        application::acts(&index),
        secret::acts(&index),
        rollout::acts(&index),
        restart::acts(&index),
    ];
    families.into_iter().flatten().collect()
}
