//! `countersign ledger status`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use evidence::channel::Channel;
use jiff::SignedDuration;

use super::{Context, Format, Outcome};
use crate::ask::Answered;
use crate::ask::status::{Expected, Seen, status};
use crate::index::{Folded, Read};
use crate::ledger::LedgerError;
use crate::ledger::dir::LedgerDir;
use crate::render::status::render;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A channel that is to bring records, beside those of `ledger.toml`
    #[arg(long, value_name = "CHANNEL")]
    expect: Vec<Channel>,
    /// An expected channel is silent too if nothing came of it for so long: 30m, 24h
    #[arg(long, value_name = "DURATION")]
    silent_for: Option<SignedDuration>,
}

/// What the ledger holds, what it covers and what vouches for it.
pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let mut folded = Folded::default();
    let Read::Up(derived, refused) = folded.read(&dir, |_, _| ControlFlow::Continue(()))? else {
        return Err(LedgerError::Stopped("reading was broken off".to_owned()).into());
    };
    let channels: BTreeSet<Channel> = args.expect.iter().copied().collect();
    let now = (context.clock)();
    let expected = Expected { channels, since: None }.silent_for(args.silent_for, now);
    let coverage = folded.coverage();
    let seen = Seen { coverage: &coverage, kinds: folded.kinds(), refused: &refused };
    let answer = status(&dir, seen, expected)?;
    let silent = !answer.silent.is_empty();
    match context.shared.format {
        Format::Json => {
            context.out.write_all(&Answered { answer, derived }.to_json())?;
            writeln!(context.out)?;
        }
        Format::Text => {
            write!(context.out, "{}", render(&answer, &derived, context.width, context.colour))?;
        }
    }
    Ok(if silent { Outcome::Findings } else { Outcome::Done })
}
