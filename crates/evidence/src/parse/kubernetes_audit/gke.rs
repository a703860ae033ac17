//! Audit entries of GKE: `LogEntry` of Google's Cloud Logging with an `AuditLog` as `protoPayload`
//! (`googleapis/googleapis` `google/cloud/audit/audit_log.proto`).
//!
//! `methodName` ends in the verb; `resourceName` is the path of the object without its prefix, such
//! as `apps/v1/namespaces/shop/deployments/web`. The entry names no credential and no groups, and
//! of a refusal only a code of gRPC.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{AuditEvent, RawEvent, RawObjectRef, RawResponse, RawStatus, RawUser};
use crate::parse::{NotUnderstood, nullable};
use crate::time::Moment;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    insert_id: Option<String>,
    #[serde(borrow)]
    proto_payload: Proto<'a>,
    timestamp: Moment,
    #[serde(default, deserialize_with = "nullable")]
    labels: std::collections::BTreeMap<String, String>,
    #[serde(default, deserialize_with = "nullable")]
    operation: Operation,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proto<'a> {
    service_name: String,
    method_name: String,
    #[serde(default, deserialize_with = "nullable")]
    resource_name: String,
    #[serde(default, deserialize_with = "nullable")]
    authentication_info: AuthenticationInfo,
    #[serde(default, deserialize_with = "nullable")]
    request_metadata: RequestMetadata,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
    response: Option<RawResponse>,
    #[serde(default, deserialize_with = "nullable")]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthenticationInfo {
    #[serde(default, deserialize_with = "nullable")]
    principal_email: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestMetadata {
    caller_supplied_user_agent: Option<String>,
}

#[derive(Default, Deserialize)]
struct Status {
    code: Option<u16>,
}

/// A request that takes long is logged when it starts and when it ends.
#[derive(Default, Deserialize)]
struct Operation {
    id: Option<String>,
    first: Option<serde_json::Value>,
    last: Option<serde_json::Value>,
}

/// Reads an entry; `None` when the line is none.
pub(super) fn parse(line: &[u8]) -> Option<Result<AuditEvent, NotUnderstood>> {
    let entry: Entry<'_> = serde_json::from_slice(line).ok()?;
    (entry.proto_payload.service_name == "k8s.io").then(|| entry.into_event())
}

impl Entry<'_> {
    fn into_event(self) -> Result<AuditEvent, NotUnderstood> {
        let proto = self.proto_payload;
        let verb = proto.method_name.rsplit('.').next().unwrap_or_default().to_owned();
        let unfinished = self.operation.first.is_some() && self.operation.last.is_none();
        let stage = if unfinished { "ResponseStarted" } else { "ResponseComplete" };
        let audit_id = self.operation.id.or(self.insert_id).unwrap_or_default();
        let raw = RawEvent {
            api_version: "audit.k8s.io/v1".to_owned(),
            kind: "Event".to_owned(),
            audit_id,
            stage: stage.to_owned(),
            verb,
            request_uri: String::new(),
            user: RawUser {
                username: proto.authentication_info.principal_email,
                ..RawUser::default()
            },
            impersonated_user: None,
            user_agent: proto.request_metadata.caller_supplied_user_agent,
            object_ref: object(&proto.resource_name),
            response_status: Some(RawStatus { code: Some(http(proto.status.code)) }),
            request_object: proto.request,
            response_object: proto.response,
            request_received_timestamp: self.timestamp,
            stage_timestamp: self.timestamp,
            annotations: self.labels,
        };
        raw.into_event()
    }
}

/// `[group/]version/[namespaces/<namespace>/]<resource>[/<name>[/<subresource>…]]`, where the core
/// group is called `core`.
fn object(path: &str) -> RawObjectRef {
    let mut parts = path.split('/');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (group, _version) = (next(), next());
    let (mut resource, mut namespace) = (next(), String::new());
    let mut name = next();
    let mut rest = next();
    if resource == "namespaces" && !rest.is_empty() && !is_part_of_namespace(&rest) {
        namespace = name;
        resource = rest;
        name = next();
        rest = next();
    }
    RawObjectRef {
        api_group: if group == "core" { String::new() } else { group },
        resource,
        subresource: rest,
        namespace,
        name,
        uid: None,
        resource_version: None,
    }
}

/// Parts of a namespace itself (`kubernetes/kubernetes` `pkg/registry/core/rest/storage_core.go`).
fn is_part_of_namespace(name: &str) -> bool {
    matches!(name, "status" | "finalize")
}

/// The HTTP status that stands for a code of gRPC (`googleapis/googleapis`
/// `google/rpc/code.proto`); success is no code or 0.
fn http(code: Option<u16>) -> u16 {
    match code.unwrap_or_default() {
        0 => 200,
        3 | 9 | 11 => 400,
        16 => 401,
        7 => 403,
        5 => 404,
        6 | 10 => 409,
        8 => 429,
        http @ 100.. => http,
        _ => 500,
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn a_resource_name_is_taken_apart() {
        for (path, expected) in [
            ("core/v1/namespaces/shop/pods/a", ["", "pods", "", "shop", "a"]),
            ("core/v1/namespaces/shop/pods/a/exec", ["", "pods", "exec", "shop", "a"]),
            ("core/v1/namespaces/shop", ["", "namespaces", "", "", "shop"]),
            ("core/v1/namespaces/shop/finalize", ["", "namespaces", "finalize", "", "shop"]),
            ("core/v1/namespaces/shop/secrets", ["", "secrets", "", "shop", ""]),
            (
                "apps/v1/namespaces/shop/deployments/web/scale",
                ["apps", "deployments", "scale", "shop", "web"],
            ),
            (
                "rbac.authorization.k8s.io/v1/clusterroles/edit",
                ["rbac.authorization.k8s.io", "clusterroles", "", "", "edit"],
            ),
            ("", ["", "", "", "", ""]),
        ] {
            let o = object(path);
            let read = [o.api_group, o.resource, o.subresource, o.namespace, o.name];
            assert_eq!(read, expected, "{path}");
        }
    }
}
