//! Audit events of hosted clusters, which arrive inside a line of the cloud's own log.
//!
//! | cloud | line | where the events are |
//! |---|---|---|
//! | EKS | a `CloudWatch` log event | the text `message` |
//! | EKS | what a subscription of `CloudWatch` Logs sends, `DATA_MESSAGE` | `logEvents`, each with its `message` |
//! | EKS | an answer of `aws logs filter-log-events` | `events`, each with its `message` |
//! | AKS | an Azure diagnostic record, category `kube-audit` or `kube-audit-admin` | the text `properties.log` |
//! | AKS | what Azure writes to an event hub | `records`, each with its `properties.log` |
//!
//! An event is taken out as it stands, so that it is the same record by whatever way it came. Log
//! events of other components in the same batch are no audit events, and are passed over. GKE's
//! `protoPayload` is a form of its own and is read by the parser.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch<'a> {
    #[serde(borrow, alias = "events", alias = "records")]
    log_events: Vec<&'a RawValue>,
}

/// The audit events inside of a cloud's log line; none where there are none.
pub(super) fn audits_of_cloud(line: &[u8]) -> Vec<Vec<u8>> {
    if let Some(event) = audit_of(line) {
        return vec![event];
    }
    let batch: Option<Batch<'_>> = serde_json::from_slice(line).ok();
    let items = batch.map(|b| b.log_events).unwrap_or_default();
    items.iter().filter_map(|item| audit_of(item.get().as_bytes())).collect()
}

fn audit_of(item: &[u8]) -> Option<Vec<u8>> {
    let wrapper: Wrapper<'_> = serde_json::from_slice(item).ok()?;
    let text = wrapper.message.or(wrapper.properties.and_then(|p| p.log))?;
    let audit = text.trim_start().starts_with('{') && text.contains("\"audit.k8s.io/");
    audit.then(|| text.trim().as_bytes().to_vec())
}
