//! `countersign collect`: live settings of a service, as a file to judge by or to ingest.

use std::path::{Path, PathBuf};
use std::time::Duration;

use access::forge::collect::{Collection, RepositoryPath};
use access::forge::{Forge, Snapshot};
use access::policy;
use anyhow::Context as _;
use clap::ValueEnum;
use jiff::Timestamp;

use super::replace::replace;
use super::rights::PolicyFile;
use super::{Context, Outcome};
use crate::render::collect as render;
use crate::sources::forge::{Api, PUBLIC_GITHUB, PUBLIC_GITLAB, Patience};
use crate::sources::secret::{Place, Secret};

/// The variable of the environment that may hold the token.
const TOKEN: &str = "COUNTERSIGN_FORGE_TOKEN";
/// Bytes of a line that `ingest` takes unless it is told otherwise.
const LINE_BYTES_MAX: usize = super::ingest::RECORD_BYTES_MAX;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// The forge's rules about a repository: protection, rulesets, teams, members, administrators
    Forge(ForgeArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(super) struct ForgeArgs {
    /// The kind of forge [default: the policy's]
    #[arg(long, value_name = "FORGE")]
    forge: Option<ForgeName>,
    /// The repository's path on the forge: acme/gitops [default: the policy's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The forge's address, or that of its API [default: github.com, gitlab.com]
    #[arg(long, value_name = "URL")]
    api: Option<String>,
    /// File with the token; else the variable `COUNTERSIGN_FORGE_TOKEN`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Ask without a token: shows what everybody may see
    #[arg(long, conflicts_with = "token_file")]
    anonymous: bool,
    /// A branch whose protection matters, beside the default and the protected ones; may be repeated
    #[arg(long, value_name = "NAME")]
    branch: Vec<String>,
    /// Certificates to trust beside those of the system (PEM)
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The policy that names forge and repository
    #[arg(long, value_name = "FILE", default_value = policy::FILE)]
    policy: PathBuf,
    /// The snapshot's file, replaced in one step; standard output, unless said
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

const HELP: &str = "\
Examples:
  countersign collect forge --forge github --name acme/gitops --token-file token --out forge.json
  countersign check --forge forge.json
  countersign collect forge --token-file token | countersign ingest -

It only reads. The token needs, to see everything:
  GitHub   fine-grained: Administration, Metadata and Actions of the repository and Members of the
           organisation, read-only; who may bypass a ruleset is told only to who may edit it
  GitLab   scope read_api, role Maintainer or Owner of the project
  Gitea    scopes read:repository and read:organization, an administrator of the repository
What it may not see is kept as the refusal that it got, and is undetermined where it is asked.
Requests go to the address above and nowhere else, through the proxy of the environment
(HTTPS_PROXY, NO_PROXY) if there is one; redirects are not followed.

Exit codes: 0 a snapshot was written, refusals included; 5 there is none, and why";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ForgeName {
    /// GitHub, GitHub Enterprise Server
    Github,
    /// GitLab
    Gitlab,
    /// Gitea, Forgejo
    Gitea,
}

impl From<ForgeName> for Forge {
    fn from(name: ForgeName) -> Self {
        match name {
            ForgeName::Github => Self::GitHub,
            ForgeName::Gitlab => Self::GitLab,
            ForgeName::Gitea => Self::Gitea,
        }
    }
}

/// What to ask about.
struct Asked {
    forge: Forge,
    repository: RepositoryPath,
    branches: Vec<String>,
}

pub(super) fn run(command: &Command, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let Command::Forge(args) = command;
    if let Some(folder) = args.out.as_deref().and_then(Path::parent) {
        let there = folder.as_os_str().is_empty() || folder.is_dir();
        anyhow::ensure!(there, "--out: there is no folder {}", folder.display());
    }
    let asked = Asked::of(args)?;
    let token = token(args, context)?;
    let address = address(asked.forge, args.api.as_deref())?;
    let patience = Patience { pause: Duration::from_secs(1), wait_max: Duration::from_mins(2) };
    let ca = args.ca.as_deref();
    let api = Api::new(asked.forge, &address, token.as_ref(), ca, patience, context.clock)?;
    let mut collection = Collection::new(asked.forge, asked.repository, asked.branches);
    let (began, ended) = collect(&api, &mut collection, context)?;
    let bytes = collection.snapshot(began, ended)?;
    match &args.out {
        Some(path) => replace(path, &bytes)?,
        None => context.out.write_all(&bytes)?,
    }
    tell(&collection, &bytes, args, context)?;
    Ok(Outcome::Done)
}

impl Asked {
    /// As the arguments say, else the policy.
    fn of(args: &ForgeArgs) -> anyhow::Result<Self> {
        let file = policy_of(args)?;
        let needed = args.forge.is_none() || args.name.is_none();
        let policy = match &file {
            Some(file) if needed => Some(file.policy()?),
            other => other.as_ref().and_then(|file| file.reading.policy.as_ref()),
        };
        let said = policy.map(|policy| &policy.repository);
        let own = said.and_then(|said| said.forge.as_ref()).map(|forge| forge.value);
        let is_asked = args.forge.is_some() || own != Some(policy::Forge::Bitbucket);
        anyhow::ensure!(is_asked, "Bitbucket is not asked: the policy names it as its forge");
        let or = |member: &str| format!("or repository.{member} in {}", args.policy.display());
        let forge = args.forge.map(Forge::from);
        let forge = forge.or_else(|| known(said?.forge.as_ref()?.value));
        let forge = forge.with_context(|| format!("--forge says which forge, {}", or("forge")))?;
        let name = args.name.as_deref();
        let name = name.or_else(|| Some(said?.name.as_ref()?.value.as_str()));
        let name = name.with_context(|| format!("--name says which repository, {}", or("name")))?;
        let mut branches = args.branch.clone();
        branches.extend(said.map(|said| said.branch.value.clone()));
        Ok(Self { forge, repository: RepositoryPath::new(forge, name)?, branches })
    }
}

/// The policy's file, where there is one.
fn policy_of(args: &ForgeArgs) -> anyhow::Result<Option<PolicyFile>> {
    match std::fs::read(&args.policy) {
        Ok(bytes) => Ok(Some(PolicyFile::read(&args.policy.to_string_lossy(), bytes))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot read {}", args.policy.display())),
    }
}

const fn known(forge: policy::Forge) -> Option<Forge> {
    match forge {
        policy::Forge::Github => Some(Forge::GitHub),
        policy::Forge::Gitlab => Some(Forge::GitLab),
        policy::Forge::Gitea => Some(Forge::Gitea),
        policy::Forge::Bitbucket => None,
    }
}

fn token(args: &ForgeArgs, context: &mut Context<'_>) -> anyhow::Result<Option<Secret>> {
    if args.anonymous {
        return Ok(None);
    }
    let place = match &args.token_file {
        Some(path) => Place::File(path.clone()),
        None => Place::Environment(TOKEN.to_owned()),
    };
    let mut warnings = Vec::new();
    let read = place.read(&mut warnings).map_err(|e| match place {
        Place::File(_) => anyhow::anyhow!("the token: {e}"),
        Place::Environment(_) => {
            anyhow::anyhow!("no token: {e}; give --token-file, or --anonymous to ask without one")
        }
    });
    for warning in warnings {
        writeln!(context.err, "warning: {warning}")?;
    }
    read.map(Some)
}

fn address(forge: Forge, said: Option<&str>) -> anyhow::Result<String> {
    let own = match forge {
        Forge::GitHub => Some(PUBLIC_GITHUB),
        Forge::GitLab => Some(PUBLIC_GITLAB),
        Forge::Gitea => None,
    };
    let address = said.or(own).map(str::to_owned);
    address.context("--api says where the forge is: https://git.acme.example")
}

fn collect(
    api: &Api,
    collection: &mut Collection,
    context: &Context<'_>,
) -> anyhow::Result<(Timestamp, Timestamp)> {
    let bar = context.spinner();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut asked = 0;
    let collected = runtime.block_on(api.collect(collection, |collection, request| {
        asked += 1;
        bar.set_message(format!(
            "{asked} requests, {} known to be left: {request}",
            collection.left()
        ));
        bar.tick();
    }));
    bar.finish_and_clear();
    Ok(collected?)
}

/// What the snapshot shows goes to standard error: standard output may be a pipe.
fn tell(
    collection: &Collection,
    bytes: &[u8],
    args: &ForgeArgs,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let snapshot = Snapshot::parse(bytes)?;
    write!(context.err, "{}", render::summary(collection, &snapshot, &context.options()))?;
    if bytes.len() > LINE_BYTES_MAX {
        writeln!(
            context.err,
            "It has {} bytes: `countersign ingest` takes it with --max-record-bytes {}",
            bytes.len(),
            bytes.len()
        )?;
    }
    if let Some(path) = &args.out {
        writeln!(
            context.err,
            "Wrote {}: judge by it with --forge, keep it with `countersign ingest`",
            path.display()
        )?;
    }
    Ok(())
}
