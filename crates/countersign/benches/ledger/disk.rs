//! The disk that the figures stand on: folders on it, and what it takes to make bytes durable.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::measure::Outcome;

/// A folder below Cargo's target folder: on a disk, where `/tmp` may be memory.
///
/// Waits until the disk has it, and so until it has also removed what was there before: no run
/// pays for the one before it.
pub(crate) fn folder() -> Outcome<TempDir> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    File::open(env!("CARGO_TARGET_TMPDIR"))?.sync_all()?;
    Ok(folder)
}

/// Says what the disk is.
pub(crate) fn describe(out: &mut dyn Write) -> Outcome {
    let folder = folder()?;
    let sync = append_durably(folder.path(), 1024, 300)?;
    writeln!(
        out,
        "disk: {}; 1 KiB appended and fdatasync: median {} µs, 99 of 100 within {} µs",
        file_system(folder.path())?,
        micros(quantile(&sync, 50)),
        micros(quantile(&sync, 99)),
    )?;
    writeln!(out, "database: SQLite {}", rusqlite::version())?;
    Ok(())
}

/// Appends `bytes` to a file and waits for the disk, `times` times; says how long each took.
pub(crate) fn append_durably(folder: &Path, bytes: usize, times: usize) -> Outcome<Vec<Duration>> {
    let (mut file, block) = (File::create(folder.join("raw"))?, vec![0x5a; bytes]);
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        let start = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        took.push(start.elapsed());
    }
    Ok(took)
}

/// The smallest value that so many of a hundred do not exceed.
pub(crate) fn quantile(values: &[Duration], percent: usize) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort();
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

/// Microseconds as text.
pub(crate) fn micros(time: Duration) -> String {
    crate::measure::number(time.as_secs_f64() * 1e6)
}

/// Bytes of all files in a folder.
pub(crate) fn bytes_in(folder: &Path) -> Outcome<u64> {
    let sizes = std::fs::read_dir(folder)?.map(|entry| entry?.metadata().map(|m| m.len()));
    Ok(sizes.sum::<Result<u64, _>>()?)
}

/// The type of the file system that a folder is on: that of the longest mount point above it.
fn file_system(folder: &Path) -> Outcome<String> {
    let (folder, mounts) = (folder.canonicalize()?, std::fs::read_to_string("/proc/mounts")?);
    let mount = |line: &str| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        folder.starts_with(&point).then_some((point.len(), kind))
    };
    let found = mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length);
    Ok(found.map_or_else(|| "unknown".to_owned(), |(_, kind)| kind))
}
