//! Questions beside `timeline`: `change`, `running`, `drift`.

use evidence::ask::change::{self, Selector};
use evidence::ask::running;
use evidence::record::Cite;
use evidence::story::act::{Act, What};
use evidence::story::change::Change;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::timeline::{Told, tell};
use super::when::{self, BadTime};
use super::{Context, Format, Outcome};
use crate::ledger::dir::LedgerDir;
use crate::render::{RenderOptions, answers};

/// Zone and environment, as every question takes them.
#[derive(Debug, clap::Args)]
pub(super) struct Shown {
    /// Only this environment: the label `env` or `environment` of the Applications
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Time zone of the question and of the answer
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum ChangeCommand {
    /// All changes, and what happened outside of them
    List(Shown),
    /// One change: who had which part, what ran, which conditions the records show met
    Show {
        /// `pr:N`, a commit, a ticket's key, `operation:app@version` or `entry:N`
        what: String,
        #[command(flatten)]
        shown: Shown,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct RunningArgs {
    /// The moment: "mon 21:47:42", "2026-11-23 21:47", 21:47, 2026-11-23T21:47:42Z
    #[arg(long, value_name = "TIME")]
    at: String,
    /// What "now" and "today" mean; the system's clock, unless said
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum DriftCommand {
    /// All drift: onset, end, class, and the accounts whose writes brought it about
    List {
        #[command(flatten)]
        shown: Shown,
        /// Only this Application
        #[arg(long, value_name = "NAME")]
        app: Option<String>,
    },
}

fn zone(shown: &Shown) -> Result<TimeZone, BadTime> {
    TimeZone::get(&shown.tz).map_err(|_| BadTime(shown.tz.clone()))
}

/// Writes an answer: its JSON, or its text by a renderer.
fn answer(
    context: &mut Context<'_>,
    told: &Told,
    tz: TimeZone,
    json: impl FnOnce() -> Vec<u8>,
    text: impl FnOnce(&RenderOptions<'_>) -> String,
) -> anyhow::Result<()> {
    match context.shared.format {
        Format::Json => {
            context.out.write_all(&json())?;
            writeln!(context.out)?;
        }
        Format::Text => {
            let entry_of = |cite: &Cite| told.entries.get(cite).copied();
            let (width, colour) = (context.width, context.colour);
            let options = RenderOptions {
                width,
                colour,
                tz,
                checkpoint: Some(told.size),
                entry_of: &entry_of,
            };
            write!(context.out, "{}", text(&options))?;
        }
    }
    Ok(())
}

pub(super) fn change(
    command: &ChangeCommand,
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    match command {
        ChangeCommand::List(shown) => {
            let tz = zone(shown)?;
            let told = tell(&dir, context)?;
            let list = change::list(&told.story, shown.env.as_deref());
            answer(context, &told, tz, || list.to_json(), |o| answers::change_list(&list, o))?;
            Ok(if list.changes.is_empty() { Outcome::Undetermined } else { Outcome::Done })
        }
        ChangeCommand::Show { what, shown } => {
            let tz = zone(shown)?;
            let told = tell(&dir, context)?;
            let selector = selector(what, &told)?;
            let found: Vec<&Change> = change::find(&told.story, &selector);
            let Some(one) = found.first() else {
                if let Some(transition) = change::outside(&told.story, &selector) {
                    answer(
                        context,
                        &told,
                        tz,
                        || serde_json::to_vec(transition).unwrap_or_default(),
                        |o| answers::transition(transition, o),
                    )?;
                    return Ok(Outcome::Findings);
                }
                writeln!(
                    context.err,
                    "no change is in the records under {what:?}; `countersign change list` shows all, \
                     `countersign timeline` what happened outside of them"
                )?;
                return Ok(Outcome::Undetermined);
            };
            let view = change::show(&told.story, one);
            answer(context, &told, tz, || view.to_json(), |o| answers::change_show(&view, o))?;
            for other in &found[1..] {
                writeln!(context.err, "also: {}", other.id)?;
            }
            Ok(match view.count(change::Verdict::NotMet) {
                0 => Outcome::Done,
                _ => Outcome::Findings,
            })
        }
    }
}

/// Reads a selector; an entry's number is looked up in the ledger at hand.
fn selector(what: &str, told: &Told) -> anyhow::Result<Selector> {
    if let Some(number) = what.strip_prefix("entry:").and_then(|n| n.parse::<u64>().ok()) {
        let cite = told.entries.iter().find(|(_, index)| **index == number).map(|(cite, _)| cite);
        let cite = cite.ok_or_else(|| anyhow::anyhow!("the ledger has no entry {number}"))?;
        return Ok(Selector::Record(cite.clone()));
    }
    Selector::parse(what).ok_or_else(|| {
        anyhow::anyhow!(
            "{what:?} names no change; say pr:N, a commit of at least 7 digits, a ticket's key, \
             operation:app@version or entry:N"
        )
    })
}

pub(super) fn running(args: &RunningArgs, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let tz = zone(&args.shown)?;
    let now = args.now.unwrap_or((context.clock)()).to_zoned(tz.clone());
    let at = when::parse(&args.at, &now)?.from;
    let told = tell(&dir, context)?;
    let running = running::running(&told.story, at, args.shown.env.as_deref());
    answer(context, &told, tz, || running.to_json(), |o| answers::running(&running, at, o))?;
    Ok(if running.applications.is_empty() { Outcome::Undetermined } else { Outcome::Done })
}

pub(super) fn drift(command: &DriftCommand, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let DriftCommand::List { shown, app } = command;
    let dir = LedgerDir::open(context.ledger())?;
    let tz = zone(shown)?;
    let told = tell(&dir, context)?;
    let environment = |name: &str| {
        let of = told.story.operations.iter().find(|o| o.app.name == name);
        of.and_then(|o| o.app.environment.clone())
    };
    let wanted = |act: &&Act| {
        let named = app.is_none() || act.app == *app;
        let placed = shown.env.is_none() || act.app.as_deref().and_then(environment) == shown.env;
        matches!(act.what, What::Drift { .. }) && named && placed
    };
    let drift: Vec<&Act> = told.story.acts.iter().filter(wanted).collect();
    let json = || {
        let list = serde_json::json!({ "drift_list": 1, "drift": drift });
        serde_json::to_vec(&list).unwrap_or_default()
    };
    answer(context, &told, tz, json, |o| answers::drift_list(&drift, o))?;
    Ok(if drift.is_empty() { Outcome::Done } else { Outcome::Findings })
}
