//! `countersign population` and `countersign sample`: freeze, draw, draw again.

use std::path::PathBuf;

use evidence::assess::population::{Listed, Listing, Parameters, list};
use evidence::assess::sample::draw;
use evidence::assess::{Difference, Kept, RULES, check_population, check_sample, draws_of};
use evidence::channel::Channel;
use evidence::parse::ledger_assessment::{Assessment, Of, Population, Sample};
use evidence::people::People;
use evidence::record::Record;
use evidence::story::{Story, derive};
use jiff::Timestamp;
use tlog::{Checkpoint, LeafIndex, TreeSize};

use super::{Context, Format, Outcome, show};
use crate::ask;
use crate::entropy::SystemSalts;
use crate::ledger::assess::{self, Recorded};
use crate::ledger::dir::LedgerDir;
use crate::ledger::read::Reader;
use crate::ledger::tree::root_at;

/// The longest nonce: more adds nothing, and it is kept for ever.
const NONCE_BYTES_MAX: usize = 256;

#[derive(Debug, clap::Subcommand)]
pub(super) enum PopulationCommand {
    /// Fix which transitions of production are to be tested, before anybody draws from them
    Freeze(FreezeArgs),
    /// The frozen populations, and what was drawn from each
    List,
}

#[derive(Debug, clap::Args)]
pub(super) struct FreezeArgs {
    /// Only this environment: the label `env` or `environment` of the Applications
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Beginning of the period
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// End of the period, no longer within it; a date means the midnight that it begins with
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Write the rows here too, one JSON object a line; `sha256sum` of it is the digest
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// Time zone of the period
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    tz: String,
    /// What "now" and "today" mean; the system's clock, unless said
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

#[derive(Debug, clap::Args)]
#[expect(clippy::option_option, reason = "clap's form of an option whose value may be left out")]
pub(super) struct SampleArgs {
    /// What the auditor says once the population is frozen; it decides which rows are drawn
    #[arg(long, value_name = "TEXT", value_parser = nonce, required_unless_present = "verify")]
    nonce: Option<String>,
    /// How many rows
    #[arg(long, value_name = "ROWS", default_value_t = 25)]
    size: u64,
    /// Take emergencies and what is outside git whole, and ROWS of the others
    #[arg(long)]
    stratify: bool,
    /// The entry of the population; the newest, unless said
    #[arg(long, value_name = "ENTRY")]
    population: Option<u64>,
    /// Draw again what was drawn, and compare: every draw, or the one of this entry
    #[arg(long, value_name = "ENTRY", num_args = 0..=1, conflicts_with = "nonce")]
    verify: Option<Option<u64>>,
}

fn nonce(text: &str) -> Result<String, String> {
    match text.len() {
        0 => Err("a nonce is not empty".to_owned()),
        len if len > NONCE_BYTES_MAX => Err(format!("a nonce has {NONCE_BYTES_MAX} bytes at most")),
        _ => Ok(text.to_owned()),
    }
}

/// What a ledger holds under its newest checkpoint, for assessments.
pub(super) struct Held {
    pub(super) records: Vec<Record>,
    pub(super) kept: Vec<Kept>,
    pub(super) checkpoint: Checkpoint,
    pub(super) reader: Reader,
}

impl Held {
    pub(super) fn read(dir: &LedgerDir) -> anyhow::Result<Self> {
        let reader = Reader::open(dir)?;
        let (mut records, mut own): (Vec<Record>, Vec<LeafIndex>) = Default::default();
        let checkpoint = reader.records(dir, |index, record| {
            if record.cite.channel == Channel::LedgerAssessment {
                own.push(index);
            }
            records.push(record);
        })?;
        let kept = assess::kept(&reader, &own)?;
        Ok(Self { records, kept, checkpoint, reader })
    }

    /// The story of the first `size` entries.
    pub(super) fn story(&self, size: u64, people: &People) -> Story {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        derive(self.records.iter().take(size).cloned(), people)
    }

    /// A frozen population: that of an entry, or the newest.
    pub(super) fn population(
        &self,
        entry: Option<u64>,
    ) -> anyhow::Result<(&Kept, &Population, Parameters)> {
        let frozen = |k: &&Kept| k.population().is_some() && entry.is_none_or(|e| k.entry == e);
        let found = self.kept.iter().rev().find(frozen);
        let Some((kept, population)) = found.and_then(|k| Some((k, k.population()?))) else {
            match entry {
                Some(entry) => anyhow::bail!(
                    "entry {entry} holds no frozen population; `countersign population list` shows all"
                ),
                None => anyhow::bail!(
                    "no population is frozen; freeze one with `countersign population freeze`"
                ),
            }
        };
        let parameters = Parameters::of(population).map_err(|member| {
            anyhow::anyhow!("the population in entry {}: {member} is no time", kept.entry)
        })?;
        Ok((kept, population, parameters))
    }

    /// How a frozen population differs from what the records give.
    pub(super) fn check(
        &self,
        population: &Population,
        listing: &Listing<'_>,
    ) -> anyhow::Result<Vec<Difference>> {
        let size = TreeSize::new(population.size);
        anyhow::ensure!(
            size <= self.checkpoint.size(),
            "the population speaks of {size} entries, the ledger has {}",
            self.checkpoint.size()
        );
        let root = root_at(&self.reader.nodes(), size)?.to_base64();
        Ok(check_population(population, listing, &root))
    }
}

pub(super) fn population(
    command: &PopulationCommand,
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    match command {
        PopulationCommand::Freeze(args) => freeze(args, context),
        PopulationCommand::List => list_all(context),
    }
}

fn parameters(args: &FreezeArgs, system: Timestamp) -> anyhow::Result<Parameters> {
    let now = args.now.unwrap_or(system).to_zoned(ask::zone(&args.tz)?);
    let time = |name, text: &Option<String>| {
        text.as_deref().map(|t| ask::moment(name, t, &now).map(|m| m.from)).transpose()
    };
    let (from, to) = (time("from", &args.from)?, time("to", &args.to)?);
    anyhow::ensure!(
        from.is_none() || to.is_none() || from < to,
        "the period ends before it begins"
    );
    Ok(Parameters { environment: args.env.clone(), from, to })
}

fn freeze(args: &FreezeArgs, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    let now = (context.clock)();
    let (parameters, people) = (parameters(args, now)?, context.people()?);
    let make = || -> anyhow::Result<_> {
        let held = Held::read(&dir)?;
        let (size, root) = (held.checkpoint.size(), held.checkpoint.root());
        let story = held.story(size.get(), &people);
        let listing = list(&story, &parameters);
        let program = concat!("countersign ", env!("CARGO_PKG_VERSION"));
        let population = listing.freeze(&parameters, size, &root, program);
        if let Some(path) = &args.rows {
            std::fs::write(path, listing.lines())
                .map_err(crate::ledger::LedgerError::file("write", path))?;
        }
        let classes = listing.classes();
        Ok((Assessment::new(Of::Population(population.clone())), (population, classes)))
    };
    let (at, (population, classes)) = assess::record(&dir, now, &mut SystemSalts::new(), make)?;
    if context.shared.format == Format::Json {
        let json = serde_json::json!({
            "population_freeze": 1, "entry": at.entry.get(), "leaf": at.leaf.to_string(),
            "checkpoint": at.size.get(), "population": population, "classes": classes,
        });
        writeln!(context.out, "{json}")?;
    } else {
        write_frozen(&at, &population, &counted(&classes), context)?;
    }
    Ok(if population.rows == 0 { Outcome::Undetermined } else { Outcome::Done })
}

fn counted<'c>(
    counts: impl IntoIterator<Item = (&'c (impl std::fmt::Display + 'c), &'c u64)>,
) -> String {
    let words = counts.into_iter().map(|(word, n)| format!("{word} {}", show::count(*n)));
    words.collect::<Vec<_>>().join(", ")
}

fn write_frozen(
    at: &Recorded,
    population: &Population,
    classes: &str,
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    let Population { rows, digest, excluded, unplaced, rules, size, .. } = population;
    writeln!(
        context.out,
        "Population frozen in entry {}, under checkpoint {}\n\
         Asked      {}\n\
         Rows       {}: {classes}\n\
         Strata     {}\n\
         Excluded   {}\n\
         Unplaced   {}\n\
         Extracted  from the {} before it by {}; rules: story {}, changes {}, assessment {}\n\
         Digest     sha256 {digest}\n\n\
         Now the auditor says a nonce:\n  countersign sample --population {} --nonce NONCE --size 25",
        at.entry,
        at.size,
        asked(population),
        show::count(*rows),
        counted(&population.strata),
        show::of(*excluded, "transition that changed nothing", "transitions that changed nothing"),
        show::of(
            *unplaced,
            "transition without the environment or time that was asked for",
            "transitions without the environment or time that was asked for"
        ),
        show::of(*size, "entry", "entries"),
        population.program,
        rules.story,
        rules.changes,
        rules.assessment,
        at.entry,
    )?;
    Ok(())
}

/// The parameters in words.
pub(super) fn asked(population: &Population) -> String {
    let environment = population.environment.as_deref().unwrap_or("every environment");
    let from = population.from.as_deref().unwrap_or("the first record");
    let to = population.to.as_deref().unwrap_or("the last");
    format!("{environment}, from {from} to {to}")
}

fn list_all(context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let held = Held::read(&LedgerDir::open(context.ledger())?)?;
    let frozen: Vec<(&Kept, &Population)> =
        held.kept.iter().filter_map(|k| Some((k, k.population()?))).collect();
    if context.shared.format == Format::Json {
        let each = frozen.iter().map(|(kept, population)| {
            let drawn: Vec<_> = held
                .kept
                .iter()
                .filter_map(|k| Some((k, k.sample()?)))
                .filter(|(_, sample)| sample.population == kept.entry)
                .map(|(k, sample)| serde_json::json!({ "entry": k.entry, "sample": sample }))
                .collect();
            serde_json::json!({
                "entry": kept.entry, "leaf": kept.leaf.to_string(), "population": population,
                "samples": drawn,
            })
        });
        let json =
            serde_json::json!({ "population_list": 1, "populations": each.collect::<Vec<_>>() });
        writeln!(context.out, "{json}")?;
    } else {
        for (kept, population) in &frozen {
            let rows = show::of(population.rows, "row", "rows");
            writeln!(context.out, "entry {}  {rows}; {}", kept.entry, asked(population))?;
            for entry in draws_of(&held.kept, kept.entry, u64::MAX) {
                writeln!(context.out, "  {}", drawn_in_words(&held.kept, entry))?;
            }
        }
    }
    Ok(if frozen.is_empty() { Outcome::Undetermined } else { Outcome::Done })
}

fn drawn_in_words(kept: &[Kept], entry: u64) -> String {
    let sample = kept.iter().find(|k| k.entry == entry).and_then(Kept::sample);
    sample.map_or_else(String::new, |s| {
        let how = if s.stratified { ", stratified" } else { "" };
        format!("draw in entry {entry}: nonce {:?}, size {}{how}", s.nonce, s.size)
    })
}

pub(super) fn sample(args: &SampleArgs, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    let dir = LedgerDir::open(context.ledger())?;
    match (&args.verify, &args.nonce) {
        (Some(entry), _) => verify(&dir, *entry, context),
        (None, Some(nonce)) => draw_anew(&dir, args, nonce, context),
        (None, None) => anyhow::bail!("say a nonce"),
    }
}

/// What was drawn, ready to be shown.
struct Drawn {
    sample: Sample,
    /// For each stratum how many rows were drawn, and how many there are.
    strata: Vec<String>,
    rows: Vec<Vec<String>>,
    json: Vec<serde_json::Value>,
    earlier: Vec<String>,
}

fn draw_anew(
    dir: &LedgerDir,
    args: &SampleArgs,
    nonce: &str,
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    let people = context.people()?;
    let now = (context.clock)();
    let make = || -> anyhow::Result<_> {
        let held = Held::read(dir)?;
        let (kept, population, parameters) = held.population(args.population)?;
        let story = held.story(population.size, &people);
        let listing = list(&story, &parameters);
        if let Some(difference) = held.check(population, &listing)?.first() {
            anyhow::bail!(
                "the population in entry {} cannot be drawn from: {difference}",
                kept.entry
            );
        }
        let rows = listing.rows.iter().map(|l| &l.row);
        let sample = Sample {
            population: kept.entry,
            leaf: kept.leaf.to_string(),
            nonce: nonce.to_owned(),
            size: args.size,
            stratified: args.stratify,
            rules: RULES,
            rows: draw(rows, &kept.leaf, nonce, args.size, args.stratify),
            earlier: draws_of(&held.kept, kept.entry, u64::MAX),
        };
        let earlier = sample.earlier.iter().map(|e| drawn_in_words(&held.kept, *e)).collect();
        let drawn = Drawn::of(sample.clone(), &listing, earlier);
        Ok((Assessment::new(Of::Sample(sample)), drawn))
    };
    let (at, drawn) = assess::record(dir, now, &mut SystemSalts::new(), make)?;
    drawn.write(&at, context)?;
    Ok(match (drawn.sample.earlier.is_empty(), drawn.sample.rows.is_empty()) {
        (false, _) => Outcome::Findings,
        (true, true) => Outcome::Undetermined,
        (true, false) => Outcome::Done,
    })
}

impl Drawn {
    fn of(sample: Sample, listing: &Listing<'_>, earlier: Vec<String>) -> Self {
        let is_drawn = |l: &&Listed<'_>| sample.rows.binary_search(&l.row.row).is_ok();
        let drawn: Vec<&Listed<'_>> = listing.rows.iter().filter(is_drawn).collect();
        let strata = listing.strata().into_iter().map(|(stratum, all)| {
            let of = drawn.iter().filter(|l| l.row.stratum.word() == stratum).count();
            format!("{stratum} {of} of {all}")
        });
        let strata = strata.collect();
        let row = |l: &&Listed<'_>| {
            let row = &l.row;
            vec![
                row.row.to_string(),
                row.from.clone().unwrap_or_else(|| "undetermined".to_owned()),
                row.app.clone().unwrap_or_else(|| "undetermined".to_owned()),
                row.what.clone(),
                row.class.to_owned(),
                row.detail.clone().unwrap_or_default(),
            ]
        };
        let rows = drawn.iter().map(row).collect();
        let json = drawn.iter().map(|l| serde_json::json!(l.row)).collect();
        Self { sample, strata, rows, json, earlier }
    }

    fn write(&self, at: &Recorded, context: &mut Context<'_>) -> anyhow::Result<()> {
        let sample = &self.sample;
        if context.shared.format == Format::Json {
            let json = serde_json::json!({
                "sample": 1, "entry": at.entry.get(), "checkpoint": at.size.get(),
                "drawn": sample, "rows": self.json,
            });
            writeln!(context.out, "{json}")?;
            return Ok(());
        }
        let how = if sample.stratified { ", stratified" } else { "" };
        writeln!(
            context.out,
            "{} of the population in entry {}, recorded in entry {}, under checkpoint {}\n\
             Nonce {:?}, size {}{how}: {}",
            show::of(sample.rows.len() as u64, "row", "rows"),
            sample.population,
            at.entry,
            at.size,
            sample.nonce,
            sample.size,
            self.strata.join(", ")
        )?;
        if !self.earlier.is_empty() {
            let times = show::of(self.earlier.len() as u64, "time", "times");
            writeln!(context.out, "!! DRAWN AGAIN: this population was drawn from {times} before")?;
            for earlier in &self.earlier {
                writeln!(context.out, "   {earlier}")?;
            }
        }
        let header = ["row", "began (UTC)", "application", "what", "class", "detail"];
        writeln!(context.out, "\n{}", show::table(&header, &self.rows, 6))?;
        Ok(())
    }
}

fn verify(
    dir: &LedgerDir,
    entry: Option<u64>,
    context: &mut Context<'_>,
) -> anyhow::Result<Outcome> {
    let people = context.people()?;
    let held = Held::read(dir)?;
    let wanted = |k: &&Kept| entry.is_none_or(|e| k.entry == e);
    let samples: Vec<(&Kept, &Sample)> =
        held.kept.iter().filter(wanted).filter_map(|k| Some((k, k.sample()?))).collect();
    anyhow::ensure!(
        !samples.is_empty(),
        "no sample is recorded{}; `countersign population list` shows all",
        entry.map(|e| format!(" in entry {e}")).unwrap_or_default()
    );
    let mut checked = Vec::new();
    for (kept, sample) in samples {
        let (of, population, parameters) = held.population(Some(sample.population))?;
        let story = held.story(population.size, &people);
        let listing = list(&story, &parameters);
        let mut differences = held.check(population, &listing)?;
        let earlier = draws_of(&held.kept, sample.population, kept.entry);
        let rows = listing.rows.iter().map(|l| &l.row);
        differences.extend(check_sample(sample, rows, &of.leaf, &earlier));
        checked.push((kept.entry, sample, differences));
    }
    write_checked(&checked, context)?;
    let all: Vec<&Difference> = checked.iter().flat_map(|(_, _, found)| found).collect();
    Ok(match all.as_slice() {
        [] => Outcome::Done,
        some if some.iter().all(|d| d.is_undetermined()) => Outcome::Undetermined,
        _ => Outcome::VerificationFailed,
    })
}

fn write_checked(
    checked: &[(u64, &Sample, Vec<Difference>)],
    context: &mut Context<'_>,
) -> anyhow::Result<()> {
    if context.shared.format == Format::Json {
        let each = checked.iter().map(|(entry, sample, differences)| {
            serde_json::json!({
                "entry": entry, "population": sample.population, "differences": differences,
                "earlier": sample.earlier,
            })
        });
        let json = serde_json::json!({ "sample_verify": 1, "samples": each.collect::<Vec<_>>() });
        writeln!(context.out, "{json}")?;
        return Ok(());
    }
    for (entry, sample, differences) in checked {
        let Sample { population, rows, earlier, .. } = sample;
        let rows = show::of(rows.len() as u64, "row", "rows");
        let verdict = if differences.is_empty() { "drawn again, the same" } else { "DIFFERS" };
        writeln!(
            context.out,
            "entry {entry}  {rows} of the population in entry {population}: {verdict}; {} before it",
            show::of(earlier.len() as u64, "draw", "draws"),
        )?;
        for difference in differences {
            writeln!(context.out, "  {difference}")?;
        }
    }
    Ok(())
}
