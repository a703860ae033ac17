//! Alerts and series.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Around;
use super::act::{Act, What};
use super::argocd::apps::Apps;
use super::claim::Voice;
use super::fold::{Cited, Noted};
use super::wire::Cites;
use crate::channel::Channel;
use crate::parse::NotUnderstood;
use crate::parse::alertmanager_webhook::{self as alertmanager, Alert};
use crate::parse::prometheus_range::{self as prometheus, MetricSeries, RangeAnswer};
use crate::record::Cite;
use crate::time::Moment;

/// Alerts and series.
#[derive(Debug, Default)]
pub(crate) struct MetricFacts {
    /// What deliveries say of one firing, by fingerprint and its beginning: every different word
    /// and the records that have it.
    alerts: BTreeMap<(String, Timestamp), BTreeMap<AlertKey, Cited<Alert>>>,
    /// The series of each answer: one label set may mean two things in answers to two queries.
    pub(crate) series: BTreeMap<Cite, Vec<MetricSeries>>,
}

/// By what two words on one firing differ.
type AlertKey = (Option<Moment>, BTreeMap<String, String>);

impl MetricFacts {
    /// Adds what a record says.
    pub(crate) fn add(&mut self, cite: &Cite, payload: &[u8]) -> Result<Noted, NotUnderstood> {
        match cite.channel {
            Channel::AlertmanagerWebhook => self.add_alerts(cite, payload),
            _ => self.add_series(cite, payload),
        }
    }

    fn add_alerts(&mut self, cite: &Cite, payload: &[u8]) -> Result<Noted, NotUnderstood> {
        let notification = alertmanager::parse(payload)?;
        for alert in notification.alerts {
            let key = (alert.fingerprint.clone(), alert.starts_at.earliest());
            let words = self.alerts.entry(key).or_default();
            super::fold::merge(words, (alert.ends_at, alert.labels.clone()), alert, cite);
        }
        Ok(match notification.left_out {
            0 => Noted::At(notification.received_at),
            n => Noted::Gap(format!("Alertmanager left {n} alerts out of a delivery")),
        })
    }

    fn add_series(&mut self, cite: &Cite, payload: &[u8]) -> Result<Noted, NotUnderstood> {
        let (series, warned) = match prometheus::parse(payload)? {
            RangeAnswer::Failed => return Ok(Noted::Gap("a query failed".to_owned())),
            RangeAnswer::Series { series, warned } => (series, warned),
        };
        let times = || series.iter().flat_map(|s| &s.points).map(|(at, _)| *at);
        let span = times().min().zip(times().max());
        let span = span.map(|(first, last)| Moment::window(first, last));
        self.series.insert(cite.clone(), series);
        Ok(if warned {
            Noted::Gap("Prometheus warned that an answer may be partial".to_owned())
        } else {
            span.map_or(Noted::At(None), Noted::During)
        })
    }
}

/// The acts that follow from it.
pub(crate) fn acts(around: Around<'_>) -> Vec<Act> {
    let apps = Apps::of(around.facts);
    around.facts.metrics.alerts.values().filter_map(|words| alert(words, &apps)).collect()
}

/// One firing, from all that is said about it.
fn alert(words: &BTreeMap<AlertKey, Cited<Alert>>, apps: &Apps<'_>) -> Option<Act> {
    // An alert that is sent again after its end has a later end, and no end is before any.
    let last = words.values().max_by_key(|w| w.fact.ends_at.map(|end| end.latest()))?;
    let (labels, from, end) = (&last.fact.labels, last.fact.starts_at, last.fact.ends_at);
    let mut cites = Cites::default();
    for word in words.values() {
        cites.extend(&word.cites);
    }
    let what = What::Alert {
        name: labels.get("alertname").cloned().unwrap_or_default(),
        severity: labels.get("severity").cloned(),
        resolved: end.is_some(),
    };
    let at = end.map_or(from, |end| Moment::between(from, end));
    let mut act = Act::new(what, Some(at), Voice::Recorded, cites);
    let place = place(labels, apps);
    act.app = place.app;
    act.namespace = place.namespace;
    act.notes.extend(place.note.map(str::to_owned));
    Some(act)
}

/// Where something with labels is.
#[derive(Default)]
struct Place {
    app: Option<String>,
    namespace: Option<String>,
    note: Option<&'static str>,
}

/// Prometheus renames what a target exports under a label that the target has itself
/// (`prometheus/prometheus` `docs/configuration/configuration.md`, `honor_labels`).
const NAMES: [&str; 2] = ["exported_name", "name"];
const NAMESPACES: [&str; 2] = ["exported_namespace", "namespace"];

/// Argo CD's own series name the Application and its namespace (`argoproj/argo-cd`
/// `controller/metrics/metrics.go` `descAppDefaultLabels`); others at most the namespace that they
/// come from, which is one Application's if one alone deploys there.
fn place(labels: &BTreeMap<String, String>, apps: &Apps<'_>) -> Place {
    let label = |key: &&str| labels.get(*key).map(String::as_str).filter(|v| !v.is_empty());
    for namespace in NAMESPACES.iter().filter_map(label) {
        for name in NAMES.iter().filter_map(label) {
            if let Some(app) = apps.named(namespace, name) {
                let namespace = app.destination_namespace.clone();
                return Place { app: Some(app.name.clone()), namespace, note: None };
            }
        }
    }
    let namespaces: Vec<&str> = NAMESPACES.iter().filter_map(label).collect();
    for namespace in &namespaces {
        let deploying: BTreeSet<&str> = apps.deploying_to(namespace);
        let place = |app: Option<&str>, note| Place {
            app: app.map(str::to_owned),
            namespace: Some((*namespace).to_owned()),
            note,
        };
        match deploying.len() {
            0 => {}
            1 => return place(deploying.first().copied(), None),
            _ => return place(None, Some("several Applications deploy to its namespace")),
        }
    }
    let namespace = namespaces.first().map(|n| (*n).to_owned());
    Place { namespace, ..Place::default() }
}
