//! Questions beside `timeline`: `change`, `running`, `drift`.

use evidence::ask::change::{self, TransitionView};
use evidence::ask::{drift, running};
use evidence::control::{Entitlements, Inputs, Owners};
use evidence::record::Cite;
use evidence::story::change::Change;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::rights::{JudgeArgs, Raw};
use super::timeline::{Told, tell, tell_with_rules};
use super::{Context, Format, Outcome};
use crate::ask::judging::{RulesThen, settings};
use crate::ask::{self, Answered};
use crate::index::keeper;
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
        #[command(flatten)]
        by: JudgeArgs,
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

/// Writes an answer: its JSON, or its text by a renderer.
fn answer<T: Serialize>(
    context: &mut Context<'_>,
    told: &Told,
    tz: TimeZone,
    answer: T,
    text: impl FnOnce(&T, &RenderOptions<'_>) -> String,
) -> anyhow::Result<()> {
    match context.shared.format {
        Format::Json => {
            let answered = Answered { answer, derived: told.derived.clone() };
            context.out.write_all(&answered.to_json())?;
            writeln!(context.out)?;
        }
        Format::Text => {
            let entry_of = |cite: &Cite| told.entries.get(cite).copied();
            let (width, colour) = (context.width, context.colour);
            let options = RenderOptions {
                width,
                colour,
                tz,
                checkpoint: Some(told.derived.entries),
                entry_of: &entry_of,
            };
            write!(context.out, "{}", text(&answer, &options))?;
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
            let tz = ask::zone(&shown.tz)?;
            let told = tell(&dir, context)?;
            let list = change::list(&told.story, shown.env.as_deref());
            let outcome =
                if list.changes.is_empty() { Outcome::Undetermined } else { Outcome::Done };
            answer(context, &told, tz, list, answers::change_list)?;
            Ok(outcome)
        }
        ChangeCommand::Show { what, shown, by } => show(what, shown, by, &dir, context),
    }
}

fn show(
    what: &str,
    shown: &Shown,
    by: &JudgeArgs,
    dir: &LedgerDir,
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    let tz = ask::zone(&shown.tz)?;
    let (told, rules) = if by.is_any() {
        tell_with_rules(dir, context).map(|(told, rules)| (told, Some(rules)))?
    } else {
        (tell(dir, context)?, None)
    };
    let entries = told.derived.entries;
    let selector = ask::selector(what, |number| -> anyhow::Result<_> {
        Ok(keeper::cite_of(dir, number, entries)?)
    })?;
    let found: Vec<&Change> = change::find(&told.story, &selector);
    let Some(one) = found.first() else {
        if let Some(transition) = change::outside(&told.story, &selector) {
            let text = |view: &TransitionView, o: &RenderOptions<'_>| {
                answers::transition(&view.transition, o)
            };
            answer(context, &told, tz, TransitionView::from(transition), text)?;
            return Ok(Outcome::Findings);
        }
        writeln!(
            context.err,
            "no change is in the records under {what:?}; `countersign change list` shows all, \
             `countersign timeline` what happened outside of them"
        )?;
        return Ok(Outcome::Undetermined);
    };
    let (raw, people) = (Raw::of(&by.sources(), context)?, context.people()?);
    let settings = raw.policy()?.map(|policy| settings(policy, None)).unwrap_or_default();
    let owners = raw.owners_then(&told.story, &people)?;
    let owners = owners.as_ref().map(|owners| owners as &dyn Owners);
    let rules = rules.as_ref().map(|rules| RulesThen::of(rules, &people));
    let entitlements = rules.as_ref().map(|rules| rules as &dyn Entitlements);
    let inputs = Inputs { owners, entitlements, ..Inputs::new(&told.story, &settings) };
    let view = change::show_under(inputs, one);
    let not_met = view.count(change::Verdict::NotMet);
    answer(context, &told, tz, view, answers::change_show)?;
    for other in &found[1..] {
        writeln!(context.err, "also: {}", other.id)?;
    }
    Ok(if not_met == 0 { Outcome::Done } else { Outcome::Findings })
}

pub(super) fn running(args: &RunningArgs, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let tz = ask::zone(&args.shown.tz)?;
    let now = args.now.unwrap_or((context.clock)()).to_zoned(tz.clone());
    let at = ask::moment("at", &args.at, &now)?.from;
    let told = tell(&dir, context)?;
    let running = running::running(&told.story, at, args.shown.env.as_deref());
    let unknown = running.applications.is_empty();
    answer(context, &told, tz, running, |running, o| answers::running(running, at, o))?;
    Ok(if unknown { Outcome::Undetermined } else { Outcome::Done })
}

pub(super) fn drift(command: &DriftCommand, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let DriftCommand::List { shown, app } = command;
    let dir = LedgerDir::open(context.ledger())?;
    let tz = ask::zone(&shown.tz)?;
    let told = tell(&dir, context)?;
    let list = drift::list(&told.story, shown.env.as_deref(), app.as_deref());
    let outcome = if list.drift.is_empty() { Outcome::Done } else { Outcome::Findings };
    answer(context, &told, tz, list, |list, o| answers::drift_list(&list.drift, o))?;
    Ok(outcome)
}
