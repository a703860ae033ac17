//! `check` and `who-can` on large repositories, beside what reading the same files costs:
//! `cargo bench -p countersign --bench rights [-- --quick]`.

use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use access::yaml;

#[path = "../../../tlog/benches/measure/mod.rs"]
#[expect(dead_code, reason = "shared with benches that compare more")]
mod measure;
#[path = "../answers/peak.rs"]
mod peak;
mod world;

use measure::{Call, Outcome, number, table};
use peak::finish;

/// Above it the answer of `who-can` itself, every person with every Application, has gigabytes.
const WHO_CAN_MAX: usize = 2_000;

fn main() -> Outcome {
    let call = Call::from_args();
    let mut out = std::io::stdout().lock();
    measure::machine(&mut out)?;
    for applications in call.amount(vec![2_000, 20_000], vec![200]) {
        size(applications, &mut out)?;
    }
    measure::load(&mut out, "after")
}

fn size(applications: usize, out: &mut dyn Write) -> Outcome {
    let folder = tempfile::tempdir()?;
    let bytes = world::write(folder.path(), applications)?;
    // The first run finds the files in no cache: it is not counted.
    let mut rows = Vec::new();
    let mut questions = vec![("`check`", vec!["check"])];
    if applications <= WHO_CAN_MAX {
        questions.push(("`who-can deploy`", vec!["who-can", "deploy", "--format", "json"]));
    }
    for (name, args) in questions {
        asked(folder.path(), &args)?;
        let runs: Vec<_> = (0..3).map(|_| asked(folder.path(), &args)).collect::<Result<_, _>>()?;
        let peak = runs.iter().map(|(_, peak)| *peak).fold(0.0, f64::max);
        let mut times: Vec<Duration> = runs.into_iter().map(|(took, _)| took).collect();
        times.sort();
        rows.push((name, times[1], Some(peak)));
    }
    let limit = limit(folder.path())?;
    rows.push(("limit: the same files, read and parsed", limit, None));
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(name, took, peak)| {
            vec![
                name.to_owned(),
                format!("{:.2}", took.as_secs_f64()),
                format!("{:.2}", limit.as_secs_f64() / took.as_secs_f64()),
                peak.map_or_else(String::new, |kib| number(kib / 1024.0)),
            ]
        })
        .collect();
    let mb = f64::from(u32::try_from(bytes / 1000)?) / 1000.0;
    let title = format!(
        "{applications} Applications, as many RoleBindings, {mb:.1} MB: one process, median of three"
    );
    table(out, &title, &["what", "s", "ratio", "peak memory, MiB"], &rows)
}

fn asked(folder: &Path, args: &[&str]) -> Outcome<(Duration, f64)> {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.env_remove("COUNTERSIGN_PEOPLE").stdout(Stdio::null());
    command.current_dir(folder).args(args);
    command.args(["--repo", "repo", "--forge", "forge.json", "--people", "people.json"]);
    command.args(["--cluster", "cluster.json"]);
    let peak = finish(&mut command)?;
    Ok((start.elapsed(), peak))
}

/// Every file read and parsed, in one pass, and nothing concluded.
fn limit(folder: &Path) -> Outcome<Duration> {
    let start = Instant::now();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = fs::read(&path)?;
            match path.extension().and_then(|end| end.to_str()) {
                Some("json") => {
                    drop(black_box(serde_json::from_slice::<serde_json::Value>(&bytes)?));
                }
                Some("yaml") => {
                    drop(black_box(yaml::parse("", &bytes, &yaml::Limits::default())));
                }
                _ => {}
            }
        }
    }
    Ok(start.elapsed())
}
