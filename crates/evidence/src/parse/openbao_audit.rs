//! `openbao-audit`: lines of an audit device of `OpenBao` or Vault.
//!
//! A request and its answer are two lines with one id. Texts inside of what was sent and answered
//! are keyed hashes, and are never compared with anything; paths, operations, names and metadata
//! stand in clear. Shape: `openbao/openbao` `internal/audit/format.go`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{NotUnderstood, nullable, object_only, text};
use crate::time::Moment;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// The request's id: the same in request and answer.
    pub id: Option<String>,
    /// Which of the two it is.
    pub stage: Stage,
    /// When it was written.
    pub time: Moment,
    /// `create`, `read`, `update`, `patch`, `delete`, `list` and others.
    pub operation: String,
    /// The namespace, empty for the root one.
    pub namespace: String,
    /// The path that was asked for, mount included.
    pub path: String,
    /// Where the backend is mounted, such as `kv/` or `auth/userpass/`.
    pub mount: Option<String>,
    /// The backend's type, such as `kv`, `system` or `userpass`.
    pub mount_type: Option<String>,
    /// Whether the request carried a token.
    pub with_token: bool,
    /// Whose token it was; of the answer to a login, whose token was made.
    pub caller: Caller,
    /// Whether the store says that it failed.
    pub failed: bool,
    /// What was answered.
    pub answer: Answer,
}

/// Which line of a request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Before it was carried out.
    Request,
    /// After it.
    Response,
}

/// Whose token it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The name that the store gives the token: the mount of the login and the name there.
    pub display_name: Option<String>,
    /// The entity behind the login, which is one over all of its logins.
    pub entity: Option<String>,
    /// What the login, or whoever made the token, wrote down about it.
    pub metadata: BTreeMap<String, String>,
}

/// What was answered, as far as it is no secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether anything was answered: what does not exist has an answer without data.
    pub data: bool,
    /// Whether it was handed out in a wrapping, to be opened later.
    pub wrapped: bool,
    /// Whether it was made for the caller and has a lease.
    pub leased: bool,
    /// The version of a versioned secret.
    pub version: Option<u64>,
}

#[derive(Deserialize)]
struct Raw {
    time: Moment,
    #[serde(rename = "type")]
    line_type: String,
    #[serde(default, deserialize_with = "nullable")]
    auth: RawAuth,
    request: RawRequest,
    response: Option<RawResponse>,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
struct RawAuth {
    display_name: Option<String>,
    entity_id: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    metadata: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct RawRequest {
    id: Option<String>,
    operation: String,
    path: String,
    mount_point: Option<String>,
    mount_type: Option<String>,
    client_token: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "nullable")]
    namespace: RawNamespace,
}

#[derive(Default, Deserialize)]
struct RawNamespace {
    path: Option<String>,
}

#[derive(Deserialize)]
struct RawResponse {
    data: Option<Value>,
    secret: Option<RawSecret>,
    wrap_info: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawSecret {
    lease_id: Option<String>,
}

/// Reads one line.
pub fn parse(line: &[u8]) -> Result<AuditLine, NotUnderstood> {
    let raw: Raw = serde_json::from_slice(object_only(line)?)?;
    let stage = match raw.line_type.as_str() {
        "request" => Stage::Request,
        "response" => Stage::Response,
        _ => return Err(NotUnderstood::LineType),
    };
    let data = raw.response.as_ref().and_then(|r| r.data.as_ref());
    let failed = text(raw.error).is_some() || data.is_some_and(is_error);
    let answer = raw.response.as_ref().map(Answer::of).unwrap_or_default();
    let request = raw.request;
    Ok(AuditLine {
        id: text(request.id),
        stage,
        time: raw.time,
        operation: request.operation,
        namespace: request.namespace.path.unwrap_or_default(),
        path: request.path,
        mount: text(request.mount_point),
        mount_type: text(request.mount_type),
        with_token: request.client_token.is_some(),
        caller: raw.auth.into(),
        failed,
        answer,
    })
}

/// `openbao/openbao` `sdk/logical/response.go` `IsError`.
fn is_error(data: &Value) -> bool {
    let has = |key: &str| data.get(key).is_some_and(|value| !value.is_null());
    let members = data.as_object().map_or(0, serde_json::Map::len);
    has("error") && (members == 1 || members == 2 && has("data"))
}

impl Answer {
    fn of(response: &RawResponse) -> Self {
        let data = response.data.as_ref().filter(|d| !d.is_null());
        let at = |path: &str| data.and_then(|d| d.pointer(path)).and_then(Value::as_u64);
        let lease = response.secret.as_ref().and_then(|s| s.lease_id.as_deref());
        // A deleted version is answered with metadata and without its content.
        let gone = data.is_some_and(|d| {
            d.get("metadata").is_some() && d.get("data").is_some_and(Value::is_null)
        });
        Self {
            data: data.is_some() && !gone,
            wrapped: response.wrap_info.is_some(),
            leased: lease.is_some_and(|id| !id.is_empty()),
            version: at("/metadata/version").or_else(|| at("/version")),
        }
    }
}

impl From<RawAuth> for Caller {
    fn from(raw: RawAuth) -> Self {
        let texts = raw.metadata.into_iter().filter_map(|(key, value)| match value {
            Value::String(value) => Some((key, value)),
            _ => None,
        });
        Self {
            display_name: text(raw.display_name),
            entity: text(raw.entity_id),
            metadata: texts.collect(),
        }
    }
}
