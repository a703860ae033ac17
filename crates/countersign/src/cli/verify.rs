//! `countersign verify`: the same verification as the stand-alone `countersign-verify`.

use std::path::{Path, PathBuf};

use evidence::pack::{self, Terms, Trust};
use evidence::receipt;
use tlog::VerifierKey;

use super::{Context, Format, Outcome};
use crate::ledger::LedgerError;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The pack or receipt
    #[arg(value_name = "FILE")]
    pack: PathBuf,
    /// The ledger's verifier key, got by another way than the pack
    #[arg(long, value_name = "KEY", conflicts_with = "trust")]
    key: Option<VerifierKey>,
    /// A trust policy file: logs, witnesses and how many of them must have cosigned
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// A checkpoint of this ledger that you kept from before
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let bytes = read(&args.pack)?;
    let trust = match (&args.key, &args.trust) {
        (Some(key), _) => Some(Trust::in_log(key.clone())),
        (None, Some(path)) => {
            let text = String::from_utf8_lossy(&read(path)?).into_owned();
            let trust = Trust::parse(&text);
            Some(trust.map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))?)
        }
        (None, None) => None,
    };
    if receipt::is_receipt(&bytes) {
        return of_receipt(&receipt::verify_under(&bytes, trust.as_ref()), context);
    }
    let kept = args.checkpoint.as_deref().map(read).transpose()?;
    let verdict = pack::verify(&bytes, &Terms { trust: trust.as_ref(), kept: kept.as_deref() });
    match context.shared.format {
        Format::Text => write!(context.out, "{}", verdict.report())?,
        Format::Json => {
            context.out.write_all(&verdict.to_json())?;
            writeln!(context.out)?;
        }
    }
    Ok(match verdict.code() {
        0 => Outcome::Done,
        3 => Outcome::Undetermined,
        _ => Outcome::VerificationFailed,
    })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    Ok(std::fs::read(path).map_err(LedgerError::file("read", path))?)
}

fn of_receipt(verdict: &receipt::Verdict, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    match context.shared.format {
        Format::Text => write!(context.out, "{}", verdict.report())?,
        Format::Json => {
            let faults: Vec<String> = verdict.faults.iter().map(ToString::to_string).collect();
            let json = serde_json::json!({
                "verify_receipt": 1, "intact": verdict.holds(), "faults": faults,
                "records": verdict.records, "key_given": verdict.key_given,
            });
            writeln!(context.out, "{json}")?;
        }
    }
    Ok(if verdict.holds() { Outcome::Done } else { Outcome::VerificationFailed })
}
