//! The program as it is shipped, and a reader that keeps its connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::evenings::captures;
use crate::measure::Outcome;

const TOKEN: &str = "a token that is only measured with";
const SOURCES: &str = "[[source]]\nname = \"watch\"\nauth = { bearer = { token-file = \"token\" } }\n[[reader]]\nname = \"bench\"\nauth = { bearer = { token-file = \"token\" } }\n";

/// A server in a process of its own.
pub(crate) struct Served {
    pub(crate) child: Child,
    address: SocketAddr,
}

impl Served {
    /// Serves the ledger below a folder.
    pub(crate) fn start(folder: &Path) -> Outcome<Self> {
        std::fs::write(folder.join("token"), TOKEN)?;
        std::fs::write(folder.join("sources.toml"), SOURCES)?;
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["serve", "--listen", "127.0.0.1:0", "--sources"])
            .arg(folder.join("sources.toml"))
            .arg("--ledger")
            .arg(folder.join("ledger"))
            .arg("--people")
            .arg(captures().join("people.json"))
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no standard error")?).lines();
        let address = loop {
            let line = lines.next().ok_or("the server ended early")??;
            if let Some((_, address)) = line.split_once("listening on http://") {
                break address.parse()?;
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address })
    }

    pub(crate) fn stop(mut self) -> Outcome {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let ended = self.child.wait()?;
        if ended.success() { Ok(()) } else { Err(format!("the server ended with {ended}").into()) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // A measurement that fails leaves no server behind.
        let _gone = self.child.kill();
    }
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
