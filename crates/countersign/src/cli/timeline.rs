//! `countersign timeline`.

use std::collections::HashMap;
use std::ops::ControlFlow;

use anyhow::Context as _;
use evidence::ask::timeline::{Query, timeline};
use evidence::record::{Cite, Record};
use evidence::story::{Story, derive};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tlog::LeafIndex;

use super::when::{self, Moment};
use super::{Context, Format, Outcome};
use crate::ledger::dir::LedgerDir;
use crate::ledger::read::Reader;
use crate::render::RenderOptions;

/// How far around a moment said to the second the answer looks: the effects of a sync show within
/// seconds.
const AROUND: SignedDuration = SignedDuration::from_secs(10);
/// A moment said to the minute is that minute.
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The moment: "mon 21:47:42", "2026-11-23 21:47", 21:47, 2026-11-23T21:47:42Z
    #[arg(long, value_name = "TIME", conflicts_with_all = ["from", "to"])]
    at: Option<String>,
    /// How far before and after the moment to look: 30s, 5m, 1h
    #[arg(long, value_name = "DURATION", requires = "at")]
    window: Option<SignedDuration>,
    /// Beginning of a period
    #[arg(long, value_name = "TIME", required_unless_present_any = ["at", "whole"])]
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
    /// Time zone of the question and of the answer
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
    /// What "now" and "today" mean; the system's clock, unless said
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let tz = TimeZone::get(&args.tz).with_context(|| format!("time zone {:?}", args.tz))?;
    let (from, to) = period(args, &tz, (context.clock)())?;
    let (app, namespace) = (args.app.clone(), args.namespace.clone());
    let Told { story, entries } = tell(&dir, context)?;
    let answer = timeline(&story, &Query { from, to, app, namespace });
    match context.shared.format {
        Format::Json => {
            context.out.write_all(&answer.to_json())?;
            writeln!(context.out)?;
        }
        Format::Text => {
            let entry_of = |cite: &Cite| entries.get(cite).copied();
            let (width, colour) = (context.width, context.colour);
            let options = RenderOptions { width, colour, tz, entry_of: &entry_of };
            let text = crate::render::timeline::render(&answer, &options);
            write!(context.out, "{text}")?;
        }
    }
    Ok(if answer.contradicted().next().is_some() {
        Outcome::Findings
    } else if answer.rows.is_empty() || !answer.questions.is_empty() {
        Outcome::Undetermined
    } else {
        Outcome::Done
    })
}

fn period(args: &Args, tz: &TimeZone, system: Timestamp) -> anyhow::Result<(Timestamp, Timestamp)> {
    let now = args.now.unwrap_or(system).to_zoned(tz.clone());
    if let Some(at) = &args.at {
        let Moment { from, to_the_second } = when::parse(at, &now)?;
        return Ok(match (args.window, to_the_second) {
            (Some(window), _) => (from.checked_sub(window)?, from.checked_add(window)?),
            (None, true) => (from.checked_sub(AROUND)?, from.checked_add(AROUND)?),
            (None, false) => (from, from.checked_add(MINUTE)?),
        });
    }
    if args.whole {
        return Ok((Timestamp::MIN, Timestamp::MAX));
    }
    let from = args.from.as_deref().map(|t| when::parse(t, &now)).transpose()?;
    let from = from.map_or(Timestamp::MIN, |m| m.from);
    let to = match args.to.as_deref().map(|t| when::parse(t, &now)).transpose()? {
        None => now.timestamp(),
        // A minute said as the end is part of the period.
        Some(m) => m.from.checked_add(if m.to_the_second {
            SignedDuration::from_secs(1)
        } else {
            MINUTE
        })?,
    };
    anyhow::ensure!(from < to, "the period ends before it begins");
    Ok((from, to))
}

/// A story and where its records are.
pub(super) struct Told {
    pub(super) story: Story,
    pub(super) entries: HashMap<Cite, u64>,
}

/// Derives the story of everything that a ledger holds.
pub(super) fn tell(dir: &LedgerDir, context: &Context<'_>) -> anyhow::Result<Told> {
    let people = context.people()?;
    let (mut entries, mut records): (HashMap<Cite, u64>, Vec<Record>) = Default::default();
    let failed = Reader::open(dir)?.entries(LeafIndex::FIRST, |entry| match entry.record() {
        Ok((_, record)) => {
            entries.insert(record.cite.clone(), entry.index.get());
            records.push(record);
            ControlFlow::Continue(())
        }
        Err(e) => ControlFlow::Break(e),
    })?;
    match failed {
        Some(e) => Err(e.into()),
        None => Ok(Told { story: derive(records, &people), entries }),
    }
}
