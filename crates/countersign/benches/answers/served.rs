//! A reader that keeps its connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;

use crate::evenings::captures;
use crate::measure::Outcome;
use crate::process::Served;

const TOKEN: &str = "a token that is only measured with";
const SOURCES: &str = "[[source]]\nname = \"watch\"\nauth = { bearer = { token-file = \"token\" } }\n[[reader]]\nname = \"bench\"\nauth = { bearer = { token-file = \"token\" } }\n";

/// Serves the ledger below a folder to one reader.
pub(crate) fn start(folder: &Path) -> Outcome<Served> {
    std::fs::write(folder.join("token"), TOKEN)?;
    std::fs::write(folder.join("sources.toml"), SOURCES)?;
    let people = captures().join("people.json");
    Served::start(folder, &["--people".as_ref(), people.as_os_str()])
}

/// A reader on one connection.
pub(crate) struct Asking(BufReader<TcpStream>);

impl Asking {
    pub(crate) fn connect(served: &Served) -> Outcome<Self> {
        let stream = TcpStream::connect(served.address)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Asks, and gives status and body.
    pub(crate) fn get(&mut self, path: &str) -> Outcome<(u16, Vec<u8>)> {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut status, mut length) = (String::new(), 0, 0);
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest.split(' ').next().unwrap_or_default().parse()?;
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse()?;
            } else if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((status, body))
    }
}
