//! Audit events of hosted clusters, which arrive inside a line of the cloud's own log.
//!
//! | cloud | line | where the event is |
//! |---|---|---|
//! | EKS | a `CloudWatch` log event | the text `message` |
//! | AKS | an Azure diagnostic record, category `kube-audit` or `kube-audit-admin` | the text `properties.log` |
//!
//! The event is taken out as it stands, so that it is the same record by whatever way it came.
//! GKE's `protoPayload` is a form of its own and is read by the parser.

use std::borrow::Cow;

use serde::Deserialize;

#[derive(Deserialize)]
struct Wrapper<'a> {
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    properties: Option<Properties<'a>>,
}

#[derive(Deserialize)]
struct Properties<'a> {
    #[serde(borrow)]
    log: Option<Cow<'a, str>>,
}

/// The audit event inside of a cloud's log line, if there is one.
pub(super) fn audit_of_cloud(line: &[u8]) -> Option<Vec<u8>> {
    let wrapper: Wrapper<'_> = serde_json::from_slice(line).ok()?;
    let text = wrapper.message.or(wrapper.properties.and_then(|p| p.log))?;
    let audit = text.trim_start().starts_with('{') && text.contains("\"audit.k8s.io/");
    audit.then(|| text.trim().as_bytes().to_vec())
}
