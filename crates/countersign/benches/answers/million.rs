//! A million records: a ledger of many evenings, its story derived, and questions to it over the
//! loopback and from the command line.

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use countersign::entropy::SystemSalts;
use countersign::ledger::dir::LedgerDir;
use countersign::ledger::recover;
use evidence::channel::Channel;

use crate::evenings::{self, captures};
use crate::measure::{Call, Outcome, number, per_second, table};
use crate::peak::{finish, resident};
use crate::served::{self, Asking};

pub(crate) fn run(call: &Call, out: &mut dyn Write) -> Outcome {
    let wanted = std::env::var("BENCH_RECORDS").ok().and_then(|n| n.parse().ok());
    let wanted = wanted.unwrap_or_else(|| call.amount(1_000_000, 15_000));
    let folder =
        tempfile::tempdir_in(std::env::var("BENCH_FOLDER").unwrap_or_else(|_| ".".into()))?;
    let (records, evenings) = fill(folder.path(), wanted)?;
    writeln!(out, "\n{records} records of {evenings} evenings")?;
    derivation(folder.path(), records, evenings, out)?;
    questions(call, folder.path(), evenings, out)
}

/// Makes a ledger of so many records: whole evenings.
fn fill(folder: &Path, wanted: usize) -> Outcome<(usize, u32)> {
    let origin = "bench.countersign.example/log".parse()?;
    let dir: LedgerDir = recover::init(&folder.join("ledger"), &origin, None)?;
    let mut ledger = recover::open(&dir)?;
    let terms = (evenings::terms(None)?, evenings::terms(Some(Channel::GitCommit))?);
    let (sources, mut salts) = (evenings::sources()?, SystemSalts::new());
    let (mut records, mut evening) = (0, 0);
    while records < wanted {
        let batches = evenings::evening(&sources, (&terms.0, &terms.1), evening, &mut salts);
        records += batches.iter().map(|b| b.entries.len()).sum::<usize>();
        ledger.append(&batches)?;
        evening += 1;
    }
    let records = usize::try_from(ledger.size().get())?;
    recover::close(ledger, &dir)?;
    Ok((records, evening))
}

/// The story derived in a process of its own, which only answers one question.
fn derivation(folder: &Path, records: usize, evenings: u32, out: &mut dyn Write) -> Outcome {
    let start = Instant::now();
    let peak = finish(program(folder).args(question(evenings)))?;
    let cold = start.elapsed();
    let start = Instant::now();
    let status = finish(program(folder).args(["ledger", "status"]))?;
    let without_story = start.elapsed();
    let (json, bytes) = limit(folder)?;
    let row = |what: &str, took: Duration, peak: Option<f64>| {
        vec![
            what.to_owned(),
            format!("{:.1}", took.as_secs_f64()),
            number(per_second(records, took)),
            format!("{:.2}", json.as_secs_f64() / took.as_secs_f64()),
            peak.map_or_else(String::new, |kib| number(kib / 1024.0)),
        ]
    };
    let rows = [
        row("cold `timeline --at`: read, verified, derived, answered", cold, Some(peak)),
        row("`ledger status`: read, verified, folded", without_story, Some(status)),
        row("limit: read from the database, as JSON, nothing kept", json, None),
    ];
    let title =
        format!("{records} records, {} MB of payloads, one process: one run each", number(bytes));
    table(out, &title, &["what", "s", "records/s", "ratio", "peak memory, MiB"], &rows)
}

fn question(evenings: u32) -> Vec<String> {
    let at = format!("{}T21:47:42Z", day(evenings / 2));
    let words = ["--format", "json", "timeline", "--app", "payments-prod", "--at", at.as_str()];
    words.map(str::to_owned).to_vec()
}

fn day(evening: u32) -> String {
    let first = jiff::civil::date(2026, 11, 23);
    first.saturating_add(jiff::Span::new().days(i64::from(evening))).to_string()
}

/// Reading every payload from the database and through a JSON reader that keeps nothing.
fn limit(folder: &Path) -> Outcome<(Duration, f64)> {
    use std::ops::ControlFlow;
    let dir = LedgerDir::open(&folder.join("ledger"))?;
    let reader = countersign::ledger::read::Reader::open(&dir)?;
    let (start, mut bytes) = (Instant::now(), 0);
    reader.entries(tlog::LeafIndex::FIRST, |entry| {
        if let Ok((_, record)) = entry.record() {
            bytes += record.payload.len();
            let read = serde_json::from_slice::<serde::de::IgnoredAny>(&record.payload);
            black_box(read.is_ok());
        }
        ControlFlow::<()>::Continue(())
    })?;
    Ok((start.elapsed(), per_second(bytes, Duration::from_secs(1)) / 1e6))
}

/// Questions to the held story, one after the other, at moments all over the evenings.
fn questions(call: &Call, folder: &Path, evenings: u32, out: &mut dyn Write) -> Outcome {
    let started = Instant::now();
    let served = served::start(folder)?;
    let mut asking = Asking::connect(&served)?;
    while asking.get("/v1/timeline?at=2026-11-23T21:47:42Z")?.0 != 200 {
        // tidy: sleep because the first story takes seconds, and asking for it takes from them
        std::thread::sleep(Duration::from_millis(50));
    }
    let ready = started.elapsed();
    let count = call.amount(1_000, 50);
    let mut rows = Vec::new();
    for (what, path) in [
        ("timeline, 20 s of one Application", "/v1/timeline?app=payments-prod&at="),
        ("timeline, 20 s of everything", "/v1/timeline?at="),
        ("timeline, 30 minutes around, prod", "/v1/timeline?env=prod&window=30m&at="),
        ("what ran", "/v1/running?env=prod&at="),
    ] {
        let mut took = Vec::with_capacity(count);
        let mut bytes = 0;
        for number in 0..u32::try_from(count)? {
            let (evening, second) = (number * 7919 % evenings, number * 613 % 540);
            let (minute, second) = (41 + second / 60, second % 60);
            let path = format!("{path}{}T21:{minute:02}:{second:02}Z", day(evening));
            let start = Instant::now();
            let (status, body) = asking.get(&path)?;
            took.push(start.elapsed());
            bytes += body.len();
            assert_eq!(status, 200, "{path}");
        }
        took.sort();
        let millis = |percent: usize| {
            let at = (took.len() * percent / 100).min(took.len() - 1);
            format!("{:.2}", took[at].as_secs_f64() * 1e3)
        };
        rows.push(vec![what.to_owned(), millis(50), millis(99), (bytes / count).to_string()]);
    }
    let peak = resident(&served.child);
    served.stop()?;
    let title = format!(
        "Questions to a server over the loopback, {count} each (ready after {:.1} s, peak memory {} MiB; goal: 99 of 100 within 50 ms)",
        ready.as_secs_f64(),
        number(peak / 1024.0)
    );
    table(out, &title, &["question", "half within, ms", "99 of 100, ms", "bytes"], &rows)
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let people = captures().join("people.json");
    command.env("COUNTERSIGN_LEDGER", folder.join("ledger")).env("COUNTERSIGN_PEOPLE", people);
    command.stdout(Stdio::null()).stderr(Stdio::inherit());
    command
}
