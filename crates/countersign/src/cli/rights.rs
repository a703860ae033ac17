//! What `who-can` and `check` ask: a repository, a forge, a cluster and people, read and put together.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use access::codeowners::{CodeOwners, Dialect};
use access::forge::{Forge, Snapshot};
use access::policy::{self, Policy, Reading};
use access::reach::{Joined, Sources, applications_of};
use access::repository::{Options, Repository, read_rendered};
use anyhow::Context as _;
use evidence::past::Gap;
use evidence::people::People;
use evidence::story::Story;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::Context;
use super::terminal::RenderBar;
use crate::ask::judging::{OwnersThen, merges};
use crate::controls;
use crate::index::past::AsOf;
use crate::sources::checkout::{Checkout, Limits};
use crate::sources::git;
use crate::sources::render::{self, Tools, Used, Workshop};

/// Bytes of one file of API objects, unpacked.
const OBJECTS_MAX: u64 = 1 << 30;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct SourceArgs {
    /// The GitOps repository: a folder as it lies there, or DIR@REV, BUNDLE, BUNDLE@REV
    #[arg(long, value_name = "REPO")]
    pub(super) repo: Option<String>,
    /// Objects of the cluster: a file of JSON or gzip, or a folder of them
    #[arg(long, value_name = "PATH")]
    pub(super) cluster: Vec<PathBuf>,
    /// Snapshot of the forge's settings
    #[arg(long, value_name = "FILE")]
    pub(super) forge: Option<PathBuf>,
    /// Policy, when it is not in the repository
    #[arg(long, value_name = "FILE")]
    pub(super) policy: Option<PathBuf>,
    /// Render charts and kustomizations with the helm and kustomize on the PATH; nothing is fetched
    #[arg(long)]
    pub(super) render: bool,
}

/// What changes are judged by.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct JudgeArgs {
    /// The GitOps repository: its policy, and CODEOWNERS as it was before each merge
    #[arg(long, value_name = "REPO")]
    repo: Option<String>,
    /// Policy, when it is not in the repository
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Snapshot of the forge's settings: the members of teams
    #[arg(long, value_name = "FILE")]
    forge: Option<PathBuf>,
}

impl JudgeArgs {
    /// Whether anything is named; without, changes are judged by default settings, as over HTTP.
    pub(super) const fn is_any(&self) -> bool {
        self.repo.is_some() || self.policy.is_some() || self.forge.is_some()
    }

    /// The sources that are named.
    pub(super) fn sources(&self) -> SourceArgs {
        let Self { repo, policy, forge } = self.clone();
        SourceArgs { repo, cluster: Vec::new(), forge, policy, render: false }
    }
}

/// A policy file: where it was read, its bytes and what came of them.
pub(super) struct PolicyFile {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) reading: Reading,
}

/// Files and objects, before anything is concluded from them.
pub(super) struct Raw {
    /// The repository, as it was named.
    said: Option<String>,
    pub(super) checkout: Option<Checkout>,
    pub(super) objects: Vec<Value>,
    pub(super) forge: Option<Snapshot>,
    pub(super) policy: Option<PolicyFile>,
    pub(super) people: Option<People>,
    /// The tools of this machine, when they are to render.
    tools: Option<Tools>,
    /// Whether a bar may be shown.
    interactive: bool,
}

/// Everything that was read, to be lent to a question.
pub(super) struct Read<'r> {
    raw: &'r Raw,
    pub(super) repository: Option<Repository>,
    owners: Option<CodeOwners>,
    /// The tools that rendered; none when they were not asked to.
    pub(super) used: Vec<Used>,
}

impl Raw {
    pub(super) fn of(args: &SourceArgs, context: &mut Context<'_>) -> anyhow::Result<Self> {
        let objects = objects(&args.cluster)?;
        let forge = args.forge.as_deref().map(snapshot).transpose()?;
        let checkout = args.repo.as_deref().map(checkout).transpose()?;
        Self::with(args, context, objects, forge, checkout)
    }

    fn with(
        args: &SourceArgs,
        context: &Context<'_>,
        objects: Vec<Value>,
        forge: Option<Snapshot>,
        checkout: Option<Checkout>,
    ) -> anyhow::Result<Self> {
        let policy = match &args.policy {
            Some(path) => {
                let bytes = fs::read(path);
                let bytes = bytes.with_context(|| format!("cannot read {}", path.display()))?;
                Some(PolicyFile::read(&path.to_string_lossy(), bytes))
            }
            None => checkout.as_ref().and_then(PolicyFile::of),
        };
        let people = context.shared.people.as_ref().map(|_| context.people()).transpose()?;
        let said = args.repo.clone();
        let tools = args.render.then(|| Tools::find(std::env::var_os("PATH").as_deref()));
        let interactive = context.interactive;
        Ok(Self { said, checkout, objects, forge, policy, people, tools, interactive })
    }

    /// The policy, if there is one; with anything wrong with it, there is none to go by.
    pub(super) fn policy(&self) -> anyhow::Result<Option<&Policy>> {
        self.policy.as_ref().map(PolicyFile::policy).transpose()
    }

    pub(super) fn know(&self, environment: Option<&str>) -> anyhow::Result<()> {
        let (Some(policy), Some(name)) = (self.policy()?, environment) else { return Ok(()) };
        let known = policy.environment(name).is_some();
        anyhow::ensure!(known, "the policy has no environment {name:?}");
        Ok(())
    }

    /// CODEOWNERS as it was before each merge of a story, if a repository was given.
    pub(super) fn owners_then<'r>(
        &'r self,
        story: &Story,
        people: &'r People,
    ) -> anyhow::Result<Option<OwnersThen<'r>>> {
        let Some(said) = &self.said else { return Ok(None) };
        let (path, _) = split(said);
        if path.is_dir() && !git::is_repository(path) {
            return Ok(None);
        }
        let dialect = dialect(self.policy()?, self.forge.as_ref());
        let before = git::before(path, &merges(story), dialect.locations())
            .with_context(|| format!("cannot read the repository {said}"))?;
        Ok(Some(OwnersThen::of(dialect, before, self.forge.as_ref(), people)))
    }

    /// Reads the repository, if there is one.
    pub(super) fn read(&self) -> anyhow::Result<Read<'_>> {
        let policy = self.policy()?;
        let addresses = policy.map(|p| &p.repository.addresses);
        let options = Options {
            addresses: addresses.into_iter().flatten().map(|a| a.value.clone()).collect(),
            applications: applications_of(&self.objects),
            renders: self.tools.is_some(),
            ..Options::default()
        };
        let checkout = self.checkout.as_ref();
        let owners = checkout.and_then(|c| owners(c, policy, self.forge.as_ref()));
        let mut read = Read { raw: self, repository: None, owners, used: Vec::new() };
        match (checkout, &self.tools) {
            (Some(checkout), Some(tools)) => self.rendered(checkout, tools, options, &mut read)?,
            (Some(checkout), None) => {
                read.repository = Some(Repository::read(&checkout.files(), &options));
            }
            (None, _) => {}
        }
        Ok(read)
    }

    /// Reads the repository with what the tools render of it.
    fn rendered(
        &self,
        checkout: &Checkout,
        tools: &Tools,
        options: Options,
        read: &mut Read<'_>,
    ) -> anyhow::Result<()> {
        let mut workshop = Workshop::new(tools, checkout, render::Limits::default());
        let bar = RenderBar::new(self.interactive);
        let mut failed = None;
        let repository = read_rendered(&checkout.files(), options, &mut |wanted| {
            let made = workshop.render(wanted, &mut |done, of| bar.show(done, of));
            made.unwrap_or_else(|e| {
                failed = Some(e);
                BTreeMap::new()
            })
        });
        bar.finish();
        if let Some(e) = failed {
            return Err(e).context("cannot make a folder to render in");
        }
        read.used = workshop.used(&repository);
        read.repository = Some(repository);
        Ok(())
    }
}

impl Raw {
    /// As the ledger shows it at a time; what it does not show stays a gap of `of`.
    pub(super) fn past(
        args: &SourceArgs,
        of: &mut AsOf,
        context: &Context<'_>,
    ) -> anyhow::Result<Self> {
        let forge = match (&args.forge, of.forges.len()) {
            (None, 1) => of.forges.first_key_value().map(|(name, (at, bytes))| {
                let why = format!("settings are those of {at}; later changes were not recorded");
                of.gaps.push(Gap { what: format!("the forge of {name}"), why });
                Snapshot::parse(bytes).context("the recorded forge snapshot")
            }),
            (given, n) => {
                let why = match (given, n) {
                    (Some(path), _) => {
                        format!("{} was taken, whenever it was made", path.display())
                    }
                    (None, 0) => "no snapshot was recorded before that time".to_owned(),
                    (None, n) => format!("snapshots of {n} repositories were recorded: name one"),
                };
                of.gaps.push(Gap { what: "the forge's settings at that time".to_owned(), why });
                given.as_deref().map(snapshot)
            }
        };
        let checkout = args.repo.as_deref().map(|said| past_checkout(said, of)).transpose()?;
        let objects = std::mem::take(&mut of.objects);
        Self::with(args, context, objects, forge.transpose()?, checkout)
    }
}

/// The commit that the branch of record was at, by the pushes in the ledger.
fn past_checkout(said: &str, of: &mut AsOf) -> anyhow::Result<Checkout> {
    let heads: Vec<_> = of.heads.iter().filter(|push| push.is_default).collect();
    let path = Path::new(said);
    let why = match heads.as_slice() {
        _ if !path.exists() => "the revision that was named is taken".to_owned(),
        [push] => match &push.head {
            Some(head) => {
                let limits = Limits::default();
                return Checkout::of_commit(path, Some(head), &limits)
                    .with_context(|| format!("cannot read commit {head} of {said}"));
            }
            None => "the branch of record had been deleted".to_owned(),
        },
        [] => "no push to a default branch was recorded before that time".to_owned(),
        _ => "pushes to several repositories were recorded: name the revision".to_owned(),
    };
    of.gaps.push(Gap { what: "what git held at that time".to_owned(), why });
    checkout(said)
}

impl PolicyFile {
    pub(super) fn read(name: &str, bytes: Vec<u8>) -> Self {
        let mut reading = Policy::read(name, &bytes);
        let known: Vec<&str> = controls::catalogue().iter().map(|control| control.id).collect();
        let unknown = reading.policy.as_ref().map(|policy| policy.unknown_controls(&known));
        if let Some(problems) = unknown.filter(|problems| !problems.is_empty()) {
            // A weight or an exception for a control that was misspelt would hold for nothing.
            reading = Reading { policy: None, problems };
        }
        Self { name: name.to_owned(), bytes, reading }
    }

    /// The policy, or what is wrong with it.
    pub(super) fn policy(&self) -> anyhow::Result<&Policy> {
        let problems = self.reading.problems.iter().map(|p| format!("{}: {}", p.place, p.what));
        let problems: Vec<String> = problems.collect();
        let policy = self.reading.policy.as_ref();
        policy.with_context(|| format!("the policy cannot be read: {}", problems.join("; ")))
    }

    fn of(checkout: &Checkout) -> Option<Self> {
        Some(Self::read(policy::FILE, checkout.content(policy::FILE)?.to_vec()))
    }
}

impl Read<'_> {
    pub(super) fn joined(&self) -> Joined<'_> {
        let raw = self.raw;
        Joined::new(Sources {
            repository: self.repository.as_ref(),
            code_owners: self.owners.as_ref(),
            objects: &raw.objects,
            forge: raw.forge.as_ref(),
            people: raw.people.as_ref(),
            policy: raw.policy.as_ref().and_then(|file| file.reading.policy.as_ref()),
        })
    }
}

/// `PATH` or `PATH@REVISION`.
fn split(said: &str) -> (&Path, Option<&str>) {
    match said.rsplit_once('@') {
        Some((path, revision)) if !Path::new(said).exists() => (Path::new(path), Some(revision)),
        _ => (Path::new(said), None),
    }
}

/// A folder without a revision is read as it lies there.
fn checkout(said: &str) -> anyhow::Result<Checkout> {
    let limits = Limits::default();
    let (path, revision) = split(said);
    let read = match revision {
        None if path.is_dir() => Checkout::of_folder(path, &limits),
        _ => Checkout::of_commit(path, revision, &limits),
    };
    read.with_context(|| format!("cannot read the repository {said}"))
}

/// How the forge reads CODEOWNERS: by the policy, else by the snapshot, else as GitHub.
fn dialect(policy: Option<&Policy>, forge: Option<&Snapshot>) -> Dialect {
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
    by_policy.or(by_snapshot).unwrap_or(Dialect::GitHub)
}

fn owners(
    checkout: &Checkout,
    policy: Option<&Policy>,
    forge: Option<&Snapshot>,
) -> Option<CodeOwners> {
    let dialect = dialect(policy, forge);
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
    let mut all = Vec::new();
    for path in &files {
        // A file may hold several lists in an array.
        match object(path)? {
            Value::Array(several) => all.extend(several),
            one => all.push(one),
        }
    }
    Ok(all)
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
