//! Measuring beside a limit: runs that alternate, medians, and a table that says it all.
//!
//! What is measured and its limit take turns within one process, so that whatever else the machine
//! does falls on both. A ratio is the median of the ratios of neighbouring runs.

use std::error::Error;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

/// What a benchmark gives back.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// How the benchmark was called.
pub(crate) struct Call {
    /// `--quick` or `BENCH_QUICK=1`: small amounts, to see that everything runs.
    pub(crate) quick: bool,
    /// Names of the parts to run; all of them if there is none.
    parts: Vec<String>,
}

impl Call {
    /// Reads the command line: `[--quick] [PART…]`. Cargo's own `--bench` is passed over.
    pub(crate) fn from_args() -> Self {
        let set = std::env::var_os("BENCH_QUICK").is_some_and(|v| !v.is_empty() && v != "0");
        let (options, parts): (Vec<_>, Vec<_>) =
            std::env::args().skip(1).partition(|a| a.starts_with('-'));
        Self { quick: set || options.iter().any(|o| o == "--quick"), parts }
    }

    /// Whether a part is to be run.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|p| p == part)
    }

    /// One amount for a measurement, another for a quick call.
    pub(crate) fn amount<T>(&self, whole: T, quick: T) -> T {
        if self.quick { quick } else { whole }
    }
}

/// The rates of several runs of one thing, per second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(pub(crate) Vec<f64>);

impl Runs {
    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => 0.0,
            even if even % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        }
    }

    /// Median, smallest and largest.
    pub(crate) fn shown(&self) -> String {
        let smallest = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = self.0.iter().copied().fold(0.0, f64::max);
        format!("{} ({}–{})", number(self.median()), number(smallest), number(largest))
    }
}

/// A row: what was measured, and the limit that took turns with it.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) ours: Runs,
    pub(crate) limit: String,
    pub(crate) limits: Runs,
    pub(crate) goal: Option<f64>,
}

impl Row {
    /// Ours by the limit, run by run; the median.
    pub(crate) fn ratio(&self) -> f64 {
        Runs(self.ours.0.iter().zip(&self.limits.0).map(|(a, b)| a / b).collect()).median()
    }

    fn cells(&self) -> Vec<String> {
        let ratio = self.ratio();
        let goal = self.goal.map_or_else(String::new, |goal| {
            format!("≥ {goal}: {}", if ratio >= goal { "met" } else { "missed" })
        });
        vec![
            self.what.clone(),
            self.ours.shown(),
            self.limit.clone(),
            self.limits.shown(),
            format!("{ratio:.2}"),
            goal,
        ]
    }
}

/// Writes rows that were compared with a limit. `unit` is what is counted per second.
pub(crate) fn compared(out: &mut dyn Write, title: &str, unit: &str, rows: &[Row]) -> Outcome {
    let (ours, limits) = (format!("{unit}/s, median (min–max)"), format!("its {unit}/s"));
    let head = ["what", &ours, "limit", &limits, "ratio", "goal"];
    table(out, title, &head, &rows.iter().map(Row::cells).collect::<Vec<_>>())
}

/// Writes a table in Markdown, its columns in line.
pub(crate) fn table(
    out: &mut dyn Write,
    title: &str,
    head: &[&str],
    rows: &[Vec<String>],
) -> Outcome {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    writeln!(out, "\n{title}\n")?;
    let mut line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} |"));
        writeln!(out, "|{}", padded.collect::<String>())
    };
    line(&head.iter().map(|&h| h.to_owned()).collect::<Vec<_>>())?;
    line(&widths.iter().map(|w| "-".repeat(*w)).collect::<Vec<_>>())?;
    for row in rows {
        line(row)?;
    }
    out.flush()?;
    Ok(())
}

/// Items per second.
#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark stay far below 2^52")]
pub(crate) fn per_second(items: usize, elapsed: Duration) -> f64 {
    items as f64 / elapsed.as_secs_f64()
}

/// A number of three figures or more, in groups: 1 234 567.
pub(crate) fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// Says what the figures were measured on.
pub(crate) fn machine(out: &mut dyn Write) -> Outcome {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|l| l.starts_with(name));
        line.and_then(|l| l.split_once(": ")).map_or("unknown", |(_, value)| value)
    };
    let hashing = if field("flags").split(' ').any(|f| f == "sha_ni") { "sha_ni" } else { "none" };
    let cores = std::thread::available_parallelism()?;
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler).arg("--version").output().map(|o| o.stdout);
    let version = String::from_utf8_lossy(&version.unwrap_or_default()).trim().to_owned();
    writeln!(
        out,
        "processor: {}, {cores} cores, SHA instructions: {hashing}",
        field("model name")
    )?;
    writeln!(out, "compiler: {version}")?;
    load(out, "before")
}

/// Says how busy the machine is: what else runs on it falls on every figure.
pub(crate) fn load(out: &mut dyn Write, when: &str) -> Outcome {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    writeln!(out, "load {when} (1, 5, 15 minutes): {}", load.join(" "))?;
    out.flush()?;
    Ok(())
}
