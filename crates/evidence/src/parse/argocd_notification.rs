//! `argocd-notification`: an Application as argocd-notifications sent it.
//!
//! The body is whatever the user's template makes of the Application; this channel is for the one
//! that Countersign ships, which is the whole object at one version. A notification is sent when a
//! trigger's condition holds, so versions in between are not there, and two that were sent about
//! one version are two records.

use serde::Deserialize;

use super::argocd_application_watch::{ApplicationVersion, RawApplication};
use super::{NotUnderstood, object_only};
use crate::time::Moment;

#[derive(Deserialize)]
struct Delivery {
    received_at: Option<Moment>,
    body: RawApplication,
}

/// What a notification tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// When the receiver had it.
    pub received_at: Option<Moment>,
    /// The Application at one version.
    pub version: ApplicationVersion,
}

/// Reads one delivery.
pub fn parse(delivery: &[u8]) -> Result<Notification, NotUnderstood> {
    let delivery: Delivery = serde_json::from_slice(object_only(delivery)?)?;
    let version = delivery.body.typed()?.into_version(false)?;
    Ok(Notification { received_at: delivery.received_at, version })
}
