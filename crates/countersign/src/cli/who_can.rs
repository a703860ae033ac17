//! `countersign who-can`.

use access::reach::{self, Answer, Gap, Question, Verb};
use clap::ValueEnum;
use jiff::Timestamp;

use super::rights::{Raw, SourceArgs};
use super::{Asked, Context, Format, Outcome, show};
use crate::ask;
use crate::index::past::{self, AsOf};
use crate::ledger::dir::LedgerDir;
use crate::render::reach as render;
use crate::sources::render::Used;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What they may be able to do
    verb: VerbName,
    /// In this environment of the policy; production, unless said
    #[arg(long, value_name = "NAME", conflicts_with = "app")]
    env: Option<String>,
    /// To this Application
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    #[command(flatten)]
    sources: SourceArgs,
    /// At this time, by the objects, pushes and snapshots that the ledger holds
    #[arg(long, value_name = "TIME", conflicts_with = "cluster")]
    as_of: Option<String>,
    /// Time zone of the time
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
    /// What "now" and "today" mean; the system's clock, unless said
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// Tell each path of one person as a sentence
    #[arg(long, value_name = "PERSON")]
    why: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum VerbName {
    /// Change what runs, by any way
    Deploy,
    /// Change the files that are deployed
    Merge,
    /// Make Argo CD apply what git holds
    Sync,
    /// Make Argo CD apply something else
    Override,
    /// Run commands in what runs
    Exec,
    /// Read the secrets of what runs
    ReadSecrets,
}

impl From<VerbName> for Verb {
    fn from(name: VerbName) -> Self {
        match name {
            VerbName::Deploy => Self::Deploy,
            VerbName::Merge => Self::Merge,
            VerbName::Sync => Self::Sync,
            VerbName::Override => Self::Override,
            VerbName::Exec => Self::Exec,
            VerbName::ReadSecrets => Self::ReadSecrets,
        }
    }
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let mut past = args.as_of.as_deref().map(|said| as_of(said, args, context)).transpose()?;
    let raw = match &mut past {
        Some(past) => Raw::past(&args.sources, past, context)?,
        None => Raw::of(&args.sources, context)?,
    };
    raw.know(args.env.as_deref())?;
    let read = raw.read()?;
    let joined = read.joined();
    let question = Question {
        verb: args.verb.into(),
        environment: args.env.clone(),
        application: args.app.clone(),
    };
    let mut answer = reach::who_can(&joined, &question);
    if let Some(past) = &past {
        let gaps =
            past.gaps.iter().map(|g| Gap { what: g.what.clone(), why: g.why.clone(), at: None });
        answer.undetermined.extend(gaps);
    }
    match &args.why {
        Some(person) => why(&answer, person, &read.used, context),
        None => tell(&answer, past.as_ref(), &raw, &read.used, context),
    }
}

/// What was in force at the time that was said.
fn as_of(said: &str, args: &Args, context: &Context<'_>) -> anyhow::Result<AsOf> {
    let dir = LedgerDir::open(context.ledger())?;
    let now = args.now.unwrap_or((context.clock)()).to_zoned(ask::zone(&args.tz)?);
    Ok(past::as_of(&dir, ask::moment("as-of", said, &now)?.from)?)
}

fn tell(
    answer: &Answer,
    past: Option<&AsOf>,
    raw: &Raw,
    rendered: &[Used],
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    let commit = raw.checkout.as_ref().and_then(|c| c.commit.as_deref());
    match context.shared.format {
        Format::Json => {
            let mut json = serde_json::to_value(answer)?;
            if let Some(past) = past {
                json["as_of"] = serde_json::json!({"time": past.time, "commit": commit});
                json["derived"] = serde_json::to_value(&past.derived)?;
            }
            if !rendered.is_empty() {
                json["rendered"] = serde_json::to_value(rendered)?;
            }
            writeln!(context.out, "{json}")?;
        }
        Format::Text if context.shared.asked == Asked::Svg => {
            write!(context.out, "{}", render::picture(answer))?;
        }
        Format::Text => {
            if let Some(past) = past {
                let git = commit.map(|c| format!(", git at {c}")).unwrap_or_default();
                let (time, entries) =
                    (past.time, show::of(past.derived.entries, "entry", "entries"));
                writeln!(context.out, "As of {time}, by {entries} of the ledger{git}")?;
            }
            if !rendered.is_empty() {
                writeln!(context.out, "Rendered: {}", show::rendered(rendered))?;
            }
            write!(context.out, "{}", render::render(answer, &context.options()))?;
        }
    }
    Ok(outcome(answer))
}

fn why(
    answer: &Answer,
    person: &str,
    rendered: &[Used],
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    let Some(told) = reach::why(answer, person) else {
        let gaps = answer.undetermined.len();
        let (verb, so) = (answer.verb.words(), if gaps == 0 { "" } else { ", as far as is known" });
        writeln!(context.err, "no path by which {person:?} can {verb} was found{so}")?;
        for gap in &answer.undetermined {
            writeln!(context.err, "undetermined: {}: {}", gap.what, gap.why)?;
        }
        return Ok(if gaps == 0 { Outcome::Done } else { Outcome::Undetermined });
    };
    match context.shared.format {
        Format::Json => {
            let mut json =
                serde_json::json!({"person": person, "verb": answer.verb, "paths": told});
            if !rendered.is_empty() {
                json["rendered"] = serde_json::to_value(rendered)?;
            }
            writeln!(context.out, "{json}")?;
        }
        Format::Text => {
            if !rendered.is_empty() {
                writeln!(context.out, "Rendered: {}", show::rendered(rendered))?;
            }
            write!(context.out, "{}", render::sentences(&told, &context.options()))?;
        }
    }
    Ok(outcome(answer))
}

/// A list of who can is an answer and no finding; what is missing makes it an incomplete one.
fn outcome(answer: &Answer) -> Outcome {
    if answer.undetermined.is_empty() { Outcome::Done } else { Outcome::Undetermined }
}
