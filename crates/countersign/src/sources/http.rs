//! HTTP: senders post their records, and each acknowledgement means that they are durable.
//!
//! ```text
//! connection ─► headers ─► who? ─► body ─► signature ─► a place in the queue ─► seal ─► writer
//!    places      time       401    413 408    401 429       503                  400      503
//!                                                                                422
//! ```
//!
//! Sealing and waiting for the disk happen on threads of their own, at most as many as there are
//! places; the writer commits all that waits as one group. Nothing is queued without end: whoever
//! finds no place is told when to come again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use evidence::intake::Terms;
use evidence::intake::cuts::Rules;
use evidence::intake::key::ContentKey;
use evidence::people::People;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};

use self::answer::Problem;
use self::body::Memory;
use self::bucket::Bucket;
use self::connection::Door;
use self::metrics::{Metrics, StoryGauges};
use self::readers::Readers;
use self::receive::{Endpoint, Peer, Position, Shared, receive};
use self::settings::{Rate, Settings, Source};
use self::take::BothTerms;
use self::tls::TlsFiles;
use self::v1::Api;
use crate::index::keeper::{Keeper, Observer};
use crate::ledger::append::Batch;
use crate::ledger::dir::LedgerDir;
use crate::ledger::read::LIVE_SOURCE;
use crate::ledger::writer::Writer;
use crate::ledger::{EmbeddedLedger, LedgerError};

mod answer;
mod authenticate;
mod body;
mod bucket;
mod certificate;
mod connection;
#[cfg(fuzzing)]
pub mod fuzzing;
mod metrics;
mod readers;
mod receive;
pub mod settings;
mod skew;
mod take;
pub mod tls;
mod v1;

/// Lines for the operator that may wait to be written.
const NOTICES_MAX: usize = 256;
/// Lines a second, and at once: more would only hide each other.
const NOTICES: Rate = Rate { per_second: 5.0, burst: 50 };
/// How often it is told how many lines were left out.
const UNSAID_EVERY: Duration = Duration::from_secs(10);

/// A server that was not started yet.
#[derive(Debug)]
pub struct Server {
    /// Where sources post to.
    pub listen: SocketAddr,
    /// Where health and metrics are read; beside the sources, unless said.
    pub admin_listen: Option<SocketAddr>,
    /// TLS, for the sources' address.
    pub tls: Option<TlsFiles>,
    /// The sources and the limits.
    pub settings: Settings,
    /// What is cut.
    pub rules: Rules,
    /// Which accounts are one person, for answers.
    pub people: People,
    /// The ledger's secret for records without a key of their own.
    pub content_key: ContentKey,
    /// The receiver's clock.
    pub clock: fn() -> Timestamp,
}

/// Tells the operator and the counters of derivations.
struct Observing {
    gauges: StoryGauges,
    notices: mpsc::Sender<String>,
}

impl Observer for Observing {
    fn derived(&self, entries: u64, took: Duration) {
        self.gauges.derived(entries, took);
    }

    fn failed(&self, error: &LedgerError) {
        // Where too much is told already, `/v1` still answers 503.
        let _untold = self.notices.try_send(format!("error: no story: {error}"));
    }
}

/// The name of a source in the ledger's coverage.
fn source_name(name: &str) -> String {
    format!("{LIVE_SOURCE}{name}")
}

impl Server {
    /// Serves until the process is asked to stop (SIGTERM, SIGINT), then closes the ledger in order.
    /// `tell` gets lines for the operator.
    pub fn run(
        self,
        mut ledger: EmbeddedLedger,
        dir: &LedgerDir,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), LedgerError> {
        let acceptor = self.tls.as_ref().map(TlsFiles::acceptor).transpose()?;
        let names = self.settings.sources.iter().map(|s| source_name(&s.name));
        let epochs = names.map(|name| Ok(ledger.store().last_epoch(&name)? + 1));
        let epochs: Vec<u64> = epochs.collect::<Result<_, LedgerError>>()?;
        let runtime = Runtime::new().map_err(|e| failed("start threads", e))?;
        let bound = runtime.block_on(async {
            let main = bind(self.listen).await?;
            match self.admin_listen {
                Some(address) => Ok((main, Some(bind(address).await?))),
                None => Ok::<_, LedgerError>((main, None)),
            }
        })?;
        let (notices, told) = mpsc::channel(NOTICES_MAX);
        let shared = Arc::new(self.shared(Writer::start(ledger)?, dir, notices)?);
        for warning in &self.settings.warnings {
            tell(&format!("warning: {warning}"));
        }
        let doors = self.doors(&shared, dir, bound, acceptor, epochs, tell)?;
        let served = runtime.block_on(serve(doors, &shared, told, tell));
        // Waits for what was submitted; afterwards nobody else has the writer.
        drop(runtime);
        let closed = match Arc::try_unwrap(shared) {
            Ok(shared) => {
                // First the reader, so that the database can be made one file.
                drop(shared.keeper.inspect(Keeper::stop));
                shared.writer.close(dir)
            }
            Err(_) => Err(LedgerError::Stopped("a request still has the writer".to_owned())),
        };
        served?;
        closed
    }

    fn shared(
        &self,
        writer: Writer,
        dir: &LedgerDir,
        notices: mpsc::Sender<String>,
    ) -> Result<Shared, LedgerError> {
        let (limits, metrics) = (self.settings.limits.clone(), Metrics::new());
        let observer = Observing { gauges: metrics.story(), notices: notices.clone() };
        let keeper = match self.settings.readers.as_slice() {
            // Nobody may ask: nothing is held.
            [] => None,
            _ => Some(Keeper::start(dir.clone(), self.people.clone(), observer)?),
        };
        Ok(Shared {
            writer,
            keeper,
            metrics,
            clock: self.clock,
            places: Arc::new(Semaphore::new(limits.waiting)),
            memory: Memory::new(limits.body_memory_bytes),
            limits,
            committed: AtomicBool::new(true),
            notices,
            unsaid: AtomicU64::new(0),
        })
    }

    /// What is served at which address.
    fn doors(
        self,
        shared: &Arc<Shared>,
        dir: &LedgerDir,
        (main, admin): (TcpListener, Option<TcpListener>),
        tls: Option<tokio_rustls::TlsAcceptor>,
        epochs: Vec<u64>,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Vec<Door>, LedgerError> {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = main.local_addr().map_err(|e| failed("listen on", e))?;
        tell(&format!("listening on {scheme}://{address}"));
        if tls.is_none() && !address.ip().is_loopback() {
            tell(
                "warning: without TLS, tokens and records can be read on the way; use --tls-cert and --tls-key, or a proxy on this machine",
            );
        }
        let expected = self.settings.sources.iter().filter_map(|s| s.channel).collect();
        for reader in &self.settings.readers {
            tell(&format!("reader {} at /v1", reader.name));
        }
        let readers = Readers::new(self.settings.readers);
        let mut sources = Api::new(readers, dir.clone(), Arc::clone(shared), expected).router();
        for (source, epoch) in self.settings.sources.into_iter().zip(epochs) {
            let id = answer::label(source.channel);
            tell(&format!("source {} at {}, channel {id}", source.name, source.path));
            let path = source.path.clone();
            let endpoint = endpoint(source, epoch, &self.rules, &self.content_key, shared);
            sources = sources.route(&path, post(receive).with_state(Arc::new(endpoint)));
        }
        let health = health(shared);
        let Some(admin) = admin else {
            let router = answered(sources.merge(health), shared);
            return Ok(vec![Door { listener: main, router, tls, shared: Arc::clone(shared) }]);
        };
        let at = admin.local_addr().map_err(|e| failed("listen on", e))?;
        tell(&format!("health and metrics on http://{at}"));
        let door = |listener, router, tls| Door {
            listener,
            router: answered(router, shared),
            tls,
            shared: Arc::clone(shared),
        };
        Ok(vec![door(main, sources, tls), door(admin, health, None)])
    }
}

fn endpoint(
    source: Source,
    epoch: u64,
    rules: &Rules,
    content_key: &ContentKey,
    shared: &Arc<Shared>,
) -> Endpoint {
    let terms = |named| Terms {
        rules: rules.clone(),
        content_key: content_key.clone(),
        record_bytes_max: source.record_bytes_max,
        named,
        auth: source.authenticator.auth(),
    };
    Endpoint {
        terms: BothTerms { recognised: terms(None), named: terms(source.channel) },
        bucket: source.rate.map(|rate| Mutex::new(Bucket::new(rate, Instant::now()))),
        source,
        shared: Arc::clone(shared),
        epoch,
        reading: Mutex::new(Position::default()),
    }
}

/// Adds the answers to what nobody serves.
fn answered(router: Router, shared: &Arc<Shared>) -> Router {
    let (missing, method) = (Arc::clone(shared), Arc::clone(shared));
    router
        .fallback(move |Extension(peer): Extension<Peer>, request: Request| {
            other(missing, peer, request, Problem::not_found())
        })
        .method_not_allowed_fallback(move |Extension(peer): Extension<Peer>, request: Request| {
            other(method, peer, request, Problem::method())
        })
}

#[expect(clippy::unused_async, reason = "a handler is a future")]
async fn other(shared: Arc<Shared>, peer: Peer, request: Request, problem: Problem) -> Response {
    let (status, path) = (problem.status.as_u16(), request.uri().path());
    shared.metrics.request("-", status);
    // A path may be long, and holds whatever the sender likes.
    let path: String = path.chars().take(80).collect();
    shared.notice(format!("{status} to {}: {} {path:?}", peer.address, request.method()));
    problem.into_response()
}

fn health(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(measured))
        .with_state(Arc::clone(shared))
}

async fn measured(State(shared): State<Arc<Shared>>) -> Response {
    let mut response = shared.metrics.text().into_response();
    let media_type = HeaderValue::from_static(metrics::MEDIA_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// Ready means that the ledger takes records. After a failed append an empty one is tried: when
/// the disk has room again, nobody has to restart the server.
async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if !shared.writer.is_running() {
        return Problem::not_ready("the ledger's writer has stopped; see the log").into_response();
    }
    if shared.committed.load(Ordering::Relaxed) {
        return "ok\n".into_response();
    }
    let place = match shared.place().await {
        Ok(place) => place,
        Err(problem) => return problem.into_response(),
    };
    let tried = tokio::task::spawn_blocking(move || {
        let tried = shared.append(Batch::default());
        drop(place);
        tried
    });
    match tried.await {
        Ok(Ok(_)) => "ok\n".into_response(),
        _ => Problem::not_ready("the last append failed; see the log").into_response(),
    }
}

/// Serves until the process is asked to stop, and writes what there is to tell meanwhile.
async fn serve(
    doors: Vec<Door>,
    shared: &Shared,
    mut told: mpsc::Receiver<String>,
    tell: &mut dyn FnMut(&str),
) -> Result<(), LedgerError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| failed("await signals", e))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| failed("await signals", e))?;
    let (stop, stopped) = watch::channel(false);
    let mut serving = tokio::task::JoinSet::new();
    for door in doors {
        serving.spawn(door.serve(stopped.clone()));
    }
    let mut bucket = Bucket::new(NOTICES, Instant::now());
    let mut sum = tokio::time::interval(UNSAID_EVERY);
    loop {
        tokio::select! {
            _ = terminate.recv() => if asked_twice(&stop, tell) { break },
            _ = interrupt.recv() => if asked_twice(&stop, tell) { break },
            ended = serving.join_next() => if ended.is_none() { break },
            Some(line) = told.recv() => match bucket.take(Instant::now()) {
                Ok(()) => tell(&line),
                Err(_) => drop(shared.unsaid.fetch_add(1, Ordering::Relaxed)),
            },
            _ = sum.tick() => sum_up(shared, tell),
        }
    }
    sum_up(shared, tell);
    Ok(())
}

/// The first request to stop lets everything under way finish, the second does not wait for it.
fn asked_twice(stop: &watch::Sender<bool>, tell: &mut dyn FnMut(&str)) -> bool {
    if stop.send_replace(true) {
        tell("stopping now");
        return true;
    }
    tell("stopping: finishing what is under way");
    false
}

fn sum_up(shared: &Shared, tell: &mut dyn FnMut(&str)) {
    let unsaid = shared.unsaid.swap(0, Ordering::Relaxed);
    if unsaid > 0 {
        tell(&format!("{unsaid} more lines left out; /metrics counts every request"));
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, LedgerError> {
    TcpListener::bind(address).await.map_err(|cause| LedgerError::File {
        action: "listen on",
        path: PathBuf::from(address.to_string()),
        cause,
    })
}

fn failed(action: &'static str, cause: std::io::Error) -> LedgerError {
    LedgerError::File { action, path: PathBuf::from("this machine"), cause }
}
