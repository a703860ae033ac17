//! Deliveries: what an HTTP request brought, taken apart into records.
//!
//! A delivery's record is `{"received_at":…,"event":…,"body":…}`: when the receiver had it, what
//! kind of event its headers name (where the body does not), and the body byte for byte. No other
//! header is kept, so no bearer or signature is. A batch becomes one record per item, in the form
//! that the same item has on its own.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::header::{Header, Identity, NotRecognised, recognise};
use super::json::{JsonError, scan};
use crate::channel::Channel;

/// What a request brought: headers in lower case, and the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// When the receiver had it: RFC 3339, UTC.
    pub received_at: Option<Cow<'a, str>>,
    /// The headers that came with it; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Cow<'a, [u8]>,
}

/// A record that was found in a line or a delivery, and how it is identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Channel and identity.
    pub header: Header,
    /// The record's bytes.
    pub bytes: Vec<u8>,
    /// What identifies it when the source gave it no key: the body alone, so that a redelivery is
    /// the same record.
    pub content: Option<Vec<u8>>,
}

#[derive(Deserialize)]
struct Recorded<'a> {
    #[serde(borrow)]
    received_at: Option<Cow<'a, str>>,
    headers: std::collections::BTreeMap<String, String>,
    #[serde(borrow)]
    body: Cow<'a, str>,
}

impl<'a> Delivery<'a> {
    /// Reads a recorded delivery: a line `{"received_at", "headers", "body"}` whose body is a text.
    pub fn recorded(line: &'a [u8]) -> Option<Self> {
        let recorded: Recorded<'a> = serde_json::from_slice(line).ok()?;
        let headers = recorded.headers.into_iter().map(|(k, v)| (k.to_ascii_lowercase(), v));
        let body = match recorded.body {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Some(Self { received_at: recorded.received_at, headers: headers.collect(), body })
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Takes a delivery apart into its records. With `named` it is taken for that channel. An item
    /// of a batch that is no record is refused by itself, and the others are taken.
    pub fn parts(&self, named: Option<Channel>) -> Result<Parts, NotADelivery> {
        scan(&self.body, &mut |_| {})?;
        if let Some(items) = batch(&self.body, self.header("content-type")) {
            return Ok(items.into_iter().map(|item| self.item(item, named)).collect());
        }
        let binary = self.header("ce-id").zip(self.header("ce-source"));
        if let Some((id, source)) = binary {
            return Ok(vec![Ok(self.binary_cloudevent(id, source))]);
        }
        Ok(vec![Ok(self.whole(named)?)])
    }

    /// The body as one record.
    fn whole(&self, named: Option<Channel>) -> Result<Part, NotADelivery> {
        let (channel, identity, event) = self.channel(named)?;
        let bytes = self.wrapped(event.as_deref());
        let content = (identity == Identity::Content).then(|| self.body.to_vec());
        Ok(Part { header: Header::of(channel, identity), bytes, content })
    }

    /// Which channel sent this: the forges and the ticket system name themselves in headers, the
    /// others in the body.
    fn channel(&self, named: Option<Channel>) -> Result<Named, NotADelivery> {
        let natural = |parts: [Option<&str>; 2]| match parts {
            [Some(event), Some(id)] if !id.is_empty() => {
                Identity::Natural(format!("{}/{id}", slug(event)))
            }
            [None, Some(id)] if !id.is_empty() => Identity::Natural(id.to_owned()),
            _ => Identity::Content,
        };
        let github = self.header("x-github-event");
        let gitlab = self.header("x-gitlab-event");
        let jira = self.header("x-atlassian-webhook-identifier");
        let found = if let Some(event) = github {
            let id = natural([github, self.header("x-github-delivery")]);
            (Channel::GithubWebhook, id, Some(event.to_owned()))
        } else if let Some(event) = gitlab {
            let uuid = self.header("x-gitlab-event-uuid");
            let id = natural([gitlab, self.header("idempotency-key").or(uuid)]);
            (Channel::GitlabWebhook, id, Some(event.to_owned()))
        } else if jira.is_some() {
            (Channel::JiraWebhook, natural([None, jira]), None)
        } else {
            let peek: Peek<'_> = serde_json::from_slice(&self.body).unwrap_or_default();
            let channel = peek.channel().or(named).ok_or(NotRecognised)?;
            let identity = peek.cloudevent().unwrap_or(Identity::Content);
            (channel, identity, None)
        };
        match named {
            Some(channel) if channel != found.0 => Ok((channel, Identity::Content, found.2)),
            _ => Ok(found),
        }
    }

    fn item(&self, item: Item, named: Option<Channel>) -> Result<Part, NotADelivery> {
        match item {
            Item::Whole(bytes) => {
                let header = recognise(&bytes, named)?;
                Ok(Part { header, bytes, content: None })
            }
            Item::Event(body) => {
                let one = Delivery { body: body.into(), headers: Vec::new(), ..self.clone() };
                one.whole(Some(Channel::Cloudevent))
            }
        }
    }

    /// A `CloudEvent` in binary mode has its attributes in headers (`cloudevents/spec`
    /// `cloudevents/bindings/http-protocol-binding.md` 3.1): the record is the structured form.
    fn binary_cloudevent(&self, id: &str, source: &str) -> Part {
        let attribute = |name: &str| self.header(name).unwrap_or_default().to_owned();
        let mut event = serde_json::json!({
            "specversion": attribute("ce-specversion"), "id": id, "source": source,
            "type": attribute("ce-type"),
        });
        for name in ["subject", "time", "dataschema"] {
            if let Some(value) = self.header(&format!("ce-{name}")) {
                event[name] = value.into();
            }
        }
        let attributes = event.to_string();
        let attributes = attributes.trim_end_matches('}');
        let data = String::from_utf8_lossy(&self.body);
        let body = format!("{attributes},\"data\":{data}}}").into_bytes();
        let structured = Delivery { body: body.into(), headers: Vec::new(), ..self.clone() };
        let header = Header::of(Channel::Cloudevent, cloudevent_key(id, source));
        Part { header, bytes: structured.wrapped(None), content: None }
    }

    /// The record: the body, with what the receiver adds in front of it.
    fn wrapped(&self, event: Option<&str>) -> Vec<u8> {
        let mut record = b"{".to_vec();
        let mut member = |name: &str, value: &str| {
            record.extend_from_slice(format!("\"{name}\":").as_bytes());
            record.extend_from_slice(serde_json::Value::from(value).to_string().as_bytes());
            record.push(b',');
        };
        if let Some(at) = &self.received_at {
            member("received_at", at);
        }
        if let Some(event) = event {
            member("event", event);
        }
        record.extend_from_slice(b"\"body\":");
        record.extend_from_slice(self.body.trim_ascii());
        record.push(b'}');
        record
    }
}

/// The records of a delivery, each taken or refused by itself.
pub type Parts = Vec<Result<Part, NotADelivery>>;

/// Channel, identity and the event that the headers name.
type Named = (Channel, Identity, Option<String>);

/// Why a delivery gives no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADelivery {
    /// Its body is not JSON that everybody reads alike.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It belongs to no channel.
    #[error(transparent)]
    NotRecognised(#[from] NotRecognised),
}

/// The members by which a body tells what it is.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Peek<'a> {
    #[serde(borrow)]
    specversion: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    api_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    group_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    webhook_event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    object_kind: Option<Cow<'a, str>>,
}

impl Peek<'_> {
    fn channel(&self) -> Option<Channel> {
        let of_argo = |v: &Cow<'_, str>| v.starts_with("argoproj.io/");
        if self.specversion.is_some() {
            Some(Channel::Cloudevent)
        } else if self.kind.as_deref() == Some("Application")
            && self.api_version.as_ref().is_some_and(of_argo)
        {
            Some(Channel::ArgocdNotification)
        } else if self.group_key.is_some() {
            Some(Channel::AlertmanagerWebhook)
        } else if self.webhook_event.is_some() {
            Some(Channel::JiraWebhook)
        } else {
            self.object_kind.as_ref().map(|_| Channel::GitlabWebhook)
        }
    }

    fn cloudevent(&self) -> Option<Identity> {
        self.specversion.as_ref()?;
        Some(cloudevent_key(self.id.as_deref()?, self.source.as_deref()?))
    }
}

/// A producer must not use an id twice under one source (`CloudEvents` 1.0.2, `id`).
fn cloudevent_key(id: &str, source: &str) -> Identity {
    Identity::Natural(format!("{source}#{id}"))
}

/// An item of a batch.
enum Item {
    /// A record as it stands on its own.
    Whole(Vec<u8>),
    /// A `CloudEvent` in structured form.
    Event(Vec<u8>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventList<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

/// The items of a batch, if the body is one.
fn batch(body: &[u8], content_type: Option<&str>) -> Option<Vec<Item>> {
    if content_type.is_some_and(|t| t.starts_with("application/cloudevents-batch+json")) {
        let events: Vec<&RawValue> = serde_json::from_slice(body).ok()?;
        return Some(events.iter().map(|e| Item::Event(e.get().as_bytes().to_vec())).collect());
    }
    let list: EventList<'_> = serde_json::from_slice(body).ok()?;
    let audit = list.kind == "EventList" && list.api_version.starts_with("audit.k8s.io/");
    audit.then(|| list.items.iter().map(|i| Item::Whole(typed(i, &list.api_version))).collect())
}

/// An item of a list leaves out kind and version, which the same event in a log has.
fn typed(item: &RawValue, api_version: &str) -> Vec<u8> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Typed {
        kind: Option<serde::de::IgnoredAny>,
        api_version: Option<serde::de::IgnoredAny>,
    }
    let own: Option<Typed> = serde_json::from_str(item.get()).ok();
    // Only an object gets them: anything else is no event, and is refused as it is.
    let Some(members) = item.get().trim_start().strip_prefix('{') else {
        return item.get().as_bytes().to_vec();
    };
    let mut first = Vec::new();
    if own.as_ref().is_some_and(|t| t.kind.is_none()) {
        first.push("\"kind\":\"Event\"".to_owned());
    }
    if own.as_ref().is_some_and(|t| t.api_version.is_none()) {
        first.push(format!("\"apiVersion\":{}", serde_json::Value::from(api_version)));
    }
    let empty = members.trim_start().starts_with('}');
    let comma = if first.is_empty() || empty { "" } else { "," };
    format!("{{{}{comma}{members}", first.join(",")).into_bytes()
}

/// A record that was taken out of a wrapper, in which it stood as a text.
fn alone(bytes: Vec<u8>, named: Option<Channel>) -> Result<Part, NotADelivery> {
    scan(&bytes, &mut |_| {})?;
    Ok(Part { header: recognise(&bytes, named)?, bytes, content: None })
}

/// Takes a line apart that carries several records or one in a wrapper; `None` when it is neither.
pub(super) fn unpack(line: &[u8], named: Option<Channel>) -> Option<Result<Parts, NotADelivery>> {
    if let Some(delivery) = Delivery::recorded(line) {
        return Some(delivery.parts(named));
    }
    let events = super::wrapped::audits_of_cloud(line);
    if !events.is_empty() {
        return Some(Ok(events.into_iter().map(|event| alone(event, named)).collect()));
    }
    let peek: Peek<'_> = serde_json::from_slice(line).ok()?;
    let list = peek.kind.as_deref() == Some("EventList");
    (list || peek.channel().is_some()).then(|| {
        let (received_at, headers) = (None, Vec::new());
        Delivery { received_at, headers, body: Cow::Borrowed(line) }.parts(named)
    })
}

/// An event's name as a part of an id: `Merge Request Hook` → `merge-request-hook`.
fn slug(event: &str) -> String {
    event.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "-")
}
