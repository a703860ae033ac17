//! One process with a limit of time and of output.

use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// Bytes of an error that are kept; its first line is what counts.
const ERROR_MAX: u64 = 64 << 10;

/// What a process may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long.
    pub time: Duration,
    /// Bytes of output.
    pub output_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        // Argo CD's own limit (`ARGOCD_EXEC_TIMEOUT`), and as much as is read of a file of manifests.
        Self { time: Duration::from_secs(90), output_bytes: 16 << 20 }
    }
}

/// Why a process gave no output.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It could not be started.
    #[error("it could not be started: {0}")]
    Start(io::ErrorKind),
    /// It took too long.
    #[error("it took longer than {} s and was ended", .0.as_secs_f32())]
    Time(Duration),
    /// It wrote too much.
    #[error("it wrote more than {0} bytes and was ended")]
    Output(u64),
    /// It failed, and said this.
    #[error("it failed")]
    Exit(String),
}

/// What a process did.
enum Event {
    Output(Vec<u8>),
    Error(Vec<u8>),
    Exit(io::Result<ExitStatus>),
}

/// Runs a process to its end and gives what it wrote. It has no input, and a group of its own, which
/// is killed as a whole when it goes over a limit.
pub fn run(command: &mut Command, limits: &Limits) -> Result<Vec<u8>, Failure> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let child = command.spawn().map_err(|e| Failure::Start(e.kind()))?;
    let group = Pid::from_child(&child);
    let outcome = watched(child, limits);
    if matches!(outcome, Err(Failure::Time(_) | Failure::Output(_))) {
        // One that has just ended by itself is no longer there.
        let _gone = kill_process_group(group, Signal::KILL);
    }
    outcome
}

fn watched(mut child: Child, limits: &Limits) -> Result<Vec<u8>, Failure> {
    let deadline = Instant::now() + limits.time;
    let (send, events) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        let bytes_max = limits.output_bytes + 1;
        listen(&send, Event::Output, output, bytes_max);
    }
    if let Some(error) = child.stderr.take() {
        listen(&send, Event::Error, error, ERROR_MAX);
    }
    thread::spawn(move || send.send(Event::Exit(child.wait())));
    let (mut output, mut error): (Option<Vec<u8>>, Option<Vec<u8>>) = (None, None);
    let mut status: Option<io::Result<ExitStatus>> = None;
    loop {
        if let (Some(bytes), Some(said), Some(status)) = (&output, &error, &status) {
            let is_done = status.as_ref().is_ok_and(ExitStatus::success);
            let said = String::from_utf8_lossy(said).into_owned();
            return if is_done { Ok(bytes.clone()) } else { Err(Failure::Exit(said)) };
        }
        match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Event::Output(bytes)) if bytes.len() as u64 > limits.output_bytes => {
                return Err(Failure::Output(limits.output_bytes));
            }
            Ok(Event::Output(bytes)) => output = Some(bytes),
            Ok(Event::Error(bytes)) => error = Some(bytes),
            Ok(Event::Exit(exit)) => status = Some(exit),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(Failure::Time(limits.time));
            }
        }
    }
}

/// Reads a stream in a thread of its own: what is over the limit is read and dropped, unless it is
/// the output, where that ends the process.
fn listen(
    send: &Sender<Event>,
    event: fn(Vec<u8>) -> Event,
    mut stream: impl Read + Send + 'static,
    bytes_max: u64,
) {
    let send = send.clone();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A stream that breaks off ends there; the exit says whether that matters.
        let _broken = stream.by_ref().take(bytes_max).read_to_end(&mut bytes);
        let _ended = send.send(event(bytes));
        let _drained = io::copy(&mut stream, &mut io::sink());
    });
}
