//! Checking a ledger, beside reading and hashing its bytes once.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read as _, Write};
use std::path::Path;
use std::time::Instant;

use countersign::ledger::{fsck, recover};
use sha2::{Digest as _, Sha256};

use crate::measure::{Call, Outcome, Row, Runs, compared, per_second};
use crate::{append, data, disk};

pub(crate) fn run(call: &Call, out: &mut dyn Write) -> Outcome {
    let records = call.amount(200_000, 4_000);
    let lines: Vec<_> = (0..records as u64).map(data::line).collect();
    let folder = disk::folder()?;
    let (dir, mut ledger) = append::ledger(folder.path())?;
    for batch in data::sealed(&lines, data::BATCH)? {
        ledger.append(&[batch])?;
    }
    recover::close(ledger, &dir)?;
    let (mut ours, mut limits) = (Runs::default(), Runs::default());
    for _ in 0..call.amount(5, 2) {
        let start = Instant::now();
        let report = fsck::fsck(&dir, &[], &mut |_| ())?;
        ours.0.push(per_second(records, start.elapsed()));
        assert!(report.is_sound() && report.entries == records as u64, "{:?}", report.faults);
        let start = Instant::now();
        read_and_hash(&dir.database())?;
        limits.0.push(per_second(records, start.elapsed()));
    }
    let row = Row {
        what: "fsck".to_owned(),
        ours,
        limit: "read the database, SHA-256 once".to_owned(),
        limits,
        goal: None,
    };
    compared(out, "A ledger derived again and compared, one thread", "records", &[row])
}

fn read_and_hash(path: &Path) -> Outcome {
    let (mut file, mut buffer, mut hash) = (File::open(path)?, vec![0; 1 << 20], Sha256::new());
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    black_box(hash.finalize());
    Ok(())
}
