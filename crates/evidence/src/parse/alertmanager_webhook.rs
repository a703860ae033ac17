//! `alertmanager-webhook`: alerts as Alertmanager sends them, version 4.
//!
//! One delivery holds the alerts of a group that it is told about at that moment, firing and
//! resolved. Shape: `prometheus/alertmanager` `notify/webhook/webhook.go`, `template/template.go`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{NotUnderstood, nullable, object_only};
use crate::time::Moment;

/// What one delivery tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// When the receiver had it.
    pub received_at: Option<Moment>,
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// How many alerts Alertmanager left out (`max_alerts`).
    pub left_out: u64,
}

/// One alert as of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What Alertmanager knows its labels by.
    pub fingerprint: String,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// When it began to fire.
    pub starts_at: Moment,
    /// When it ceased to, if it did.
    pub ends_at: Option<Moment>,
}

#[derive(Deserialize)]
struct Delivery {
    received_at: Option<Moment>,
    body: Raw,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    version: String,
    #[serde(default, deserialize_with = "nullable")]
    truncated_alerts: u64,
    alerts: Vec<RawAlert>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAlert {
    status: String,
    fingerprint: String,
    labels: BTreeMap<String, String>,
    starts_at: Moment,
    // Of an alert that fires, year 1.
    ends_at: Option<String>,
}

/// Reads one delivery.
pub fn parse(delivery: &[u8]) -> Result<Notification, NotUnderstood> {
    let Delivery { received_at, body } = serde_json::from_slice(object_only(delivery)?)?;
    if body.version != "4" {
        return Err(NotUnderstood::Kind);
    }
    let alerts = body.alerts.into_iter().map(RawAlert::read).collect::<Result<_, _>>()?;
    Ok(Notification { received_at, alerts, left_out: body.truncated_alerts })
}

impl RawAlert {
    fn read(self) -> Result<Alert, NotUnderstood> {
        if self.fingerprint.is_empty() {
            return Err(NotUnderstood::Unidentified);
        }
        let ends_at = match (self.status.as_str(), self.ends_at) {
            ("resolved", Some(end)) => {
                Some(Moment::parse(&end).map_err(|_| NotUnderstood::Shape { column: 0 })?)
            }
            ("firing", _) => None,
            _ => return Err(NotUnderstood::Shape { column: 0 }),
        };
        let Self { fingerprint, labels, starts_at, .. } = self;
        Ok(Alert { fingerprint, labels, starts_at, ends_at })
    }
}
