//! Connections: accepted up to a number, given a time for their headers, and closed so that the
//! answer arrives.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;
use super::receive::{Peer, Shared};

/// Bytes of a request's line and headers. GitHub and Atlassian send under 4 KiB.
const HEADER_BYTES_MAX: usize = 32 << 10;
/// How long a TLS handshake may take.
const HANDSHAKE_FOR: Duration = Duration::from_secs(10);
/// How long the rest of a request is read after its answer, so that the sender gets the answer
/// and not a reset: in all, and between two pieces.
const LINGER_FOR: Duration = Duration::from_secs(5);
const LINGER_BETWEEN: Duration = Duration::from_secs(1);
/// How long to wait when no connection can be accepted, as when file descriptors run out.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

const TIMED_OUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// One address and what is served there.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    pub(super) router: Router,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) shared: Arc<Shared>,
}

impl Door {
    /// Serves connections until `stop` changes, then lets those under way finish within `stop_for`.
    pub(super) async fn serve(self, mut stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(self.shared.limits.connections));
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                _ = stop.changed() => break,
                Some(_) = open.join_next() => {}
                (stream, address, place) = accept(&self.listener, &places) => {
                    let (router, tls) = (self.router.clone(), self.tls.clone());
                    let (shared, stop) = (Arc::clone(&self.shared), stop.clone());
                    open.spawn(async move {
                        shared.metrics.connections.inc();
                        connected(stream, address, router, tls, &shared, stop).await;
                        shared.metrics.connections.dec();
                        drop(place);
                    });
                }
            }
        }
        let (listener, stop_for) = (self.listener, self.shared.limits.stop_for());
        drop(listener);
        // What is not finished by then is broken off; what it submitted is still appended.
        let _broken_off =
            timeout(stop_for, async { while open.join_next().await.is_some() {} }).await;
    }
}

/// Accepts the next connection once there is a place for it. Others wait in the system's queue.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        if let Ok(place) = Arc::clone(places).acquire_owned().await
            && let Ok((stream, address)) = listener.accept().await
        {
            return (stream, address, place);
        }
        sleep(ACCEPT_AGAIN_AFTER).await;
    }
}

async fn connected(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    tls: Option<TlsAcceptor>,
    shared: &Shared,
    stop: watch::Receiver<bool>,
) {
    // Answers are small and are waited for.
    let _slower = stream.set_nodelay(true);
    let Some(tls) = tls else {
        let peer = Peer { address, certificate: None };
        return spoken(stream, peer, router, shared, stop).await;
    };
    match timeout(HANDSHAKE_FOR, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            let first = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
            let certificate = first.map(|der| Arc::new(Certificate::of(der)));
            spoken(stream, Peer { address, certificate }, router, shared, stop).await;
        }
        Ok(Err(e)) => shared.notice(format!("{address}: TLS handshake failed: {e}")),
        Err(_) => shared.notice(format!("{address}: TLS handshake took too long")),
    }
}

/// Speaks HTTP/1.1 until the sender or the server ends it.
async fn spoken<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: Peer,
    router: Router,
    shared: &Shared,
    mut stop: watch::Receiver<bool>,
) {
    let address = peer.address;
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.header_for())
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut stopping = *stop.borrow();
    if stopping {
        Pin::new(&mut connection).graceful_shutdown();
    }
    let ended = loop {
        tokio::select! {
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break ended,
            _ = stop.changed(), if !stopping => {
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner();
    // An idle connection is closed in silence; one that began a request is told.
    if ended.is_err_and(|e| e.is_timeout()) && !parts.read_buf.is_empty() {
        let seconds = shared.limits.header_for().as_secs_f64();
        shared.metrics.request("-", 408);
        shared.notice(format!("408 to {address}: the headers took longer than {seconds} s"));
        if stream.write_all(TIMED_OUT).await.is_err() {
            return;
        }
    }
    linger(stream).await;
}

/// Ends the answer, then reads what the sender still sends: closing at once would reset the
/// connection, and the answer could be lost with it.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let rest = async {
        stream.shutdown().await?;
        let mut piece = vec![0; 16 << 10];
        while timeout(LINGER_BETWEEN, stream.read(&mut piece)).await?? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    // Whatever happens here, the answer was sent.
    let _rest = timeout(LINGER_FOR, rest).await;
}
