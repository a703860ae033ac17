//! What a sender's own clock says. A delivery whose time is far off is kept: it is evidence of a
//! clock that is off, and a record refused for it would be lost.

use std::borrow::Cow;

use evidence::channel::Channel;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// The members in which deliveries say when they were sent.
#[derive(Deserialize)]
struct Stamps<'a> {
    // A CloudEvent: when it occurred (`cloudevents/spec` `cloudevents/spec.md`, `time`).
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    // Jira: milliseconds since 1970 (Atlassian, "Webhooks", "timestamp").
    timestamp: Option<i64>,
}

/// How far the sender was ahead of `now`, where the delivery says when it was sent.
pub(super) fn ahead(
    channel: Channel,
    headers: &[(String, String)],
    body: &[u8],
    now: Timestamp,
) -> Option<SignedDuration> {
    if !matches!(channel, Channel::Cloudevent | Channel::JiraWebhook) {
        return None;
    }
    let header = headers.iter().find(|(name, _)| name == "ce-time").map(|(_, v)| v.as_str());
    let sent = if let Some(text) = header {
        text.parse().ok()?
    } else {
        let stamps: Stamps<'_> = serde_json::from_slice(body).ok()?;
        match (channel, stamps.time, stamps.timestamp) {
            (Channel::Cloudevent, Some(text), _) => text.parse().ok()?,
            (Channel::JiraWebhook, _, Some(millis)) => Timestamp::from_millisecond(millis).ok()?,
            _ => return None,
        }
    };
    Some(sent.duration_since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row<'a> = (Channel, &'a [(String, String)], &'a str, Option<i64>);

    #[test]
    fn what_deliveries_say_of_their_time() {
        let now: Timestamp = "2026-11-23T21:00:00Z".parse().expect("a time");
        let header = [("ce-time".to_owned(), "2026-11-23T20:59:00Z".to_owned())];
        let table: [Row<'_>; 9] = [
            (Channel::Cloudevent, &[], r#"{"time":"2026-11-23T22:00:00+00:00"}"#, Some(3600)),
            (Channel::Cloudevent, &header, r#"{"time":"2026-11-23T22:00:00Z"}"#, Some(-60)),
            (Channel::Cloudevent, &[], r#"{"time":"soon"}"#, None),
            (Channel::Cloudevent, &[], r#"{"timestamp":1795467600000}"#, None),
            (Channel::JiraWebhook, &[], r#"{"timestamp":1795467601000}"#, Some(1)),
            (Channel::JiraWebhook, &[], r#"{"timestamp":9223372036854775807}"#, None),
            (Channel::JiraWebhook, &[], r#"{"timestamp":"x"}"#, None),
            (Channel::GithubWebhook, &[], r#"{"time":"2026-11-23T22:00:00Z"}"#, None),
            (Channel::Cloudevent, &[], "[]", None),
        ];
        for (channel, headers, body, expected) in table {
            let found = ahead(channel, headers, body.as_bytes(), now).map(|d| d.as_secs());
            assert_eq!(found, expected, "{channel} {body}");
        }
    }
}
