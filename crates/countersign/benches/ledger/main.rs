//! The ledger on its disk, beside what the disk, the database and the hash allow by themselves:
//! `cargo bench -p countersign --bench ledger [-- [--quick] [PART…]]`, parts `append`, `parts`,
//! `million`, `fsck`, `latency`, `story`.

use std::io::Write;
use std::time::Instant;

#[path = "../../../tlog/benches/measure/mod.rs"]
mod measure;

mod append;
mod data;
mod disk;
mod fsck;
mod latency;
mod million;
mod parts;
mod raw;
mod story;

use measure::{Call, Outcome};

/// One part of the benchmark.
type Part = fn(&Call, &mut dyn Write) -> Outcome;

fn main() -> Outcome {
    let call = Call::from_args();
    let mut out = std::io::stdout().lock();
    measure::machine(&mut out)?;
    disk::describe(&mut out)?;
    let all: [(&str, Part); 6] = [
        ("append", append::run),
        ("parts", parts::run),
        ("million", million::run),
        ("fsck", fsck::run),
        ("latency", latency::run),
        ("story", story::run),
    ];
    for (name, run) in all {
        if call.wants(name) {
            let start = Instant::now();
            run(&call, &mut out)?;
            writeln!(out, "({name}: {:.0} s)", start.elapsed().as_secs_f64())?;
        }
    }
    measure::load(&mut out, "after")
}
