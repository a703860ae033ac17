//! Parsers: from one record's bytes to typed facts, one module per channel.
//!
//! A parser reads only what the story needs and claims nothing about the rest. A record that it
//! does not understand is data, not an error: the story counts it and says why. The reasons quote
//! nothing of the payload, because they outlive the erasure of personal data.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

pub mod alertmanager_webhook;
pub mod argocd_application_watch;
pub mod argocd_controller_log;
pub mod argocd_notification;
pub mod argocd_server_log;
pub mod argocd_stream;
pub mod cloudevent;
pub mod forge;
pub mod forge_snapshot;
pub mod git_commit;
pub mod github_webhook;
pub mod gitlab_webhook;
pub mod jira_webhook;
pub mod kubernetes_audit;
pub mod kubernetes_event_watch;
pub mod kubernetes_object_watch;
pub mod leaves;
pub mod ledger_assessment;
pub mod ledger_redaction;
pub mod openbao_audit;
pub mod operation_request;
pub mod prometheus_range;

/// Why a record was not understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotUnderstood {
    /// The bytes are not one complete JSON text.
    #[error("not one complete JSON text (column {column})")]
    NotJson {
        /// Where reading stopped.
        column: usize,
    },
    /// The JSON has another shape than the channel's.
    #[error("a missing field or a value of another type (column {column})")]
    Shape {
        /// Where reading stopped, or 0 when it is not known.
        column: usize,
    },
    /// The watch line's `type` is none that Kubernetes sends.
    #[error("an unknown type of watch line")]
    LineType,
    /// The object is of another kind than the channel carries.
    #[error("an object of another kind than this channel carries")]
    Kind,
    /// The resourceVersion is not a decimal number of at most 64 bits.
    #[error("a resourceVersion that is no decimal number of 64 bits")]
    ResourceVersion,
    /// The object has no uid or no name, so nothing can be tied to it.
    #[error("an object without uid or name")]
    Unidentified,
}

impl From<serde_json::Error> for NotUnderstood {
    fn from(error: serde_json::Error) -> Self {
        let column = error.column();
        if error.is_data() { Self::Shape { column } } else { Self::NotJson { column } }
    }
}

/// A Kubernetes resourceVersion that can be ordered.
///
/// Kubernetes compares resourceVersions of one resource type as decimal numbers since 1.35
/// (`kubernetes/enhancements` KEP-5504); etcd's revisions, which they are, have 63 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResourceVersion(pub u64);

impl ResourceVersion {
    /// Reads a resourceVersion, or says that it is none.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        let decimal = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = decimal.then(|| text.parse().ok()).flatten();
        number.map(Self).ok_or(NotUnderstood::ResourceVersion)
    }
}

impl fmt::Display for ResourceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One line of a Kubernetes watch (`k8s.io/apimachinery` `pkg/watch/watch.go`).
#[derive(Clone, Debug, PartialEq)]
pub enum WatchLine<T> {
    /// `ADDED` or `MODIFIED`: a version of an object.
    Version(T),
    /// `DELETED`: the last version of an object that is gone.
    Deleted(T),
    /// `BOOKMARK`: the watch was alive and had sent everything up to a version.
    Bookmark,
    /// `ERROR`: the watch broke off, so versions may be missing.
    Gap(String),
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    line_type: String,
}

#[derive(Deserialize)]
struct Line<T> {
    object: T,
}

/// Type and object in one reading, which nearly every line allows.
#[derive(Deserialize)]
struct Both<T> {
    #[serde(rename = "type")]
    line_type: String,
    object: T,
}

#[derive(Default, Deserialize)]
struct Status {
    code: Option<i64>,
}

/// Reads a watch line whose objects have the shape `T`.
pub(crate) fn watch_line<T: DeserializeOwned>(line: &[u8]) -> Result<WatchLine<T>, NotUnderstood> {
    let line = object_only(line)?;
    if let Ok(Both { line_type, object }) = serde_json::from_slice::<Both<T>>(line) {
        match line_type.as_str() {
            "ADDED" | "MODIFIED" => return Ok(WatchLine::Version(object)),
            "DELETED" => return Ok(WatchLine::Deleted(object)),
            // An object of another shape may fit by chance.
            _ => {}
        }
    }
    let head: Head = serde_json::from_slice(line)?;
    let object = || Ok(serde_json::from_slice::<Line<T>>(line)?.object);
    match head.line_type.as_str() {
        "ADDED" | "MODIFIED" => object().map(WatchLine::Version),
        "DELETED" => object().map(WatchLine::Deleted),
        "BOOKMARK" => Ok(WatchLine::Bookmark),
        "ERROR" => {
            let status = serde_json::from_slice::<Line<Status>>(line).map(|l| l.object);
            let code = status.unwrap_or_default().code;
            let code = code.map_or_else(String::new, |c| format!(" with status {c}"));
            Ok(WatchLine::Gap(format!("the watch ended in an ERROR line{code}")))
        }
        _ => Err(NotUnderstood::LineType),
    }
}

/// A record is a JSON object; serde would read a list as the fields in their order.
pub(crate) fn object_only(line: &[u8]) -> Result<&[u8], NotUnderstood> {
    match line.trim_ascii_start().first() {
        Some(b'[') => Err(NotUnderstood::Shape { column: 1 }),
        _ => Ok(line),
    }
}

/// Reads `null` and an absent field alike as the type's default, as Kubernetes clients do.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A text that says something: absent, `null` and empty are the same.
pub(crate) fn text(value: Option<String>) -> Option<String> {
    value.filter(|t| !t.is_empty())
}
