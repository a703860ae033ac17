//! One request: who sends it, what is in it, and its acknowledgement once it is durable.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use evidence::channel::Channel;
use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

use super::answer::{Accepted, Problem, label};
use super::body::{self, Held, Memory, Packed};
use super::bucket::Bucket;
use super::certificate::Certificate;
use super::metrics::Metrics;
use super::settings::{Limits, Source};
use super::skew;
use super::take::{self, BothTerms, Gathered};
use crate::entropy::SystemSalts;
use crate::index::keeper::Keeper;
use crate::ledger::LedgerError;
use crate::ledger::append::{Batch, Reading, Receipt};
use crate::ledger::writer::Writer;
use crate::store::{Cursor, Placed};

/// Refusals kept in the ledger for one reading; the rest is counted only.
const REFUSALS_KEPT: u64 = 1_000;

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) certificate: Option<Arc<Certificate>>,
}

/// What all sources share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) writer: Writer,
    /// Holds the story, where somebody may ask.
    pub(super) keeper: Option<Keeper>,
    pub(super) limits: Limits,
    pub(super) metrics: Metrics,
    pub(super) clock: fn() -> Timestamp,
    /// Places in the queue to the ledger.
    pub(super) places: Arc<Semaphore>,
    pub(super) memory: Memory,
    /// Whether the newest append was committed and published.
    pub(super) committed: AtomicBool,
    /// Lines for the operator, and how many were too many.
    pub(super) notices: mpsc::Sender<String>,
    pub(super) unsaid: AtomicU64,
}

/// A source while it is served.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) source: Source,
    pub(super) shared: Arc<Shared>,
    pub(super) terms: BothTerms,
    /// The number of this reading: one for each start of the server.
    pub(super) epoch: u64,
    pub(super) bucket: Option<Mutex<Bucket>>,
    pub(super) reading: Mutex<Position>,
}

/// How far a source was read.
#[derive(Debug, Default)]
pub(super) struct Position {
    deliveries: u64,
    bytes: u64,
    refused: u64,
}

/// A delivery that was authenticated and read.
struct Delivered {
    headers: HeaderMap,
    body: Vec<u8>,
    packed: Packed,
    held: Held,
}

impl Shared {
    /// Tells the operator, unless so much is told already that it would only hide the rest.
    pub(super) fn notice(&self, text: String) {
        if self.notices.try_send(text).is_err() {
            self.unsaid.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits for a place in the queue to the ledger.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let place = timeout(self.limits.waiting_for(), Arc::clone(&self.places).acquire_owned());
        place.await.ok().and_then(Result::ok).ok_or_else(Problem::busy)
    }

    /// Appends a batch and waits for its receipt; blocks.
    pub(super) fn append(&self, batch: Batch) -> Result<Receipt, Problem> {
        let receipt = self.writer.submit(batch);
        self.received(receipt.and_then(crate::ledger::writer::Waiting::wait))
    }

    fn received(&self, receipt: Result<Receipt, LedgerError>) -> Result<Receipt, Problem> {
        self.committed.store(receipt.is_ok(), Ordering::Relaxed);
        match receipt {
            Ok(receipt) => {
                let size = i64::try_from(receipt.size.get()).unwrap_or(i64::MAX);
                self.metrics.entries.set(size);
                if let Some(keeper) = &self.keeper {
                    keeper.poke(receipt.size.get());
                }
                Ok(receipt)
            }
            Err(e) => {
                self.notice(format!("error: {e}"));
                Err(Problem::ledger())
            }
        }
    }
}

/// Answers a request to a source's path.
pub(super) async fn receive(
    State(endpoint): State<Arc<Endpoint>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let answer = endpoint.answer(&peer, request).await;
    let (shared, name) = (Arc::clone(&endpoint.shared), &endpoint.source.name);
    let status = answer.as_ref().map_or_else(|p| p.status, |_| hyper::StatusCode::OK).as_u16();
    shared.metrics.request(name, status);
    match answer {
        Ok(accepted) => {
            if let Some((_, reason)) = accepted.refused.first() {
                let (from, refused) = (peer.address, accepted.refused.len());
                shared.notice(format!(
                    "source {name}: {status} to {from}: {refused} records refused, the first: {reason}"
                ));
            }
            accepted.into_response()
        }
        Err(problem) => {
            let from = peer.address;
            shared.notice(format!("source {name}: {status} to {from}: {}", problem.detail));
            problem.into_response()
        }
    }
}

impl Endpoint {
    async fn answer(self: &Arc<Self>, peer: &Peer, request: Request) -> Result<Accepted, Problem> {
        let start = Instant::now();
        let delivered = self.delivered(peer, request).await?;
        let bytes = delivered.body.len();
        let place = self.shared.place().await?;
        self.shared.metrics.queue.inc();
        let endpoint = Arc::clone(self);
        // Sealing computes and the receipt waits for the disk: neither belongs on the threads that
        // serve connections. If the sender goes away meanwhile, the records are appended all the
        // same, and are known when they come again.
        let appended = tokio::task::spawn_blocking(move || {
            let appended = endpoint.append(delivered);
            endpoint.shared.metrics.queue.dec();
            drop(place);
            appended
        });
        let accepted = appended.await.unwrap_or_else(|_| Err(Problem::ledger()))?;
        self.shared.metrics.acknowledged(&self.source.name, bytes, start.elapsed());
        Ok(accepted)
    }

    /// Authenticates and reads a request. Nobody's body is read who could not be heard anyway.
    async fn delivered(&self, peer: &Peer, request: Request) -> Result<Delivered, Problem> {
        let (parts, body) = request.into_parts();
        let (headers, way) = (parts.headers, &self.source.authenticator);
        let denied = |why| Problem::unauthenticated(&why, way.challenge());
        way.check_head(&headers, peer.certificate.as_deref()).map_err(denied)?;
        let packed = body::packed(&headers).ok_or_else(Problem::encoding)?;
        let media = headers.get(CONTENT_TYPE).map_or(&b""[..], |v| v.as_bytes());
        let form = b"application/x-www-form-urlencoded";
        if media.get(..form.len()).is_some_and(|m| m.eq_ignore_ascii_case(form)) {
            return Err(Problem::form());
        }
        let limit = self.source.body_bytes_max;
        if body::is_announced_over(&headers, limit) {
            return Err(Problem::too_large(limit));
        }
        // The allowance is the source's own: whoever is not authenticated takes nothing of it.
        if !way.needs_body() {
            self.allow()?;
        }
        let (limits, within) = (&self.shared.limits, self.shared.limits.body_for());
        let read = body::read(body, limit, within, &self.shared.memory).await;
        let seconds = limits.body_for().as_secs_f64();
        let (body, held) = read.map_err(|why| Problem::unread(why, limit, seconds))?;
        way.check_body(&headers, &body).map_err(denied)?;
        if way.needs_body() {
            self.allow()?;
        }
        Ok(Delivered { headers, body, packed, held })
    }

    fn allow(&self) -> Result<(), Problem> {
        let Some(bucket) = &self.bucket else { return Ok(()) };
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(Instant::now()).map_err(Problem::too_many)
    }

    /// Takes a delivery apart and appends it; blocks.
    fn append(&self, delivered: Delivered) -> Result<Accepted, Problem> {
        let Delivered { headers, body, packed, mut held } = delivered;
        let (limit, wire_bytes) = (self.source.body_bytes_max, body.len() as u64);
        let body = body::unpack(body, packed, limit, &mut held)
            .map_err(|why| Problem::unread(why, limit, 0.0))?;
        let (now, headers) = ((self.shared.clock)(), Self::told(&headers));
        let gathered =
            take::take(&self.terms, headers.clone(), &body, now, &mut SystemSalts::new());
        if let Some(channel) = gathered.entries.first().map(|e| e.cite.channel)
            && let Some(ahead) = skew::ahead(channel, &headers, &body, now)
        {
            let limit = self.shared.limits.clock_skew_seconds;
            self.shared.metrics.skew(&self.source.name, ahead.as_secs_f64(), limit);
        }
        drop((body, held));
        self.appended(gathered, wire_bytes, now)
    }

    /// The headers by which a delivery says what it is. None that authenticates goes any further.
    fn told(headers: &HeaderMap) -> Vec<(String, String)> {
        let kept = |name: &str| {
            name == "content-type"
                || name.starts_with("ce-")
                || name.starts_with("x-github-")
                || name.starts_with("x-atlassian-")
                || name == "idempotency-key"
                || (name.starts_with("x-gitlab-") && name != "x-gitlab-token")
        };
        let named = headers.iter().filter(|(name, _)| kept(name.as_str()));
        named.filter_map(|(n, v)| Some((n.to_string(), v.to_str().ok()?.to_owned()))).collect()
    }

    fn appended(
        &self,
        gathered: Gathered,
        wire_bytes: u64,
        now: Timestamp,
    ) -> Result<Accepted, Problem> {
        let mut accepted = Accepted::of(&gathered);
        let problem = gathered.is_refused_whole().then(|| Problem::refused(&gathered.refused));
        let channels: Vec<Channel> = gathered.entries.iter().map(|e| e.cite.channel).collect();
        let (dropped, refused) = (gathered.dropped.clone(), gathered.refused.len() as u64);
        let waiting = {
            // Held until it is submitted, so that positions are committed in their order. The queue
            // has a place for each delivery that has one here, so this does not wait.
            let mut position = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
            let reading = self.reading(&mut position, &gathered, wire_bytes, now);
            let batch = Batch { entries: gathered.entries, reading: Some(reading) };
            self.shared.writer.submit(batch)
        };
        let receipt = waiting.and_then(crate::ledger::writer::Waiting::wait);
        let receipt = self.shared.received(receipt)?;
        let mut ends: BTreeMap<(Option<Channel>, &'static str), u64> = BTreeMap::new();
        for (place, channel) in receipt.placed.iter().zip(channels) {
            let new = matches!(place, Placed::New(_));
            accepted.placed(place.index().get(), new);
            *ends.entry((Some(channel), if new { "accepted" } else { "known" })).or_default() += 1;
        }
        ends.extend(dropped.into_iter().map(|(channel, n)| ((Some(channel), "dropped"), n)));
        if refused > 0 {
            ends.insert((None, "refused"), refused);
        }
        for ((channel, end), n) in ends {
            self.shared.metrics.records(&self.source.name, label(channel), end, n);
        }
        problem.map_or(Ok(accepted), Err)
    }

    /// The source's position after this delivery; what was refused is kept with its number.
    fn reading(
        &self,
        position: &mut Position,
        gathered: &Gathered,
        wire_bytes: u64,
        now: Timestamp,
    ) -> Reading {
        position.deliveries += 1;
        position.bytes += wire_bytes;
        let kept = REFUSALS_KEPT.saturating_sub(position.refused);
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        let number = position.deliveries;
        let refused = gathered.refused.iter().take(kept);
        let refused: Vec<_> =
            refused.map(|(n, why)| (number, format!("record {n}: {}", why.reason()))).collect();
        position.refused += refused.len() as u64;
        Reading {
            cursor: Cursor {
                source: super::source_name(&self.source.name),
                lines: position.deliveries,
                bytes: position.bytes,
            },
            epoch: self.epoch,
            at: now,
            dropped: gathered.dropped.clone(),
            refused,
        }
    }
}
