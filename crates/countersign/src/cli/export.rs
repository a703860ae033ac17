//! `countersign evidence export`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use evidence::pack::Selection;
use evidence::pack::proofs::{Older, Proofs};
use evidence::pack::select::select;
use evidence::pack::write::{Draft, write};
use evidence::people::People;
use evidence::record::Record;
use jiff::Timestamp;
use tlog::{ConsistencyProof, Hash, LeafIndex, RangeProof, TreeSize};

use super::{Context, Format, Outcome, paper, receipt, show};
use crate::ask::{self, when};
use crate::ledger::LedgerError;
use crate::ledger::dir::LedgerDir;
use crate::ledger::read::Reader;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write evidence into one file that verifies offline: everything, a change, a period …
    Export(Args),
    /// Sign what the records show of one operation, with proofs: a small file that in-toto and DSSE
    /// tools check too
    Receipt(receipt::Args),
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// Only this change: `pr:N`, a commit, a ticket's key or `operation:app@version`
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["app", "env", "from", "to"])]
    change: Option<String>,
    /// Only this Application: `name` or `namespace/name`
    #[arg(long, value_name = "NAME", conflicts_with_all = ["env", "from", "to"])]
    app: Option<String>,
    /// Only the Applications of this environment
    #[arg(long, value_name = "NAME", conflicts_with_all = ["from", "to"])]
    env: Option<String>,
    /// Only what was recorded of a period: its beginning
    #[arg(long, value_name = "TIME", requires = "to")]
    from: Option<String>,
    /// Its end
    #[arg(long, value_name = "TIME", requires = "from")]
    to: Option<String>,
    /// Time zone of the period
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
    /// What "now" and "today" mean; the system's clock, unless said
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// Replace personal values by pseudonyms, the same value by the same one in every pack
    #[arg(long)]
    pseudonymise: bool,
    /// A checkpoint that the reader kept: the pack will show that the ledger grew from it
    #[arg(long, value_name = "FILE")]
    since: Vec<PathBuf>,
    /// With --format csv or xlsx: the entry of the frozen population; the newest, unless said
    #[arg(long, value_name = "ENTRY")]
    population: Option<u64>,
}

pub(super) fn run(command: &Command, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let args = match command {
        Command::Export(args) => match context.shared.paper {
            Some(form) => return paper::run(form, &args.out, args.population, context),
            None => args,
        },
        Command::Receipt(args) => return receipt::run(args, context),
    };
    let dir = LedgerDir::open(context.ledger())?;
    let people = match &context.shared.people {
        Some(path) => std::fs::read_to_string(path).map_err(LedgerError::file("read", path))?,
        None => "{}".to_owned(),
    };
    let selection = selection(args, (context.clock)())?;
    let draft = draft(&dir, people, &context.people()?, selection, args)?;
    let pack = write(&draft)?;
    let written = File::create(&args.out).and_then(|mut file| {
        file.write_all(&pack)?;
        file.sync_all()
    });
    written.map_err(LedgerError::file("write", &args.out))?;
    let entries = draft.entries.len() as u64;
    let payloads = draft.entries.iter().filter(|(_, payload)| payload.is_some()).count() as u64;
    tell(context, &dir, &args.out, pack.len() as u64, (payloads, entries))?;
    Ok(Outcome::Done)
}

fn tell(
    context: &mut Context<'_>,
    dir: &LedgerDir,
    out: &Path,
    bytes: u64,
    (payloads, entries): (u64, u64),
) -> anyhow::Result<()> {
    if context.shared.format == Format::Json {
        let json = serde_json::json!({
            "export": 1, "pack": out, "entries": entries, "payloads": payloads, "bytes": bytes,
        });
        writeln!(context.out, "{json}")?;
        return Ok(());
    }
    let in_full = if payloads == entries {
        String::new()
    } else {
        format!("{} in full, ", show::of(payloads, "record", "records"))
    };
    writeln!(
        context.out,
        "Wrote {} ({}, {in_full}{})",
        out.display(),
        show::of(entries, "entry", "entries"),
        show::size(bytes),
    )?;
    writeln!(
        context.out,
        "Check it anywhere, offline:\n  countersign-verify --key '{}' {}",
        dir.settings.verifier_key,
        out.display()
    )?;
    Ok(())
}

fn selection(args: &Args, system: Timestamp) -> anyhow::Result<Selection> {
    if let Some(what) = &args.change {
        return Ok(Selection::Change { what: what.clone() });
    }
    if let Some(name) = &args.app {
        return Ok(Selection::Application { name: name.clone() });
    }
    if let Some(name) = &args.env {
        return Ok(Selection::Environment { name: name.clone() });
    }
    let (Some(from), Some(to)) = (&args.from, &args.to) else {
        return Ok(Selection::Ledger);
    };
    let now = args.now.unwrap_or(system).to_zoned(ask::zone(&args.tz)?);
    let from = ask::moment("from", from, &now)?.from;
    let to = when::end(ask::moment("to", to, &now)?)?;
    anyhow::ensure!(from < to, "the period ends before it begins");
    Ok(Selection::Period { from: from.to_string(), to: to.to_string() })
}

/// Gathers what the pack is made of: the ledger as it is under its newest checkpoint.
fn draft(
    dir: &LedgerDir,
    people_json: String,
    people: &People,
    selection: Selection,
    args: &Args,
) -> anyhow::Result<Draft> {
    let reader = Reader::open(dir)?;
    let mut records: Vec<Record> = Vec::new();
    let checkpoint = reader.records(dir, |_, record| records.push(record))?;
    let (size, root) = (checkpoint.size(), checkpoint.root());
    anyhow::ensure!(!size.is_empty(), "the ledger is empty: there is nothing to export");
    let selected = select(&records, people, &selection).map_err(anyhow::Error::msg)?;
    let index = |place: Option<&usize>| place.map_or(0, |place| *place as u64);
    let (start, end) = (index(selected.first()), index(selected.last()) + 1);
    let mut entries = Vec::new();
    reader.range(LeafIndex::new(start)..LeafIndex::new(end), |entry| {
        let place = usize::try_from(entry.index.get()).unwrap_or(usize::MAX);
        entries.push((entry.leaf, selected.contains(&place).then_some(entry.payload)));
    })?;
    let pseudonyms = args.pseudonymise.then(|| dir.pseudonym_key()).transpose()?;
    Ok(Draft {
        origin: dir.settings.origin.clone(),
        key: dir.settings.verifier_key.clone(),
        note: reader.checkpoint().to_owned(),
        size: size.get(),
        root: root.to_base64(),
        start,
        entries,
        proofs: proofs(dir, &reader, (start, end), size, &args.since)?,
        selection,
        refused: reader.refused_by_channel()?,
        people: people_json,
        pseudonyms,
    })
}

fn proofs(
    dir: &LedgerDir,
    reader: &Reader,
    (start, end): (u64, u64),
    size: TreeSize,
    since: &[PathBuf],
) -> anyhow::Result<Proofs> {
    let base64 = |hashes: &[Hash]| hashes.iter().map(Hash::to_base64).collect();
    let nodes = reader.nodes();
    let range = LeafIndex::new(start)..LeafIndex::new(end);
    let range = RangeProof::build(&nodes, range, size)?;
    let mut consistency: Vec<Older> = Vec::new();
    for path in since {
        let note = std::fs::read(path).map_err(LedgerError::file("read", path))?;
        let older = reader.older(dir, &note, path)?;
        let proof = ConsistencyProof::build(&nodes, older, size)?;
        consistency.push(Older { size: older.get(), hashes: base64(proof.hashes()) });
    }
    consistency.sort_by_key(|older| older.size);
    consistency.dedup_by_key(|older| older.size);
    Ok(Proofs { range: base64(range.hashes()), consistency })
}
