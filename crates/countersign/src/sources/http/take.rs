//! From a body to sealed entries: which form it has, and whether it is of its source's channel.

use std::borrow::Cow;
use std::collections::BTreeMap;

use evidence::channel::Channel;
use evidence::intake::delivery::{Delivery, NotADelivery};
use evidence::intake::seal::Salts;
use evidence::intake::{Intake, PendingEntry, Refusal, Taken, Terms};
use jiff::Timestamp;

/// What a source's records are taken by: recognised, or taken for the channel of the source.
#[derive(Debug)]
pub(super) struct BothTerms {
    /// Of no named channel.
    pub(super) recognised: Terms,
    /// Of the source's channel.
    pub(super) named: Terms,
}

/// What a body held.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// To be appended.
    pub(super) entries: Vec<PendingEntry>,
    /// Not kept by rule: reads of people.
    pub(super) dropped: BTreeMap<Channel, u64>,
    /// Refused: the record's number in its body, from 1, and the reason.
    pub(super) refused: Vec<(u64, NotTaken)>,
    records: u64,
}

/// Why a record of a body was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// The intake refused it.
    Refused(Refusal),
    /// It is of another channel than its source.
    OtherChannel {
        /// Its own.
        found: Channel,
        /// The source's.
        expected: Channel,
    },
    /// There is nothing in the body.
    Empty,
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A line for each record.
    Lines,
    /// One line.
    Line,
    /// A webhook delivery, or a batch.
    Delivery,
}

/// Takes a body apart.
pub(super) fn take(
    both: &BothTerms,
    headers: Vec<(String, String)>,
    body: &[u8],
    now: Timestamp,
    salts: &mut dyn Salts,
) -> Gathered {
    let mut gathered = Gathered::default();
    if body.trim_ascii().is_empty() {
        gathered.refused.push((0, NotTaken::Empty));
        return gathered;
    }
    let channel = both.named.named;
    let content_type = headers.iter().find(|(n, _)| n == "content-type").map(|(_, v)| v.as_str());
    match form(channel, content_type, body, both.named.record_bytes_max) {
        Form::Lines => {
            let mut intake = Intake::new(&both.named);
            for line in body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii) {
                if !line.is_empty() {
                    gathered.taken(intake.take(line, now, salts), None);
                }
            }
        }
        Form::Line => {
            let taken = Intake::new(&both.named).take(body.trim_ascii(), now, salts);
            gathered.taken(taken, None);
        }
        Form::Delivery => {
            let received_at = Some(Cow::Owned(now.to_string()));
            let delivery = Delivery { received_at, headers, body: Cow::Borrowed(body) };
            gathered.taken(delivered(both, &delivery, now, salts), channel);
        }
    }
    gathered
}

/// Which form a body has. Webhooks and batches say what they are themselves, or in headers;
/// records that stand in lines elsewhere are taken as a line.
fn form(
    channel: Option<Channel>,
    content_type: Option<&str>,
    body: &[u8],
    record_bytes_max: usize,
) -> Form {
    let media = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if ["application/x-ndjson", "application/jsonl", "application/jsonlines"].contains(&media) {
        return Form::Lines;
    }
    match channel {
        None
        | Some(
            Channel::AlertmanagerWebhook
            | Channel::ArgocdNotification
            | Channel::Cloudevent
            | Channel::GithubWebhook
            | Channel::GitlabWebhook
            | Channel::JiraWebhook,
        ) => Form::Delivery,
        // The API server writes the kind first (`kubernetes/apimachinery` `pkg/apis/meta/v1`
        // `TypeMeta` is the first member); in any other order a list is still found in a line.
        Some(Channel::KubernetesAudit)
            if body.len() > record_bytes_max
                || body.trim_ascii_start().starts_with(b"{\"kind\":\"EventList\"") =>
        {
            Form::Delivery
        }
        Some(_) => Form::Line,
    }
}

/// A delivery is first taken for what it says that it is: a source that sends something else is
/// told, and nothing gets under a wrong name. What says nothing is taken for the source's channel.
fn delivered(
    both: &BothTerms,
    delivery: &Delivery<'_>,
    now: Timestamp,
    salts: &mut dyn Salts,
) -> Result<Taken, Refusal> {
    let found = Intake::new(&both.recognised).deliver(delivery, now, salts);
    let mut named = Intake::new(&both.named);
    match (found, both.named.named) {
        (found, Some(_)) if says_nothing(&found) => named.deliver(delivery, now, salts),
        (Err(e), None) if is_nothing(&e) => named.take(delivery.body.trim_ascii(), now, salts),
        (found, _) => found,
    }
}

/// Whether a delivery, or an item of a batch, does not say what it is.
fn says_nothing(found: &Result<Taken, Refusal>) -> bool {
    match found {
        Ok(Taken::Several(several)) => several.iter().any(says_nothing),
        Ok(_) => false,
        Err(refusal) => is_nothing(refusal),
    }
}

fn is_nothing(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::NotRecognised(_) | Refusal::Delivery(NotADelivery::NotRecognised(_)))
}

impl Gathered {
    fn taken(&mut self, taken: Result<Taken, Refusal>, expected: Option<Channel>) {
        if let Ok(Taken::Several(several)) = taken {
            for taken in several {
                self.taken(taken, expected);
            }
            return;
        }
        self.records += 1;
        let other = |found: Channel| match expected {
            Some(expected) if found != expected => Some(NotTaken::OtherChannel { found, expected }),
            _ => None,
        };
        let not_taken = match taken {
            Ok(Taken::Pending(entry)) => match other(entry.cite.channel) {
                Some(not_taken) => not_taken,
                None => return self.entries.push(*entry),
            },
            Ok(Taken::ReadByPerson(channel)) => match other(channel) {
                Some(not_taken) => not_taken,
                None => return *self.dropped.entry(channel).or_default() += 1,
            },
            // Handled above.
            Ok(Taken::Several(_)) => return,
            Err(refusal) => NotTaken::Refused(refusal),
        };
        self.refused.push((self.records, not_taken));
    }

    /// Whether nothing of the body was taken, though there was something.
    pub(super) fn is_refused_whole(&self) -> bool {
        self.entries.is_empty() && self.dropped.is_empty() && !self.refused.is_empty()
    }
}

impl NotTaken {
    /// The reason and what to do. Quotes nothing of the payload but, at the most, the name of a key
    /// that stands twice.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Refused(Refusal::TooLong { bytes, limit }) => format!(
                "a record of {bytes} bytes is over the limit of {limit}; raise record-bytes of the source if it is genuine"
            ),
            Self::Refused(
                Refusal::NotRecognised(_) | Refusal::Delivery(NotADelivery::NotRecognised(_)),
            ) => "not recognised as a record of any channel; name the source's channel in the sources file".to_owned(),
            Self::Refused(refusal) => refusal.to_string(),
            Self::OtherChannel { found, expected } => format!(
                "a record of channel {found}, where this source sends {expected}; post it to the path of its own source"
            ),
            Self::Empty => "the body is empty; send the record as its JSON".to_owned(),
        }
    }

    /// The status of an answer that has nothing better to say.
    pub(super) const fn status(&self) -> hyper::StatusCode {
        use hyper::StatusCode;
        match self {
            Self::Refused(Refusal::TooLong { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Empty
            | Self::Refused(Refusal::Json(_) | Refusal::Delivery(NotADelivery::Json(_))) => {
                StatusCode::BAD_REQUEST
            }
            Self::Refused(_) | Self::OtherChannel { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}
