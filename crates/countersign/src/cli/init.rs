//! `countersign init`: a repository to begin with, or a first policy for one that is there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use access::draft::{Draft, Told, draft};
use access::layout::{Made, Names, Said, layout};
use access::policy::{self, Policy};
use anyhow::Context as _;
use clap::ValueEnum;

use super::{Context, Format, Outcome};
use crate::ledger::dir::sync_folder;
use crate::render::init as render;
use crate::sources::checkout::{Checkout, Limits};

/// The file that somebody may have written already, and that decides nothing.
const README: &str = "README.md";

type Layout = BTreeMap<String, Made>;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The folder of the repository
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// The forge; a draft guesses it
    #[arg(long, value_name = "FORGE")]
    forge: Option<ForgeName>,
    /// The repository's path on the forge: acme/gitops
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The address that Argo CD reads it from
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The branch of record [default: main, or what Applications follow]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Environments in the order of promotion, the last is production [default: dev,staging,prod]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    environments: Vec<String>,
    /// A system that runs; may be repeated [default: shop]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    system: Vec<String>,
    /// The team that owns what has no other owner [default: developers]
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// A team that owns what production runs; may be repeated [default: release]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    owner_team: Vec<String>,
    /// The team that syncs production and merges nothing [default: operators]
    #[arg(long, value_name = "NAME")]
    sync_team: Option<String>,
    /// The team that owns the rules [default: platform]
    #[arg(long, value_name = "NAME")]
    platform_team: Option<String>,
    /// The team that owns countersign.yaml and nothing else [default: auditors]
    #[arg(long, value_name = "NAME")]
    policy_team: Option<String>,
    /// Print what would be written, and write nothing
    #[arg(long, visible_alias = "stdout")]
    dry_run: bool,
}

const EXAMPLES: &str = "\
In a folder without Applications it writes a repository that meets every control:

    countersign init gitops --forge github --name acme/gitops \\
      --url https://github.com/acme/gitops.git

In a repository that has Applications it drafts countersign.yaml from them:

    countersign init --dry-run";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ForgeName {
    /// GitHub
    Github,
    /// GitLab
    Gitlab,
    /// Gitea or Forgejo
    Gitea,
    /// Bitbucket: of a draft alone
    Bitbucket,
}

impl From<ForgeName> for policy::Forge {
    fn from(name: ForgeName) -> Self {
        match name {
            ForgeName::Github => Self::Github,
            ForgeName::Gitlab => Self::Gitlab,
            ForgeName::Gitea => Self::Gitea,
            ForgeName::Bitbucket => Self::Bitbucket,
        }
    }
}

/// What the command line lacks, or what is not taken of it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotTaken(String);

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let own = args.folder.join(policy::FILE);
    if fs::symlink_metadata(&own).is_ok() {
        let path = own.display();
        match context.shared.format {
            Format::Json => writeln!(context.out, "{}", serde_json::json!({"wrote": []}))?,
            Format::Text => writeln!(context.out, "{path} is there already: nothing was written")?,
        }
        return Ok(Outcome::Done);
    }
    let limits = Limits::default();
    let checkout = if args.folder.exists() {
        let read = Checkout::of_folder(&args.folder, &limits);
        read.with_context(|| format!("cannot read {}", args.folder.display()))?
    } else {
        Checkout::default()
    };
    let made = args.names().map(|names| layout(&names));
    let is_own = |file: &access::repository::File<'_>| {
        let own = made.as_ref().ok().and_then(|made| made.get(file.path));
        own.is_some_and(|own| own.text.as_bytes() == file.bytes)
    };
    // What an earlier run left, which was cut short, is no repository of somebody's.
    let theirs: Vec<_> = checkout.files().into_iter().filter(|file| !is_own(file)).collect();
    match draft(&theirs, &args.told()) {
        Some(draft) => of_repository(args, &draft, context),
        None => of_names(args, &made?, context),
    }
}

impl Args {
    fn told(&self) -> Told {
        Told {
            forge: self.forge.map(Into::into),
            name: self.name.clone(),
            address: self.url.clone(),
            branch: self.branch.clone(),
            environments: self.environments.clone(),
        }
    }

    /// The options that only a new repository has.
    fn of_layout(&self) -> bool {
        let teams = [&self.team, &self.sync_team, &self.platform_team, &self.policy_team];
        !self.system.is_empty() || !self.owner_team.is_empty() || teams.iter().any(|t| t.is_some())
    }

    fn names(&self) -> Result<Names, NotTaken> {
        let (Some(forge), Some(name), Some(url)) = (self.forge, &self.name, &self.url) else {
            let text = "there are no Applications to draft a policy from; for a new repository say --forge, --name and --url";
            return Err(NotTaken(text.to_owned()));
        };
        let mut said = Said::new(forge.into(), name, url);
        let lists = [
            (&mut said.systems, &self.system),
            (&mut said.environments, &self.environments),
            (&mut said.owners, &self.owner_team),
        ];
        for (default, own) in lists.into_iter().filter(|(_, own)| !own.is_empty()) {
            default.clone_from(own);
        }
        let single = [
            (&mut said.branch, &self.branch),
            (&mut said.developers, &self.team),
            (&mut said.operators, &self.sync_team),
            (&mut said.platform, &self.platform_team),
            (&mut said.auditors, &self.policy_team),
        ];
        for (default, own) in single {
            default.clone_from(own.as_ref().unwrap_or(&default.clone()));
        }
        Names::check(&said).map_err(|bad| {
            NotTaken(bad.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n       "))
        })
    }
}

fn of_repository(args: &Args, draft: &Draft, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    if args.of_layout() {
        let text = "there are Applications here, so a policy is drafted from them: systems and teams cannot be said";
        return Err(NotTaken(text.to_owned()).into());
    }
    // What is written must be what every other command reads.
    let reading = Policy::read(policy::FILE, draft.text.as_bytes());
    let problems = reading.problems.iter().map(|p| format!("{}: {}", p.place, p.what));
    let problems: Vec<String> = problems.collect();
    anyhow::ensure!(problems.is_empty(), "the draft cannot be read: {}", problems.join("; "));
    if !args.dry_run {
        write_new(&args.folder.join(policy::FILE), draft.text.as_bytes())?;
    }
    match context.shared.format {
        Format::Json => {
            let wrote: &[&str] = if args.dry_run { &[] } else { &[policy::FILE] };
            let json = serde_json::json!({"wrote": wrote, "draft": draft});
            writeln!(context.out, "{json}")?;
        }
        Format::Text if args.dry_run => write!(context.out, "{}", draft.text)?,
        Format::Text => {
            let text = render::draft(draft, &context.options());
            let path = args.folder.join(policy::FILE);
            write!(context.out, "{text}")?;
            writeln!(
                context.out,
                "\nWrote {}: read it before somebody relies on it",
                path.display()
            )?;
        }
    }
    Ok(Outcome::Done)
}

fn of_names(args: &Args, made: &Layout, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let there = There::of(&args.folder, made)?;
    if !there.conflicts.is_empty() {
        let list: Vec<String> =
            there.conflicts.iter().map(|(path, why)| format!("  {path}: {why}")).collect();
        anyhow::bail!(
            "nothing was written, because nothing is overwritten:\n{}\nmove these, or name another folder",
            list.join("\n")
        );
    }
    let new = || made.iter().filter(|(path, _)| !there.kept.contains(&path.as_str()));
    if !args.dry_run {
        // The policy comes last: while it is missing, the command can be run again and goes on.
        let (policy, others): (Vec<_>, Vec<_>) = new().partition(|(path, _)| *path == policy::FILE);
        for (path, file) in others.into_iter().chain(policy) {
            write_new(&args.folder.join(path), file.text.as_bytes())?;
        }
    }
    match context.shared.format {
        Format::Json => {
            let files: Vec<_> = new()
                .map(|(path, made)| serde_json::json!({"path": path, "says": made.says}))
                .collect();
            let json = serde_json::json!({"wrote": if args.dry_run { &[] } else { &files[..] }, "files": files, "kept": there.kept});
            writeln!(context.out, "{json}")?;
        }
        Format::Text => {
            let files: Vec<(&str, &str)> =
                new().map(|(path, made)| (path.as_str(), made.says.as_str())).collect();
            let text = render::tree(&files, &context.options());
            let (folder, count) = (args.folder.display(), files.len());
            let did = if args.dry_run { "Would write" } else { "Wrote" };
            writeln!(context.out, "{did} {count} files into {folder}\n")?;
            write!(context.out, "{text}")?;
            for path in &there.kept {
                writeln!(context.out, "{path} was there and stays as it is")?;
            }
            writeln!(context.out, "\nNext: {README} there has the steps")?;
        }
    }
    Ok(Outcome::Done)
}

/// What of a layout is there already.
#[derive(Default)]
struct There<'m> {
    /// Files that stay: the same ones, of a run that was cut short, and somebody's README.
    kept: Vec<&'m str>,
    conflicts: Vec<(&'m str, &'static str)>,
}

impl<'m> There<'m> {
    fn of(folder: &Path, made: &'m Layout) -> anyhow::Result<Self> {
        let mut there = Self::default();
        for (path, file) in made {
            let whole = folder.join(path);
            // A link would lead the write elsewhere.
            let above = Path::new(path).ancestors().skip(1).filter(|p| !p.as_os_str().is_empty());
            let is_no_folder =
                |p: &Path| fs::symlink_metadata(folder.join(p)).is_ok_and(|found| !found.is_dir());
            if above.into_iter().any(is_no_folder) {
                there.conflicts.push((path, "what it would stand in is no folder"));
                continue;
            }
            match fs::symlink_metadata(&whole) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => {
                    return Err(e).with_context(|| format!("cannot read {}", whole.display()));
                }
                Ok(found) if found.is_file() && path == README => there.kept.push(path),
                Ok(found) if found.is_file() => {
                    let old = fs::read(&whole);
                    let old = old.with_context(|| format!("cannot read {}", whole.display()))?;
                    if old == file.text.as_bytes() {
                        there.kept.push(path);
                    } else {
                        there.conflicts.push((path, "there is another file of that name"));
                    }
                }
                Ok(_) => there.conflicts.push((path, "there is something of that name")),
            }
        }
        Ok(there)
    }
}

/// Writes a file that is not there yet, so that it is there after a crash too.
fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        for made in folder.map(missing).unwrap_or_default() {
            fs::create_dir(&made)?;
            sync_folder(&made)?;
        }
        let mut file = File::options().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        sync_folder(path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// The folders that are not there yet, the outermost first.
fn missing(folder: &Path) -> Vec<PathBuf> {
    let above = folder.ancestors().filter(|p| !p.as_os_str().is_empty());
    let mut missing: Vec<PathBuf> = above.take_while(|p| !p.exists()).map(Path::to_owned).collect();
    missing.reverse();
    missing
}
