//! `kubernetes-audit`: what a Kubernetes API server authenticated, authorised and carried out.
//!
//! An audit event names the account, its credential and the binding that allowed the request
//! (`kubernetes/kubernetes` `staging/src/k8s.io/apiserver/pkg/apis/audit/v1/types.go`). How much of
//! the bodies it holds is a matter of the audit policy: below `RequestResponse` no resulting
//! version is known. Of reads only the time is kept.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::operation_request::OperationRequest;
use super::{NotUnderstood, ResourceVersion, nullable, object_only, text};
use crate::time::Moment;

pub use self::body::Body;
pub use self::right::Right;

mod body;
mod gke;
mod right;
mod uri;

/// What one audit event shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// When the request arrived and when this stage was reached.
    pub time: Moment,
    /// The write, when the request was one that could change something.
    pub write: Option<AuditWrite>,
    /// The read, when somebody other than the cluster's own accounts read Secrets.
    pub secret_read: Option<AuditWrite>,
}

/// A request that changed something, or tried to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditWrite {
    /// The request's id: the same in all its stages.
    pub audit_id: String,
    /// The stage: only `ResponseComplete` tells how it ended.
    pub stage: String,
    /// `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// The account that the API server authenticated.
    pub account: String,
    /// The groups of that account.
    pub groups: Vec<String>,
    /// The account that the request was made in the name of, when it impersonated one.
    pub impersonated: Option<String>,
    /// The credential used: a certificate's digest or a token's id.
    pub credential: Option<String>,
    /// The program, by its own word.
    pub user_agent: Option<String>,
    /// The name under which the program manages fields, by its own word.
    pub field_manager: Option<String>,
    /// Which objects a request for several was limited to, by their labels.
    pub label_selector: Option<String>,
    /// What was written.
    pub object: ObjectRef,
    /// The HTTP status of the answer.
    pub code: Option<u16>,
    /// The version that the request was based on, when it says so.
    pub version_before: Option<ResourceVersion>,
    /// The version that the write resulted in, when the answer's body was recorded.
    pub resulting_version: Option<ResourceVersion>,
    /// What the request says of an Application's `.operation`.
    pub operation: RequestedOperation,
    /// What the request asks for, of the resources and accounts that a story tells of.
    pub body: Option<Box<Body>>,
    /// By which right it was allowed, when a binding allowed it.
    pub right: Option<Right>,
    /// When the request arrived and when it was answered.
    pub time: Moment,
}

/// The object of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ObjectRef {
    /// The API group; empty for the core group.
    pub group: String,
    /// The resource, such as `deployments`.
    pub resource: String,
    /// The part of the resource, such as `scale`; empty for the whole.
    pub subresource: String,
    /// The namespace; empty for cluster-wide resources.
    pub namespace: String,
    /// The name; empty when the API server was to make one up.
    pub name: String,
    /// The uid, when the request or its answer names it.
    pub uid: Option<String>,
}

/// What a write's body says of `.operation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedOperation {
    /// The body asks for this operation.
    Present(Box<OperationRequest>),
    /// The body changes a part of an operation.
    Part,
    /// The body is there and asks for none.
    Absent,
    /// The body is not in the record, or the object is no Application.
    Unknown,
}

impl AuditWrite {
    /// Whether the API server carried the request out.
    pub fn succeeded(&self) -> bool {
        self.stage == "ResponseComplete" && self.code.is_some_and(|c| (200..300).contains(&c))
    }

    /// Whether the API server refused the request or failed in it.
    pub fn refused(&self) -> bool {
        self.stage == "ResponseComplete" && self.code.is_some_and(|c| c >= 400)
    }

    /// Whether the object is an Argo CD Application.
    pub fn is_application(&self) -> bool {
        self.object.is_application()
    }
}

impl ObjectRef {
    /// Whether the object is an Argo CD Application, as a whole.
    pub fn is_application(&self) -> bool {
        self.group == "argoproj.io"
            && self.resource == "applications"
            && self.subresource.is_empty()
    }
}

/// Reads one audit event.
pub fn parse(line: &[u8]) -> Result<AuditEvent, NotUnderstood> {
    match serde_json::from_slice::<RawEvent<'_>>(object_only(line)?) {
        Ok(raw) => raw.into_event(),
        Err(error) => gke::parse(line).unwrap_or_else(|| Err(error.into())),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEvent<'a> {
    api_version: String,
    kind: String,
    #[serde(rename = "auditID")]
    audit_id: String,
    stage: String,
    verb: String,
    #[serde(rename = "requestURI", default, deserialize_with = "nullable")]
    request_uri: String,
    user: RawUser,
    impersonated_user: Option<RawUser>,
    user_agent: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    object_ref: RawObjectRef,
    response_status: Option<RawStatus>,
    /// Read only of the resources that a story tells of: most are large and never read.
    #[serde(borrow)]
    request_object: Option<&'a RawValue>,
    response_object: Option<RawResponse>,
    request_received_timestamp: Moment,
    stage_timestamp: Moment,
    #[serde(default, deserialize_with = "nullable")]
    annotations: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct RawUser {
    #[serde(default, deserialize_with = "nullable")]
    username: String,
    #[serde(default, deserialize_with = "nullable")]
    groups: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    extra: BTreeMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawObjectRef {
    #[serde(default, deserialize_with = "nullable")]
    api_group: String,
    #[serde(default, deserialize_with = "nullable")]
    resource: String,
    #[serde(default, deserialize_with = "nullable")]
    subresource: String,
    #[serde(default, deserialize_with = "nullable")]
    namespace: String,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    uid: Option<String>,
    resource_version: Option<String>,
}

#[derive(Deserialize)]
struct RawStatus {
    code: Option<u16>,
}

#[derive(Deserialize)]
struct RawResponse {
    metadata: Option<RawResponseMetadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawResponseMetadata {
    name: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
}

impl RawEvent<'_> {
    fn into_event(self) -> Result<AuditEvent, NotUnderstood> {
        if self.kind != "Event" || !self.api_version.starts_with("audit.k8s.io/") {
            return Err(NotUnderstood::Kind);
        }
        let time = Moment::between(self.request_received_timestamp, self.stage_timestamp);
        let (mut write, mut secret_read) = (None, None);
        if self.may_write() {
            write = Some(self.into_write(time)?);
        } else if self.reads_secrets() {
            secret_read = Some(self.into_write(time)?);
        }
        Ok(AuditEvent { time, write, secret_read })
    }

    /// Dry runs write nothing; reviews of access and tokens are questions, not changes.
    fn may_write(&self) -> bool {
        let writes = ["create", "update", "patch", "delete", "deletecollection"];
        let questions = ["authorization.k8s.io", "authentication.k8s.io"];
        writes.contains(&self.verb.as_str())
            && !questions.contains(&self.object_ref.api_group.as_str())
            && !uri::is_dry_run(&self.request_uri)
    }

    fn reads_secrets(&self) -> bool {
        ["get", "list", "watch"].contains(&self.verb.as_str())
            && self.object_ref.resource == "secrets"
            && self.object_ref.api_group.is_empty()
            && (self.impersonated_user.is_some() || !is_of_system(&self.user.username))
    }

    fn into_write(self, time: Moment) -> Result<AuditWrite, NotUnderstood> {
        let answer = self.response_object.and_then(|r| r.metadata);
        let (answer_name, answer_uid, answer_version) =
            answer.map_or((None, None, None), |a| (a.name, a.uid, a.resource_version));
        let reference = self.object_ref;
        let object = ObjectRef {
            group: reference.api_group,
            resource: reference.resource,
            subresource: reference.subresource,
            namespace: reference.namespace,
            name: text(Some(reference.name)).or(answer_name).unwrap_or_default(),
            uid: text(answer_uid).or(text(reference.uid)),
        };
        let impersonated = text(self.impersonated_user.map(|u| u.username));
        let (operation, body) = bodies(
            &object,
            impersonated.is_some() || !is_of_system(&self.user.username),
            is_of_cluster(&self.user.username) && impersonated.is_none(),
            self.request_object,
        )?;
        let credential = self.user.extra.get("authentication.kubernetes.io/credential-id");
        let reason = self.annotations.get("authorization.k8s.io/reason");
        Ok(AuditWrite {
            operation,
            body,
            audit_id: text(Some(self.audit_id)).ok_or(NotUnderstood::Unidentified)?,
            stage: self.stage,
            verb: self.verb,
            account: self.user.username,
            groups: self.user.groups,
            impersonated,
            credential: credential.and_then(|ids| ids.first().cloned()),
            user_agent: text(self.user_agent),
            field_manager: uri::parameter(&self.request_uri, "fieldManager"),
            label_selector: uri::parameter(&self.request_uri, "labelSelector"),
            object,
            code: self.response_status.and_then(|s| s.code),
            version_before: version(reference.resource_version)?,
            resulting_version: version(answer_version)?,
            right: reason.and_then(|r| Right::parse(r)),
            time,
        })
    }
}

/// Accounts that Kubernetes keeps for its own, but for two that people use.
fn is_of_system(account: &str) -> bool {
    account.starts_with("system:") && !["system:admin", "system:anonymous"].contains(&account)
}

/// Accounts of the cluster's own software: all of the system's but service accounts outside of its
/// own namespace.
fn is_of_cluster(account: &str) -> bool {
    let service = account.strip_prefix("system:serviceaccount:");
    is_of_system(account) && service.is_none_or(|name| name.starts_with("kube-system:"))
}

/// What is read of a request's body: of Applications what it says of `.operation`, of other
/// resources what a story tells. `by_other` says that the account is none of the system's,
/// `of_cluster` that it belongs to the cluster itself, whose writes are too many to read.
fn bodies(
    object: &ObjectRef,
    by_other: bool,
    of_cluster: bool,
    raw: Option<&RawValue>,
) -> Result<(RequestedOperation, Option<Box<Body>>), NotUnderstood> {
    let told =
        Body::is_told_of(object) && if object.is_application() { by_other } else { !of_cluster };
    let Some(raw) = raw.filter(|_| told || object.is_application()) else {
        return Ok((RequestedOperation::Unknown, None));
    };
    let value: Value = serde_json::from_str(raw.get())?;
    let operation = requested_operation(object, &value)?;
    let body = (told && (value.is_object() || value.is_array()))
        .then(|| Box::new(Body::of(object, value)));
    Ok((operation, body))
}

fn version(stated: Option<String>) -> Result<Option<ResourceVersion>, NotUnderstood> {
    text(stated).map(|v| ResourceVersion::parse(&v)).transpose()
}

/// What a body says of `.operation`, of Applications only.
fn requested_operation(o: &ObjectRef, body: &Value) -> Result<RequestedOperation, NotUnderstood> {
    match body {
        _ if !o.is_application() => Ok(RequestedOperation::Unknown),
        Value::Object(body) => present(body.get("operation")),
        Value::Array(steps) => from_json_patch(steps),
        _ => Ok(RequestedOperation::Unknown),
    }
}

fn present(value: Option<&Value>) -> Result<RequestedOperation, NotUnderstood> {
    let request = value.map(OperationRequest::read).transpose()?.flatten();
    Ok(request.map_or(RequestedOperation::Absent, |r| RequestedOperation::Present(Box::new(r))))
}

/// A JSON patch (RFC 6902) lists steps; the last one that touches `/operation` decides.
fn from_json_patch(steps: &[Value]) -> Result<RequestedOperation, NotUnderstood> {
    let mut found = RequestedOperation::Absent;
    for step in steps {
        let path = step.get("path").and_then(Value::as_str).unwrap_or_default();
        if path == "/operation" {
            found = present(step.get("value"))?;
        } else if path.starts_with("/operation/") {
            found = RequestedOperation::Part;
        }
    }
    Ok(found)
}
