//! `argocd-stream`: lines of Argo CD's `/api/v1/stream/applications`.
//!
//! One line is one version of one Application, as in [`super::argocd_application_watch`]; the
//! object has no `kind` and `apiVersion`, and its operation has an empty `retry` more. The server
//! sends what its informer hands on, so versions are lost without a sign when they follow quickly
//! (`argoproj/argo-cd` `server/broadcast/broadcaster.go`).

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::argocd_application_watch::{ApplicationVersion, RawApplication};
use super::{NotUnderstood, WatchLine, object_only};

#[derive(Deserialize)]
struct Line {
    result: Option<Event>,
    error: Option<IgnoredAny>,
}

/// `ApplicationWatchEvent` (`argoproj/argo-cd` `pkg/apis/application/v1alpha1/types.go`).
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    line_type: String,
    application: RawApplication,
}

/// Reads one line of the channel.
pub fn parse(line: &[u8]) -> Result<WatchLine<ApplicationVersion>, NotUnderstood> {
    let line: Line = serde_json::from_slice(object_only(line)?)?;
    if line.error.is_some() {
        return Ok(WatchLine::Gap("the stream ended in an error".to_owned()));
    }
    let event = line.result.ok_or(NotUnderstood::Shape { column: 0 })?;
    match event.line_type.as_str() {
        "ADDED" | "MODIFIED" => event.application.into_version(false).map(WatchLine::Version),
        "DELETED" => event.application.into_version(true).map(WatchLine::Deleted),
        _ => Err(NotUnderstood::LineType),
    }
}
