//! `countersign evidence export --format xlsx|csv`: a frozen population as working papers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use evidence::assess::paper::{Papers, sheets};
use evidence::assess::population::list;
use evidence::record::Cite;

use super::assess::Held;
use super::{Context, Outcome, Paper, show};
use crate::export::{csv, xlsx};
use crate::ledger::dir::LedgerDir;

pub(super) fn run(
    paper: Paper,
    out: &Path,
    population: Option<u64>,
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let held = Held::read(&dir)?;
    let (kept, frozen, parameters) = held.population(population)?;
    let story = held.story(frozen.size, &context.people()?);
    let listing = list(&story, &parameters);
    if let Some(difference) = held.check(frozen, &listing)?.first() {
        anyhow::bail!(
            "the population in entry {} is not what was frozen: {difference}",
            kept.entry
        );
    }
    let entries: HashMap<&Cite, u64> = held.records.iter().map(|r| &r.cite).zip(0..).collect();
    let entry_of = |cite: &Cite| entries.get(cite).copied();
    let sheets = sheets(&Papers {
        story: &story,
        listing: &listing,
        population: (kept, frozen),
        kept: &held.kept,
        entry_of: &entry_of,
        origin: &dir.settings.origin,
        checkpoint: held.checkpoint.size().get(),
    });
    let files: Vec<PathBuf> = match paper {
        Paper::Csv => csv::write(&sheets, out)?,
        Paper::Xlsx => {
            xlsx::write(&sheets, out)?;
            vec![out.to_owned()]
        }
    };
    writeln!(
        context.out,
        "Wrote {} of the population in entry {}, under checkpoint {}:",
        show::of(frozen.rows, "row", "rows"),
        kept.entry,
        held.checkpoint.size()
    )?;
    for file in &files {
        let bytes = file.metadata().map_or(0, |m| m.len());
        writeln!(context.out, "  {} ({})", file.display(), show::size(bytes))?;
    }
    Ok(Outcome::Done)
}
