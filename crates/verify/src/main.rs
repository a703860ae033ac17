//! `countersign-verify`: checks a pack offline.
//!
//! Two answers: is the record intact, and does the story follow from it. Reads one file, opens no
//! connection, writes to standard output. Exit codes: 0 both hold, 2 usage, 4 verification failed,
//! 5 the file cannot be read.

use std::io::Write as _;
use std::process::ExitCode;

use evidence::pack;
use tlog::VerifierKey;

const USAGE: &str = "\
Usage: countersign-verify [--key KEY] PACK

Checks a Countersign pack offline: is the record intact, and does the story follow from it.

  --key KEY   the ledger's verifier key, got by another way than the pack
  --version   print the version

Exit codes: 0 both hold, 2 usage, 4 verification failed, 5 the file cannot be read
";

enum Asked {
    Verify { pack: String, key: Option<Box<VerifierKey>> },
    Print(String),
}

fn main() -> ExitCode {
    let (text, code) = match parse(std::env::args().skip(1)) {
        Ok(Asked::Print(text)) => (text, 0),
        Ok(Asked::Verify { pack, key }) => verify(&pack, key.as_deref()),
        Err(problem) => (format!("error: {problem}\n\n{USAGE}"), 2),
    };
    let written = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(if written.is_ok() { code } else { 5 })
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Asked, String> {
    let (mut pack, mut key) = (None, None);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--help" | "-h" => return Ok(Asked::Print(USAGE.to_owned())),
            "--version" => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Asked::Print(format!("countersign-verify {version}\n")));
            }
            "--key" => {
                let text = args.next().ok_or("--key needs a verifier key")?;
                let parsed: VerifierKey = text.parse().map_err(|e| format!("--key: {e}"))?;
                key = Some(Box::new(parsed));
            }
            option if option.starts_with('-') => return Err(format!("unknown option {option}")),
            _ if pack.is_some() => return Err("one pack at a time".to_owned()),
            _ => pack = Some(arg),
        }
    }
    let pack = pack.ok_or("no pack named")?;
    Ok(Asked::Verify { pack, key })
}

fn verify(path: &str, key: Option<&VerifierKey>) -> (String, u8) {
    match std::fs::read(path) {
        Err(e) => (format!("error: cannot read {path}: {e}\n"), 5),
        Ok(bytes) => {
            let verdict = pack::verify(&bytes, key);
            (verdict.report(), if verdict.holds() { 0 } else { 4 })
        }
    }
}
