//! A million records through the program itself: its memory, its pace and its bytes on disk.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::measure::{Call, Outcome, number, per_second, table};
use crate::{data, disk};

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");

pub(crate) fn run(call: &Call, out: &mut dyn Write) -> Outcome {
    let whole = call.amount(1_000_000, 20_000);
    // A tenth beside the whole shows which part of the memory grows with the records.
    let rows = [ingested(whole / 10)?, ingested(whole)?];
    let head = ["records", "records/s", "peak memory, MiB", "B on disk a record", "of the record"];
    let title = "`countersign ingest` of a file, from start to exit: one run each";
    table(out, title, &head, &rows)
}

fn ingested(records: usize) -> Outcome<Vec<String>> {
    let folder = disk::folder()?;
    let (file, ledger) = (folder.path().join("records.jsonl"), folder.path().join("ledger"));
    let mut lines = BufWriter::new(File::create(&file)?);
    data::write_lines(&mut lines, records)?;
    lines.get_ref().sync_all()?;
    finish(program(&ledger).args(["ledger", "init", "--origin", "bench.example/log"]), "init")?;
    let start = Instant::now();
    let peak = finish(program(&ledger).arg("ingest").arg(&file), "ingest")?;
    let took = start.elapsed();
    let count = per_second(records, Duration::from_secs(1));
    let bytes = number_of(disk::bytes_in(&ledger)?) / count;
    let record = number_of(data::RECORD_BYTES as u64);
    Ok(vec![
        number(count),
        number(per_second(records, took)),
        number(peak / 1024.0),
        number(bytes),
        format!("{:.2}", bytes / record),
    ])
}

fn program(ledger: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env("COUNTERSIGN_LEDGER", ledger).stdout(Stdio::null()).stderr(Stdio::inherit());
    command
}

/// Runs a command to its end and gives the most memory it held, in KiB.
fn finish(command: &mut Command, words: &str) -> Outcome<f64> {
    let mut child = command.spawn()?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(resident(&child));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // tidy: sleep because the system keeps the peak; it is only read again now and then
        std::thread::sleep(Duration::from_millis(5));
    };
    if status.success() { Ok(number_of(peak)) } else { Err(format!("{words}: {status}").into()) }
}

/// The most memory that a process held so far (`VmHWM` of proc(5)), in KiB; 0 once it is gone.
fn resident(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "sizes of a benchmark stay far below 2^52")]
fn number_of(value: u64) -> f64 {
    value as f64
}
