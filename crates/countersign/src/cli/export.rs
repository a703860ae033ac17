//! `countersign evidence export`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use evidence::pack::{Head, encode_entry, encode_head};
use evidence::people::People;
use evidence::record::Record;
use evidence::story::derive;
use tlog::LeafIndex;

use super::{Context, Format, Outcome, show};
use crate::ledger::LedgerError;
use crate::ledger::dir::LedgerDir;
use crate::ledger::read::Reader;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Write the ledger's entries, its newest checkpoint and the story into one file (preview form)
    Export {
        /// The file to write
        #[arg(long, short, value_name = "FILE")]
        out: PathBuf,
    },
}

pub(super) fn run(command: &Command, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let Command::Export { out } = command;
    let dir = LedgerDir::open(context.ledger())?;
    let people_json = match &context.shared.people {
        Some(path) => std::fs::read_to_string(path).map_err(LedgerError::file("read", path))?,
        None => "{}".to_owned(),
    };
    let entries = export(&dir, &people_json, &context.people()?, out)?;
    let bytes = out.metadata().map_or(0, |m| m.len());
    if context.shared.format == Format::Json {
        let json =
            serde_json::json!({ "export": 0, "pack": out, "entries": entries, "bytes": bytes });
        writeln!(context.out, "{json}")?;
        return Ok(Outcome::Done);
    }
    writeln!(
        context.out,
        "Wrote {} ({}, {})",
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
    Ok(Outcome::Done)
}

/// Writes a pack of the whole ledger as it is under its newest checkpoint.
pub(super) fn export(
    dir: &LedgerDir,
    people_json: &str,
    people: &People,
    out: &Path,
) -> anyhow::Result<u64> {
    let reader = Reader::open(dir)?;
    let checkpoint = reader.checkpoint().to_owned();
    let mut records = Vec::new();
    let size = reader.records(dir, |_, record| records.push(record))?.size().get();
    let (people_json, story) = story_and_people(records, people_json, people)?;
    let head = Head {
        pack: 0,
        origin: dir.settings.origin.clone(),
        key: dir.settings.verifier_key.clone(),
        checkpoint,
        people: people_json,
        story,
    };
    let mut file = BufWriter::new(File::create(out).map_err(LedgerError::file("create", out))?);
    file.write_all(&encode_head(&head)?)?;
    each(&reader, size, |entry| Ok(file.write_all(&encode_entry(&entry.leaf, &entry.payload)?)?))?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(size)
}

/// The story, and of the people map only those whom it names: the map is kept outside of evidence
/// so that it can be erased.
fn story_and_people(
    records: Vec<Record>,
    people_json: &str,
    people: &People,
) -> anyhow::Result<(String, String)> {
    let named = derive(records.iter().cloned(), people).people;
    let mut map: BTreeMap<String, serde_json::Value> = serde_json::from_str(people_json)?;
    map.retain(|person, _| named.contains(person));
    let people_json = serde_json::to_string(&map)?;
    let story = derive(records, &People::from_json(people_json.as_bytes())?);
    Ok((people_json, String::from_utf8(story.to_json())?))
}

fn each(
    reader: &Reader,
    size: u64,
    mut visit: impl FnMut(&crate::ledger::read::StoredEntry) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let failed = reader.entries(LeafIndex::FIRST, |entry| {
        if entry.index.get() >= size {
            return ControlFlow::Break(Ok(()));
        }
        match visit(&entry) {
            Ok(()) => ControlFlow::Continue(()),
            Err(e) => ControlFlow::Break(Err(e)),
        }
    })?;
    failed.unwrap_or(Ok(()))
}
