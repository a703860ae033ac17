//! Population: every transition of the live state, once, in the class that the records give it.
//!
//! The unit is one transition of one Application, not one proposal. What could change nothing (a
//! dry run, a sync that applied nothing) is listed as excluded, so that the sums agree with what
//! Argo CD counts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Change;
use crate::story::act::{Act, What};
use crate::story::operation::{Applied, Kind, Operation};
use crate::story::wire::Cites;
use crate::time::Moment;

/// One transition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Transition {
    /// What it is: `app@version` of an operation, or the kind of an act.
    pub what: String,
    /// The Application.
    pub app: Option<String>,
    /// The environment that the Application's label names.
    pub environment: Option<String>,
    /// When.
    pub at: Option<Moment>,
    /// Where it belongs.
    pub class: Class,
    /// The records that show it.
    pub cites: Cites,
}

/// Where a transition belongs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "class", rename_all = "kebab-case")]
pub enum Class {
    /// To one change.
    Change {
        /// Its id.
        id: String,
    },
    /// Argo CD put the live state back to the desired one.
    SelfHeal {},
    /// To no change: it happened outside git.
    OutsideGit {
        /// Why.
        reason: String,
    },
    /// It changed nothing.
    Excluded {
        /// Why.
        reason: String,
    },
    /// The records do not say.
    Undetermined {
        /// Why.
        reason: String,
    },
}

impl Class {
    /// The class in one word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Change { .. } => "change",
            Self::SelfHeal {} => "self-heal",
            Self::OutsideGit { .. } => "outside-git",
            Self::Excluded { .. } => "excluded",
            Self::Undetermined { .. } => "undetermined",
        }
    }
}

/// All transitions, in order of time.
pub(crate) fn population(
    operations: &[Operation],
    acts: &[Act],
    changes: &[Change],
) -> Vec<Transition> {
    let owners: BTreeMap<(&str, u64), &str> = changes
        .iter()
        .flat_map(|c| {
            c.operations.iter().map(move |d| ((d.app.uid.as_str(), d.version.0), c.id.as_str()))
        })
        .collect();
    let git_known = !changes.is_empty();
    let of_operations = operations.iter().map(|o| Transition {
        what: format!("{}@{}", o.app.name, o.set.version()),
        app: Some(o.app.name.clone()),
        environment: o.app.environment.clone(),
        at: o.moment(),
        class: class(o, &owners, git_known),
        cites: o.cites.clone(),
    });
    let environments: BTreeMap<&str, &str> = operations
        .iter()
        .filter_map(|o| Some((o.app.name.as_str(), o.app.environment.as_deref()?)))
        .collect();
    let places: BTreeMap<&str, &str> = operations
        .iter()
        .filter_map(|o| Some((o.app.destination_namespace.as_deref()?, o.app.name.as_str())))
        .collect();
    let of_acts = acts.iter().filter_map(|act| {
        let reason = past_git(&act.what)?;
        let place = || act.namespace.as_deref().and_then(|n| places.get(n).copied());
        let app = act.app.as_deref().or_else(place);
        Some(Transition {
            what: kind(&act.what),
            app: app.map(str::to_owned),
            environment: app.and_then(|a| environments.get(a)).map(|e| (*e).to_owned()),
            at: act.at,
            class: Class::OutsideGit { reason: reason.to_owned() },
            cites: act.cites.clone(),
        })
    });
    let mut all: Vec<Transition> = of_operations.chain(of_acts).collect();
    all.sort_by(|a, b| {
        let at = |t: &Transition| t.at.map(|at| (at.earliest(), at.latest()));
        at(a).cmp(&at(b)).then_with(|| (&a.what, &a.cites).cmp(&(&b.what, &b.cites)))
    });
    all
}

fn class(operation: &Operation, owners: &BTreeMap<(&str, u64), &str>, git_known: bool) -> Class {
    let excluded = |reason: &str| Class::Excluded { reason: reason.to_owned() };
    match (&operation.applied, operation.kind) {
        (_, Kind::DryRun) => return excluded("a dry run"),
        (_, Kind::SelfHealEmpty) => return excluded("a self-heal with nothing to do"),
        (Applied::Nothing, _) => return excluded("it applied nothing"),
        (_, Kind::LocalManifests) => {
            let reason = "local manifests: no commit holds what was applied".to_owned();
            return Class::OutsideGit { reason };
        }
        (_, Kind::SelfHeal) => return Class::SelfHeal {},
        _ => {}
    }
    let key = (operation.app.uid.as_str(), operation.set.version().0);
    match (owners.get(&key), &operation.revision) {
        (Some(id), _) => Class::Change { id: (*id).to_owned() },
        (None, None) => {
            Class::Undetermined { reason: "the deployed revision is not known".to_owned() }
        }
        (None, Some(_)) if !git_known => {
            Class::Undetermined { reason: "no record of the forge".to_owned() }
        }
        (None, Some(_)) => {
            let reason = "the deployed commit is of no proposal and no push to the default branch";
            Class::OutsideGit { reason: reason.to_owned() }
        }
    }
}

/// Why an act is a transition past git, if it is one.
fn past_git(what: &What) -> Option<&'static str> {
    Some(match what {
        What::WorkloadEdit { restart: true, .. } => "a restart by hand",
        What::WorkloadEdit { .. } => "a workload was written by hand",
        What::ConfigEdit { .. } => "a ConfigMap was written by hand",
        What::HelmRelease { .. } => "a Helm release was made by hand",
        What::PodDeleted { .. } => "a pod was deleted by hand",
        What::SecretSynced { .. } => "a secret was rewritten after a rotation",
        What::ApplicationSpecEdit { .. } => "the Application was edited by hand",
        _ => return None,
    })
}

fn kind(what: &What) -> String {
    let json = serde_json::to_value(what).unwrap_or_default();
    json["kind"].as_str().unwrap_or_default().to_owned()
}
