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
use super::timed::Timed;
use super::wire::Cites;
use crate::parse::ResourceVersion;
use crate::parse::kubernetes_audit::AuditWrite;
use crate::parse::prometheus_range::{MetricSeries, Window};
use crate::record::Cite;
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
    let (written, ran) = (Written::of(around), ran(operations));
    let series = Series::of(around);
    let mut effects = Vec::new();
    for operation in operations.iter().filter(|o| matches!(o.applied, Applied::Resources(_))) {
        let effect = Effect {
            uid: operation.app.uid.clone(),
            version: operation.set.version(),
            wrote: written.by(operation, &ran),
            measured: measured(&series, operation),
        };
        if !effect.wrote.is_empty() || !effect.measured.is_empty() {
            effects.push(effect);
        }
    }
    effects
}

/// When operations ran that may have changed something, by the Application's uid.
type Ran<'o> = BTreeMap<&'o str, Timed<&'o Operation>>;

fn ran(operations: &[Operation]) -> Ran<'_> {
    let mut by_uid: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for operation in operations.iter().filter(|o| !o.kind.is_idle()) {
        if let Some((from, end)) = during(operation) {
            let ran = (Moment::between(from, end), operation);
            by_uid.entry(operation.app.uid.as_str()).or_default().push(ran);
        }
    }
    by_uid.into_iter().map(|(uid, ran)| (uid, Timed::of(ran))).collect()
}

fn during(operation: &Operation) -> Option<(Moment, Moment)> {
    operation.from().zip(operation.finished_at)
}

/// Whether an operation ran at a moment.
fn ran_at(operation: &Operation, at: &Moment) -> bool {
    during(operation)
        .is_some_and(|(from, end)| from.earliest() <= at.latest() && at.earliest() <= end.latest())
}

/// Successful writes to `ConfigMap`s, by namespace and name.
struct Written<'a>(BTreeMap<(&'a str, &'a str), ToObject<'a>>);

/// The successful writes to one object.
struct ToObject<'a> {
    /// Numbered in the order of their ends.
    by_time: Timed<(usize, &'a Cited<AuditWrite>)>,
    /// What the writes made of each key, with their numbers.
    values: BTreeMap<&'a str, Vec<(usize, Option<&'a str>)>>,
}

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
        Self(by_object.into_iter().map(|(key, writes)| (key, ToObject::of(writes))).collect())
    }

    fn by(&self, operation: &Operation, ran: &Ran<'_>) -> Vec<Wrote> {
        let Applied::Resources(resources) = &operation.applied else { return Vec::new() };
        let (Some(namespace), Some((from, end))) =
            (operation.app.destination_namespace.as_deref(), during(operation))
        else {
            return Vec::new();
        };
        let maps = resources.iter().filter(|r| r.kind == "ConfigMap");
        let written = maps.filter_map(|r| self.0.get(&(namespace, r.name.as_str())));
        let mut wrote = Vec::new();
        for to_object in written {
            for (number, write) in to_object.by_time.within(from.earliest(), end.latest()) {
                if ran_alone(operation, ran, &write.fact) {
                    wrote.extend(to_object.changed(number, write));
                }
            }
        }
        wrote
    }
}

/// Whether Argo CD's controller made a write while this operation of the Application ran and no
/// other did.
fn ran_alone(operation: &Operation, ran: &Ran<'_>, write: &AuditWrite) -> bool {
    let of_app = ran.get(operation.app.uid.as_str()).into_iter();
    let mut then = of_app.flat_map(|r| r.within(write.time.earliest(), write.time.latest()));
    Whose::of(&write.account, &operation.app.namespace) == Whose::Controller
        && ran_at(operation, &write.time)
        && !then.any(|other| other.set != operation.set && ran_at(other, &write.time))
}

impl<'a> ToObject<'a> {
    fn of(mut writes: Vec<&'a Cited<AuditWrite>>) -> Self {
        writes.sort_by_key(|w| (w.fact.time.latest(), w.fact.audit_id.as_str()));
        let mut values: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (number, write) in writes.iter().enumerate() {
            for (key, value) in write.fact.body.iter().flat_map(|body| &body.data) {
                values.entry(key).or_default().push((number, value.as_deref()));
            }
        }
        let numbered = writes.into_iter().enumerate();
        Self { by_time: Timed::of(numbered.map(|(n, w)| (w.fact.time, (n, w)))), values }
    }

    /// The values that a write changed, against what the writes before it left.
    fn changed(&self, number: usize, write: &Cited<AuditWrite>) -> Option<Wrote> {
        let body = write.fact.body.as_ref()?;
        let known = |key: &str| {
            let all = self.values.get(key)?;
            let before = all.partition_point(|(of, _)| *of < number).checked_sub(1)?;
            all[before].1.map(str::to_owned)
        };
        let values: Vec<Value> = body
            .data
            .iter()
            .map(|(key, after)| Value {
                key: key.clone(),
                before: known(key),
                after: after.clone(),
            })
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
}

/// Series by the namespace that they are of, by the time of their points.
struct Series<'a>(BTreeMap<&'a str, Timed<(&'a Cite, &'a MetricSeries)>>);

impl<'a> Series<'a> {
    fn of(around: Around<'a>) -> Self {
        let mut by_namespace: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (cite, answer) in &around.facts.metrics.series {
            let mut of_answer: BTreeMap<&str, Vec<&MetricSeries>> = BTreeMap::new();
            for series in answer {
                if let Some(namespace) = series.labels.get("namespace") {
                    of_answer.entry(namespace).or_default().push(series);
                }
            }
            for (namespace, of_namespace) in of_answer {
                // Several series of one answer are parts of something, and none of them is the whole.
                if let [one] = of_namespace[..]
                    && let Some(points) = one.span()
                {
                    by_namespace.entry(namespace).or_default().push((points, (cite, one)));
                }
            }
        }
        Self(by_namespace.into_iter().map(|(key, series)| (key, Timed::of(series))).collect())
    }
}

fn measured(series: &Series<'_>, operation: &Operation) -> Vec<Measured> {
    let (Some(namespace), Some((from, end))) =
        (&operation.app.destination_namespace, during(operation))
    else {
        return Vec::new();
    };
    let Some(of_namespace) = series.0.get(namespace.as_str()) else { return Vec::new() };
    let (from, end) = (from.earliest(), end.latest());
    let (Ok(start), Ok(stop)) = (from.checked_sub(AROUND), end.checked_add(AROUND)) else {
        return Vec::new();
    };
    let mut measured = Vec::new();
    for (cite, one) in of_namespace.within(start, stop) {
        let cites = cite.clone().into();
        measured.extend(around_operation(one, (start, from), (end, stop), cites));
    }
    measured
}

fn around_operation(
    series: &MetricSeries,
    before: (Timestamp, Timestamp),
    after: (Timestamp, Timestamp),
    cites: Cites,
) -> Option<Measured> {
    let mean = |window: Window| match window {
        Window::Values(summary) => Some(format!("{:.6}", summary.mean)),
        Window::NoData => None,
    };
    let (before, after) =
        (mean(series.window(before.0, before.1)), mean(series.window(after.0, after.1)));
    let mut labels = series.labels.clone();
    labels.remove("namespace");
    (before.is_some() || after.is_some()).then_some(Measured { labels, before, after, cites })
}
