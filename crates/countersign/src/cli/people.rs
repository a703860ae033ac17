//! `countersign people propose`: a people map to confirm, from what the sources show.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use evidence::ask::people::propose::{IdpPerson, Proposal, propose};
use evidence::ask::people::sighting::Sightings;
use evidence::people::People;
use evidence::record::Record;

use super::{Context, Format, Outcome};
use crate::ledger::LedgerError;
use crate::ledger::dir::LedgerDir;
use crate::ledger::read::Reader;
use crate::render::people as render;
use crate::sources::people::{forge_accounts, idp_people};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Draft the people map: certain and likely links, questions, accounts that fit nobody
    Propose(Propose),
}

#[derive(Debug, clap::Args)]
pub(super) struct Propose {
    /// People of the identity provider: CSV or JSON with subject, email, login, name, groups
    #[arg(long, value_name = "FILE")]
    idp: Option<PathBuf>,
    /// Snapshot of the forge: JSON with its accounts, each with `login` and `type`
    #[arg(long, value_name = "FILE")]
    forge: Option<PathBuf>,
    /// A domain at which one local part is one person; may be given several times
    #[arg(long, value_name = "DOMAIN")]
    domain: Vec<String>,
    /// The people map to write; it is made for its owner's eyes only, and never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(command: &Command, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let Command::Propose(args) = command;
    let idp = match &args.idp {
        Some(path) => idp_people(&read(path)?).with_context(|| path.display().to_string())?,
        None => Vec::new(),
    };
    let mut sightings = of_ledger(context)?;
    if let Some(path) = &args.forge {
        let accounts = forge_accounts(&read(path)?);
        sightings.extend(accounts.with_context(|| path.display().to_string())?);
    }
    let domains: BTreeSet<String> = args.domain.iter().map(|d| d.to_lowercase()).collect();
    let idp = if idp.is_empty() { of_addresses(&sightings) } else { idp };
    let proposal = propose(&idp, &sightings, &domains);
    // What is written must be what `--people` reads.
    People::from_json(&proposal.to_json())?;
    write_new(&args.out, &proposal.to_json())?;
    tell(&proposal, args, context)
}

fn tell(proposal: &Proposal, args: &Propose, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    match context.shared.format {
        Format::Json => writeln!(context.out, "{}", serde_json::to_string(proposal)?)?,
        Format::Text => {
            write!(context.out, "{}", render::proposal(proposal, &context.options()))?;
            writeln!(context.out, "\nWrote {}; confirm it, then use --people", args.out.display())?;
        }
    }
    let settled = proposal.questions.is_empty() && proposal.unmatched.is_empty();
    Ok(if settled { Outcome::Done } else { Outcome::Undetermined })
}

/// Accounts that the ledger's records name; none where there is no ledger.
fn of_ledger(context: &Context<'_>) -> anyhow::Result<Sightings> {
    if !context.ledger().exists() {
        return Ok(Sightings::default());
    }
    let dir = LedgerDir::open(context.ledger())?;
    let mut sightings = Sightings::default();
    Reader::open(&dir)?.records(&dir, |_, record: Record| {
        sightings.extend(Sightings::of([&record]).seen);
    })?;
    Ok(sightings)
}

/// Without an identity provider every address that an account is named by is a person to confirm.
fn of_addresses(sightings: &Sightings) -> Vec<IdpPerson> {
    let mut people: std::collections::BTreeMap<String, IdpPerson> =
        std::collections::BTreeMap::new();
    for ((_, account), seen) in &sightings.seen {
        let addresses = seen.emails.iter().chain(Some(account).filter(|a| a.contains('@')));
        for email in addresses.filter(|_| !seen.is_bot) {
            let email = email.to_lowercase();
            people.entry(email.clone()).or_insert_with(|| IdpPerson {
                email: Some(email),
                name: seen.names.first().cloned(),
                ..IdpPerson::default()
            });
        }
    }
    people.into_values().collect()
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    Ok(std::fs::read(path).map_err(LedgerError::file("read", path))?)
}

/// The map says who is who: only its owner may read it, and a confirmed one is not lost.
fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(LedgerError::file("write", path))?;
    file.write_all(bytes).map_err(LedgerError::file("write", path))?;
    Ok(())
}
