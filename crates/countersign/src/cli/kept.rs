//! `countersign ingest --explain`: what the intake does with records, told by doing it. Nothing is
//! stored, and no ledger is needed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use evidence::channel::Channel;
use evidence::intake::cuts::Rules;
use evidence::intake::cuts::table::{By, Rule, table};
use evidence::intake::explain::{Fields, Told, channels};
use evidence::intake::key::ContentKey;
use evidence::intake::{Intake, Refusal, Taken, Terms};
use evidence::record::envelope::Auth;
use serde_json::{Value, json};

use super::{Context, Format, Outcome, show};
use crate::entropy::SystemSalts;
use crate::ledger::LedgerError;
use crate::sources::files::{Source, find};
use crate::sources::lines::Line;

/// The classes of what is cut, strongest first.
const CLASSES: [&str; 3] = ["secret", "address", "personal"];

/// What was seen of a channel in the files.
#[derive(Default)]
struct Seen {
    taken: u64,
    dropped: u64,
    fields: Fields,
}

/// What was seen in the files.
#[derive(Default)]
struct Files {
    lines: u64,
    refused: u64,
    channels: BTreeMap<Channel, Seen>,
}

pub(super) fn run(
    paths: &[PathBuf],
    named: Option<Channel>,
    record_bytes_max: usize,
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    let people = context.people()?;
    let terms = Terms {
        rules: Rules::new(people.identifying_strings().iter().copied())?,
        // The ids that it makes are not told.
        content_key: ContentKey::new([0; 32]),
        record_bytes_max,
        named,
        auth: Auth::OperatorFile,
    };
    let mut files = Files::default();
    for source in &find(paths)?.sources {
        files.read(source, &terms, context)?;
    }
    let (rules, told) = (table(), channels()?);
    match context.shared.format {
        Format::Json => writeln!(context.out, "{}", as_json(&rules, &told, &files))?,
        Format::Text if paths.is_empty() => text(&rules, &told, context)?,
        Format::Text => files.text(context)?,
    }
    Ok(if files.refused == 0 { Outcome::Done } else { Outcome::Findings })
}

impl Files {
    fn read(
        &mut self,
        source: &Source,
        terms: &Terms,
        context: &Context<'_>,
    ) -> Result<(), LedgerError> {
        let name = source.name();
        let read = |cause| LedgerError::file("read", &name)(cause);
        let mut lines = source.open(terms.record_bytes_max).map_err(read)?;
        let (mut intake, mut salts) = (Intake::new(terms), SystemSalts::new());
        let mut line = Vec::new();
        loop {
            match lines.next(&mut line) {
                Ok(Line::End) => break,
                Ok(Line::Whole) if line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(Line::Whole) => {
                    self.taken(intake.take(&line, (context.clock)(), &mut salts));
                }
                Ok(Line::TooLong { .. }) => self.refused += 1,
                Err(_) => {
                    self.refused += 1;
                    break;
                }
            }
        }
        self.lines += lines.lines();
        Ok(())
    }

    fn taken(&mut self, taken: Result<Taken, Refusal>) {
        match taken {
            Ok(Taken::Pending(entry)) => {
                let seen = self.channels.entry(entry.cite.channel).or_default();
                seen.taken += 1;
                seen.fields.add(&entry);
            }
            Ok(Taken::ReadByPerson(channel)) => {
                self.channels.entry(channel).or_default().dropped += 1;
            }
            Ok(Taken::Several(several)) => several.into_iter().for_each(|one| self.taken(one)),
            Err(_) => self.refused += 1,
        }
    }

    fn text(&self, context: &mut Context<'_>) -> anyhow::Result<()> {
        let (lines, refused) = (show::of(self.lines, "line", "lines"), show::count(self.refused));
        writeln!(context.out, "{lines} read, {refused} refused; nothing was stored.")?;
        for (channel, seen) in &self.channels {
            let records = show::of(seen.taken, "record", "records");
            writeln!(context.out, "\n{channel}: {records} to keep, {} dropped", seen.dropped)?;
            let rows: Vec<Vec<String>> = CLASSES
                .iter()
                .flat_map(|class| {
                    let row = |(path, n)| vec![(*class).to_owned(), place(path), show::count(n)];
                    seen.fields.of(class).map(row).collect::<Vec<_>>()
                })
                .collect();
            if rows.is_empty() {
                writeln!(context.out, "  nothing cut")?;
            } else {
                writeln!(context.out, "{}", show::table(&["class", "field", "times"], &rows, 2))?;
            }
            if seen.fields.more > 0 {
                writeln!(context.out, "and {} cuts at further fields", seen.fields.more)?;
            }
        }
        Ok(())
    }
}

/// A path as it is shown; a record that is one text has none.
fn place(path: &str) -> String {
    if path.is_empty() { "(the record)".to_owned() } else { path.to_owned() }
}

fn text(rules: &[Rule], told: &[Told], context: &mut Context<'_>) -> anyhow::Result<()> {
    writeln!(
        context.out,
        "Every record is kept as it came, but for what these rules cut. They look at where a text\n\
         stands and at what it says, and hold for every channel. A secret and an address are never\n\
         stored; what is personal is kept apart and can be erased.\n"
    )?;
    for class in CLASSES {
        writeln!(context.out, "{class}")?;
        let mut by: BTreeMap<By, Vec<&str>> = BTreeMap::new();
        for rule in rules.iter().filter(|r| r.class.word() == class) {
            by.entry(rule.by).or_default().push(rule.pattern.trim_end());
        }
        for (by, patterns) in by {
            writeln!(context.out, "  {}: {}", by.words(), patterns.join(", "))?;
        }
    }
    for one in told {
        writeln!(context.out, "\n{}", one.channel)?;
        writeln!(context.out, "  taken     {}", one.forms)?;
        let keys: Vec<&str> = one.keys.iter().map(String::as_str).collect();
        let keys = if keys.is_empty() { CONTENT.to_owned() } else { keys.join("\n            ") };
        writeln!(context.out, "  key       {keys}")?;
        for class in CLASSES {
            let paths: Vec<String> = one.fields.of(class).map(|(path, _)| place(path)).collect();
            if !paths.is_empty() {
                writeln!(context.out, "  {class:<9} {}", paths.join("\n            "))?;
            }
        }
        let dropped = if one.drops_reads { READS } else { "nothing" };
        writeln!(context.out, "  dropped   {dropped}")?;
    }
    Ok(())
}

/// What stands for a key where the source gives none.
const CONTENT: &str = "none: a keyed hash of the content, and how often it occurred";
/// What is dropped where reads are.
const READS: &str = "what a person reads that is no Secret";

fn as_json(rules: &[Rule], told: &[Told], files: &Files) -> Value {
    let rule =
        |r: &Rule| json!({"class": r.class.word(), "by": r.by.words(), "pattern": r.pattern});
    let fields = |fields: &Fields| -> Value {
        let of = |class: &&'static str| {
            let times: BTreeMap<&str, u64> = fields.of(class).collect();
            ((*class).to_owned(), json!(times))
        };
        CLASSES.iter().map(of).collect::<serde_json::Map<_, _>>().into()
    };
    let channel = |t: &Told| {
        json!({
            "id": t.channel.id(),
            "taken": t.forms,
            "keys": t.keys,
            "cut": fields(&t.fields),
            "drops_reads_of_people": t.drops_reads,
        })
    };
    let seen = |(channel, seen): (&Channel, &Seen)| {
        let of = json!({
            "to_keep": seen.taken,
            "dropped": seen.dropped,
            "cut": fields(&seen.fields),
            "cut_at_further_fields": seen.fields.more,
        });
        (channel.id().to_owned(), of)
    };
    json!({
        "explain": 1,
        "rules": rules.iter().map(rule).collect::<Vec<_>>(),
        "channels": told.iter().map(channel).collect::<Vec<_>>(),
        "files": {
            "lines": files.lines,
            "refused": files.refused,
            "channels": files.channels.iter().map(seen).collect::<serde_json::Map<_, _>>(),
        },
    })
}
