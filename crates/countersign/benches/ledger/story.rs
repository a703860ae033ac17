//! The story of the recorded evening, beside reading the same bytes as JSON once.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use countersign::entropy::SystemSalts;
use countersign::ledger::append::Batch;
use countersign::ledger::dir::LedgerDir;
use countersign::ledger::read::Reader;
use countersign::ledger::recover;
use countersign::sources::files::find;
use evidence::intake::{Intake, Taken};
use evidence::people::People;
use evidence::record::Record;
use evidence::story::derive;
use flate2::read::MultiGzDecoder;
use tlog::LeafIndex;

use crate::measure::{Call, Outcome, Row, Runs, compared, per_second};
use crate::{append, data, disk};

pub(crate) fn run(call: &Call, out: &mut dyn Write) -> Outcome {
    let captures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../captures");
    let people = People::from_json(&std::fs::read(captures.join("people.json"))?)?;
    let folder = disk::folder()?;
    let dir = recorded(&captures, folder.path())?;
    let first = records(&dir)?;
    let bytes: usize = first.iter().map(|r| r.payload.len()).sum();
    let operations = derive(first.clone(), &people).operations.len();
    let [mut derived, mut told, mut json]: [Runs; 3] = Default::default();
    let megabytes = |start: Instant| per_second(bytes, start.elapsed()) / 1e6;
    for _ in 0..call.amount(9, 2) {
        let copy = first.clone();
        let start = Instant::now();
        let story = derive(copy, &people);
        derived.0.push(megabytes(start));
        assert_eq!(story.operations.len(), operations, "the same story each time");
        let start = Instant::now();
        drop(derive(records(&dir)?, &people));
        told.0.push(megabytes(start));
        let start = Instant::now();
        for record in &first {
            serde_json::from_slice::<serde::de::IgnoredAny>(&record.payload)?;
        }
        json.0.push(megabytes(start));
    }
    let millis = |runs: &Runs| {
        1e3 * per_second(bytes, std::time::Duration::from_secs(1)) / 1e6 / runs.median()
    };
    let row = |what: &str, ours: Runs| Row {
        what: format!("{what}: {:.0} ms", millis(&ours)),
        ours,
        limit: "read as JSON, nothing kept".to_owned(),
        limits: json.clone(),
        goal: None,
    };
    let rows = [
        row("story derived from records in memory", derived),
        row("read from the ledger and derived", told),
    ];
    let title = format!(
        "The recorded evening: {} records, {:.1} MB, {operations} operations, one thread",
        first.len(),
        per_second(bytes, std::time::Duration::from_secs(1)) / 1e6
    );
    compared(out, &title, "MB", &rows)
}

/// The recording in a ledger.
fn recorded(captures: &Path, folder: &Path) -> Outcome<LedgerDir> {
    let (terms, mut salts) = (data::terms()?, SystemSalts::new());
    let (dir, mut ledger) = append::ledger(folder)?;
    let kubernetes = ["watch", "audit.jsonl.gz"].map(|p| captures.join("kubernetes").join(p));
    for source in find(&kubernetes)?.sources {
        let (mut intake, mut batch) = (Intake::new(&terms), Batch::default());
        let text =
            std::io::read_to_string(MultiGzDecoder::new(std::fs::File::open(source.name())?))?;
        for line in text.lines() {
            if let Taken::Pending(entry) =
                intake.take(line.as_bytes(), countersign::clock::now(), &mut salts)?
            {
                batch.entries.push(*entry);
            }
        }
        ledger.append(&[batch])?;
    }
    recover::close(ledger, &dir)?;
    Ok(dir)
}

/// Every record of a ledger, as a question reads them.
fn records(dir: &LedgerDir) -> Outcome<Vec<Record>> {
    let mut records = Vec::new();
    let failed = Reader::open(dir)?.entries(LeafIndex::FIRST, |entry| match entry.record() {
        Ok((_, record)) => {
            records.push(record);
            ControlFlow::Continue(())
        }
        Err(e) => ControlFlow::Break(e),
    })?;
    failed.map_or(Ok(records), |e| Err(e.into()))
}
