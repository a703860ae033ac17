//! Lines that are neither of a watch nor audit events of Kubernetes.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Header, Identity, Metadata};
use crate::channel::Channel;

/// The members that tell such lines apart; each belongs to one or two of them.
#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the fields are named as in the lines")]
struct Line<'a> {
    // Argo CD's stream of Applications.
    #[serde(borrow)]
    result: Option<StreamResult<'a>>,
    error: Option<IgnoredAny>,
    // A component's log in JSON (logrus).
    level: Option<IgnoredAny>,
    msg: Option<IgnoredAny>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    application: Option<IgnoredAny>,
    user: Option<IgnoredAny>,
    reason: Option<IgnoredAny>,
    // OpenBao's audit device.
    #[serde(borrow, rename = "type")]
    line_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request: Option<Request<'a>>,
    // Prometheus.
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    data: Option<RangeData>,
    // Our reader of forges.
    forge_snapshot: Option<IgnoredAny>,
    answers: Option<IgnoredAny>,
    // Our reader of repositories.
    #[serde(borrow)]
    git: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    // Google's Cloud Logging.
    #[serde(borrow, rename = "insertId")]
    insert_id: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "protoPayload")]
    proto_payload: Option<Proto<'a>>,
}

#[derive(Deserialize)]
struct StreamResult<'a> {
    #[serde(borrow, rename = "type")]
    line_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    application: Option<StreamApplication<'a>>,
}

#[derive(Deserialize)]
struct StreamApplication<'a> {
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    path: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RangeData {
    #[serde(rename = "resultType")]
    result_type: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Proto<'a> {
    #[serde(borrow, rename = "serviceName")]
    service_name: Option<Cow<'a, str>>,
}

/// Recognises one of them.
pub(super) fn recognise(line: &[u8]) -> Option<Header> {
    let line: Line<'_> = serde_json::from_slice(line).ok()?;
    let (channel, identity) = stream(&line)
        .or_else(|| git(&line))
        .or_else(|| forge(&line))
        .or_else(|| openbao(&line))
        .or_else(|| gke(&line))
        .or_else(|| log(&line))
        .or_else(|| prometheus(&line))?;
    Some(Header::of(channel, identity))
}

/// `{"result":{"type","application"}}` (`argoproj/argo-cd` `pkg/apiclient/application`).
fn stream(line: &Line<'_>) -> Option<(Channel, Identity)> {
    if line.error.is_some() && line.msg.is_none() && line.request.is_none() && line.status.is_none()
    {
        return Some((Channel::ArgocdStream, Identity::Content));
    }
    let result = line.result.as_ref()?;
    let metadata = result.application.as_ref()?.metadata.as_ref();
    let uid = metadata.and_then(|m| m.uid.as_deref()).filter(|u| !u.is_empty());
    let version = metadata.and_then(|m| m.resource_version.as_deref()).filter(|v| !v.is_empty());
    let deleted = if result.line_type.as_deref()? == "DELETED" { "/deleted" } else { "" };
    let identity = match (uid, version) {
        (Some(uid), Some(version)) => Identity::Natural(format!("{uid}/{version}{deleted}")),
        _ => Identity::Content,
    };
    Some((Channel::ArgocdStream, identity))
}

fn git(line: &Line<'_>) -> Option<(Channel, Identity)> {
    let identity = match (line.git.as_deref()?, line.id.as_deref()) {
        ("commit", Some(id)) => Identity::Natural(format!("commit/{id}")),
        ("refs", _) => Identity::Content,
        _ => return None,
    };
    Some((Channel::GitCommit, identity))
}

/// A snapshot of a forge's settings. Its repository may be a person's, so its content identifies it.
fn forge(line: &Line<'_>) -> Option<(Channel, Identity)> {
    line.forge_snapshot.as_ref().and(line.answers.as_ref())?;
    Some((Channel::ForgeSnapshot, Identity::Content))
}

/// Request and answer have the same id (`openbao/openbao` `audit/format.go`).
fn openbao(line: &Line<'_>) -> Option<(Channel, Identity)> {
    let request = line.request.as_ref().filter(|r| r.path.is_some())?;
    let line_type = line.line_type.as_deref().filter(|t| matches!(*t, "request" | "response"))?;
    let id = request.id.as_deref().filter(|id| !id.is_empty());
    let identity =
        id.map_or(Identity::Content, |id| Identity::Natural(format!("{id}/{line_type}")));
    Some((Channel::OpenbaoAudit, identity))
}

/// An audit log entry of GKE (`LogEntry` with an `AuditLog`); `insertId` is unique in its log.
fn gke(line: &Line<'_>) -> Option<(Channel, Identity)> {
    let service = line.proto_payload.as_ref()?.service_name.as_deref()?;
    let id = line.insert_id.as_deref().filter(|id| !id.is_empty());
    let identity = id.map_or(Identity::Content, |id| Identity::Natural(format!("gke/{id}")));
    (service == "k8s.io").then_some((Channel::KubernetesAudit, identity))
}

/// A log line of Argo CD: the controller's audit lines name an Application, a reason and no caller.
fn log(line: &Line<'_>) -> Option<(Channel, Identity)> {
    line.level.as_ref().and(line.msg.as_ref()).and(line.time.as_ref())?;
    let of_controller = line.application.is_some() && line.reason.is_some() && line.user.is_none();
    let channel =
        if of_controller { Channel::ArgocdControllerLog } else { Channel::ArgocdServerLog };
    Some((channel, Identity::Content))
}

fn prometheus(line: &Line<'_>) -> Option<(Channel, Identity)> {
    line.status.as_ref()?;
    line.data.as_ref()?.result_type.as_ref()?;
    Some((Channel::PrometheusRange, Identity::Content))
}
