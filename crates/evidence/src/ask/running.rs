//! `running`: what ran at a moment, by the cluster's word and by Argo CD's.
//!
//! `Succeeded` is Argo CD's word; what runs is the cluster's. Both are shown, and which drift was
//! open. Without a record before the moment nothing is known of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::story::Story;
use crate::story::act::{Act, What};
use crate::story::operation::{AppRef, Applied, Kind, Operation};
use crate::story::state::{StateChange, StateKind};
use crate::story::wire::Cites;
use crate::time::Moment;

/// The version of this answer's JSON. A reader must refuse a version it does not know.
pub const VERSION: u32 = 1;

/// What ran at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Running {
    /// The version of this shape: [`VERSION`].
    pub running: u32,
    /// The moment.
    pub at: String,
    /// Every Application that was known by then, in order of names.
    pub applications: Vec<Application>,
}

/// One Application at the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Application {
    /// The Application.
    pub app: AppRef,
    /// The last operation that applied something: its revision and when it ended.
    pub deployed: Option<LastOperation>,
    /// `Synced` or `OutOfSync`, by Argo CD.
    pub sync: Option<String>,
    /// The health, by Argo CD.
    pub health: Option<String>,
    /// Workloads, by the last rollout seen before.
    pub workloads: Vec<Workload>,
    /// Drift that was open, in words of its class.
    pub drift: Vec<Act>,
}

/// The last operation that applied something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LastOperation {
    /// The version at which it was set.
    pub version: u64,
    /// The revision; `None` for local manifests.
    pub revision: Option<String>,
    /// When it was.
    pub at: Option<Moment>,
    /// What kind.
    pub kind: Kind,
    /// The records that show it.
    pub cites: Cites,
}

/// A workload and what its newest pods ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Workload {
    /// The `Deployment`.
    pub name: String,
    /// The revision that the deployment controller counts.
    pub deployment_revision: u64,
    /// The images.
    pub images: Vec<String>,
    /// Since when.
    pub since: Option<Moment>,
    /// The records that show it.
    pub cites: Cites,
}

/// Answers what ran at a moment.
pub fn running(story: &Story, at: Timestamp, environment: Option<&str>) -> Running {
    let by = |moment: Option<Moment>| moment.is_some_and(|m| m.earliest() <= at);
    let mut apps: BTreeMap<&str, &AppRef> = BTreeMap::new();
    for operation in story.operations.iter().filter(|o| by(o.from())) {
        apps.insert(&operation.app.uid, &operation.app);
    }
    for change in story.state_changes.iter().filter(|s| by(s.at)) {
        apps.insert(&change.app.uid, &change.app);
    }
    let by_app = ByApp::of(story);
    let wanted = |app: &&AppRef| environment.is_none() || app.environment.as_deref() == environment;
    let mut applications: Vec<Application> =
        apps.into_values().filter(wanted).map(|app| one(&by_app, app, at)).collect();
    applications.sort_by(|a, b| (&a.app.name, &a.app.uid).cmp(&(&b.app.name, &b.app.uid)));
    Running { running: VERSION, at: at.to_string(), applications }
}

/// What a story says of each Application: every one is asked for in turn.
struct ByApp<'s> {
    states: BTreeMap<&'s str, Vec<&'s StateChange>>,
    operations: BTreeMap<&'s str, Vec<&'s Operation>>,
    acts: BTreeMap<&'s str, Vec<&'s Act>>,
}

impl<'s> ByApp<'s> {
    fn of(story: &'s Story) -> Self {
        fn gathered<'s, T>(
            all: &'s [T],
            app: impl Fn(&'s T) -> Option<&'s str>,
        ) -> BTreeMap<&'s str, Vec<&'s T>> {
            let mut by: BTreeMap<&str, Vec<&T>> = BTreeMap::new();
            for (app, one) in all.iter().filter_map(|one| Some((app(one)?, one))) {
                by.entry(app).or_default().push(one);
            }
            by
        }
        Self {
            states: gathered(&story.state_changes, |s| Some(&s.app.uid)),
            operations: gathered(&story.operations, |o| Some(&o.app.uid)),
            acts: gathered(&story.acts, |a| a.app.as_deref()),
        }
    }
}

fn one(story: &ByApp<'_>, app: &AppRef, at: Timestamp) -> Application {
    let (states, operations, acts) = (
        story.states.get(app.uid.as_str()).map_or(&[][..], Vec::as_slice),
        story.operations.get(app.uid.as_str()).map_or(&[][..], Vec::as_slice),
        story.acts.get(app.name.as_str()).map_or(&[][..], Vec::as_slice),
    );
    let by = |moment: Option<Moment>| moment.is_some_and(|m| m.earliest() <= at);
    let state = |kind: StateKind| {
        let of = states.iter().filter(|s| s.what == kind);
        of.filter(|s| by(s.at)).max_by_key(|s| s.version).and_then(|s| s.to.clone())
    };
    let touched = |o: &&&Operation| {
        by(o.finished_at.or(o.from())) && !matches!(o.applied, Applied::Nothing | Applied::Tried(_))
    };
    let last = operations.iter().filter(touched).max_by_key(|o| o.set.version());
    let mut workloads: BTreeMap<&str, Workload> = BTreeMap::new();
    let seen = |act: &&&Act| by(act.at);
    for act in acts.iter().filter(seen) {
        if let What::Rollout(rollout) = &act.what {
            let workload = Workload {
                name: rollout.name.clone(),
                deployment_revision: rollout.deployment_revision,
                images: rollout.images.clone(),
                since: act.at,
                cites: act.cites.clone(),
            };
            let known = workloads.entry(&rollout.name).or_insert_with(|| workload.clone());
            if known.deployment_revision < workload.deployment_revision {
                *known = workload;
            }
        }
    }
    let is_open = |act: &&&Act| match &act.what {
        What::Drift { ended, .. } => !ended || act.at.is_some_and(|during| during.latest() > at),
        _ => false,
    };
    Application {
        app: app.clone(),
        deployed: last.map(|o| LastOperation {
            version: o.set.version().0,
            revision: o.revision.clone(),
            at: o.moment(),
            kind: o.kind,
            cites: o.cites.clone(),
        }),
        sync: state(StateKind::Sync),
        health: state(StateKind::Health),
        workloads: workloads.into_values().collect(),
        drift: acts.iter().filter(seen).filter(is_open).map(|act| (*act).clone()).collect(),
    }
}
