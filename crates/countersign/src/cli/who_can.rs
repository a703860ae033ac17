//! `countersign who-can`.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use access::codeowners::{CodeOwners, Dialect};
use access::forge::{Forge, Snapshot};
use access::policy::{self, Policy};
use access::reach::{self, Answer, Joined, Question, Sources, Verb, applications_of};
use access::repository::{Options, Repository};
use anyhow::Context as _;
use clap::ValueEnum;
use evidence::people::People;
use flate2::read::MultiGzDecoder;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Asked, Context, Format, Outcome};
use crate::render::{RenderOptions, reach as render};
use crate::sources::checkout::{Checkout, Limits};

/// Bytes of one file of API objects, unpacked.
const OBJECTS_MAX: u64 = 1 << 30;

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
    /// The GitOps repository: a folder as it lies there, or DIR@REV, BUNDLE, BUNDLE@REV
    #[arg(long, value_name = "REPO")]
    repo: Option<String>,
    /// Objects of the cluster: a file of JSON or gzip, or a folder of them
    #[arg(long, value_name = "PATH")]
    cluster: Vec<PathBuf>,
    /// Snapshot of the forge's settings
    #[arg(long, value_name = "FILE")]
    forge: Option<PathBuf>,
    /// Policy, when it is not in the repository
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
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

/// Everything that was read, to be lent to the question.
struct Read {
    repository: Option<Repository>,
    owners: Option<CodeOwners>,
    objects: Vec<Value>,
    forge: Option<Snapshot>,
    policy: Option<Policy>,
    people: Option<People>,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let read = Read::of(args, context)?;
    let joined = Joined::new(Sources {
        repository: read.repository.as_ref(),
        code_owners: read.owners.as_ref(),
        objects: &read.objects,
        forge: read.forge.as_ref(),
        people: read.people.as_ref(),
        policy: read.policy.as_ref(),
    });
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

impl Read {
    fn of(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Self> {
        let objects = objects(&args.cluster)?;
        let forge = args.forge.as_deref().map(snapshot).transpose()?;
        let checkout = args.repo.as_deref().map(checkout).transpose()?;
        let own = checkout.as_ref().and_then(|c| c.content(policy::FILE)).map(<[u8]>::to_vec);
        let given = args.policy.as_ref();
        let given = given
            .map(|path| fs::read(path).with_context(|| format!("cannot read {}", path.display())))
            .transpose()?;
        let policy = given.or(own).map(|bytes| policy_of(&bytes)).transpose()?;
        if let Some(name) = args.env.as_deref().filter(|_| policy.is_some()) {
            let known = policy.as_ref().is_some_and(|p| p.environment(name).is_some());
            anyhow::ensure!(known, "the policy has no environment {name:?}");
        }
        let addresses = policy.as_ref().map(|p| &p.repository.addresses);
        let options = Options {
            addresses: addresses.into_iter().flatten().map(|a| a.value.clone()).collect(),
            applications: applications_of(&objects),
            ..Options::default()
        };
        let repository = checkout.as_ref().map(|c| Repository::read(&c.files(), &options));
        let owners = checkout.as_ref().and_then(|c| owners(c, policy.as_ref(), forge.as_ref()));
        let people = context.shared.people.as_ref().map(|_| context.people()).transpose()?;
        Ok(Self { repository, owners, objects, forge, policy, people })
    }
}

fn policy_of(bytes: &[u8]) -> anyhow::Result<Policy> {
    let reading = Policy::read(policy::FILE, bytes);
    let problems = reading.problems.iter().map(|p| format!("{}: {}", p.place, p.what));
    let problems: Vec<String> = problems.collect();
    reading.policy.with_context(|| format!("the policy cannot be read: {}", problems.join("; ")))
}

/// `PATH` or `PATH@REVISION`; a folder without a revision is read as it lies there.
fn checkout(said: &str) -> anyhow::Result<Checkout> {
    let limits = Limits::default();
    let (path, revision) = match said.rsplit_once('@') {
        Some((path, revision)) if !Path::new(said).exists() => (path, Some(revision)),
        _ => (said, None),
    };
    let path = Path::new(path);
    let read = match revision {
        None if path.is_dir() => Checkout::of_folder(path, &limits),
        _ => Checkout::of_commit(path, revision, &limits),
    };
    read.with_context(|| format!("cannot read the repository {said}"))
}

fn owners(
    checkout: &Checkout,
    policy: Option<&Policy>,
    forge: Option<&Snapshot>,
) -> Option<CodeOwners> {
    let by_policy = policy.and_then(|p| p.repository.forge.as_ref()).map(|f| match f.value {
        policy::Forge::Github => Dialect::GitHub,
        policy::Forge::Gitlab => Dialect::GitLab,
        policy::Forge::Gitea => Dialect::Gitea,
        policy::Forge::Bitbucket => Dialect::Bitbucket,
    });
    let by_snapshot = forge.map(|f| match f.forge() {
        Forge::GitHub => Dialect::GitHub,
        Forge::GitLab => Dialect::GitLab,
        Forge::Gitea => Dialect::Gitea,
    });
    let dialect = by_policy.or(by_snapshot).unwrap_or(Dialect::GitHub);
    let files = checkout.files();
    let path = dialect.locate(files.iter().map(|file| file.path))?;
    Some(CodeOwners::parse(path, dialect, checkout.content(path)?))
}

fn snapshot(path: &Path) -> anyhow::Result<Snapshot> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Snapshot::parse(&bytes).with_context(|| format!("{} is no forge snapshot", path.display()))
}

/// Objects and lists of files; of a folder, every file whose name ends in `.json` or `.json.gz`.
fn objects(paths: &[PathBuf]) -> anyhow::Result<Vec<Value>> {
    let mut files = Vec::new();
    for path in paths {
        let cannot = || format!("cannot read {}", path.display());
        if path.is_dir() {
            let entries = fs::read_dir(path).with_context(cannot)?;
            let mut own: Vec<PathBuf> = entries
                .map(|entry| entry.map(|e| e.path()))
                .collect::<Result<_, _>>()
                .with_context(cannot)?;
            own.retain(|p| {
                let name = p.to_string_lossy();
                name.ends_with(".json") || name.ends_with(".json.gz")
            });
            own.sort();
            anyhow::ensure!(!own.is_empty(), "{} holds no .json or .json.gz", path.display());
            files.extend(own);
        } else {
            files.push(path.clone());
        }
    }
    files.iter().map(|path| object(path)).collect()
}

fn object(path: &Path) -> anyhow::Result<Value> {
    let cannot = || format!("cannot read {}", path.display());
    let bytes = fs::read(path).with_context(cannot)?;
    let mut text = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let unpacked = MultiGzDecoder::new(&bytes[..]);
        unpacked.take(OBJECTS_MAX).read_to_end(&mut text).with_context(cannot)?;
    } else {
        text = bytes;
    }
    serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))
}
