//! `countersign check`.

use std::fs;
use std::path::PathBuf;

use access::control;
use anyhow::Context as _;
use evidence::control::baseline::Baseline;
use evidence::control::exception::Standing;
use evidence::control::{Entitlements, Inputs, Owners, assess};
use evidence::people::People;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::rights::{PolicyFile, Raw, SourceArgs};
use super::timeline::tell_with_rules;
use super::{Asked, Context, Format, Outcome, show};
use crate::ask::check::{By, Checked};
use crate::ask::judging::{RulesThen, settings};
use crate::controls;
use crate::export::findings;
use crate::export::sarif::to_sarif;
use crate::ledger::LedgerError;
use crate::ledger::dir::LedgerDir;
use crate::render::check::{Shown, problem, render};

mod fix;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    countersign check\n  \
    countersign check --forge forge.json --cluster ./objects --people people.json\n  \
    countersign check --changes --ledger ./ledger --people people.json\n  \
    countersign check --render\n  \
    countersign check --fix\n  \
    countersign check --write-baseline baseline.json   (once, at adoption)\n  \
    countersign check --baseline baseline.json --format sarif > countersign.sarif\n\n\
    Exit codes: 0 every condition is met or accepted, 1 something new was found or an exception \
    does not hold, 3 something is undetermined")]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    /// Judge this environment of the policy; production, unless said
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Judge the changes that the ledger records too
    #[arg(long, conflicts_with = "fix")]
    changes: bool,
    /// Only these controls
    #[arg(long, value_name = "ID")]
    control: Vec<String>,
    /// Findings that were there when controls were adopted: shown, and no reason to fail
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write what is found now as a baseline, and nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
    /// The day on which exceptions have to hold; today in the policy's time zone, unless said
    #[arg(long, value_name = "DATE")]
    on: Option<Date>,
    /// Edit files where a fix is safe: judged again before it is written, and shown
    #[arg(long, conflicts_with = "write_baseline")]
    fix: bool,
    /// Show every finding in full
    #[arg(long)]
    all: bool,
}

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let mut sources = args.sources.clone();
    sources.repo.get_or_insert_with(|| ".".to_owned());
    let mut raw = Raw::of(&sources, context)?;
    if let Some(file) = raw.policy.as_ref().filter(|f| f.reading.policy.is_none()) {
        return tell_policy(file, context);
    }
    raw.know(args.env.as_deref())?;
    let mut checked = check(&raw, args, context)?;
    if args.fix {
        checked = fix::fix(&mut raw, checked, args, context)?;
    }
    if let Some(path) = &args.write_baseline {
        return write_baseline(&checked, path, context);
    }
    let commit = raw.checkout.as_ref().and_then(|c| c.commit.as_deref());
    match (context.shared.asked, context.shared.format) {
        (Asked::Sarif, _) => {
            let log = to_sarif(&checked.judged, &checked.not_assessed, &controls::catalogue());
            context.out.write_all(&log)?;
            writeln!(context.out)?;
        }
        (_, Format::Json) => {
            context.out.write_all(&findings::to_json(&checked, commit))?;
            writeln!(context.out)?;
        }
        (_, Format::Text) => tell(&raw, &checked, args, context)?,
    }
    Ok(findings::outcome(&checked))
}

fn check(raw: &Raw, args: &Args, context: &Context<'_>) -> anyhow::Result<Checked> {
    let policy = raw.policy()?;
    for id in &args.control {
        anyhow::ensure!(
            controls::by_id(id).is_some(),
            "there is no control {id:?}; `countersign explain` lists all"
        );
    }
    let baseline = args.baseline.as_ref().map(|path| {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Baseline::from_json(&bytes).with_context(|| path.display().to_string())
    });
    let baseline = baseline.transpose()?.unwrap_or_default();
    let nobody = People::default();
    let people = raw.people.as_ref().unwrap_or(&nobody);
    let zone = policy.and_then(|p| p.calendar.time_zone.as_ref());
    let zone = zone.and_then(|name| TimeZone::get(&name.value).ok()).unwrap_or(TimeZone::UTC);
    let today = args.on.unwrap_or_else(|| (context.clock)().to_zoned(zone).date());
    let read = raw.read()?;
    let mut outcomes = control::assess(&read.joined(), args.env.as_deref());
    if args.changes {
        outcomes.extend(of_changes(raw, args, context)?);
    }
    let wanted = |id: &str| args.control.is_empty() || args.control.iter().any(|own| own == id);
    outcomes.retain(|outcome| wanted(outcome.control));
    let mut checked = Checked::of(outcomes, &By { policy, baseline: &baseline, today, people });
    checked.rendered = read.used;
    checked.gone.retain(|(control, _)| wanted(control));
    checked.unused.retain(|exception| wanted(&exception.control));
    Ok(checked)
}

/// What the controls over the story say of the changes that the ledger records.
fn of_changes(
    raw: &Raw,
    args: &Args,
    context: &Context<'_>,
) -> anyhow::Result<Vec<evidence::control::Outcome>> {
    let (told, rules) = tell_with_rules(&LedgerDir::open(context.ledger())?, context)?;
    let people = context.people()?;
    let settings = raw.policy()?.map(|p| settings(p, args.env.as_deref())).unwrap_or_default();
    let owners = raw.owners_then(&told.story, &people)?;
    let owners = owners.as_ref().map(|owners| owners as &dyn Owners);
    let rules = RulesThen::of(&rules, &people);
    let entitlements = Some(&rules as &dyn Entitlements);
    Ok(assess(Inputs { owners, entitlements, ..Inputs::new(&told.story, &settings) }))
}

/// A policy with something wrong judges nothing: every problem is shown at its line.
fn tell_policy(file: &PolicyFile, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let text = String::from_utf8_lossy(&file.bytes).into_owned();
    let line = |_: &str, number: u32| line_of(&text, number);
    for found in &file.reading.problems {
        let shown = problem(found, &line, context.width, context.colour);
        writeln!(context.err, "{shown}\n")?;
    }
    let n = show::of(file.reading.problems.len() as u64, "problem", "problems");
    anyhow::bail!("the policy {} has {n}, so nothing was judged", file.name)
}

fn line_of(text: &str, number: u32) -> Option<String> {
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    text.lines().nth(at).map(str::to_owned)
}

fn write_baseline(
    checked: &Checked,
    path: &PathBuf,
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    // What an exception covers stays with its exception, which ends.
    let found = checked.judged.iter().filter(|j| j.standing == Standing::New).map(|j| &j.finding);
    let baseline = Baseline::of(found);
    fs::write(path, baseline.to_json()).map_err(LedgerError::file("write", path))?;
    let n = show::of(checked.new_findings().count() as u64, "finding", "findings");
    writeln!(
        context.out,
        "{n} written to {}; from now on: countersign check --baseline {}",
        path.display(),
        path.display()
    )?;
    Ok(Outcome::Done)
}

fn tell(
    raw: &Raw,
    checked: &Checked,
    args: &Args,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let sources = sources(raw, checked, args)?;
    let line = |path: &str, number: u32| {
        let text = std::str::from_utf8(raw.checkout.as_ref()?.content(path)?).ok()?;
        line_of(text, number)
    };
    let shown = Shown { checked, sources: &sources, line: &line, all: args.all };
    write!(context.out, "{}", render(&shown, &context.options()))?;
    Ok(())
}

/// What was read, and what was not.
fn sources(
    raw: &Raw,
    checked: &Checked,
    args: &Args,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut read = Vec::new();
    let checkout = raw.checkout.as_ref();
    let files = checkout.map_or(0, |c| c.files().len() as u64);
    let files = show::of(files, "file", "files");
    let commit = checkout.and_then(|c| c.commit.as_ref());
    let at = commit.map_or_else(|| "as it lies there".to_owned(), |c| format!("commit {c}"));
    read.push(("Repository", format!("{files}, {at}")));
    let policy = match (raw.policy()?, &raw.policy) {
        (Some(policy), Some(file)) => {
            let production: Vec<&str> = policy.production().map(|e| &*e.name.value).collect();
            let judged = args.env.clone().unwrap_or_else(|| production.join(", "));
            format!("{}, judging {judged}", file.name)
        }
        _ => "none, so every Application counts as production; `countersign init` drafts one"
            .to_owned(),
    };
    read.push(("Policy", policy));
    if !checked.rendered.is_empty() {
        read.push(("Rendered", show::rendered(&checked.rendered)));
    }
    let mut others = Vec::new();
    others.extend(raw.forge.as_ref().map(|f| format!("forge snapshot of {}", f.repository())));
    others.extend((!raw.objects.is_empty()).then(|| "objects of the cluster".to_owned()));
    others.extend(raw.people.as_ref().map(|p| format!("people map of {}", p.ids().count())));
    let mut missing = Vec::new();
    missing.extend(raw.forge.is_none().then_some("forge snapshot (--forge)"));
    missing.extend(raw.objects.is_empty().then_some("cluster (--cluster)"));
    missing.extend(raw.people.is_none().then_some("people map (--people)"));
    if !others.is_empty() {
        read.push(("Also read", others.join(" · ")));
    }
    if !missing.is_empty() {
        read.push(("Not read", missing.join(" · ")));
    }
    Ok(read)
}
