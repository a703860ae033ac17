//! `countersign who-can`.

use access::reach::{self, Answer, Question, Verb};
use clap::ValueEnum;
use jiff::tz::TimeZone;

use super::rights::{Raw, SourceArgs};
use super::{Asked, Context, Format, Outcome};
use crate::render::{RenderOptions, reach as render};

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
    let raw = Raw::of(&args.sources, context)?;
    raw.know(args.env.as_deref())?;
    let read = raw.read()?;
    let joined = read.joined();
    let question = Question {
        verb: args.verb.into(),
        environment: args.env.clone(),
        application: args.app.clone(),
    };
    let answer = reach::who_can(&joined, &question);
    match &args.why {
        Some(person) => why(&answer, person, context),
        None => tell(&answer, context),
    }
}

fn tell(answer: &Answer, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    match context.shared.format {
        Format::Json => writeln!(context.out, "{}", serde_json::to_string(answer)?)?,
        Format::Text if context.shared.asked == Asked::Svg => {
            write!(context.out, "{}", render::picture(answer))?;
        }
        Format::Text => with_options(context, |options| render::render(answer, options))?,
    }
    Ok(outcome(answer))
}

fn why(answer: &Answer, person: &str, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
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
            let json = serde_json::json!({"person": person, "verb": answer.verb, "paths": told});
            writeln!(context.out, "{json}")?;
        }
        Format::Text => {
            with_options(context, |options| render::sentences(&told, options))?;
        }
    }
    Ok(outcome(answer))
}

fn with_options(
    context: &mut Context<'_>,
    text: impl FnOnce(&RenderOptions<'_>) -> String,
) -> anyhow::Result<()> {
    let nowhere = |_: &evidence::record::Cite| None;
    let (width, colour) = (context.width, context.colour);
    let options =
        RenderOptions { width, colour, tz: TimeZone::UTC, checkpoint: None, entry_of: &nowhere };
    write!(context.out, "{}", text(&options))?;
    Ok(())
}

/// A list of who can is an answer and no finding; what is missing makes it an incomplete one.
fn outcome(answer: &Answer) -> Outcome {
    if answer.undetermined.is_empty() { Outcome::Done } else { Outcome::Undetermined }
}
