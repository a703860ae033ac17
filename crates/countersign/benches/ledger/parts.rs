//! What takes the time of an append: the same steps in the same order, each with its own clock.

use std::io::Write;
use std::time::{Duration, Instant};

use countersign::ledger::history::History;
use countersign::ledger::tree::GrowingTree;
use countersign::store::sqlite::SqliteStore;
use countersign::store::{Placed, Store as _, StoreTx as _, TileId};
use evidence::intake::Intake;
use tlog::{Checkpoint, Signer, TreeSize, sign_checkpoint};

use crate::measure::{Call, Outcome, number, per_second, table};
use crate::{data, disk};

const STEPS: [&str; 9] = [
    "line to sealed entry (before the append)",
    "begin the transaction",
    "insert the rows, find known keys",
    "grow the tree (node hashes, tiles in memory)",
    "write tiles, checkpoint and head",
    "commit: WAL write, fsync, copies into the file",
    "root and Ed25519 signature",
    "append to the checkpoint file, fdatasync",
    "anchor: write, fsync, rename, fsync",
];

/// Adds the time since the last call to a step.
struct Clock {
    last: Instant,
    spent: [Duration; STEPS.len()],
}

impl Clock {
    fn step(&mut self, step: usize) {
        let now = Instant::now();
        self.spent[step] += now - self.last;
        self.last = now;
    }
}

pub(crate) fn run(call: &Call, out: &mut dyn Write) -> Outcome {
    let records = call.amount(200_000, 4_000);
    let lines: Vec<_> = (0..records as u64).map(data::line).collect();
    let mut runs = Vec::new();
    for _ in 0..call.amount(5, 2) {
        runs.push(walk(&lines)?);
    }
    let whole: Vec<Duration> = runs.iter().map(|r| r[1..8].iter().sum()).collect();
    let whole = disk::quantile(&whole, 50);
    let rows = STEPS.iter().enumerate().map(|(step, name)| {
        let times: Vec<_> = runs.iter().map(|r| r[step]).collect();
        let [median, least, most] = [50, 0, 100].map(|p| disk::quantile(&times, p).as_secs_f64());
        let each = 1e6 / per_second(records, Duration::from_secs(1));
        let share = if (1..8).contains(&step) {
            format!("{:.1} %", 100.0 * median / whole.as_secs_f64())
        } else {
            "beside it".to_owned()
        };
        let times = format!("{:.2} ({:.2}–{:.2})", median * each, least * each, most * each);
        vec![(*name).to_owned(), times, share]
    });
    let title = format!(
        "What an append is made of, {} records in batches of {}",
        number(per_second(records, Duration::from_secs(1))),
        data::BATCH
    );
    let head = ["step", "µs a record, median (min–max)", "of the append"];
    table(out, &title, &head, &rows.collect::<Vec<_>>())
}

/// Appends as `Ledger::append` does, from the same public parts.
fn walk(lines: &[Vec<u8>]) -> Outcome<[Duration; STEPS.len()]> {
    let (folder, terms) = (disk::folder()?, data::terms()?);
    let path = |name: &str| folder.path().join(name);
    let mut store = SqliteStore::create(&path("ledger.db"))?;
    let mut head = store.take_over()?;
    let mut tree = GrowingTree::load(&|_: TileId| Ok(None), TreeSize::EMPTY)?;
    let (origin, name) = ("bench.example/log".parse::<tlog::Origin>()?, "bench.example/log");
    let signer = Signer::from_seed(name.parse()?, &[7; 32]);
    let mut note = sign_checkpoint(
        &Checkpoint::new(origin.clone(), TreeSize::EMPTY, tlog::EMPTY_ROOT)?,
        &signer,
    );
    History::create(&path("checkpoints"), &note)?;
    let (mut history, _) = History::open(&path("checkpoints"))?;
    let (mut intake, mut salts) = (Intake::new(&terms), countersign::entropy::SystemSalts::new());

    let mut clock = Clock { last: Instant::now(), spent: Default::default() };
    for lines in lines.chunks(data::BATCH) {
        let batch = data::seal(&mut intake, lines, &mut salts, 0)?;
        clock.step(0);
        let mut tx = store.begin()?;
        clock.step(1);
        let places = tx.insert_new(tree.size().next_index(), &batch.entries)?;
        clock.step(2);
        for (entry, place) in batch.entries.iter().zip(&places) {
            assert!(matches!(place, Placed::New(_)), "every record is new");
            tree.push(entry.leaf);
        }
        let tiles = tree.take_tiles();
        clock.step(3);
        for (id, hashes) in tiles {
            tx.put_tile(id, &hashes)?;
        }
        tx.put_checkpoint(head.size, &note)?;
        tx.advance(head, tree.size())?;
        head.size = tree.size();
        clock.step(4);
        tx.commit()?;
        clock.step(5);
        note = sign_checkpoint(&Checkpoint::new(origin.clone(), head.size, tree.root())?, &signer);
        clock.step(6);
        history.append(&note)?;
        clock.step(7);
        anchor(folder.path(), &note)?;
        drop(batch);
        clock.step(8);
    }
    Ok(clock.spent)
}

/// What a copy elsewhere costs: a whole file, durable under its name.
fn anchor(folder: &std::path::Path, note: &str) -> std::io::Result<()> {
    let (new, name) = (folder.join("anchor.new"), folder.join("anchor"));
    let mut file = std::fs::File::create(&new)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, &name)?;
    std::fs::File::open(folder)?.sync_all()
}
