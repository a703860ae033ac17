//! What an Application's `.operation` asks for, as far as the story reads it.
//!
//! The field stands in watch versions and in the request bodies of audited writes. Whoever may
//! write the Application may put anything into it, so all of it is the subject's own word.
//! Shape: `argoproj/argo-cd` `pkg/apis/application/v1alpha1/types.go`, type `Operation`.

use serde::Deserialize;
use serde_json::Value;

use super::{NotUnderstood, nullable, text};
use crate::record::{CUT, REDACTED};

/// A requested operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRequest {
    /// The whole field, without an empty `retry`: what two requests are compared by.
    whole: Value,
    /// Who the request says started it; `None` when it names nobody.
    pub username: Option<String>,
    /// Whether the request says that Argo CD started it by itself.
    pub automated: bool,
    /// The revision asked for: a commit, a branch, a tag or a chart version.
    pub revision: Option<String>,
    /// The revisions asked for, of an Application with several sources.
    pub revisions: Vec<String>,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// Whether manifests came with the request instead of from a repository.
    pub local_manifests: bool,
    /// The resources that the operation was limited to; empty when it was not.
    pub resources: Vec<ResourceRef>,
    /// How often Argo CD tried to heal this revision; 0 when it was no self-heal.
    pub heal_attempts: u64,
    /// Free name and value pairs given with the request, such as a ticket.
    pub info: Vec<(String, String)>,
}

/// A Kubernetes resource as Argo CD names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResourceRef {
    /// The API group; empty for the core group.
    #[serde(default, deserialize_with = "nullable")]
    pub group: String,
    /// The kind, such as `Deployment`.
    #[serde(default, deserialize_with = "nullable")]
    pub kind: String,
    /// The namespace; empty when the request names none.
    #[serde(default, deserialize_with = "nullable")]
    pub namespace: String,
    /// The name.
    #[serde(default, deserialize_with = "nullable")]
    pub name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRequest {
    #[serde(default, deserialize_with = "nullable")]
    initiated_by: RawInitiator,
    #[serde(default, deserialize_with = "nullable")]
    sync: RawSync,
    #[serde(default, deserialize_with = "nullable")]
    info: Vec<RawInfo>,
}

/// `initiatedBy`, in a request and in a row of the history.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct RawInitiator {
    pub(crate) username: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) automated: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSync {
    revision: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    revisions: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    dry_run: bool,
    #[serde(default, deserialize_with = "nullable")]
    manifests: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    resources: Vec<ResourceRef>,
    #[serde(default, deserialize_with = "nullable")]
    auto_heal_attempts_count: u64,
}

#[derive(Deserialize)]
struct RawInfo {
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    value: String,
}

impl OperationRequest {
    /// Reads the field; `null` is the absence of an operation.
    pub fn read(value: &Value) -> Result<Option<Self>, NotUnderstood> {
        if value.is_null() {
            return Ok(None);
        }
        if !value.is_object() {
            return Err(NotUnderstood::Shape { column: 0 });
        }
        let raw = RawRequest::deserialize(value)?;
        Ok(Some(Self {
            whole: without_empty_retry(value),
            username: text(raw.initiated_by.username),
            automated: raw.initiated_by.automated,
            revision: text(raw.sync.revision),
            revisions: raw.sync.revisions,
            dry_run: raw.sync.dry_run,
            local_manifests: !raw.sync.manifests.is_empty(),
            resources: raw.sync.resources,
            heal_attempts: raw.sync.auto_heal_attempts_count,
            info: raw.info.into_iter().map(|i| (i.name, i.value)).collect(),
        }))
    }

    /// Whether two versions carry the same request.
    ///
    /// A part that was cut or erased in one of them equals anything: erasing a name later must not
    /// turn one operation into two.
    pub fn same_as(&self, other: &Self) -> bool {
        agree(&self.whole, &other.whole)
    }
}

/// The API server's stream adds `retry: {}` where the watch has none: both are the same request.
fn without_empty_retry(value: &Value) -> Value {
    let mut whole = value.clone();
    if let Some(fields) = whole.as_object_mut() {
        let empty = fields.get("retry").is_some_and(|retry| {
            retry.is_null() || retry.as_object().is_some_and(serde_json::Map::is_empty)
        });
        if empty {
            fields.remove("retry");
        }
    }
    whole
}

fn agree(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a == b || is_marked(a) || is_marked(b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| agree(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| agree(a, b)))
        }
        _ => a == b,
    }
}

fn is_marked(text: &str) -> bool {
    text.contains(REDACTED) || text.contains(CUT)
}
