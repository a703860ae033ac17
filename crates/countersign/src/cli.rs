//! The command line: what to do, where the answers go, and what the exit code says.
//!
//! | exit | means |
//! |---|---|
//! | 0 | done, nothing to report |
//! | 1 | done, and something is to be reported: lines refused, an initiator contradicted |
//! | 2 | the command cannot be understood |
//! | 3 | undetermined: the sources do not show it |
//! | 4 | verification failed: rollback, fork, tampering |
//! | 5 | it could not be done: disk, lock, permission |

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};
use evidence::people::People;
use jiff::Timestamp;

use crate::ask::BadQuestion;
use crate::ledger::LedgerError;
use crate::render::RenderOptions;

mod ask;
mod assess;
mod check;
mod collect;
mod demo;
mod explain;
mod export;
mod ingest;
mod init;
mod kept;
mod ledger;
mod paper;
mod people;
mod receipt;
mod replace;
mod rights;
mod serve;
pub(crate) mod show;
mod status;
mod terminal;
mod timeline;
mod verify;
mod who_can;

pub use self::terminal::Terminal;

/// What an exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to report.
    Done,
    /// Something to report.
    Findings,
    /// The sources do not show it.
    Undetermined,
    /// Verification failed.
    VerificationFailed,
}

impl Outcome {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Undetermined => 3,
            Self::VerificationFailed => 4,
        }
    }
}

/// What ran in production, who changed it and by which right, from records that anybody can check.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 nothing to report, 1 findings, 2 usage, 3 undetermined, \
                          4 verification failed, 5 could not be done";

impl Cli {
    /// What is wrong with a form that the command does not have.
    const fn misplaced_format(&self) -> Option<&'static str> {
        match self.shared.asked {
            Asked::Csv | Asked::Xlsx if !self.command.writes_papers() => {
                Some("--format csv and xlsx are for `evidence export` alone")
            }
            Asked::Svg if !matches!(self.command, Command::WhoCan(_)) => {
                Some("--format svg is for `who-can` alone")
            }
            Asked::Sarif if !matches!(self.command, Command::Check(_)) => {
                Some("--format sarif is for `check` alone")
            }
            _ => None,
        }
    }
}

/// Options of every command.
#[derive(Debug, clap::Args)]
struct Shared {
    /// Folder of the ledger
    #[arg(
        long,
        global = true,
        env = "COUNTERSIGN_LEDGER",
        default_value = "ledger",
        value_name = "DIR"
    )]
    ledger: PathBuf,
    /// People map: which accounts are one person. Kept outside the ledger, so it can be erased
    #[arg(long, global = true, env = "COUNTERSIGN_PEOPLE", value_name = "FILE")]
    people: Option<PathBuf>,
    /// How the answer is written; csv and xlsx are working papers of `evidence export`, svg a
    /// picture of `who-can`, sarif findings of `check`
    #[arg(long = "format", global = true, default_value = "text", value_name = "FORMAT")]
    asked: Asked,
    /// How the answer is written, as asked.
    #[arg(skip = Format::Text)]
    format: Format,
    /// The working papers that were asked for.
    #[arg(skip)]
    paper: Option<Paper>,
    /// Colour: auto follows the terminal and `NO_COLOR`
    #[arg(long, global = true, default_value = "auto", value_name = "WHEN")]
    color: clap::ColorChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// What `--format` takes: forms of answers, and forms of working papers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Asked {
    /// An answer for people
    Text,
    /// An answer for machines
    Json,
    /// Working papers, a file for each sheet: `evidence export` alone
    Csv,
    /// Working papers as a workbook: `evidence export` alone
    Xlsx,
    /// A picture: `who-can` alone
    Svg,
    /// Findings for forges and editors, SARIF 2.1.0: `check` alone
    Sarif,
}

/// The form of working papers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paper {
    /// A file for each sheet.
    Csv,
    /// A workbook.
    Xlsx,
}

impl Asked {
    /// How the answer is written, and which working papers, if any.
    const fn split(self) -> (Format, Option<Paper>) {
        match self {
            Self::Text | Self::Svg | Self::Sarif => (Format::Text, None),
            Self::Json => (Format::Json, None),
            Self::Csv => (Format::Text, Some(Paper::Csv)),
            Self::Xlsx => (Format::Text, Some(Paper::Xlsx)),
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a GitOps repository that meets every control, or draft the policy of one that is there
    Init(init::Args),
    /// Ask a service for its settings, as a file to judge by or to ingest
    #[command(subcommand)]
    Collect(collect::Command),
    /// Put records into the ledger: files, folders, or `-` for standard input
    Ingest(ingest::Args),
    /// Receive records over HTTP: webhooks, audit batches, lines; durable before acknowledged
    Serve(serve::Args),
    /// What happened at a moment, or between two
    Timeline(timeline::Args),
    /// Changes: proposals and pushes, with what followed from them
    #[command(subcommand)]
    Change(ask::ChangeCommand),
    /// What ran at a moment
    Running(ask::RunningArgs),
    /// Where the live state left the desired one
    #[command(subcommand)]
    Drift(ask::DriftCommand),
    /// Fix which transitions are to be tested
    #[command(subcommand)]
    Population(assess::PopulationCommand),
    /// Draw rows of a frozen population by a nonce; draw again and compare
    Sample(assess::SampleArgs),
    /// Take evidence out of the ledger
    #[command(subcommand)]
    Evidence(export::Command),
    /// Who can deploy, merge, sync, override, exec or read secrets, and by which path
    WhoCan(who_can::Args),
    /// Judge repository, forge, Argo CD and cluster by every control: findings at their lines
    Check(check::Args),
    /// Controls: one in full with its reason, fix and frameworks, or all of them
    Explain(explain::Args),
    /// The people map: which accounts are one person
    #[command(subcommand)]
    People(people::Command),
    /// Check a pack or a receipt: is the record intact, and does the story follow from it
    Verify(verify::Args),
    /// Make, inspect and check a ledger
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// The main job on a recorded evening: ingest, ask, export, verify
    Demo(demo::Args),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Whether it writes working papers.
    const fn writes_papers(&self) -> bool {
        matches!(self, Self::Evidence(export::Command::Export { .. }))
    }
}

/// What commands need from outside.
struct Context<'a> {
    shared: &'a Shared,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    /// Whether colour may be used.
    colour: bool,
    /// Columns of the output.
    width: usize,
    /// Whether a progress bar may be shown.
    interactive: bool,
    clock: fn() -> Timestamp,
}

impl Context<'_> {
    fn ledger(&self) -> &Path {
        &self.shared.ledger
    }

    /// How an answer is rendered that rests on no ledger.
    fn options(&self) -> RenderOptions<'static> {
        RenderOptions::without_ledger(self.width, self.colour)
    }

    /// Shows long work without a known end; nothing where nobody looks.
    fn spinner(&self) -> indicatif::ProgressBar {
        if self.interactive {
            indicatif::ProgressBar::new_spinner()
        } else {
            indicatif::ProgressBar::hidden()
        }
    }

    fn people(&self) -> anyhow::Result<People> {
        let Some(path) = &self.shared.people else {
            return Ok(People::default());
        };
        read_people(path)
    }
}

fn read_people(path: &Path) -> anyhow::Result<People> {
    let bytes = std::fs::read(path).map_err(LedgerError::file("read", path))?;
    People::from_json(&bytes).map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))
}

/// Runs the program with the process's arguments and streams.
pub fn main() -> ExitCode {
    let terminal = Terminal::of_process();
    // Standard error stays unlocked: a thread that panics writes to it too, and would wait for ever.
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr());
    ExitCode::from(run(std::env::args_os(), &mut out, &mut err, terminal))
}

/// Runs a command with a clock of its own: for tests and for [`main`].
pub fn run(
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    out: &mut dyn Write,
    err: &mut dyn Write,
    terminal: Terminal,
) -> u8 {
    let mut cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => return usage(&e, out, err, &terminal),
    };
    (cli.shared.format, cli.shared.paper) = cli.shared.asked.split();
    if let Some(problem) = cli.misplaced_format() {
        let e = Cli::command().error(clap::error::ErrorKind::ArgumentConflict, problem);
        return usage(&e, out, err, &terminal);
    }
    let colour = match cli.shared.color {
        clap::ColorChoice::Always => true,
        clap::ColorChoice::Never => false,
        clap::ColorChoice::Auto => terminal.colour,
    };
    let clock = crate::clock::now;
    let (width, interactive) = (terminal.width, terminal.interactive);
    let mut context = Context { shared: &cli.shared, out, err, colour, width, interactive, clock };
    match dispatch(&cli.command, &mut context) {
        Ok(outcome) => outcome.code(),
        Err(e) if is_broken_pipe(&e) => 0,
        Err(e) => {
            // If even the message cannot be written, the exit code still says it.
            let _unwritten = writeln!(err, "error: {e:#}");
            code_of(&e)
        }
    }
}

fn dispatch(command: &Command, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    match command {
        Command::Init(args) => init::run(args, context),
        Command::Collect(command) => collect::run(command, context),
        Command::Ingest(args) => ingest::run(args, context),
        Command::Serve(args) => serve::run(args, context),
        Command::Timeline(args) => timeline::run(args, context),
        Command::Change(command) => ask::change(command, context),
        Command::Running(args) => ask::running(args, context),
        Command::Drift(command) => ask::drift(command, context),
        Command::Population(command) => assess::population(command, context),
        Command::Sample(args) => assess::sample(args, context),
        Command::Evidence(command) => export::run(command, context),
        Command::WhoCan(args) => who_can::run(args, context),
        Command::Check(args) => check::run(args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::People(command) => people::run(command, context),
        Command::Verify(args) => verify::run(args, context),
        Command::Ledger(command) => ledger::run(command, context),
        Command::Demo(args) => demo::run(args, context),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "countersign", context.out);
            Ok(Outcome::Done)
        }
    }
}

fn usage(e: &clap::Error, out: &mut dyn Write, err: &mut dyn Write, terminal: &Terminal) -> u8 {
    let rendered = e.render();
    let text = if terminal.colour { rendered.ansi().to_string() } else { rendered.to_string() };
    let _unwritten = if e.use_stderr() { write!(err, "{text}") } else { write!(out, "{text}") };
    u8::try_from(e.exit_code()).unwrap_or(2)
}

fn is_broken_pipe(e: &anyhow::Error) -> bool {
    e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

/// An error's exit code: a ledger that fails its checks is a finding of its own kind.
fn code_of(e: &anyhow::Error) -> u8 {
    match e.downcast_ref::<LedgerError>() {
        Some(e) if e.is_verification_failure() => 4,
        _ if e.is::<BadQuestion>() || e.is::<init::NotTaken>() => 2,
        _ => 5,
    }
}
