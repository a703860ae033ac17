//! How long one record waits for its acknowledgement, beside the disk's own wait.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::disk::{append_durably, micros, quantile};
use crate::measure::{Call, Outcome, table};
use crate::{append, data, disk};

/// Appends between two turns of the disk alone.
const TURN: usize = 100;

pub(crate) fn run(call: &Call, out: &mut dyn Write) -> Outcome {
    let records: usize = call.amount(2_000, 200);
    let lines: Vec<_> = (0..records as u64).map(data::line).collect();
    let (folder, beside) = (disk::folder()?, disk::folder()?);
    let (_dir, mut ledger) = append::ledger(folder.path())?;
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for turn in data::sealed(&lines, 1)?.chunks(TURN) {
        for batch in turn {
            let start = Instant::now();
            ledger.append(std::slice::from_ref(batch))?;
            ours.push(start.elapsed());
        }
        raw.extend(append_durably(beside.path(), data::RECORD_BYTES, turn.len())?);
    }
    let row = |what: &str, times: &[Duration], percent: usize| {
        vec![
            what.to_owned(),
            micros(quantile(times, percent)),
            micros(quantile(&raw, percent)),
            format!(
                "{:.1}",
                quantile(times, percent).as_secs_f64() / quantile(&raw, percent).as_secs_f64()
            ),
        ]
    };
    let rows = [row("half within", &ours, 50), row("99 of 100 within", &ours, 99)];
    let title = format!("One record, from append to acknowledgement, {records} times");
    let head = ["", "µs", "1 KiB appended and fdatasync, µs", "times"];
    table(out, &title, &head, &rows)
}
