//! `countersign timeline`.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use evidence::ask::timeline::{Query, timeline};
use evidence::channel::Channel;
use evidence::record::{Cite, Record};
use evidence::story::Story;
use jiff::{SignedDuration, Timestamp};

use super::{Context, Format, Outcome};
use crate::ask::{self, Answered, Derived, Period};
use crate::index::past::Rules;
use crate::index::{Folded, Read};
use crate::ledger::LedgerError;
use crate::ledger::dir::LedgerDir;
use crate::render::RenderOptions;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The moment: "mon 21:47:42", "2026-11-23 21:47", 21:47, 2026-11-23T21:47:42Z
    #[arg(long, value_name = "TIME", conflicts_with_all = ["from", "to"])]
    at: Option<String>,
    /// How far before and after the moment to look: 30s, 5m, 1h
    #[arg(long, value_name = "DURATION", requires = "at")]
    window: Option<SignedDuration>,
    /// Beginning of a period
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// End of a period; now, unless said
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Everything that the ledger holds
    #[arg(long, conflicts_with_all = ["at", "from", "to"])]
    whole: bool,
    /// Only this Application: `name` or `namespace/name`
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// Only what concerns this namespace
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Only this environment: the label `env` or `environment` of the Applications
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Time zone of the question and of the answer
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
    /// What "now" and "today" mean; the system's clock, unless said
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let tz = ask::zone(&args.tz)?;
    let now = args.now.unwrap_or((context.clock)()).to_zoned(tz.clone());
    let period = Period {
        at: args.at.as_deref(),
        window: args.window,
        from: args.from.as_deref(),
        to: args.to.as_deref(),
        whole: args.whole,
    };
    let period = period.read(&now)?;
    let Told { story, entries, refused, derived } = tell(&dir, context)?;
    if let Some(app) = args.app.as_deref().filter(|app| !ask::is_known(&story, app)) {
        writeln!(context.err, "no Application {app:?} is in the records under this name")?;
    }
    let (from, to) = period.unwrap_or_else(|| ask::extent(&story));
    let (app, namespace, environment) =
        (args.app.clone(), args.namespace.clone(), args.env.clone());
    let mut answer = timeline(&story, &Query { from, to, app, namespace, environment });
    answer.weaken(&refused);
    let contradicted = answer.contradicted().next().is_some();
    let open = answer.rows.is_empty() || !answer.questions.is_empty();
    match context.shared.format {
        Format::Json => {
            context.out.write_all(&Answered { answer, derived }.to_json())?;
            writeln!(context.out)?;
        }
        Format::Text => {
            let entry_of = |cite: &Cite| entries.get(cite).copied();
            let (width, colour) = (context.width, context.colour);
            let options = RenderOptions {
                width,
                colour,
                tz,
                checkpoint: Some(derived.entries),
                entry_of: &entry_of,
            };
            let text = crate::render::timeline::render(&answer, &options);
            write!(context.out, "{text}")?;
        }
    }
    Ok(match (contradicted, open) {
        (true, _) => Outcome::Findings,
        (false, true) => Outcome::Undetermined,
        (false, false) => Outcome::Done,
    })
}

/// A story, where its records are, and what of their channels was refused.
pub(super) struct Told {
    pub(super) story: Story,
    pub(super) entries: HashMap<Cite, u64>,
    pub(super) refused: BTreeMap<Channel, u64>,
    pub(super) derived: Derived,
}

/// Derives the story of everything under the newest checkpoint.
pub(super) fn tell(dir: &LedgerDir, context: &Context<'_>) -> anyhow::Result<Told> {
    let people = context.people()?;
    // Entry numbers are for people; machines cite records.
    let numbered = context.shared.format == Format::Text;
    tell_as(dir, &people, numbered)
}

/// The same, with the rules that were in force at each moment.
pub(super) fn tell_with_rules(
    dir: &LedgerDir,
    context: &Context<'_>,
) -> anyhow::Result<(Told, Rules)> {
    let mut rules = Rules::default();
    let numbered = context.shared.format == Format::Text;
    let told = tell_visiting(dir, &context.people()?, numbered, |record| rules.add(record))?;
    Ok((told, rules))
}

/// The same, with the number of each record's entry or without.
pub(super) fn tell_as(
    dir: &LedgerDir,
    people: &evidence::people::People,
    numbered: bool,
) -> anyhow::Result<Told> {
    tell_visiting(dir, people, numbered, |_| ())
}

fn tell_visiting(
    dir: &LedgerDir,
    people: &evidence::people::People,
    numbered: bool,
    mut visit: impl FnMut(&Record),
) -> anyhow::Result<Told> {
    let (mut folded, mut entries) = (Folded::default(), HashMap::new());
    let read = folded.read(dir, |index, record| {
        if numbered {
            entries.insert(record.cite.clone(), index.get());
        }
        visit(record);
        ControlFlow::Continue(())
    })?;
    let Read::Up(derived, refused) = read else {
        return Err(LedgerError::Stopped("reading was broken off".to_owned()).into());
    };
    Ok(Told { story: folded.story(people), entries, refused, derived })
}
