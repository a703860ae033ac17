//! What the terminal can do, and the bar on it.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

use crate::sources::files::{Monitor, Source};

/// Columns where nobody says.
const WIDTH: usize = 80;
/// Refusals told one by one; the rest is summed up.
const REFUSALS_TOLD: u64 = 5;

/// What the terminal can do.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Whether standard output shows colour.
    pub colour: bool,
    /// Columns.
    pub width: usize,
    /// Whether standard error is a terminal.
    pub interactive: bool,
}

impl Terminal {
    /// The terminal of this process. `NO_COLOR` and `COLUMNS` are honoured.
    pub fn of_process() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        Self {
            colour: std::io::stdout().is_terminal() && !set("NO_COLOR"),
            width: columns.unwrap_or(WIDTH).clamp(40, 200),
            interactive: std::io::stderr().is_terminal(),
        }
    }

    /// No terminal: plain text of 80 columns.
    pub const fn none() -> Self {
        Self { colour: false, width: WIDTH, interactive: false }
    }
}

/// Shows an ingest on the terminal.
pub(super) struct Progress<'a> {
    bar: ProgressBar,
    before: u64,
    records: u64,
    err: &'a mut dyn std::io::Write,
    refused: std::collections::BTreeMap<String, u64>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(bytes: u64, interactive: bool, err: &'a mut dyn std::io::Write) -> Self {
        let bar = if interactive { ProgressBar::new(bytes) } else { ProgressBar::hidden() };
        let template =
            "{bar:20} {bytes}/{total_bytes} {bytes_per_sec}, {prefix}, {eta} left {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, before: 0, records: 0, err, refused: std::collections::BTreeMap::new() }
    }

    /// Clears the bar and sums up what was not told one by one.
    pub(super) fn finish(self) -> std::io::Result<()> {
        self.bar.finish_and_clear();
        for (source, count) in self.refused.iter().filter(|(_, n)| **n > REFUSALS_TOLD) {
            let more = count - REFUSALS_TOLD;
            writeln!(
                self.err,
                "{source}: {more} more lines refused; `countersign ledger status` lists them"
            )?;
        }
        Ok(())
    }
}

/// Shows renderings on the terminal.
pub(super) struct RenderBar(ProgressBar);

impl RenderBar {
    pub(super) fn new(interactive: bool) -> Self {
        let bar = if interactive { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} rendered, {eta} left")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Shows how many are done.
    pub(super) fn show(&self, done: usize, of: usize) {
        self.0.set_length(of as u64);
        self.0.set_position(done as u64);
    }

    pub(super) fn finish(self) {
        self.0.finish_and_clear();
    }
}

impl Monitor for Progress<'_> {
    fn source(&mut self, source: &Source) {
        self.before = self.bar.position();
        self.bar.set_message(source.name());
    }

    fn bytes(&mut self, read: u64) {
        self.bar.set_position(self.before + read);
    }

    fn acknowledged(&mut self, records: u64) {
        self.records += records;
        self.bar.set_prefix(super::show::of(self.records, "record", "records"));
    }

    fn refused(&mut self, source: &str, line: u64, reason: &str) {
        let count = self.refused.entry(source.to_owned()).or_default();
        *count += 1;
        if *count <= REFUSALS_TOLD {
            let err = &mut *self.err;
            // A message that cannot be shown is still counted and kept in the ledger.
            self.bar.suspend(|| {
                let _unwritten = writeln!(err, "{source}:{line}: refused: {reason}");
            });
        }
    }
}
