//! `argocd-server-log`: lines of the JSON log of Argo CD's API server.
//!
//! | line | has |
//! |---|---|
//! | a request arrived | `received unary call /<service>/<method>`, the caller's claims, the content (`argoproj/argo-cd` `util/grpc/logging.go`) |
//! | a call ended | `grpc.service`, `grpc.method`, `grpc.code`, of a failed one `grpc.error` (`grpc-ecosystem/go-grpc-middleware` `interceptors/logging`) |
//! | an audit line | `reason`, `application` or `project`, and a text (`argoproj/argo-cd` `util/argo/audit_logger.go`) |
//!
//! Nothing joins a request to its end: no id, and the peer's address is not kept. What is read of
//! any other line is its time.

use serde::Deserialize;
use serde_json::Value;

use super::{NotUnderstood, object_only, text};
use crate::record::REDACTED;
use crate::time::Moment;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerLine {
    /// When it was written, to the second.
    pub time: Moment,
    /// What it tells.
    pub what: Told,
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A request arrived.
    Request(Request),
    /// A call ended.
    Ended(Ended),
    /// An audit line.
    Audit(Audit),
    /// Something that is not read.
    Nothing,
}

/// A request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `service/method`, such as `application.ApplicationService/Sync`.
    pub method: String,
    /// Who called, by the token that the server verified; `None` without one.
    pub caller: Option<Caller>,
    /// The name of the Application or other object that the request is about.
    pub name: Option<String>,
    /// The namespace of the Application object, when the request names one.
    pub app_namespace: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// The role of a project.
    pub role: Option<String>,
}

/// A caller, by the claims of the token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Caller {
    /// The name that Argo CD writes into Events, operations and history
    /// (`argoproj/argo-cd` `util/session/sessionmanager.go` `Username`).
    pub username: String,
    /// The subject that its policy is asked about (`util/jwt/jwt.go` `GetUserIdentifier`).
    pub subject: String,
}

/// A call that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// `service/method`.
    pub method: String,
    /// When it began, to the second.
    pub started: Option<Moment>,
    /// The gRPC status, such as `OK` or `PermissionDenied`.
    pub code: String,
    /// What was refused, and to whom, as the error says it.
    pub refusal: Option<Refusal>,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error's text without its subject.
    pub reason: String,
    /// The object of the policy that refused, such as `<project>/<application>`.
    pub object: Option<String>,
    /// The subject that the policy refused; a sync window names none.
    pub subject: Option<String>,
}

/// An audit line: the same as an Event, which it is written beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The reason, such as `ResourceCreated`.
    pub reason: String,
    /// The Application that it is about, by name.
    pub application: Option<String>,
    /// The project that it is about.
    pub project: Option<String>,
    /// The text, such as `<user> created token`.
    pub message: String,
}

/// The longest text that is kept of an error.
const REASON_CHARS_MAX: usize = 300;

#[derive(Deserialize)]
struct Raw {
    time: Moment,
    #[serde(rename = "level")]
    _level: Value,
    msg: String,
    application: Option<String>,
    project: Option<String>,
    reason: Option<String>,
    #[serde(rename = "grpc.request.claims")]
    claims: Option<String>,
    #[serde(rename = "grpc.request.content")]
    content: Option<Value>,
    #[serde(rename = "grpc.service")]
    service: Option<String>,
    #[serde(rename = "grpc.method")]
    method: Option<String>,
    #[serde(rename = "grpc.code")]
    code: Option<String>,
    #[serde(rename = "grpc.error")]
    error: Option<String>,
    #[serde(rename = "grpc.start_time")]
    started: Option<Moment>,
}

/// Reads one line.
pub fn parse(line: &[u8]) -> Result<ServerLine, NotUnderstood> {
    let raw: Raw = serde_json::from_slice(object_only(line)?)?;
    Ok(ServerLine { time: raw.time, what: raw.told() })
}

impl Raw {
    fn told(self) -> Told {
        let received = self.msg.strip_prefix("received unary call /").map(str::to_owned);
        if let Some(method) = received {
            return Told::Request(Request::of(method, self.claims.as_deref(), self.content));
        }
        match (self.service, self.method, self.code, self.reason) {
            (Some(service), Some(method), Some(code), _) => Told::Ended(Ended {
                method: format!("{service}/{method}"),
                started: self.started,
                code,
                refusal: self.error.as_deref().map(Refusal::of),
            }),
            (_, _, None, Some(reason)) => Told::Audit(Audit {
                reason,
                application: text(self.application),
                project: text(self.project),
                message: self.msg,
            }),
            _ => Told::Nothing,
        }
    }
}

impl Request {
    /// Where requests name their object (`argoproj/argo-cd` `server/**/*.proto`).
    fn of(method: String, claims: Option<&str>, content: Option<Value>) -> Self {
        let content = content.unwrap_or_default();
        let of = |path: &str| {
            let found = content.pointer(path).and_then(Value::as_str);
            found.filter(|t| !t.is_empty()).map(str::to_owned)
        };
        let either = |a: &str, b: &str| of(a).or_else(|| of(b));
        Self {
            method,
            caller: claims.and_then(Caller::of),
            name: either("/name", "/application/metadata/name"),
            app_namespace: either("/appNamespace", "/application/metadata/namespace"),
            project: either("/project", "/project/metadata/name"),
            role: of("/role"),
        }
    }
}

#[derive(Deserialize)]
struct RawClaims {
    iss: Option<String>,
    sub: Option<String>,
    email: Option<String>,
    federated_claims: Option<RawFederated>,
}

#[derive(Deserialize)]
struct RawFederated {
    user_id: Option<String>,
}

impl Caller {
    fn of(claims: &str) -> Option<Self> {
        if claims.contains(REDACTED) {
            return Some(Self { username: REDACTED.to_owned(), subject: REDACTED.to_owned() });
        }
        let claims: RawClaims = serde_json::from_str(claims).ok()?;
        let federated = text(claims.federated_claims.and_then(|f| f.user_id));
        let subject = federated.or_else(|| text(claims.sub)).unwrap_or_default();
        // Argo CD's own tokens name an account of its own or a project's role.
        let own = claims.iss.as_deref() == Some("argocd");
        let username = text(claims.email).filter(|_| !own).unwrap_or_else(|| subject.clone());
        (!username.is_empty()).then_some(Self { username, subject })
    }
}

impl Refusal {
    /// `rpc error: code = <code> desc = <text>`, and of a policy the text
    /// `permission denied: <resource>, <action>, <object>[, sub: <subject>][, iat: <time>]`
    /// (`argoproj/argo-cd` `util/rbac/rbac.go` `EnforceErr`).
    fn of(error: &str) -> Self {
        let words = error.split_once(" desc = ").map_or(error, |(_, words)| words);
        let Some(rest) = words.strip_prefix("permission denied: ") else {
            return Self { reason: short(words), object: None, subject: None };
        };
        let parts: Vec<&str> = rest.splitn(5, ", ").collect();
        let (asked, more) = parts.split_at(parts.len().min(3));
        let subject = more.first().and_then(|part| part.strip_prefix("sub: "));
        // A second subject would stand in a text that the caller chose.
        let single = words.matches(", sub: ").count() == 1;
        Self {
            reason: short(&format!("permission denied: {}", asked.join(", "))),
            object: asked.get(2).map(|object| (*object).to_owned()),
            subject: subject.filter(|_| single).map(str::to_owned),
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(REASON_CHARS_MAX).collect()
}
