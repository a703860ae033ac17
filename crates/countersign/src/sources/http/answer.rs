//! Answers: what became of a delivery, or what is wrong with it and what to do.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use evidence::channel::Channel;
use hyper::StatusCode;
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use serde_json::json;

use super::authenticate::Unauthenticated;
use super::body::Unread;
use super::take::{Gathered, NotTaken};

/// Refused records that an answer names one by one.
const REFUSED_NAMED: usize = 10;

/// What became of a delivery: all that is counted here is durable.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "the fields are named as in the answer")]
pub(super) struct Accepted {
    /// Appended.
    pub(super) accepted: u64,
    /// Already there.
    pub(super) known: u64,
    /// Not kept by rule.
    pub(super) dropped: u64,
    /// Refused, with number and reason.
    pub(super) refused: Vec<(u64, String)>,
    /// The smallest and the largest index of the delivery's records.
    pub(super) entries: Option<(u64, u64)>,
}

/// Why a request was not accepted.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    /// What is wrong and what to do; nothing of a secret and nothing of a body.
    pub(super) detail: String,
    header: Option<(HeaderName, String)>,
    /// The rest of the request is not read.
    close: bool,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), header: None, close: false }
    }

    fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    fn retried(self, after: Duration) -> Self {
        // Whole seconds, and at least one: 0 would be a busy loop.
        let seconds = after.as_millis().div_ceil(1000).max(1);
        self.with(RETRY_AFTER, seconds.to_string())
    }

    pub(super) fn unauthenticated(why: &Unauthenticated, challenge: String) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, why.to_string()).with(WWW_AUTHENTICATE, challenge)
    }

    pub(super) fn unread(why: Unread, limit: usize, seconds: f64) -> Self {
        match why {
            Unread::TooLarge => Self::too_large(limit),
            Unread::TooSlow => Self::new(
                StatusCode::REQUEST_TIMEOUT,
                format!("the body took longer than {seconds} s; send it again"),
            )
            .closing(),
            Unread::NoMemory => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "other bodies take the server's memory; send it again later",
            )
            .retried(Duration::from_secs(1))
            .closing(),
            Unread::BrokenOff => {
                Self::new(StatusCode::BAD_REQUEST, "the body broke off; send it again").closing()
            }
            Unread::NotGzip => Self::new(
                StatusCode::BAD_REQUEST,
                "the body is no whole gzip stream, though Content-Encoding says so; send it again, or unpacked",
            ),
        }
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!(
            "the body is over the limit of {limit} bytes of this source; send smaller batches, or raise body-bytes in the sources file"
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail).closing()
    }

    pub(super) fn encoding() -> Self {
        let detail = "this Content-Encoding is not understood; send gzip or nothing";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail).with(ACCEPT_ENCODING, "gzip")
    }

    pub(super) fn form() -> Self {
        let detail = "the body is a form; set the webhook's content type to application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    pub(super) fn too_many(after: Duration) -> Self {
        let detail = "this source sends more than its rate allows; send it again later, or raise rate in the sources file";
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).retried(after)
    }

    pub(super) fn busy() -> Self {
        let detail = "the ledger does not keep up; send it again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retried(Duration::from_secs(1))
    }

    /// The ledger could not take it. Why is for the operator, not for the sender.
    pub(super) fn ledger() -> Self {
        let detail = "the records could not be made durable; send them again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retried(Duration::from_secs(5))
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no source has this path; compare it with the sources file",
        )
    }

    /// Nobody may ask.
    pub(super) fn no_reader() -> Self {
        let detail = "nobody may read here: add [[reader]] name = \"…\", auth = { bearer = { token-file = \"…\" } } to the sources file and restart (docs/api.md)";
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub(super) fn asked_too_often(after: Duration) -> Self {
        let detail = "this reader asks more often than its rate allows; ask again later, or raise rate in the sources file";
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail).retried(after)
    }

    /// A question that cannot be understood.
    pub(super) fn question(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A question about something that is not there.
    pub(super) fn nothing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// Too many answers are being made.
    pub(super) fn answering() -> Self {
        let detail = "too many answers are being made; ask again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retried(Duration::from_secs(1))
    }

    /// The first story is not there yet.
    pub(super) fn deriving() -> Self {
        let detail = "the story is being derived from all records; ask again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retried(Duration::from_secs(5))
    }

    /// The story does not go as far as was asked for.
    pub(super) fn behind(wanted: u64, held: u64, published: u64) -> Self {
        let detail = if wanted > published {
            format!("min_size={wanted}: the ledger has {published} entries")
        } else {
            format!(
                "min_size={wanted}: the story goes up to {held} of {published} entries; ask again later"
            )
        };
        Self::new(StatusCode::CONFLICT, detail).retried(Duration::from_secs(1))
    }

    /// The ledger gives no answer. Why is for the operator.
    pub(super) fn unverified() -> Self {
        let detail = "the ledger does not verify or cannot be read, so nothing is answered from it; see the server's log and run `countersign ledger fsck`";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    pub(super) fn method() -> Self {
        let detail = "records are sent with POST; questions, health and metrics are read with GET";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, detail)
    }

    pub(super) fn not_ready(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// Everything in a body was refused.
    pub(super) fn refused(refused: &[(u64, NotTaken)]) -> Self {
        let Some((_, first)) = refused.first() else {
            return Self::new(StatusCode::BAD_REQUEST, NotTaken::Empty.reason());
        };
        if let [_] = refused {
            return Self::new(first.status(), first.reason());
        }
        let count = refused.len();
        let detail = format!("all {count} records were refused; the first: {}", first.reason());
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }
}

impl IntoResponse for Problem {
    /// Problem details (RFC 9457); without a type of its own the title is that of the status.
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("error");
        let body = json!({"title": title, "status": self.status.as_u16(), "detail": self.detail});
        let mut response = (self.status, format!("{body}\n")).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some((name, value)) = self.header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            headers.insert(name, value);
        }
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl Accepted {
    /// Counts what is not appended.
    pub(super) fn of(gathered: &Gathered) -> Self {
        Self {
            dropped: gathered.dropped.values().sum(),
            refused: gathered.refused.iter().map(|(n, why)| (*n, why.reason())).collect(),
            ..Self::default()
        }
    }

    /// Counts one that is in the ledger.
    pub(super) fn placed(&mut self, index: u64, new: bool) {
        *(if new { &mut self.accepted } else { &mut self.known }) += 1;
        let (first, last) = self.entries.unwrap_or((index, index));
        self.entries = Some((first.min(index), last.max(index)));
    }
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let entries = self.entries.map(|(first, last)| [first, last]);
        let mut body = json!({
            "accepted": self.accepted, "known": self.known, "dropped": self.dropped,
            "refused": self.refused.len(), "entries": entries,
        });
        if !self.refused.is_empty() {
            let named = self.refused.iter().take(REFUSED_NAMED);
            let named = named.map(|(n, reason)| json!({"record": n, "reason": reason}));
            body["refusals"] = named.collect();
        }
        let mut response = format!("{body}\n").into_response();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

/// The id of a channel, for counters.
pub(super) const fn label(channel: Option<Channel>) -> &'static str {
    match channel {
        Some(channel) => channel.id(),
        None => "-",
    }
}
