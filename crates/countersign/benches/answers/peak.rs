//! Commands in processes of their own, with the most memory that they held.

use std::process::{Child, Command};
use std::time::Duration;

use crate::measure::Outcome;

/// Runs a command to its end and gives the most memory it held, in KiB.
pub(crate) fn finish(command: &mut Command) -> Outcome<f64> {
    let mut child = command.spawn()?;
    let mut peak = 0.0_f64;
    let status = loop {
        peak = peak.max(resident(&child));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // tidy: sleep because the system keeps the peak; it is only read again now and then
        std::thread::sleep(Duration::from_millis(5));
    };
    // 1 is a contradicted initiator, 3 an open question: both are answers.
    match status.code() {
        Some(0 | 1 | 3) => Ok(peak),
        _ => Err(format!("ended with {status}").into()),
    }
}

/// The most memory that a process held so far (`VmHWM` of proc(5)), in KiB; 0 once it is gone.
pub(crate) fn resident(child: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0.0)
}
