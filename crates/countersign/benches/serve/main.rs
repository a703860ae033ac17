//! Webhooks over HTTP to their durable acknowledgement, beside what the disk takes by itself:
//! `cargo bench -p countersign --bench serve [-- [--quick] [PART…]]`, parts `latency`, `rate`.

use std::io::Write;
use std::time::{Duration, Instant};

#[path = "../../../tlog/benches/measure/mod.rs"]
#[expect(dead_code, reason = "shared with benches that compare more")]
mod measure;

#[path = "../ledger/disk.rs"]
#[expect(dead_code, reason = "shared with the bench of the ledger")]
mod disk;

mod process;
mod served;

use disk::{append_durably, micros, quantile};
use measure::{Call, Outcome, number, per_second, table};
use served::Sender;

/// Bytes of a webhook's body.
const BODY_BYTES: usize = 1024;
/// Webhooks a second of the first part: a busy day of a large organisation.
const PER_SECOND: u32 = 100;
/// Webhooks between two turns of the disk alone.
const TURN: usize = 100;
/// Connections of the second part.
const CONNECTIONS: usize = 8;

fn main() -> Outcome {
    let call = Call::from_args();
    let mut out = std::io::stdout().lock();
    measure::machine(&mut out)?;
    disk::describe(&mut out)?;
    if call.wants("latency") {
        latency(&call, &mut out)?;
    }
    if call.wants("rate") {
        rate(&call, &mut out)?;
    }
    measure::load(&mut out, "after")
}

/// One webhook after the other, at a steady rate.
fn latency(call: &Call, out: &mut dyn Write) -> Outcome {
    let count: usize = call.amount(2_000, 200);
    let (folder, beside) = (disk::folder()?, disk::folder()?);
    let served = served::start(folder.path())?;
    let mut sender = Sender::connect(&served, 0)?;
    let (mut ours, mut raw) = (Vec::with_capacity(count), Vec::with_capacity(count));
    sender.post()?;
    let pause = Duration::from_secs(1) / PER_SECOND;
    while ours.len() < count {
        let mut due = Instant::now();
        for _ in 0..TURN {
            // tidy: sleep because the load is a steady rate, so each webhook has its time.
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            sender.post()?;
            // From when it was due: what is late waits, as it would at a sender.
            ours.push(due.elapsed());
            due += pause;
        }
        raw.extend(append_durably(beside.path(), BODY_BYTES, TURN)?);
    }
    served.stop()?;
    let row = |what: &str, percent: usize| {
        let (ours, raw) = (quantile(&ours, percent), quantile(&raw, percent));
        let times = format!("{:.1}", ours.as_secs_f64() / raw.as_secs_f64());
        vec![what.to_owned(), micros(ours), micros(raw), times]
    };
    let rows = [row("half within", 50), row("99 of 100 within", 99)];
    let title = format!(
        "A webhook of 1 KiB, signed (HMAC), from due to durable acknowledgement, {PER_SECOND} a second, {count} times"
    );
    let head = ["", "µs", "1 KiB appended and fdatasync, µs", "times"];
    table(out, &title, &head, &rows)
}

/// As many as are acknowledged, on one connection and on several at once.
fn rate(call: &Call, out: &mut dyn Write) -> Outcome {
    let each: usize = call.amount(4_000, 200);
    let mut rows = Vec::new();
    for connections in [1, CONNECTIONS] {
        let (folder, beside) = (disk::folder()?, disk::folder()?);
        let raw = append_durably(beside.path(), BODY_BYTES, call.amount(2_000, 200))?;
        let raw = per_second(raw.len(), raw.iter().sum());
        let served = served::start(folder.path())?;
        let senders = (0..connections).map(|n| Sender::connect(&served, n));
        let took = all_at_once(senders.collect::<Outcome<_>>()?, each)?;
        served.stop()?;
        let all = each * connections;
        let ours = per_second(all, took);
        let count = number(per_second(all, Duration::from_secs(1)));
        let ratio = format!("{:.2}", ours / raw);
        rows.push(vec![connections.to_string(), count, number(ours), number(raw), ratio]);
    }
    let title = "Webhooks of 1 KiB, signed, as fast as they are acknowledged: one run each";
    let head = ["connections", "webhooks", "a second", "1 KiB and fdatasync a second", "ratio"];
    table(out, title, &head, &rows)
}

/// Each sender posts so many, one after the other; says how long all of them took.
fn all_at_once(senders: Vec<Sender>, each: usize) -> Outcome<Duration> {
    let start = Instant::now();
    let done: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let send = |mut sender: Sender| {
            (0..each).try_for_each(|_| sender.post().map_err(|e| e.to_string()))
        };
        let threads: Vec<_> =
            senders.into_iter().map(|sender| scope.spawn(move || send(sender))).collect();
        threads.into_iter().map(|t| t.join().map_err(|_| "panicked")?).collect()
    });
    done.into_iter().collect::<Result<(), String>>()?;
    Ok(start.elapsed())
}
