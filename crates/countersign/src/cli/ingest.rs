//! `countersign ingest`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use evidence::channel::Channel;
use evidence::intake::Terms;
use evidence::intake::cuts::Rules;
use evidence::record::envelope::Auth;

use super::terminal::Progress;
use super::{Context, Format, Outcome, show};
use crate::entropy::SystemSalts;
use crate::ledger::dir::LedgerDir;
use crate::ledger::writer::Writer;
use crate::ledger::{EmbeddedLedger, LedgerError, recover};
use crate::sources::files::{BATCH_ENTRIES, Found, Ingest, Tally, find};

/// The longest record unless the operator says otherwise: six times the largest of the recording.
pub(super) const RECORD_BYTES_MAX: usize = 2 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files (`.gz` too), folders, or `-` for standard input
    #[arg(required_unless_present = "explain", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Store nothing: tell what is kept, cut, personal and dropped of each channel, and of which
    /// fields of these files
    #[arg(long, conflicts_with_all = ["acks", "batch"])]
    explain: bool,
    /// Take every line for a record of this channel instead of recognising it
    #[arg(long, value_name = "ID", value_parser = ingested)]
    channel: Option<Channel>,
    /// Refuse longer records
    #[arg(long, value_name = "BYTES", default_value_t = RECORD_BYTES_MAX)]
    max_record_bytes: usize,
    /// Note every acknowledgement here: `<index> <leaf hash>` a line
    #[arg(long, value_name = "FILE")]
    acks: Option<PathBuf>,
    /// Records committed together
    #[arg(long, value_name = "RECORDS", default_value_t = BATCH_ENTRIES, hide = true)]
    batch: usize,
}

/// Reads a channel that records come through: what the ledger writes itself nobody brings.
fn ingested(id: &str) -> Result<Channel, String> {
    match id.parse() {
        Ok(Channel::LedgerAssessment | Channel::LedgerRedaction) => {
            Err("only the ledger itself writes this channel".to_owned())
        }
        Ok(channel) => Ok(channel),
        Err(e) => Err(format!("{e}")),
    }
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    if args.explain {
        let (channel, bytes) = (args.channel, args.max_record_bytes);
        return super::kept::run(&args.paths, channel, bytes, context);
    }
    let dir = LedgerDir::open(context.ledger())?;
    let found = find(&args.paths)?;
    let people = context.people()?;
    let terms = Terms {
        rules: Rules::new(people.identifying_strings().iter().copied())?,
        content_key: dir.content_key()?,
        record_bytes_max: args.max_record_bytes,
        named: args.channel,
        auth: Auth::OperatorFile,
    };
    let started = (context.clock)();
    let tally = ingest(args, context, &dir, &found, &terms)?;
    let elapsed = (context.clock)().duration_since(started).as_secs_f64();
    let summary = Summary { tally, found, seconds: elapsed, dir };
    summary.write(context)?;
    Ok(if summary.tally.refused == 0 { Outcome::Done } else { Outcome::Findings })
}

fn ingest(
    args: &Args,
    context: &mut Context<'_>,
    dir: &LedgerDir,
    found: &Found,
    terms: &Terms,
) -> anyhow::Result<Tally> {
    let mut ledger = recover::open(dir)?;
    let epochs = epochs(&mut ledger, found)?;
    let mut acks = args.acks.as_ref().map(open_acks).transpose()?;
    let bytes = found.sources.iter().filter_map(crate::sources::files::Source::bytes).sum();
    let mut progress = Progress::new(bytes, context.interactive, context.err);
    let writer = Writer::start(ledger)?;
    let mut ingest = Ingest {
        writer: &writer,
        terms,
        salts: &mut SystemSalts::new(),
        clock: context.clock,
        monitor: &mut progress,
        acks: acks.as_mut().map(|f| f as &mut dyn Write),
        batch_entries: args.batch.max(1),
    };
    let mut total = Tally::default();
    let mut read = Ok(());
    for (source, epoch) in found.sources.iter().zip(epochs) {
        match ingest.source(source, epoch) {
            Ok(tally) => total.add(&tally),
            Err(e) => {
                read = Err(e);
                break;
            }
        }
    }
    progress.finish()?;
    // Closing also after a failure: what was acknowledged is there, and the pages are sealed.
    let closed = writer.close(dir);
    read?;
    closed?;
    Ok(total)
}

/// The number of this reading, for each source.
fn epochs(ledger: &mut EmbeddedLedger, found: &Found) -> Result<Vec<u64>, LedgerError> {
    let mut next: BTreeMap<String, u64> = BTreeMap::new();
    let mut epochs = Vec::new();
    for source in &found.sources {
        let name = source.name();
        let last = match next.get(&name) {
            Some(last) => *last,
            None => ledger.store().last_epoch(&name)?,
        };
        next.insert(name, last + 1);
        epochs.push(last + 1);
    }
    Ok(epochs)
}

fn open_acks(path: &PathBuf) -> Result<File, LedgerError> {
    File::options().create(true).append(true).open(path).map_err(LedgerError::file("open", path))
}

struct Summary {
    tally: Tally,
    found: Found,
    seconds: f64,
    dir: LedgerDir,
}

impl Summary {
    fn write(&self, context: &mut Context<'_>) -> anyhow::Result<()> {
        match context.shared.format {
            Format::Text => self.text(context),
            Format::Json => self.json(context),
        }
    }

    fn text(&self, context: &mut Context<'_>) -> anyhow::Result<()> {
        let tally = &self.tally;
        let sum = |counts: &BTreeMap<Channel, u64>| counts.values().sum::<u64>();
        let rows: Vec<Vec<String>> = Channel::ALL
            .into_iter()
            .filter_map(|channel| {
                let of = |counts: &BTreeMap<Channel, u64>| counts.get(&channel).copied();
                let all = [of(&tally.accepted), of(&tally.duplicate), of(&tally.dropped)];
                let cells = all.map(|n| show::count(n.unwrap_or(0)));
                all.iter()
                    .any(Option::is_some)
                    .then(|| std::iter::once(channel.to_string()).chain(cells).collect())
            })
            .collect();
        let files = show::of(self.found.sources.len() as u64, "source", "sources");
        let rate = show::rate(tally.lines, self.seconds);
        writeln!(
            context.out,
            "Read {} from {files} ({}) in {:.1} s, {} lines/s",
            show::of(tally.lines, "line", "lines"),
            show::size(tally.bytes),
            self.seconds,
            show::count(rate),
        )?;
        if !rows.is_empty() {
            let header = ["channel", "new", "known already", "not kept"];
            writeln!(context.out, "\n{}", show::table(&header, &rows, 1))?;
        }
        if sum(&tally.dropped) > 0 {
            writeln!(context.out, "\nNot kept: reads by people of things that are no secret.")?;
        }
        if tally.refused > 0 {
            let lines = show::of(tally.refused, "line", "lines");
            writeln!(
                context.out,
                "\n{lines} refused, not stored; see above or `countersign ledger status`."
            )?;
        }
        if context.shared.people.is_none() {
            let note = "No people map (--people): names in free text were not told apart and cannot be erased later.";
            writeln!(context.out, "\n{note}")?;
        }
        let passed = self.found.passed_over.len() as u64;
        if passed > 0 {
            let files = show::of(passed, "file", "files");
            writeln!(
                context.out,
                "\n{files} passed over (no .jsonl, .ndjson, .log, git or answer of Prometheus); name a file to read it anyway."
            )?;
        }
        let ledger = self.dir.path().display();
        writeln!(context.out, "\nLedger {} at {ledger}", self.dir.settings.origin)?;
        Ok(())
    }

    fn json(&self, context: &mut Context<'_>) -> anyhow::Result<()> {
        let names = |counts: &BTreeMap<Channel, u64>| -> BTreeMap<&'static str, u64> {
            counts.iter().map(|(channel, n)| (channel.id(), *n)).collect()
        };
        let json = serde_json::json!({
            "ingest": 1,
            "lines": self.tally.lines,
            "bytes": self.tally.bytes,
            "seconds": self.seconds,
            "new": names(&self.tally.accepted),
            "known_already": names(&self.tally.duplicate),
            "not_kept": names(&self.tally.dropped),
            "refused": self.tally.refused,
            "passed_over": self.found.passed_over,
        });
        writeln!(context.out, "{json}")?;
        Ok(())
    }
}
