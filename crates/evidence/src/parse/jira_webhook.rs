//! Webhook deliveries of Jira: which status a ticket got, from whom.
//!
//! Shapes: Atlassian's "Webhooks" for Jira Cloud and Data Center: `jira:issue_created` and
//! `jira:issue_updated` with `timestamp` (milliseconds), `user`, `issue` and `changelog.items`.
//! Cloud names accounts by `accountId`, Data Center by `name`.

use jiff::Timestamp;
use serde::Deserialize;

use super::forge::open;
use super::{NotUnderstood, nullable, text};
use crate::time::Moment;

/// What a delivery says of its ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketDelivery {
    /// When it was, by Jira, else when it was received.
    pub at: Option<Moment>,
    /// Changes of status, in the order of the delivery.
    pub changes: Vec<TicketStatus>,
}

/// A change of a ticket's status, or its first status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketStatus {
    /// The ticket.
    pub key: String,
    /// The status before; `None` for the first one.
    pub before: Option<String>,
    /// The status after.
    pub after: String,
    /// The account that set it, as Jira authenticated it.
    pub who: Option<String>,
    /// When it was, by Jira, else when it was received.
    pub at: Option<Moment>,
    /// The ticket's summary then.
    pub summary: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "webhookEvent", default)]
    event: Option<String>,
    #[serde(default)]
    timestamp: Option<i64>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    issue: Option<Issue>,
    #[serde(default)]
    changelog: Option<Changelog>,
}

#[derive(Deserialize)]
struct User {
    #[serde(rename = "accountId", default)]
    account_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    key: Option<String>,
}

impl User {
    fn account(self) -> Option<String> {
        text(self.account_id).or(text(self.name)).or(text(self.key))
    }
}

#[derive(Deserialize)]
struct Issue {
    #[serde(default)]
    key: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    fields: Fields,
}

#[derive(Default, Deserialize)]
struct Fields {
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Changelog {
    #[serde(default, deserialize_with = "nullable")]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    field: Option<String>,
    #[serde(rename = "fieldId", default)]
    field_id: Option<String>,
    #[serde(rename = "fromString", default)]
    from: Option<String>,
    #[serde(rename = "toString", default)]
    to: Option<String>,
}

impl Item {
    /// A custom field may bear the name; the id says which it is, where there is one.
    fn is_status(&self) -> bool {
        self.field_id.as_deref().or(self.field.as_deref()) == Some("status")
    }
}

/// Reads a delivery.
pub fn parse(record: &[u8]) -> Result<TicketDelivery, NotUnderstood> {
    let opened = open(record)?;
    let payload: Payload = serde_json::from_slice(opened.body)?;
    let at = payload.timestamp.and_then(millisecond).or(opened.received_at);
    let created = match payload.event.as_deref() {
        Some("jira:issue_created") => true,
        Some("jira:issue_updated") => false,
        _ => return Ok(TicketDelivery { at, changes: Vec::new() }),
    };
    let issue = payload.issue.ok_or(NotUnderstood::Shape { column: 0 })?;
    let key = text(issue.key).ok_or(NotUnderstood::Unidentified)?;
    let items = payload.changelog.map(|c| c.items).unwrap_or_default();
    let mut steps: Vec<(Option<String>, String)> = items
        .into_iter()
        .filter(Item::is_status)
        .filter_map(|item| Some((text(item.from), text(item.to)?)))
        .collect();
    if created && steps.is_empty() {
        let first = issue.fields.status.and_then(|s| text(s.name));
        steps.extend(first.map(|status| (None, status)));
    }
    let (who, summary) = (payload.user.and_then(User::account), text(issue.fields.summary));
    let status = |(before, after)| {
        let (key, who, summary) = (key.clone(), who.clone(), summary.clone());
        TicketStatus { key, before, after, who, at, summary }
    };
    Ok(TicketDelivery { at, changes: steps.into_iter().map(status).collect() })
}

/// A stamp in milliseconds is as wide as one of them.
fn millisecond(stamp: i64) -> Option<Moment> {
    let stamp = Timestamp::from_millisecond(stamp).ok()?;
    Moment::parse(&format!("{stamp:.3}")).ok()
}
