//! The program as it is shipped, serving in a process of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::measure::Outcome;

/// A server in a process of its own.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Served {
    /// Serves the ledger below a folder by the sources file in it, with more options.
    pub(crate) fn start(folder: &Path, options: &[&OsStr]) -> Outcome<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["serve", "--listen", "127.0.0.1:0", "--sources"])
            .arg(folder.join("sources.toml"))
            .arg("--ledger")
            .arg(folder.join("ledger"))
            .args(options)
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

    /// Stops the server in order.
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
