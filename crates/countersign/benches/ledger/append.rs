//! Records appended, integrated and signed a second, beside raw inserts of the same rows.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use countersign::entropy::SystemSalts;
use countersign::ledger::append::Batch;
use countersign::ledger::dir::LedgerDir;
use countersign::ledger::writer::Writer;
use countersign::ledger::{EmbeddedLedger, recover};
use countersign::sources::files::{Ingest, Monitor, Source};
use evidence::intake::Intake;

use crate::measure::{Call, Outcome, Row, Runs, compared, number, per_second};
use crate::raw::Raw;
use crate::{data, disk};

/// The goal beside raw inserts of the same bytes.
const GOAL: f64 = 0.8;

/// A new ledger in a folder.
pub(crate) fn ledger(folder: &Path) -> Outcome<(LedgerDir, EmbeddedLedger)> {
    let origin = "bench.countersign.example/log".parse()?;
    let dir = recover::init(&folder.join("ledger"), &origin, None)?;
    let ledger = recover::open(&dir)?;
    Ok((dir, ledger))
}

pub(crate) fn run(call: &Call, out: &mut dyn Write) -> Outcome {
    let records = call.amount(200_000, 4_000);
    let lines: Vec<_> = (0..records as u64).map(data::line).collect();
    let batches = data::sealed(&lines, data::BATCH)?;
    let input = disk::folder()?;
    let file = input.path().join("records.jsonl");
    data::write_lines(&mut BufWriter::new(File::create(&file)?), records)?;
    let stored = batches.iter().flat_map(|b| &b.entries);
    let stored: usize = stored.map(|e| e.envelope.len() + e.payload.len() + 32).sum();

    let mut took: [Runs; 5] = Default::default();
    for _ in 0..call.amount(5, 2) {
        let [before, insert, hashed] = in_turns(&batches)?;
        let times = [before, insert, hashed, sealing(&lines)?, ingesting(&file, records)?];
        for (runs, time) in took.iter_mut().zip(times) {
            runs.0.push(per_second(records, time));
        }
    }
    let [before, insert, hashed, sealing, ingest] = took;
    let row = |what: &str, ours: &Runs, limit: &str, limits: &Runs, goal| Row {
        what: what.to_owned(),
        ours: ours.clone(),
        limit: limit.to_owned(),
        limits: limits.clone(),
        goal,
    };
    let (plain, one) = ("inserts", "inserts and one SHA-256");
    let rows = [
        row("append, entries sealed before", &before, one, &hashed, Some(GOAL)),
        row("the same", &before, plain, &insert, Some(GOAL)),
        row("seal and append, one thread", &sealing, one, &hashed, None),
        row("ingest: read, seal, append, two threads", &ingest, one, &hashed, None),
    ];
    let title = format!(
        "Appended, integrated and signed: {} records of 1 KiB (stored: {} B), {} a batch",
        number(per_second(records, Duration::from_secs(1))),
        stored / records,
        data::BATCH
    );
    compared(out, &title, "records", &rows)
}

/// Appends what was sealed before, and inserts the same without and with a hash: batch by batch in
/// turns, so that what else the machine does meanwhile falls on all three.
fn in_turns(batches: &[Batch]) -> Outcome<[Duration; 3]> {
    let folders = [disk::folder()?, disk::folder()?, disk::folder()?];
    let (_dir, mut ledger) = ledger(folders[0].path())?;
    let mut insert = Raw::create(folders[1].path(), false)?;
    let mut hashed = Raw::create(folders[2].path(), true)?;
    let mut took = [Duration::ZERO; 3];
    for (number, batch) in batches.iter().enumerate() {
        for turn in 0..took.len() {
            // Each time another begins, so that none always follows the same one.
            let which = (number + turn) % took.len();
            took[which] += match which {
                0 => {
                    let start = Instant::now();
                    ledger.append(std::slice::from_ref(batch))?;
                    start.elapsed()
                }
                1 => insert.insert(batch)?,
                _ => hashed.insert(batch)?,
            };
        }
    }
    Ok(took)
}

/// Seals a batch, appends it, and so on.
fn sealing(lines: &[Vec<u8>]) -> Outcome<Duration> {
    let (folder, terms, mut salts) = (disk::folder()?, data::terms()?, SystemSalts::new());
    let (_dir, mut ledger) = ledger(folder.path())?;
    let (mut intake, mut read, start) = (Intake::new(&terms), 0, Instant::now());
    for lines in lines.chunks(data::BATCH) {
        ledger.append(&[data::seal(&mut intake, lines, &mut salts, read)?])?;
        read += lines.len();
    }
    Ok(start.elapsed())
}

/// Reads, seals and appends as `countersign ingest` does: one thread seals while another commits.
fn ingesting(file: &Path, records: usize) -> Outcome<Duration> {
    let (folder, terms) = (disk::folder()?, data::terms()?);
    let (dir, ledger) = ledger(folder.path())?;
    let start = Instant::now();
    let writer = Writer::start(ledger)?;
    let mut ingest = Ingest {
        writer: &writer,
        terms: &terms,
        salts: &mut SystemSalts::new(),
        clock: countersign::clock::now,
        monitor: &mut Nobody,
        acks: None,
        batch_entries: data::BATCH,
    };
    let tally = ingest.source(&Source::File(file.to_owned()), 1)?;
    let took = start.elapsed();
    assert_eq!(tally.accepted.values().sum::<u64>(), records as u64, "every record is new");
    writer.close(&dir)?;
    Ok(took)
}

/// Nobody watches.
struct Nobody;

impl Monitor for Nobody {
    fn source(&mut self, _: &Source) {}
    fn bytes(&mut self, _: u64) {}
    fn acknowledged(&mut self, _: u64) {}
    fn refused(&mut self, _: &str, _: u64, _: &str) {}
}
