//! `countersign verify`: the same verification as the stand-alone `countersign-verify`.

use std::path::PathBuf;

use evidence::pack;
use tlog::VerifierKey;

use super::{Context, Format, Outcome};
use crate::ledger::LedgerError;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The pack
    #[arg(value_name = "FILE")]
    pack: PathBuf,
    /// The ledger's verifier key, got by another way than the pack
    #[arg(long, value_name = "KEY")]
    key: Option<VerifierKey>,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let bytes = std::fs::read(&args.pack).map_err(LedgerError::file("read", &args.pack))?;
    let verdict = pack::verify(&bytes, args.key.as_ref());
    match context.shared.format {
        Format::Text => write!(context.out, "{}", verdict.report())?,
        Format::Json => {
            let faults: Vec<String> = verdict.integrity.iter().map(ToString::to_string).collect();
            let json = serde_json::json!({
                "verify": 0, "intact": faults.is_empty(), "faults": faults,
                "story_follows": verdict.story, "entries": verdict.entries,
                "redacted": verdict.redacted, "key_given": args.key.is_some(),
            });
            writeln!(context.out, "{json}")?;
        }
    }
    Ok(if verdict.holds() { Outcome::Done } else { Outcome::VerificationFailed })
}
