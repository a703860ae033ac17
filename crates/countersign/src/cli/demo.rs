//! `countersign demo`: the main job on a recorded evening, step by step, with the embedded store.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Context, Outcome, run as run_command, terminal::Terminal};
use crate::ledger::dir::LedgerDir;
use crate::ledger::history;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the recording
    #[arg(long, value_name = "DIR", default_value = "captures")]
    captures: PathBuf,
    /// Folder for the demo's ledger and pack; an earlier demo's is replaced
    #[arg(long, value_name = "DIR", default_value = "target/demo")]
    into: PathBuf,
    /// Leave a server up that takes records into the demo's ledger: from this machine only
    #[arg(long)]
    serve: bool,
}

/// What is taken in: folders of record files, a bundle of the repository, answers of Prometheus.
const SOURCES: [&str; 12] = [
    "kubernetes/watch",
    "kubernetes/audit.jsonl.gz",
    "kubernetes/audit-webhook-sample.jsonl.gz",
    "argocd",
    "forge/github-webhooks.jsonl.gz",
    "git/gitops.bundle",
    "openbao",
    "alertmanager",
    "tickets",
    "prometheus/argocd-app-info.json.gz",
    "prometheus/argocd-app-sync-total.json.gz",
    "prometheus/error-ratio.json.gz",
];

/// The file by which an earlier demo's folder is known: nothing else is ever removed.
const MARK: &str = "countersign-demo";

pub(super) fn run(args: &Args, context: &mut Context<'_>) -> anyhow::Result<Outcome> {
    prepare(args)?;
    let path = |name: &str| args.into.join(name).display().to_string();
    let capture = |name: &str| args.captures.join(name).display().to_string();
    let (ledger, people) = (path("ledger"), capture("people.json"));
    let audit = capture("kubernetes/audit.jsonl.gz");
    let sources: Vec<String> = SOURCES.iter().map(|name| capture(name)).collect();
    let mut ingest = vec!["ingest"];
    ingest.extend(sources.iter().map(String::as_str));
    let mut demo = Demo { ledger: &ledger, people: &people, context };
    demo.say("1. Make a ledger")?;
    demo.step(&["ledger", "init", "--origin", "demo.countersign.example/prod"], 0)?;
    demo.say("2. Take in what the systems of a bank recorded of one evening")?;
    demo.step(&ingest, 0)?;
    demo.say("3. The same again: nothing moves, every record is recognised")?;
    demo.step(&["ingest", &audit], 0)?;
    ask(&mut demo)?;
    hand_over(&mut demo, &path)?;
    sample(&mut demo, &path)?;
    demo.say("15. Is the ledger itself in order?")?;
    demo.step(&["ledger", "fsck"], 0)?;
    writeln!(
        demo.context.out,
        "\nThe ledger stays in {ledger}; ask it more:\n  countersign --ledger {ledger} --people {people} timeline --at \"2026-11-23 21:46\""
    )?;
    if args.serve {
        serve(&mut demo, &path("sources.toml"))?;
    }
    Ok(Outcome::Done)
}

/// Questions about the evening.
fn ask(demo: &mut Demo<'_, '_>) -> anyhow::Result<()> {
    demo.say("4. What happened in production at 21:46?")?;
    demo.step(&["timeline", "--at", "2026-11-23 21:46"], 0)?;
    demo.say("5. And at 21:47 and 42 seconds?")?;
    let at = ["timeline", "--at", "2026-11-23T21:47:42Z", "--app", "payments-prod"];
    demo.step(&at, 1)?;
    demo.say("6. One change, from the request to the pods")?;
    demo.step(&["change", "show", "pr:103"], 1)?;
    demo.say("7. Where did the live state leave git?")?;
    demo.step(&["drift", "list", "--env", "prod"], 1)
}

/// The evidence in files that verify without the ledger.
fn hand_over(demo: &mut Demo<'_, '_>, path: &impl Fn(&str) -> String) -> anyhow::Result<()> {
    let (evening, change, incident) =
        (path("evening.pack"), path("pr103.pack"), path("incident.pack"));
    demo.say("8. Take the evidence out: everything, one change, two minutes")?;
    demo.step(&["evidence", "export", "--out", &evening], 0)?;
    demo.step(&["evidence", "export", "--change", "pr:103", "--out", &change], 0)?;
    let period = ["--from", "2026-11-23 21:46", "--to", "2026-11-23 21:47"];
    let export = ["evidence", "export", "--out", &incident];
    demo.step(&[&export[..], &period].concat(), 0)?;
    demo.say("9. Check it as somebody else would, with a checkpoint kept from before")?;
    let kept = path("kept.checkpoint");
    keep(demo.ledger, &kept)?;
    demo.step(&["verify", "--checkpoint", &kept, &evening], 0)?;
    demo.say("10. A part shows what it holds, and says what was left out")?;
    demo.step(&["verify", &change], 0)?;
    demo.say("11. One byte changed")?;
    let changed = path("changed.pack");
    flip_a_byte(&evening, &changed)?;
    demo.step(&["verify", &changed], 4)
}

/// What an auditor tests: fixed before anybody draws from it.
fn sample(demo: &mut Demo<'_, '_>, path: &impl Fn(&str) -> String) -> anyhow::Result<()> {
    demo.say("12. Fix which transitions are to be tested, and draw some by the auditor's words")?;
    demo.step(&["population", "freeze", "--env", "prod"], 0)?;
    demo.step(&["sample", "--nonce", "said by the auditor", "--size", "5", "--stratify"], 0)?;
    demo.step(&["sample", "--verify"], 0)?;
    demo.say("13. The population as working papers")?;
    let workbook = path("prod.xlsx");
    demo.step(&["--format", "xlsx", "evidence", "export", "--out", &workbook], 0)?;
    demo.say("14. One sync, signed: a file that other tools check too")?;
    let receipt = path("sync.receipt.json");
    let operation = "operation:payments-prod@2523";
    demo.step(&["evidence", "receipt", operation, "--out", &receipt], 0)?;
    demo.step(&["verify", &receipt], 0)
}

/// Serves until it is told to stop, for senders on this machine.
fn serve(demo: &mut Demo<'_, '_>, sources: &str) -> anyhow::Result<()> {
    let source = "[[source]]\nname = \"audit\"\nchannel = \"kubernetes-audit\"\n\
                  auth = \"none-loopback-only\"\n";
    std::fs::write(sources, source)?;
    demo.say("16. Take more records: Ctrl-C ends it")?;
    demo.step(&["serve", "--sources", sources], 0)
}

fn prepare(args: &Args) -> anyhow::Result<()> {
    let recorded = args.captures.join("kubernetes/audit.jsonl.gz");
    anyhow::ensure!(
        recorded.is_file(),
        "no recording at {}; run the demo in the project's folder or name one with --captures",
        args.captures.display()
    );
    let folder = &args.into;
    if folder.exists() {
        let known = folder.join(MARK).is_file();
        anyhow::ensure!(
            known,
            "{} exists and is no demo's folder; name another with --into",
            folder.display()
        );
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    std::fs::write(folder.join(MARK), "made by `countersign demo`, replaced by the next one\n")?;
    Ok(())
}

/// Keeps a checkpoint from the middle of the evening, as an auditor who was there before would have.
fn keep(ledger: &str, kept: &str) -> anyhow::Result<()> {
    let dir = LedgerDir::open(Path::new(ledger))?;
    let (notes, _) = history::read(&dir.checkpoints())?;
    let note = notes.get(notes.len() / 2).context("no checkpoint was published")?;
    std::fs::write(kept, note)?;
    Ok(())
}

/// Changes one bit in the middle of a pack.
fn flip_a_byte(from: &str, to: &str) -> anyhow::Result<()> {
    let mut bytes = std::fs::read(from)?;
    let middle = bytes.len() / 2;
    let byte = bytes.get_mut(middle).context("the pack is empty")?;
    *byte = if *byte == b'A' { b'B' } else { b'A' };
    std::fs::write(to, bytes)?;
    Ok(())
}

struct Demo<'d, 'c> {
    ledger: &'d str,
    people: &'d str,
    context: &'d mut Context<'c>,
}

impl Demo<'_, '_> {
    fn say(&mut self, title: &str) -> anyhow::Result<()> {
        let style =
            if self.context.colour { anstyle::Style::new().bold() } else { anstyle::Style::new() };
        writeln!(self.context.out, "\n{style}{title}{style:#}\n")?;
        Ok(())
    }

    /// Shows a command and runs it as the command line would.
    fn step(&mut self, words: &[&str], expected: u8) -> anyhow::Result<()> {
        writeln!(self.context.out, "$ countersign {}\n", words.join(" "))?;
        let color = if self.context.colour { "always" } else { "never" };
        let shared = ["--ledger", self.ledger, "--people", self.people, "--color", color];
        let args = ["countersign"].iter().chain(&shared).chain(words);
        let terminal = Terminal {
            colour: self.context.colour,
            width: self.context.width,
            interactive: self.context.interactive,
        };
        let code =
            run_command(args.map(OsString::from), self.context.out, self.context.err, terminal);
        anyhow::ensure!(
            code == expected,
            "`countersign {}` gave exit code {code}, not {expected}",
            words.join(" ")
        );
        Ok(())
    }
}
