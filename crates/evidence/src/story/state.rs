//! State changes: when Argo CD began to call an Application out of sync, healthy or not.
//!
//! A version has no time of its own. The controller's Event about the same change has, to the
//! second; without it the change lies between the stamps that stand in the versions around it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::fold::{Cited, Facts, Versions};
use super::operation::AppRef;
use super::telling::app_ref;
use super::wire::Cites;
use crate::parse::ResourceVersion;
use crate::parse::argocd_application_watch::ApplicationVersion;
use crate::parse::kubernetes_event_watch::{ArgoAct, ArgoEvent, CONTROLLER_COMPONENT};
use crate::time::Moment;

/// A change of what Argo CD says of an Application's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StateChange {
    /// The Application.
    pub app: AppRef,
    /// Which of the two states changed.
    pub what: StateKind,
    /// The value before; `None` when Argo CD had said nothing yet.
    pub from: Option<String>,
    /// The value after; `None` when Argo CD says nothing any more.
    pub to: Option<String>,
    /// The first version that shows the value after.
    pub version: ResourceVersion,
    /// When it was.
    pub at: Option<Moment>,
    /// The records that show it.
    pub cites: Cites,
}

/// Which of an Application's states changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StateKind {
    /// Whether the live state equals the desired one.
    Sync,
    /// Whether the live objects work, by Argo CD's rules.
    Health,
}

impl StateKind {
    fn of(self, version: &ApplicationVersion) -> Option<&str> {
        match self {
            Self::Sync => version.sync_status.as_deref(),
            Self::Health => version.health.as_deref(),
        }
    }

    fn is_told_by(self, act: &ArgoAct, from: Option<&str>, to: Option<&str>) -> bool {
        let told = match (self, act) {
            (Self::Sync, ArgoAct::SyncStatus { from, to })
            | (Self::Health, ArgoAct::Health { from, to }) => (from, to),
            _ => return false,
        };
        told.0 == from.unwrap_or_default() && told.1 == to.unwrap_or_default()
    }
}

/// All state changes, ordered by Application and version.
pub(crate) fn changes(facts: &Facts) -> Vec<StateChange> {
    let mut changes = Vec::new();
    let events = events(facts);
    for (uid, versions) in &facts.applications {
        let events = events.get(uid.as_str()).map_or(&[][..], Vec::as_slice);
        for kind in [StateKind::Sync, StateKind::Health] {
            changes.extend(of_one(kind, versions, events));
        }
    }
    changes.sort_by(|a, b| (&a.app.uid, a.version, a.what).cmp(&(&b.app.uid, b.version, b.what)));
    changes
}

/// The controller's Events by the Application's uid, in the order of its versions, each with its
/// place among all.
fn events(facts: &Facts) -> BTreeMap<&str, Vec<(usize, &Cited<ArgoEvent>)>> {
    let mut by_uid: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    let told = facts.events.values().filter(|e| e.fact.component == CONTROLLER_COMPONENT);
    for (place, event) in told.enumerate() {
        by_uid.entry(event.fact.application_uid.as_str()).or_default().push((place, event));
    }
    for of_one in by_uid.values_mut() {
        of_one.sort_by_key(|(place, event)| (event.fact.application_version, *place));
    }
    by_uid
}

fn of_one(
    kind: StateKind,
    versions: &Versions,
    events: &[(usize, &Cited<ArgoEvent>)],
) -> Vec<StateChange> {
    let mut changes = Vec::new();
    let mut since = ResourceVersion(0);
    let mut latest_stamp = None;
    let pairs = versions.values().zip(versions.values().skip(1));
    for (before, after) in pairs {
        latest_stamp = latest_stamp.max(before.fact.not_before);
        let (from, to) = (kind.of(&before.fact), kind.of(&after.fact));
        if from == to {
            continue;
        }
        let version = after.fact.resource_version;
        let start = events.partition_point(|(_, e)| e.fact.application_version < since);
        let about =
            events[start..].iter().take_while(|(_, e)| e.fact.application_version < version);
        let telling = about.filter(|(_, e)| kind.is_told_by(&e.fact.act, from, to));
        let event = telling.min_by_key(|(place, _)| *place).map(|(_, event)| *event);
        let mut cites = after.cites.clone();
        if let Some(event) = event {
            cites.extend(&event.cites);
        }
        let at = event.and_then(|e| e.fact.time);
        changes.push(StateChange {
            app: app_ref(&after.fact),
            what: kind,
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            version,
            at: at.or_else(|| bounds(latest_stamp, versions, version)),
            cites,
        });
        since = version;
    }
    changes
}

/// Between the latest stamp seen before and the first later one.
fn bounds(
    stamp_before: Option<Moment>,
    versions: &Versions,
    version: ResourceVersion,
) -> Option<Moment> {
    let own = versions.get(&version)?.fact.not_before;
    let first = stamp_before.max(own)?;
    let mut later = versions.range(version..).filter_map(|(_, v)| v.fact.not_before);
    let next = later.find(|stamp| stamp.earliest() >= first.latest()).unwrap_or(first);
    Some(Moment::bounded(first, next))
}
