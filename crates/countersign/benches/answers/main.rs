//! Questions and what they rest on, beside what reading the same bytes costs:
//! `cargo bench -p countersign --bench answers [-- [--quick] [PART…]]`, parts `parse`, `million`.

use std::io::Write;
use std::time::Instant;

#[path = "../../../tlog/benches/measure/mod.rs"]
#[expect(dead_code, reason = "shared with benches that compare more")]
mod measure;

mod evenings;
mod million;
mod parse;
mod peak;
#[path = "../serve/process.rs"]
mod process;
mod served;
mod shift;

use measure::{Call, Outcome};

/// One part of the benchmark.
type Part = fn(&Call, &mut dyn Write) -> Outcome;

fn main() -> Outcome {
    let call = Call::from_args();
    let mut out = std::io::stdout().lock();
    measure::machine(&mut out)?;
    let all: [(&str, Part); 2] = [("parse", parse::run), ("million", million::run)];
    for (name, run) in all {
        if call.wants(name) {
            let start = Instant::now();
            run(&call, &mut out)?;
            writeln!(out, "({name}: {:.0} s)", start.elapsed().as_secs_f64())?;
        }
    }
    measure::load(&mut out, "after")
}
