//! `countersign-verify`: checks a pack offline.
//!
//! Two answers: is the record intact, and does the story follow from it. Reads the files that it is
//! given, opens no connection, writes to standard output.

use std::io::Write as _;
use std::process::ExitCode;

use evidence::pack::{self, Terms, Trust};
use evidence::receipt;
use tlog::VerifierKey;

const USAGE: &str = "\
Usage: countersign-verify [--key KEY | --trust FILE] [--checkpoint FILE] [--format json] PACK

Checks a Countersign pack or receipt offline: is the record intact, and does the story follow
from it; of a receipt, whether it is signed and its records are under the checkpoint.

  --key KEY          the ledger's verifier key, got by another way than the pack
  --trust FILE       a trust policy file: logs, witnesses, and how many must have cosigned
  --checkpoint FILE  a checkpoint of this ledger that you kept from before
  --format json      the verdict for machines
  --version          print the version

Exit codes:
  0  the record is intact and the story follows from it
  2  the command cannot be understood
  3  intact, but something cannot be told: the rules of the story are not those of this
     program, or the pack does not reach to the checkpoint that you kept
  4  not intact, contradicted by the checkpoint that you kept, or the story does not follow
  5  a file cannot be read
";

#[derive(Default)]
struct Asked {
    pack: Option<String>,
    trust: Option<Trust>,
    checkpoint: Option<String>,
    json: bool,
    print: Option<String>,
}

/// What ends the program before a verdict: a message and the exit code.
struct Stopped(String, u8);

fn main() -> ExitCode {
    let (text, code) = match parse(std::env::args().skip(1)).and_then(run) {
        Ok(answer) => answer,
        Err(Stopped(problem, 2)) => (format!("error: {problem}\n\n{USAGE}").into_bytes(), 2),
        Err(Stopped(problem, code)) => (format!("error: {problem}\n").into_bytes(), code),
    };
    let written = std::io::stdout().write_all(&text);
    ExitCode::from(if written.is_ok() { code } else { 5 })
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Asked, Stopped> {
    let misuse = |problem: String| Stopped(problem, 2);
    let mut asked = Asked::default();
    while let Some(arg) = args.next() {
        let mut value =
            |what: &str| args.next().ok_or_else(|| misuse(format!("{arg} needs {what}")));
        match arg.as_str() {
            "--help" | "-h" => asked.print = Some(USAGE.to_owned()),
            "--version" => {
                asked.print = Some(format!("countersign-verify {}\n", env!("CARGO_PKG_VERSION")));
            }
            "--key" | "--trust" if asked.trust.is_some() => {
                return Err(misuse("one of --key and --trust, once".to_owned()));
            }
            "--key" => {
                let key: Result<VerifierKey, _> = value("a verifier key")?.parse();
                asked.trust = Some(Trust::in_log(key.map_err(|e| misuse(format!("--key: {e}")))?));
            }
            "--trust" => {
                let path = value("a file")?;
                let text = String::from_utf8_lossy(&read(&path)?).into_owned();
                let trust = Trust::parse(&text).map_err(|e| misuse(format!("{path}: {e}")))?;
                asked.trust = Some(trust);
            }
            "--checkpoint" => asked.checkpoint = Some(value("a file")?),
            "--format" => match value("text or json")?.as_str() {
                "json" => asked.json = true,
                "text" => asked.json = false,
                _ => return Err(misuse("--format needs text or json".to_owned())),
            },
            option if option.starts_with('-') => {
                return Err(misuse(format!("unknown option {option}")));
            }
            _ if asked.pack.is_some() => return Err(misuse("one pack at a time".to_owned())),
            _ => asked.pack = Some(arg),
        }
    }
    Ok(asked)
}

fn run(asked: Asked) -> Result<(Vec<u8>, u8), Stopped> {
    if let Some(text) = asked.print {
        return Ok((text.into_bytes(), 0));
    }
    let path = asked.pack.ok_or_else(|| Stopped("no pack named".to_owned(), 2))?;
    let bytes = read(&path)?;
    if receipt::is_receipt(&bytes) {
        let verdict = receipt::verify_under(&bytes, asked.trust.as_ref());
        let code = if verdict.holds() { 0 } else { 4 };
        return Ok((verdict.report().into_bytes(), code));
    }
    let kept = asked.checkpoint.as_deref().map(read).transpose()?;
    let terms = Terms { trust: asked.trust.as_ref(), kept: kept.as_deref() };
    let verdict = pack::verify(&bytes, &terms);
    let text = if asked.json {
        [verdict.to_json().as_slice(), b"\n"].concat()
    } else {
        verdict.report().into_bytes()
    };
    Ok((text, verdict.code()))
}

fn read(path: &str) -> Result<Vec<u8>, Stopped> {
    std::fs::read(path).map_err(|e| Stopped(format!("cannot read {path}: {e}"), 5))
}
