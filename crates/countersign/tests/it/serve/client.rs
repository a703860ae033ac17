//! A server that was really started, and a client that speaks HTTP by hand.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use evidence::record::envelope::Envelope;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::support::Bench;

/// The secret of the recorded deliveries of forge and tickets.
pub(crate) const SECRET: &str = "forge-webhook-secret-of-the-recording";
/// The token of the recorded notifications.
pub(crate) const TOKEN: &str = "recorded-bearer-token";

/// Sources of the recorded evening, each with the authentication of its sender.
pub(crate) const SOURCES: &str = r#"
[[source]]
name = "forge"
channel = "github-webhook"
auth = { hmac-sha256 = { secret-file = "secret" } }

[[source]]
name = "tickets"
channel = "jira-webhook"
auth = { hmac-sha256 = { secret-file = ["token", "secret"] } }

[[source]]
name = "argocd"
channel = "argocd-notification"
auth = { bearer = { token-file = "token" } }

[[source]]
name = "events"
channel = "cloudevent"
auth = { bearer = { token-file = "token" } }

[[source]]
name = "alerts"
channel = "alertmanager-webhook"
auth = { bearer = { token-file = "token" } }

[[source]]
name = "audit"
channel = "kubernetes-audit"
auth = { bearer = { token-file = "token" } }

[[source]]
name = "gitlab"
path = "/hooks/gitlab"
channel = "gitlab-webhook"
auth = { gitlab-token = { token-file = "token" } }

[[source]]
name = "any"
auth = { bearer = { token-file = "token" } }

[[source]]
name = "local"
channel = "kubernetes-audit"
auth = "none-loopback-only"
"#;

/// A process that serves a ledger.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Served {
    /// Starts a server on a ledger and waits until it listens.
    pub(crate) fn start(bench: &Bench, sources: &str, options: &[&str]) -> Self {
        for (name, text) in [("secret", SECRET), ("token", TOKEN)] {
            let path = bench.write(name, format!("{text}\n").as_bytes());
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
                .expect("set");
        }
        let sources = bench.write("sources.toml", sources.as_bytes());
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["serve", "--listen", "127.0.0.1:0", "--sources", &sources, "--ledger"])
            .arg(bench.ledger())
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let (said, mut address, mut admin) = (Arc::new(Mutex::new(String::new())), None, None);
        let wants_admin = options.contains(&"--admin-listen");
        while address.is_none() || (wants_admin && admin.is_none()) {
            let Some(Ok(line)) = lines.next() else {
                panic!("ended early: {}", said.lock().expect("said"))
            };
            for (words, is_admin) in [
                ("listening on http://", false),
                ("listening on https://", false),
                ("health and metrics on http://", true),
            ] {
                if let Some((_, at)) = line.split_once(words) {
                    let found = if is_admin { &mut admin } else { &mut address };
                    *found = Some(at.parse().expect("an address"));
                }
            }
            writeln!(said.lock().expect("said"), "{line}").expect("a String");
        }
        let sink = Arc::clone(&said);
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                writeln!(sink.lock().expect("said"), "{line}").expect("a String");
            }
        });
        let address = address.expect("found");
        Self { child, address, admin, said, reader: Some(reader) }
    }

    /// Posts a body; `headers` are whole lines.
    pub(crate) fn post(&self, path: &str, headers: &[String], body: &[u8]) -> Answer {
        let stream = connect(self.address);
        exchange(stream, &request("POST", path, headers, body)).expect("an answer")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        exchange(connect(self.address), &request("GET", path, &[], b"")).expect("an answer")
    }

    /// Kills the server at once.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Asks the server to stop, as the system does.
    pub(crate) fn terminate(&self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(asked.success());
    }

    /// Stops the server in order, and gives what it said.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        self.terminate();
        let status = self.child.wait().expect("ended");
        self.reader.take().expect("once").join().expect("read");
        (status, self.said())
    }

    pub(crate) fn said(&self) -> String {
        self.said.lock().expect("said").clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // A test that fails leaves no server behind.
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Answer {
    /// The body, which must be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The counts of an accepted delivery: accepted, known, dropped, refused.
    #[track_caller]
    pub(crate) fn counts(&self) -> [u64; 4] {
        assert_eq!(self.status, 200, "{self:?}");
        let json = self.json();
        ["accepted", "known", "dropped", "refused"].map(|n| json[n].as_u64().expect("a count"))
    }

    /// The value of a header; its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim)
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
    stream
}

/// The bytes of a request that closes its connection.
pub(crate) fn request(method: &str, path: &str, headers: &[String], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    if method == "POST" && !headers.iter().any(|h| h.starts_with("transfer-encoding")) {
        write!(head, "content-length: {}\r\n", body.len()).expect("a String");
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// Sends a request and reads the answer to its end. A server that will not read on is no failure
/// of the client: its answer counts.
pub(crate) fn exchange(mut stream: impl Read + Write, request: &[u8]) -> Option<Answer> {
    let _sent = stream.write_all(request).and_then(|()| stream.flush());
    read_answer(stream)
}

pub(crate) fn read_answer(mut stream: impl Read) -> Option<Answer> {
    let mut bytes = Vec::new();
    // TLS that ends without a farewell is an end too.
    let _end = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// A header with the signature of a body.
pub(crate) fn signed(header: &str, secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    let tag = mac.chain_update(body).finalize().into_bytes();
    let hex: String = tag.iter().map(|b| format!("{b:02x}")).collect();
    format!("{header}: sha256={hex}")
}

/// The header with the token of the sources.
pub(crate) fn bearer() -> String {
    format!("authorization: Bearer {TOKEN}")
}

/// Headers of a delivery of GitHub.
pub(crate) fn github(guid: &str, body: &[u8]) -> Vec<String> {
    vec![
        "x-github-event: push".to_owned(),
        format!("x-github-delivery: {guid}"),
        "content-type: application/json".to_owned(),
        signed("x-hub-signature-256", SECRET, body),
    ]
}

/// The envelopes of a ledger, in their order.
pub(crate) fn envelopes(ledger: &Path) -> Vec<Envelope> {
    use std::ops::ControlFlow;
    let dir = countersign::ledger::dir::LedgerDir::open(ledger).expect("a ledger");
    let reader = countersign::ledger::read::Reader::open(&dir).expect("readable");
    let mut all = Vec::new();
    reader
        .entries(tlog::LeafIndex::FIRST, |entry| {
            all.push(entry.record().expect("a record").0);
            ControlFlow::<()>::Continue(())
        })
        .expect("readable");
    all
}

/// Holds a ledger to its oracle.
#[track_caller]
pub(crate) fn check(bench: &Bench) -> u64 {
    let report =
        countersign::ledger::fsck::fsck(&bench.dir(), &[], &mut |_| {}).expect("fsck runs");
    assert_eq!(report.faults, []);
    report.entries
}
