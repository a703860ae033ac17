//! `cloudevent`: `CloudEvents` of any type, in structured form.
//!
//! Of an event whose `data` is an Argo CD Application, the Application is read as one version of
//! it. Any other event is kept and says when it was, no more.
//! Shape: `cloudevents/spec` `cloudevents/formats/json-format.md`.

use serde::Deserialize;

use super::argocd_application_watch::{ApplicationVersion, RawApplication};
use super::{NotUnderstood, object_only, text};
use crate::time::Moment;

/// What an event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudEvent {
    /// What kind of event it is.
    pub event_type: String,
    /// What the event is about, by its producer's word.
    pub subject: Option<String>,
    /// When it happened; when it states no time, when the receiver had it.
    pub time: Option<Moment>,
    /// The Application that it carries.
    pub application: Option<ApplicationVersion>,
}

#[derive(Deserialize)]
struct Delivery {
    received_at: Option<Moment>,
    body: Attributes,
}

#[derive(Deserialize)]
struct Attributes {
    // Required of every event.
    #[serde(rename = "specversion")]
    _specversion: String,
    #[serde(rename = "id")]
    _id: String,
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "type")]
    event_type: String,
    subject: Option<String>,
    time: Option<Moment>,
}

#[derive(Deserialize)]
struct Probe {
    body: ProbeBody,
}

#[derive(Deserialize)]
struct ProbeBody {
    data: ProbeData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProbeData {
    kind: String,
    api_version: String,
}

#[derive(Deserialize)]
struct Carrier {
    body: CarrierBody,
}

#[derive(Deserialize)]
struct CarrierBody {
    data: RawApplication,
}

/// Reads one delivery.
pub fn parse(delivery: &[u8]) -> Result<CloudEvent, NotUnderstood> {
    let Delivery { received_at, body } = serde_json::from_slice(object_only(delivery)?)?;
    let application = if carries_application(delivery) {
        let carrier: Carrier = serde_json::from_slice(delivery)?;
        Some(carrier.body.data.typed()?.into_version(false)?)
    } else {
        None
    };
    Ok(CloudEvent {
        event_type: body.event_type,
        subject: text(body.subject),
        time: body.time.or(received_at),
        application,
    })
}

/// `data` may be of any type: what does not read as an object with kind and version is no
/// Application.
fn carries_application(delivery: &[u8]) -> bool {
    serde_json::from_slice::<Probe>(delivery).is_ok_and(|probe| {
        let data = probe.body.data;
        data.kind == "Application" && data.api_version.starts_with("argoproj.io/")
    })
}
