//! Senders that keep their connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::BODY_BYTES;
use crate::measure::Outcome;
use crate::process::Served;

const SECRET: &str = "a secret that is only measured with";

/// Makes a ledger below a folder and serves it.
pub(crate) fn start(folder: &Path) -> Outcome<Served> {
    let origin = "bench.countersign.example/log".parse()?;
    countersign::ledger::recover::init(&folder.join("ledger"), &origin, None)?;
    let sources = "[[source]]\nname = \"forge\"\nchannel = \"github-webhook\"\nauth = { hmac-sha256 = { secret-file = \"secret\" } }\n";
    std::fs::write(folder.join("secret"), SECRET)?;
    std::fs::write(folder.join("sources.toml"), sources)?;
    Served::start(folder, &[])
}

/// A sender on one connection.
pub(crate) struct Sender {
    stream: BufReader<TcpStream>,
    number: u64,
    sent: u64,
}

impl Sender {
    pub(crate) fn connect(served: &Served, number: usize) -> Outcome<Self> {
        let stream = TcpStream::connect(served.address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), number: number as u64, sent: 0 })
    }

    /// Posts a new webhook and waits for its acknowledgement.
    pub(crate) fn post(&mut self) -> Outcome {
        let request = self.request()?;
        self.stream.get_mut().write_all(&request)?;
        let (mut line, mut status, mut length) = (String::new(), String::new(), 0);
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            if status.is_empty() {
                line.trim().clone_into(&mut status);
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse()?;
            } else if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let accepted = status == "HTTP/1.1 200 OK" && body.starts_with(b"{\"accepted\":1,");
        let body = String::from_utf8_lossy(&body);
        if accepted { Ok(()) } else { Err(format!("{status}: {body}").into()) }
    }

    fn request(&mut self) -> Outcome<Vec<u8>> {
        self.sent += 1;
        let (number, sent) = (self.number, self.sent);
        let mut body =
            format!(r#"{{"ref":"refs/heads/main","after":"{number:020}{sent:020}","pad":""#);
        let pad = BODY_BYTES - body.len() - 2;
        body.extend(std::iter::repeat_n('x', pad));
        body.push_str("\"}");
        let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?.chain_update(&body);
        let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        let length = body.len();
        let request = format!(
            "POST /ingest/forge HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nx-github-event: push\r\nx-github-delivery: {number}-{sent}\r\nx-hub-signature-256: sha256={hex}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        Ok(request.into_bytes())
    }
}
