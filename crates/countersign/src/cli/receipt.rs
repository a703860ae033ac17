//! `countersign evidence receipt`: one operation, signed.

use std::path::PathBuf;

use evidence::ask::change::{self, Selector};
use evidence::receipt::{self, Included, Stated, cited, statement};
use evidence::record::Cite;
use evidence::story::Story;
use evidence::story::operation::Operation;
use tlog::LeafIndex;

use super::assess::Held;
use super::timeline::Told;
use super::{Context, Format, Outcome, show};
use crate::ask::{self, Derived};
use crate::ledger::LedgerError;
use crate::ledger::dir::LedgerDir;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// `operation:app@version`, `entry:N`, or what else names one operation
    operation: String,
    /// The file to write; standard output, unless said
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let held = Held::read(&dir)?;
    let told = told(&held, context)?;
    let selector = ask::selector(&args.operation, |number| -> anyhow::Result<_> {
        let of = |(cite, index): (&Cite, &u64)| (*index == number).then(|| cite.clone());
        Ok(told.entries.iter().find_map(of))
    })?;
    let operations = find(&told.story, &selector);
    let operation = match operations.as_slice() {
        [one] => one,
        [] => {
            writeln!(context.err, "no operation is in the records under {:?}", args.operation)?;
            return Ok(Outcome::Undetermined);
        }
        several => {
            let names = several.iter().map(|o| name(o)).collect::<Vec<_>>().join(", ");
            anyhow::bail!(
                "{:?} names {} operations; say one: {names}",
                args.operation,
                several.len()
            );
        }
    };
    let bytes = made(&dir, &held, &told, operation)?;
    let Some(path) = &args.out else {
        context.out.write_all(&bytes)?;
        return Ok(Outcome::Done);
    };
    std::fs::write(path, &bytes).map_err(LedgerError::file("write", path))?;
    if context.shared.format == Format::Json {
        let json = serde_json::json!({
            "receipt": 1, "file": path, "operation": name(operation), "bytes": bytes.len(),
        });
        writeln!(context.out, "{json}")?;
        return Ok(Outcome::Done);
    }
    writeln!(
        context.out,
        "Wrote {} ({}): {}\nCheck it anywhere, offline:\n  countersign-verify --key '{}' {}",
        path.display(),
        show::size(bytes.len() as u64),
        name(operation),
        dir.settings.verifier_key,
        path.display()
    )?;
    Ok(Outcome::Done)
}

fn name(operation: &Operation) -> String {
    format!("operation:{}@{}", operation.app.name, operation.set.version())
}

fn told(held: &Held, context: &Context<'_>) -> anyhow::Result<Told> {
    let entries = (0..).zip(&held.records).map(|(index, record)| (record.cite.clone(), index));
    let story = held.story(held.checkpoint.size().get(), &context.people()?);
    let checkpoint = held.reader.checkpoint().to_owned();
    let derived = Derived { entries: held.checkpoint.size().get(), checkpoint };
    let refused = held.reader.refused_by_channel()?;
    Ok(Told { story, entries: entries.collect(), refused, derived })
}

/// The operations that a selector names: themselves, by a record of theirs, or by their change.
fn find<'s>(story: &'s Story, selector: &Selector) -> Vec<&'s Operation> {
    let cites = |o: &Operation, cite: &Cite| cited(o).contains(cite);
    let own = story.operations.iter().filter(|o| match selector {
        Selector::Operation(app, version) => o.app.name == *app && o.set.version().0 == *version,
        Selector::Record(cite) => cites(o, cite),
        _ => false,
    });
    let own: Vec<&Operation> = own.collect();
    if !own.is_empty() || matches!(selector, Selector::Operation(..)) {
        return own;
    }
    let deployed: Vec<_> =
        change::find(story, selector).into_iter().flat_map(|c| &c.operations).collect();
    let of_change = |o: &&Operation| {
        deployed.iter().any(|d| d.app.uid == o.app.uid && d.version == o.set.version())
    };
    story.operations.iter().filter(of_change).collect()
}

fn made(
    dir: &LedgerDir,
    held: &Held,
    told: &Told,
    operation: &Operation,
) -> anyhow::Result<Vec<u8>> {
    let size = held.checkpoint.size();
    let (mut records, mut entries) = (Vec::new(), Vec::new());
    for cite in cited(operation) {
        let index = told.entries.get(&cite).map(|index| LeafIndex::new(*index));
        let stored = index.map(|i| held.reader.entry(i)).transpose()?.flatten();
        let Some(stored) = stored else {
            anyhow::bail!("the ledger has no entry of {cite}; run `countersign ledger fsck`");
        };
        let proof = held.reader.inclusion(stored.index, size)?;
        entries.push(Included::new(stored.index, &stored.leaf, &proof));
        records.push((cite, stored.index.get(), stored.leaf));
    }
    let stated = Stated {
        story: &told.story,
        operation,
        checkpoint: &held.checkpoint,
        program: concat!("countersign ", env!("CARGO_PKG_VERSION")),
        records: &records,
    };
    let signer = dir.signer()?;
    Ok(receipt::sign(&statement(&stated)?, &signer, held.reader.checkpoint(), entries)?)
}
