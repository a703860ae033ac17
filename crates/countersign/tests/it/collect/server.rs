//! A forge that speaks what a table says: one thread, one request a connection.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;

/// What a server answers: bytes of a response.
pub(crate) type Says = Box<dyn Fn(&str, usize) -> Reply + Send>;

/// A connection, in the clear or not.
trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// One answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Bytes that the header promises beyond the body, so that the connection ends too early.
    pub(crate) missing: usize,
}

/// A request that came: its target and its headers, in small letters.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) target: String,
    pub(crate) headers: Vec<String>,
}

/// A server on the loopback address.
pub(crate) struct Server {
    pub(crate) address: String,
    came: Arc<Mutex<Vec<Came>>>,
    port: u16,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes(), missing: 0 }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Server {
    /// Starts; `says` gets the target and how often it came before.
    pub(crate) fn start(says: Says) -> Self {
        Self::with("http://127.0.0.1", says, |stream| Some(Box::new(stream)))
    }

    /// The same over TLS, with a certificate and its key.
    pub(crate) fn start_tls(says: Says, certificate: Vec<u8>, key: Vec<u8>) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key).into());
        let config = Arc::new(config.expect("a certificate"));
        Self::with("https://localhost", says, move |mut stream| {
            let mut session =
                rustls::ServerConnection::new(Arc::clone(&config)).expect("a session");
            while session.is_handshaking() {
                session.complete_io(&mut stream).ok()?;
            }
            Some(Box::new(rustls::StreamOwned::new(session, stream)))
        })
    }

    /// `open` makes of a connection what is read from, or nothing if it does not come about.
    fn with(
        root: &str,
        says: Says,
        open: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (came, ended) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (seen, end) = (Arc::clone(&came), Arc::clone(&ended));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                if let Some(stream) = open(stream.expect("a connection")) {
                    answer(stream, &says, &seen);
                }
            }
        });
        Self { address: format!("{root}:{port}"), port, came, ended, thread: Some(thread) }
    }

    /// The targets that came, in their order.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.came().into_iter().map(|came| came.target).collect()
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.lock().expect("held").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // A last connection wakes the thread.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// Reads a request, notes it and answers; nothing if the connection brings none.
fn answer(stream: Box<dyn Stream>, says: &Says, seen: &Mutex<Vec<Came>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut lines = stream.by_ref().lines();
    let first = lines.next()?.ok()?;
    let target = first.split(' ').nth(1)?.to_owned();
    let headers = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
    let headers: Vec<String> = headers.map(|line| line.to_lowercase()).collect();
    let before = seen.lock().expect("held").iter().filter(|came| came.target == target).count();
    let reply = says(&target, before);
    // Before the answer: who has it looks at once.
    seen.lock().expect("held").push(Came { target, headers });
    let mut out = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        out.extend([*name, ": ", value, "\r\n"]);
    }
    let length = reply.body.len() + reply.missing;
    out.extend([format!("Content-Length: {length}\r\n\r\n")]);
    let stream = stream.get_mut();
    // A client that has enough hangs up.
    let _closed = stream.write_all(out.as_bytes()).and_then(|()| stream.write_all(&reply.body));
    Some(())
}
