//! Recognising a line: which channel it belongs to, what identifies it, and whether it is kept.
//!
//! Reads the few members that decide and nothing else; the channels' parsers read the rest later.

use std::borrow::Cow;

use serde::Deserialize;

use crate::channel::Channel;

mod other;

/// What a line is, as far as its identity goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The channel that it belongs to.
    pub channel: Channel,
    /// What identifies it within the channel.
    pub identity: Identity,
    /// Whether it is about a Secret, whose data must be cut.
    pub secret_object: bool,
    /// Whether a person read something that is no secret: such a line is not kept.
    pub read_by_person: bool,
}

/// What identifies a record within its channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A key that the source gave it.
    Natural(String),
    /// The source gives none: its content, and how often that occurred before in its file.
    Content,
}

impl Header {
    /// A record that is no Secret and no person's read.
    pub(super) const fn of(channel: Channel, identity: Identity) -> Self {
        Self { channel, identity, secret_object: false, read_by_person: false }
    }
}

/// The line belongs to no channel that this program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not recognised as a record of any channel")]
pub struct NotRecognised;

#[derive(Deserialize)]
struct Line<'a> {
    // A Kubernetes watch line.
    #[serde(borrow, rename = "type")]
    watch_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    object: Option<Object<'a>>,
    // An audit event.
    #[serde(borrow, rename = "apiVersion")]
    api_version: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "auditID")]
    audit_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    stage: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "stageTimestamp")]
    stage_timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    verb: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user: Option<User<'a>>,
    #[serde(borrow, rename = "objectRef")]
    object_ref: Option<ObjectRef<'a>>,
}

#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "apiVersion")]
    api_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    uid: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "resourceVersion")]
    resource_version: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct User<'a> {
    #[serde(borrow)]
    username: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct ObjectRef<'a> {
    #[serde(borrow)]
    resource: Option<Cow<'a, str>>,
    #[serde(borrow)]
    subresource: Option<Cow<'a, str>>,
}

/// Recognises a line that is known to be valid JSON. With `named`, the line is taken for that
/// channel whatever it looks like; what cannot identify it then is its content.
pub fn recognise(line: &[u8], named: Option<Channel>) -> Result<Header, NotRecognised> {
    let read: Option<Line<'_>> = serde_json::from_slice(line).ok();
    let header = read.as_ref().and_then(|l| watch(l).or_else(|| audit(l)));
    let header = header.or_else(|| other::recognise(line));
    match (header, named) {
        (Some(header), None) => Ok(header),
        (Some(header), Some(channel)) if header.channel == channel => Ok(header),
        (header, Some(channel)) => Ok(Header {
            channel,
            identity: Identity::Content,
            // Whatever the operator calls it, a Secret is one.
            secret_object: header.is_some_and(|h| h.secret_object),
            read_by_person: false,
        }),
        (None, None) => Err(NotRecognised),
    }
}

/// A line of a watch: `{"type": …, "object": …}` (Kubernetes API concepts, "Efficient detection of
/// changes").
fn watch(line: &Line<'_>) -> Option<Header> {
    let (kind_of_line, object) = (line.watch_type.as_deref()?, line.object.as_ref()?);
    let known = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"].contains(&kind_of_line);
    let kind = object.kind.as_deref()?;
    let api_version = object.api_version.as_deref().unwrap_or_default();
    let channel = watch_channel(kind, api_version);
    // Objects come in several forms under one uid and version: whole, as metadata alone, in two
    // API groups. Each form is a record of its own.
    let form = match channel {
        Channel::KubernetesObjectWatch => format!("{api_version}/{kind}/"),
        _ => String::new(),
    };
    known.then(|| Header {
        channel,
        identity: watch_identity(kind_of_line, kind, &form, object.metadata.as_ref()),
        secret_object: matches!(kind, "Secret" | "SecretList" | "PartialObjectMetadata"),
        read_by_person: false,
    })
}

fn watch_channel(kind: &str, api_version: &str) -> Channel {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    match (kind, group) {
        ("Application", "argoproj.io") => Channel::ArgocdApplicationWatch,
        // The same Event in its other form (`events.k8s.io`) has other members: it is kept with the
        // objects, so that it never takes the key of the form that is read.
        ("Event", "") => Channel::KubernetesEventWatch,
        _ => Channel::KubernetesObjectWatch,
    }
}

fn watch_identity(
    kind_of_line: &str,
    kind: &str,
    form: &str,
    metadata: Option<&Metadata<'_>>,
) -> Identity {
    let version = metadata.and_then(|m| m.resource_version.as_deref()).filter(|v| !v.is_empty());
    let uid = metadata.and_then(|m| m.uid.as_deref()).filter(|u| !u.is_empty());
    match (kind_of_line, uid, version) {
        ("BOOKMARK", _, Some(version)) => Identity::Natural(format!("bookmark/{kind}/{version}")),
        ("DELETED", Some(uid), Some(version)) => {
            Identity::Natural(format!("{form}{uid}/{version}/deleted"))
        }
        ("ADDED" | "MODIFIED", Some(uid), Some(version)) => {
            Identity::Natural(format!("{form}{uid}/{version}"))
        }
        _ => Identity::Content,
    }
}

/// An audit event. The time of the stage is part of the key: a caller may choose the audit id
/// itself (header `Audit-ID`), but not the API server's clock, so nobody can pass a write off as
/// the redelivery of an earlier one.
fn audit(line: &Line<'_>) -> Option<Header> {
    let version = line.api_version.as_deref()?;
    let id = line.audit_id.as_deref().filter(|_| version.starts_with("audit.k8s.io/"))?;
    let resource = line.object_ref.as_ref().and_then(|o| o.resource.as_deref());
    let user = line.user.as_ref().and_then(|u| u.username.as_deref()).unwrap_or_default();
    // A session into a pod starts as a `get` too (`kubernetes/kubernetes`
    // `pkg/registry/core/pod/rest/subresources.go`), and is no read.
    let subresource = line.object_ref.as_ref().and_then(|o| o.subresource.as_deref());
    let acts = matches!(subresource, Some("exec" | "attach" | "portforward" | "proxy"));
    let reads = !acts && matches!(line.verb.as_deref(), Some("get" | "list" | "watch"));
    let identity = match (line.stage.as_deref(), line.stage_timestamp.as_deref()) {
        (Some(stage), Some(at)) => Identity::Natural(format!("{id}/{stage}/{at}")),
        _ => Identity::Content,
    };
    Some(Header {
        channel: Channel::KubernetesAudit,
        identity,
        secret_object: resource == Some("secrets"),
        read_by_person: reads && resource != Some("secrets") && !user.starts_with("system:"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_what_identifies_them() {
        let audit = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a-1","stage":"ResponseComplete","stageTimestamp":"2026-01-01T00:00:00.000001Z","verb":"VERB","user":{"username":"USER"},"objectRef":{"resource":"RES"}}"#;
        let natural = |key: &str| Identity::Natural(key.to_owned());
        let key = natural("a-1/ResponseComplete/2026-01-01T00:00:00.000001Z");
        let fill = |verb: &str, user: &str, resource: &str| {
            audit
                .replace("VERB", verb)
                .replace("USER", user)
                .replace("RES\"", &format!("{resource}\""))
        };
        let table = [
            (r#"{"type":"ADDED","object":{"kind":"Application","apiVersion":"argoproj.io/v1alpha1","metadata":{"uid":"u","resourceVersion":"7"}}}"#.to_owned(),
             Channel::ArgocdApplicationWatch, natural("u/7"), false, false),
            (r#"{"type":"DELETED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"uid":"u","resourceVersion":"7"}}}"#.to_owned(),
             Channel::KubernetesObjectWatch, natural("v1/Pod/u/7/deleted"), false, false),
            (r#"{"type":"BOOKMARK","object":{"kind":"Event","apiVersion":"v1","metadata":{"resourceVersion":"9"}}}"#.to_owned(),
             Channel::KubernetesEventWatch, natural("bookmark/Event/9"), false, false),
            (r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","code":410}}"#.to_owned(),
             Channel::KubernetesObjectWatch, Identity::Content, false, false),
            (r#"{"type":"ADDED","object":{"kind":"Secret","apiVersion":"v1","metadata":{"uid":"u","resourceVersion":"7"}}}"#.to_owned(),
             Channel::KubernetesObjectWatch, natural("v1/Secret/u/7"), true, false),
            (fill("patch", "a@b.example", "deployments"), Channel::KubernetesAudit, key.clone(), false, false),
            (fill("get", "a@b.example", "deployments"), Channel::KubernetesAudit, key.clone(), false, true),
            (fill("get", "a@b.example", "secrets"), Channel::KubernetesAudit, key.clone(), true, false),
            (fill("get", "a@b.example", r#"pods","subresource":"exec"#), Channel::KubernetesAudit, key.clone(), false, false),
            (fill("get", "a@b.example", r#"pods","subresource":"log"#), Channel::KubernetesAudit, key.clone(), false, true),
            (r#"{"type":"ADDED","object":{"kind":"Event","apiVersion":"events.k8s.io/v1","metadata":{"uid":"u","resourceVersion":"7"}}}"#.to_owned(),
             Channel::KubernetesObjectWatch, natural("events.k8s.io/v1/Event/u/7"), false, false),
            (fill("list", "system:kube-scheduler", "pods"), Channel::KubernetesAudit, key.clone(), false, false),
        ];
        for (line, channel, identity, secret_object, read_by_person) in table {
            let expected = Header { channel, identity, secret_object, read_by_person };
            assert_eq!(recognise(line.as_bytes(), None), Ok(expected), "{line}");
        }
    }

    #[test]
    fn other_lines_need_a_name() {
        for line in
            [r"{}", r#"{"type":"ADDED"}"#, r#"{"type":"SUNG","object":{"kind":"Pod"}}"#, "[]", "7"]
        {
            assert_eq!(recognise(line.as_bytes(), None), Err(NotRecognised), "{line}");
            let named = recognise(line.as_bytes(), Some(Channel::KubernetesAudit)).expect("named");
            assert_eq!(named.identity, Identity::Content);
        }
    }
}
