//! `/v1`: questions over HTTP, with the answers of the command line.
//!
//! ```text
//! who? ─► words ─► story held ─► answer ─► bytes
//! 401     400      503 409       a thread   200
//! 403 429 404                    of its own
//! ```
//!
//! Answers are made from the story that the keeper holds, and say up to which entry it goes. What
//! the records do not show is data in an answer; only a question that cannot be understood is an
//! error.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use evidence::channel::Channel;
use hyper::Uri;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::question::{Asked, Question};
use super::answer::Problem;
use super::readers::Readers;
use super::receive::{Peer, Shared};
use crate::index::Told;
use crate::index::keeper::Held;
use crate::ledger::dir::LedgerDir;

mod answer;
mod params;
mod question;

/// What questions are answered from.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) readers: Readers,
    pub(super) dir: LedgerDir,
    pub(super) shared: Arc<Shared>,
    /// Channels that the sources are to bring.
    pub(super) expected: BTreeSet<Channel>,
    places: Arc<Semaphore>,
}

/// An answer: its media type and its bytes.
struct Body {
    media_type: &'static str,
    bytes: Vec<u8>,
}

impl Api {
    pub(super) fn new(
        readers: Readers,
        dir: LedgerDir,
        shared: Arc<Shared>,
        expected: BTreeSet<Channel>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(shared.limits.answers));
        Self { readers, dir, shared, expected, places }
    }

    pub(super) fn router(self) -> Router {
        let state = Arc::new(self);
        Router::new().route("/v1", get(read)).route("/v1/{*rest}", get(read)).with_state(state)
    }
}

async fn read(
    State(api): State<Arc<Api>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let (start, path) = (Instant::now(), question::label(request.uri().path()));
    let admitted = api.readers.admit(request.headers(), peer.certificate.as_deref());
    let (reader, answer) = match admitted {
        Ok(reader) => {
            let uri = request.uri().clone();
            drop(request);
            (reader, api.answer(uri).await)
        }
        Err(problem) => ("-", Err(problem)),
    };
    let status = answer.as_ref().map_or_else(|p| p.status.as_u16(), |_| 200);
    api.shared.metrics.question(reader, path, status, start.elapsed());
    match answer {
        Ok(body) => {
            let mut response = body.bytes.into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.media_type));
            // Answers name people: nothing between server and reader keeps them.
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(problem) => {
            let from = peer.address;
            // What somebody asked about is not the operator's to read.
            api.shared.notice(format!("reader {reader}: {status} to {from}: {path}"));
            problem.into_response()
        }
    }
}

impl Api {
    async fn answer(self: &Arc<Self>, uri: Uri) -> Result<Body, Problem> {
        let asked = Asked::read(uri.path(), uri.query().unwrap_or_default(), self.shared.clock)?;
        let told = match &asked.question {
            Question::Checkpoint | Question::Document(_) => None,
            _ => Some(self.told(asked.min_size).await?),
        };
        let place =
            timeout(self.shared.limits.waiting_for(), Arc::clone(&self.places).acquire_owned());
        let place = place.await.ok().and_then(Result::ok).ok_or_else(Problem::answering)?;
        let api = Arc::clone(self);
        // An answer computes and may read the ledger: not on the threads that serve connections.
        let made = tokio::task::spawn_blocking(move || {
            let made = answer::make(&api, asked.question, told.as_deref());
            drop(place);
            made
        });
        made.await.unwrap_or_else(|_| Err(Problem::unverified()))
    }

    /// The held story, once it goes up to `min_size`; waits a little for that.
    async fn told(&self, min_size: u64) -> Result<Arc<Told>, Problem> {
        let Some(keeper) = &self.shared.keeper else { return Err(Problem::no_reader()) };
        let mut held = keeper.held();
        let there = |held: &Held| match held {
            Held::Told(told) => told.derived.entries >= min_size,
            Held::Failed => true,
            Held::Deriving => false,
        };
        // What the writer did not tell of yet may have been there when the server began.
        let hopeless = |held: &Held| {
            min_size > keeper.published().max(held.entries()) && !matches!(held, Held::Deriving)
        };
        let waits = !hopeless(&held.borrow());
        if waits {
            // Whatever this comes to, what is held then decides.
            let _late = timeout(self.shared.limits.waiting_for(), held.wait_for(there)).await;
        }
        let now = held.borrow().clone();
        match now {
            Held::Told(told) if told.derived.entries >= min_size => Ok(told),
            Held::Told(told) => {
                let entries = told.derived.entries;
                Err(Problem::behind(min_size, entries, keeper.published().max(entries)))
            }
            Held::Deriving => Err(Problem::deriving()),
            Held::Failed => Err(Problem::unverified()),
        }
    }
}
