//! `countersign ledger`: make, inspect, check, erase.

use std::path::PathBuf;

use evidence::channel::Channel;
use tlog::{KeyName, Origin};

use super::status;
use super::{Context, Format, Outcome, show};
use crate::entropy::SystemSalts;
use crate::ledger::dir::LedgerDir;
use crate::ledger::fsck::{self, Report};
use crate::ledger::pages;
use crate::ledger::{LedgerError, history, recover, redact};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a ledger in a new folder, with keys of its own
    Init {
        /// The ledger's name for ever: a URL prefix without its scheme, such as
        /// `bank.example/ledger/prod-eu-1`
        #[arg(long, value_name = "NAME", value_parser = origin)]
        origin: Origin,
        /// A file elsewhere (another disk, a git work tree) that gets a copy of each checkpoint
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
        /// A channel that is to bring records: while it is silent, `ledger status` says so
        #[arg(long, value_name = "CHANNEL")]
        expect: Vec<Channel>,
    },
    /// What the ledger holds, what it covers and what it cannot show
    Status(status::Args),
    /// Print a published checkpoint as a signed note
    Checkpoint {
        /// The checkpoint of so many entries instead of the newest
        #[arg(long, value_name = "SIZE")]
        size: Option<u64>,
        /// Every checkpoint ever published
        #[arg(long, conflicts_with = "size")]
        all: bool,
    },
    /// Derive everything again from the entries' bytes and compare
    Fsck {
        /// Acknowledgements noted by `ingest --acks`: each must be there
        #[arg(long, value_name = "FILE")]
        acks: Option<PathBuf>,
        /// Where nothing but the page seal is wrong: accept the file as it is and seal it anew
        #[arg(long)]
        reseal: bool,
    },
    /// Erase a person: every proof still holds, the segments say REDACTED
    Redact {
        /// The person, by the id in the people map: name and every account
        #[arg(long, value_name = "ID", required_unless_present = "value")]
        person: Option<String>,
        /// A text that personal segments hold: an account, an address, a name
        #[arg(long, value_name = "TEXT")]
        value: Vec<String>,
        /// Why; kept in the ledger for ever, so name nobody
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Reads an origin that can name a key too: checkpoints are signed under it.
fn origin(text: &str) -> Result<Origin, String> {
    if text.contains("://") {
        return Err("an origin has no scheme: bank.example/ledger/prod, not https://…".to_owned());
    }
    text.parse::<KeyName>().map_err(|e| e.to_string())?;
    text.parse().map_err(|e: tlog::OriginError| e.to_string())
}

pub(super) fn run(command: &Command, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    match command {
        Command::Init { origin, anchor, expect } => init(origin, anchor.clone(), expect, context),
        Command::Status(args) => status::run(args, context),
        Command::Checkpoint { size, all } => checkpoint(*size, *all, context),
        Command::Fsck { acks, reseal } => check(acks.as_ref(), *reseal, context),
        Command::Redact { person, value, reason } => {
            erase(person.as_deref(), value, reason, context)
        }
    }
}

fn init(
    origin: &Origin,
    anchor: Option<PathBuf>,
    expect: &[Channel],
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    let mut dir = recover::init(context.ledger(), origin, anchor)?;
    if !expect.is_empty() {
        dir.settings.expect = expect.iter().map(|channel| channel.id().to_owned()).collect();
        dir.write_settings()?;
    }
    if context.shared.format == Format::Json {
        let json = serde_json::json!({
            "init": 1, "origin": dir.settings.origin, "verifier_key": dir.settings.verifier_key,
            "anchor": dir.settings.anchor,
        });
        writeln!(context.out, "{json}")?;
        return Ok(Outcome::Done);
    }
    writeln!(context.out, "Ledger {origin} made in {}", dir.path().display())?;
    writeln!(
        context.out,
        "\nGive this key to whoever will verify, by another way than the packs:"
    )?;
    writeln!(context.out, "  {}", dir.settings.verifier_key)?;
    if dir.settings.anchor.is_none() {
        writeln!(
            context.out,
            "\nNo anchor: a key beside its database vouches for little. `--anchor FILE` on another\n\
             disk or in a git work tree lets a rollback of the whole folder be noticed."
        )?;
    }
    Ok(Outcome::Done)
}

fn checkpoint(size: Option<u64>, all: bool, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let (notes, _) = history::read(&dir.checkpoints())?;
    let of_size = |note: &&String| {
        let second = note.lines().nth(1).and_then(|line| line.parse().ok());
        size.is_none() || second == size
    };
    let chosen: Vec<&String> = notes.iter().filter(of_size).collect();
    match (chosen.as_slice(), all) {
        ([], _) => anyhow::bail!("no checkpoint of {} entries was published", size.unwrap_or(0)),
        (every, true) => every.iter().try_for_each(|note| writeln!(context.out, "{note}"))?,
        ([.., newest], false) => write!(context.out, "{newest}")?,
    }
    Ok(Outcome::Done)
}

fn check(
    acks: Option<&PathBuf>,
    reseal: bool,
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let acknowledged = match acks {
        None => Vec::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(LedgerError::file("read", path))?;
            fsck::read_acknowledged(&text)
                .map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))?
        }
    };
    let bar = context.spinner();
    let report = fsck::fsck(&dir, &acknowledged, &mut |n| {
        if n % 4096 == 0 {
            bar.set_message(format!("{} entries", show::count(n)));
            bar.tick();
        }
    })?;
    bar.finish_and_clear();
    write_report(&report, context)?;
    if reseal && !report.is_sound() && report.only_the_seal_is_wrong() {
        let lock = dir.lock()?;
        pages::seal(&dir)?;
        drop(lock);
        writeln!(context.out, "Sealed anew: every entry, tile and checkpoint is as it was.")?;
        return Ok(Outcome::Findings);
    }
    Ok(if report.is_sound() { Outcome::Done } else { Outcome::VerificationFailed })
}

fn write_report(report: &Report, context: &mut Context<'_>) -> anyhow::Result<()> {
    if context.shared.format == Format::Json {
        let faults: Vec<_> = report
            .faults
            .iter()
            .map(|f| serde_json::json!({ "place": f.place, "problem": f.problem }))
            .collect();
        let json = serde_json::json!({
            "fsck": 1, "sound": report.is_sound(), "faults": faults, "notes": report.notes,
            "entries": report.entries, "tiles": report.tiles, "checkpoints": report.checkpoints,
            "redacted": report.redacted, "acknowledged": report.acknowledged,
            "root": report.root.map(|r| r.to_base64()),
        });
        writeln!(context.out, "{json}")?;
        return Ok(());
    }
    for fault in &report.faults {
        writeln!(context.out, "FAULT  {fault}")?;
    }
    writeln!(
        context.out,
        "Derived again: {}, {}, {}; {} erased under a redaction; {} found",
        show::of(report.entries, "entry", "entries"),
        show::of(report.tiles, "tile", "tiles"),
        show::of(report.checkpoints, "checkpoint", "checkpoints"),
        show::of(report.redacted, "segment", "segments"),
        show::of(report.acknowledged, "acknowledgement", "acknowledgements"),
    )?;
    for note in &report.notes {
        writeln!(context.out, "Note   {note}")?;
    }
    let verdict = if report.is_sound() {
        "No difference found.".to_owned()
    } else {
        format!("{} found.", show::of(report.faults.len() as u64, "fault", "faults"))
    };
    writeln!(context.out, "{verdict}")?;
    Ok(())
}

fn erase(
    person: Option<&str>,
    values: &[String],
    reason: &str,
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let mut values = values.to_vec();
    if let Some(id) = person {
        let people = context.people()?;
        anyhow::ensure!(
            people.ids().any(|p| p == id),
            "no person {id:?} in the people map; name it with --people FILE"
        );
        values.extend(people.accounts(id).map(str::to_owned));
        values.extend(people.name(id).map(str::to_owned));
    }
    anyhow::ensure!(
        values.iter().all(|v| v.chars().count() > 2),
        "a text of one or two characters would erase too much"
    );
    let now = (context.clock)();
    let redacted = redact::redact(&dir, &values, reason, now, &mut SystemSalts::new())?;
    if context.shared.format == Format::Json {
        let json = serde_json::json!({
            "redact": 1, "segments": redacted.segments, "entries": redacted.entries,
            "still_kept_in": redacted.kept_in,
        });
        writeln!(context.out, "{json}")?;
        let all = redacted.kept_in == 0;
        return Ok(if all { Outcome::Done } else { Outcome::Findings });
    }
    writeln!(
        context.out,
        "Erased {} in {}; the commitments stay and every proof holds.",
        show::of(redacted.segments as u64, "personal segment", "personal segments"),
        show::of(redacted.entries as u64, "entry", "entries"),
    )?;
    if person.is_some() {
        let advice = "Remove the person from the people map too; it is not part of the ledger.";
        writeln!(context.out, "{advice}")?;
    }
    if redacted.kept_in == 0 {
        return Ok(Outcome::Done);
    }
    let entries = show::of(redacted.kept_in as u64, "entry still holds", "entries still hold");
    writeln!(
        context.out,
        "{entries} it where it was not known to be personal when it was taken in; that part\n\
         cannot be erased. Name a people map with --people at every ingest."
    )?;
    Ok(Outcome::Findings)
}
