//! Effects: what Argo CD wrote in an operation, and what the series of its namespace did around it.
//!
//! A write belongs to an operation when Argo CD's controller made it, to an object that the
//! operation lists, while no other operation of that Application ran. A series says *when* it
//! changed, never why.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::Around;
use super::fold::Cited;
use super::initiator::Whose;
use super::operation::{Applied, Operation};
use super::wire::Cites;
use crate::parse::ResourceVersion;
use crate::parse::kubernetes_audit::AuditWrite;
use crate::parse::prometheus_range::{MetricSeries, Window};
use crate::time::Moment;

/// How long before and after an operation a series is looked at.
const AROUND: SignedDuration = SignedDuration::from_secs(60);

/// What one operation wrote, and what was measured around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Effect {
    /// The Application's uid.
    pub uid: String,
    /// The version at which the operation was set: with the uid, its identity.
    pub version: ResourceVersion,
    /// Values that Argo CD's controller wrote in it, by the audit log.
    pub wrote: Vec<Wrote>,
    /// Series of the namespace that it deploys to.
    pub measured: Vec<Measured>,
}

/// Values of one object that a write changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Wrote {
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The values, by key.
    pub values: Vec<Value>,
    /// When it was written.
    pub at: Moment,
    /// The records of the write.
    pub cites: Cites,
}

/// A value that a write changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Value {
    /// Its key.
    pub key: String,
    /// The value before, when an earlier write tells it.
    pub before: Option<String>,
    /// The value after; `None` where the key was taken away.
    pub after: Option<String>,
}

/// A series, in the minute before an operation and in the minute after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Measured {
    /// The labels of the series, without the namespace: an answer does not repeat its query.
    pub labels: BTreeMap<String, String>,
    /// Its mean before, in decimal digits; `None` where there is no point.
    pub before: Option<String>,
    /// Its mean after.
    pub after: Option<String>,
    /// The records that show it.
    pub cites: Cites,
}

/// The effects of all operations that applied something, in the order of the operations.
pub(crate) fn effects(around: Around<'_>, operations: &[Operation]) -> Vec<Effect> {
    let written = Written::of(around);
    let mut effects = Vec::new();
    for operation in operations.iter().filter(|o| matches!(o.applied, Applied::Resources(_))) {
        let effect = Effect {
            uid: operation.app.uid.clone(),
            version: operation.set.version(),
            wrote: written.by(operation, operations),
            measured: measured(around, operation),
        };
        if !effect.wrote.is_empty() || !effect.measured.is_empty() {
            effects.push(effect);
        }
    }
    effects
}

/// Successful writes to `ConfigMap`s, by namespace and name, in order of time.
struct Written<'a>(BTreeMap<(&'a str, &'a str), Vec<&'a Cited<AuditWrite>>>);

impl<'a> Written<'a> {
    fn of(around: Around<'a>) -> Self {
        let mut by_object: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for write in around.facts.writes.values().filter(|w| w.fact.succeeded()) {
            let object = &write.fact.object;
            if object.group.is_empty() && object.resource == "configmaps" {
                let key = (object.namespace.as_str(), object.name.as_str());
                by_object.entry(key).or_default().push(write);
            }
        }
        for writes in by_object.values_mut() {
            writes.sort_by_key(|w| (w.fact.time.latest(), w.fact.audit_id.clone()));
        }
        Self(by_object)
    }

    fn by(&self, operation: &Operation, operations: &[Operation]) -> Vec<Wrote> {
        let Applied::Resources(resources) = &operation.applied else { return Vec::new() };
        let Some(namespace) = operation.app.destination_namespace.as_deref() else {
            return Vec::new();
        };
        let maps = resources.iter().filter(|r| r.kind == "ConfigMap");
        let writes = maps.filter_map(|r| self.0.get(&(namespace, r.name.as_str())));
        let mut wrote = Vec::new();
        for writes in writes {
            for (at, write) in writes.iter().enumerate() {
                if ran_alone(operation, operations, &write.fact) {
                    wrote.extend(changed(&writes[..at], write));
                }
            }
        }
        wrote
    }
}

/// Whether Argo CD's controller made a write while this operation of the Application ran and no
/// other did.
fn ran_alone(operation: &Operation, operations: &[Operation], write: &AuditWrite) -> bool {
    let ran = |o: &Operation| {
        let during = o.from().zip(o.finished_at);
        during.is_some_and(|(from, end)| {
            from.earliest() <= write.time.latest() && write.time.earliest() <= end.latest()
        })
    };
    let other = |o: &&Operation| {
        o.app.uid == operation.app.uid && o.set != operation.set && !o.kind.is_idle() && ran(o)
    };
    Whose::of(&write.account, &operation.app.namespace) == Whose::Controller
        && ran(operation)
        && !operations.iter().any(|o| other(&o))
}

/// The values that a write changed, against what the writes before it left.
fn changed(before: &[&Cited<AuditWrite>], write: &Cited<AuditWrite>) -> Option<Wrote> {
    let body = write.fact.body.as_ref()?;
    let known = |key: &str| {
        let told = before.iter().rev().filter_map(|w| w.fact.body.as_ref()?.data.get(key));
        told.into_iter().next().cloned().flatten()
    };
    let values: Vec<Value> = body
        .data
        .iter()
        .map(|(key, after)| Value { key: key.clone(), before: known(key), after: after.clone() })
        .filter(|value| value.before != value.after)
        .collect();
    (!values.is_empty()).then(|| Wrote {
        kind: "ConfigMap".to_owned(),
        name: write.fact.object.name.clone(),
        values,
        at: write.fact.time,
        cites: write.cites.clone(),
    })
}

fn measured(around: Around<'_>, operation: &Operation) -> Vec<Measured> {
    let (Some(namespace), Some(from), Some(end)) =
        (&operation.app.destination_namespace, operation.from(), operation.finished_at)
    else {
        return Vec::new();
    };
    let mut measured = Vec::new();
    for (cite, series) in &around.facts.metrics.series {
        let mut of_namespace =
            series.iter().filter(|s| s.labels.get("namespace") == Some(namespace));
        // Several series of one answer are parts of something, and none of them is the whole.
        if let (Some(one), None) = (of_namespace.next(), of_namespace.next()) {
            measured.extend(around_operation(
                one,
                from.earliest(),
                end.latest(),
                cite.clone().into(),
            ));
        }
    }
    measured
}

fn around_operation(
    series: &MetricSeries,
    from: Timestamp,
    end: Timestamp,
    cites: Cites,
) -> Option<Measured> {
    let (start, stop) = (from.checked_sub(AROUND).ok()?, end.checked_add(AROUND).ok()?);
    let mean = |window: Window| match window {
        Window::Values(summary) => Some(format!("{:.6}", summary.mean)),
        Window::NoData => None,
    };
    let (before, after) = (mean(series.window(start, from)), mean(series.window(end, stop)));
    let mut labels = series.labels.clone();
    labels.remove("namespace");
    (before.is_some() || after.is_some()).then_some(Measured { labels, before, after, cites })
}
