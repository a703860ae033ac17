//! `countersign timeline`.

use std::collections::{BTreeMap, HashMap};

use evidence::ask::timeline::{Query, timeline};
use evidence::channel::Channel;
use evidence::record::{Cite, Record};
use evidence::story::{Story, derive};
use evidence::time::Moment;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::when::{self, BadTime, Said};
use super::{Context, Format, Outcome};
use crate::ledger::dir::LedgerDir;
use crate::ledger::read::Reader;
use crate::render::RenderOptions;

/// How far around a moment said to the second the answer looks: the effects of a sync show within
/// seconds.
const AROUND: SignedDuration = SignedDuration::from_secs(10);

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
    /// Time zone of the question and of the answer
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
    /// What "now" and "today" mean; the system's clock, unless said
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let tz = TimeZone::get(&args.tz).map_err(|_| BadTime(args.tz.clone()))?;
    let (from, to) = period(args, &tz, (context.clock)())?;
    let (app, namespace) = (args.app.clone(), args.namespace.clone());
    let Told { story, entries, refused, size } = tell(&dir, context)?;
    if let Some(app) = app.as_deref().filter(|app| !is_known(&story, app)) {
        writeln!(context.err, "no Application {app:?} is in the records under this name")?;
    }
    let (from, to) = if args.whole { extent(&story).unwrap_or((from, to)) } else { (from, to) };
    let mut answer = timeline(&story, &Query { from, to, app, namespace });
    answer.weaken(&refused);
    match context.shared.format {
        Format::Json => {
            context.out.write_all(&answer.to_json())?;
            writeln!(context.out)?;
        }
        Format::Text => {
            let entry_of = |cite: &Cite| entries.get(cite).copied();
            let (width, colour) = (context.width, context.colour);
            let options =
                RenderOptions { width, colour, tz, checkpoint: Some(size), entry_of: &entry_of };
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
        let moment = when::parse(at, &now)?;
        let from = moment.from;
        return Ok(match (args.window, moment.said) {
            (Some(window), _) => (from.checked_sub(window)?, from.checked_add(window)?),
            (None, Said::ToTheSecond) => (from.checked_sub(AROUND)?, from.checked_add(AROUND)?),
            (None, Said::ToTheMinute | Said::ToTheDay) => (from, end_of(moment)?),
        });
    }
    if args.whole {
        return Ok((Timestamp::MIN, Timestamp::MAX));
    }
    if args.from.is_none() && args.to.is_none() {
        return Err(BadTime(String::new()).into());
    }
    let from = args.from.as_deref().map(|t| when::parse(t, &now)).transpose()?;
    let from = from.map_or(Timestamp::MIN, |m| m.from);
    let to = match args.to.as_deref().map(|t| when::parse(t, &now)).transpose()? {
        None => now.timestamp(),
        Some(m) => end_of(m)?,
    };
    anyhow::ensure!(from < to, "the period ends before it begins");
    Ok((from, to))
}

/// The end of what was said: a minute or a day said as the end is part of the period.
fn end_of(moment: when::Moment) -> Result<Timestamp, jiff::Error> {
    moment.from.checked_add(match moment.said {
        Said::ToTheSecond => SignedDuration::from_secs(1),
        Said::ToTheMinute => SignedDuration::from_mins(1),
        Said::ToTheDay => SignedDuration::from_hours(24),
    })
}

/// A story, where its records are, and what of their channels was refused.
pub(super) struct Told {
    pub(super) story: Story,
    pub(super) entries: HashMap<Cite, u64>,
    pub(super) refused: BTreeMap<Channel, u64>,
    /// How many entries the checkpoint signs that the story rests on.
    pub(super) size: u64,
}

/// Derives the story of everything under the newest checkpoint.
pub(super) fn tell(dir: &LedgerDir, context: &Context<'_>) -> anyhow::Result<Told> {
    let people = context.people()?;
    let reader = Reader::open(dir)?;
    let (mut entries, mut records): (HashMap<Cite, u64>, Vec<Record>) = Default::default();
    let checkpoint = reader.records(dir, |index, record| {
        entries.insert(record.cite.clone(), index.get());
        records.push(record);
    })?;
    let refused = reader.refused_by_channel()?;
    let size = checkpoint.size().get();
    Ok(Told { story: derive(records, &people), entries, refused, size })
}

/// From the first to the last time that a record states.
fn extent(story: &Story) -> Option<(Timestamp, Timestamp)> {
    let first =
        story.coverage.iter().filter_map(|c| c.first.as_ref()).map(Moment::earliest).min()?;
    let last = story.coverage.iter().filter_map(|c| c.last.as_ref()).map(Moment::latest).max()?;
    Some((first, last.checked_add(SignedDuration::from_nanos(1)).ok()?))
}

fn is_known(story: &Story, asked: &str) -> bool {
    let named = |namespace: &str, name: &str| {
        asked == name || asked.split_once('/') == Some((namespace, name))
    };
    let operations = story.operations.iter().map(|o| &o.app);
    let mut apps = operations.chain(story.state_changes.iter().map(|s| &s.app));
    apps.any(|app| named(&app.namespace, &app.name))
}
