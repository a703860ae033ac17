//! `kill -9` at random points of an ingest: what was acknowledged is at its index, whatever was
//! published stays consistent, and `fsck` finds nothing.
//!
//! 300 trials by default, `CRASH_TRIALS` for more; `CRASH_SEED` repeats a run. A kill leaves the
//! page cache to the system, so this tests the order of writes and the recovery, not the disk: that
//! an acknowledgement waits for `fsync` is shown in `docs/formats/ledger.md`.

use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use countersign::ledger::dir::LedgerDir;
use countersign::ledger::fsck::{Acknowledged, fsck, read_acknowledged};
use countersign::ledger::{history, recover};

/// Trials on the same ledger, one after the other: each recovers what the one before left.
const TRIALS_PER_LEDGER: usize = 20;
/// New lines of each trial.
const LINES: usize = 300;

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % n.max(1)
    }
}

/// A ledger and what is known of it from outside.
struct Campaign {
    folder: tempfile::TempDir,
    dir: LedgerDir,
    acknowledged: Vec<Acknowledged>,
    published: Vec<String>,
    lines: usize,
}

impl Campaign {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = "crash.example/ledger".parse().expect("an origin");
        let dir = recover::init(&folder.path().join("ledger"), &origin, None).expect("a ledger");
        Self { folder, dir, acknowledged: Vec::new(), published: Vec::new(), lines: 0 }
    }

    fn input(&self) -> PathBuf {
        self.folder.path().join("in.jsonl")
    }

    /// Adds lines to the input; the lines before come again and must be recognised.
    fn more_lines(&mut self) {
        let file = fs::File::options().create(true).append(true).open(self.input());
        let mut file = file.expect("opened");
        for n in self.lines..self.lines + LINES {
            writeln!(file, r#"{{"apiVersion":"audit.k8s.io/v1","auditID":"a{n}","stage":"ResponseComplete","stageTimestamp":"t","verb":"patch","user":{{"username":"p{n}@x.example"}}}}"#).expect("written");
        }
        self.lines += LINES;
    }

    fn ingest(&self) -> Child {
        Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["ingest", "--batch", "8", "--acks", "/dev/stdout", "--ledger"])
            .arg(self.dir.path())
            .arg(self.input())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started")
    }

    /// Reads acknowledgements until `enough`, waits a moment, kills, and reads what had been
    /// written before the kill.
    fn run_and_kill(&mut self, enough: usize, moment: Duration) {
        let mut child = self.ingest();
        let mut said = BufReader::new(child.stdout.take().expect("piped"));
        let (mut text, mut lines) = (String::new(), 0);
        while lines < enough && said.read_line(&mut text).expect("read") > 0 {
            lines += 1;
        }
        spin(moment);
        child.kill().expect("killed");
        child.wait().expect("ended");
        while said.read_line(&mut text).is_ok_and(|n| n > 0) {}
        self.note(&text);
    }

    fn finish(&mut self) {
        let ran = self.ingest().wait_with_output().expect("ended");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        self.note(&String::from_utf8_lossy(&ran.stdout));
    }

    /// Keeps the acknowledgements; the summary at the end of an undisturbed run is none.
    fn note(&mut self, said: &str) {
        let is_ack = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit());
        let acks: String = said.split_inclusive('\n').filter(is_ack).collect();
        self.acknowledged.extend(read_acknowledged(&acks).expect("acknowledgements"));
    }

    /// The oracle: everything known from outside is still so.
    fn check(&mut self) -> usize {
        let (published, _) = history::read(&self.dir.checkpoints()).expect("checkpoints");
        assert!(published.starts_with(&self.published), "a published checkpoint is gone");
        self.published = published;
        let report = fsck(&self.dir, &self.acknowledged, &mut |_| {}).expect("fsck runs");
        assert_eq!(report.faults, []);
        assert_eq!(report.acknowledged, self.acknowledged.len() as u64);
        usize::try_from(report.entries).expect("few entries")
    }
}

/// Lets a moment pass without asking the scheduler: where it ends within the child's work is what
/// is to be random.
fn spin(moment: Duration) {
    let start = Instant::now();
    while start.elapsed() < moment {
        std::hint::spin_loop();
    }
}

#[test]
fn killed_at_random_points_nothing_acknowledged_is_lost() {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let trials = number("CRASH_TRIALS").map_or(300, |n| usize::try_from(n).expect("a count"));
    let seed = number("CRASH_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("{trials} trials, CRASH_SEED={seed}");
    let mut dice = Dice(seed | 1);
    let (mut done, mut unacknowledged, mut acknowledged) = (0, 0, 0);
    while done < trials {
        let mut campaign = Campaign::new();
        for _ in 0..TRIALS_PER_LEDGER.min(trials - done) {
            campaign.more_lines();
            // While opening, between two acknowledgements, or while closing and sealing.
            let enough = match dice.below(8) {
                0 => 0,
                1 => LINES,
                _ => dice.below(LINES),
            };
            let micros = if enough == 0 { dice.below(20_000) } else { dice.below(3_000) };
            campaign.run_and_kill(enough, Duration::from_micros(micros as u64));
            let entries = campaign.check();
            unacknowledged += entries - campaign.acknowledged.len();
            done += 1;
        }
        campaign.finish();
        assert_eq!(campaign.check(), campaign.lines, "every line exactly once");
        assert!(Path::new(&campaign.dir.pages()).exists(), "closed in order and sealed");
        acknowledged += campaign.acknowledged.len();
    }
    println!(
        "{done} kills: {acknowledged} acknowledged records at their indexes; entries found that \
         were committed but not acknowledged, summed over the kills: {unacknowledged}"
    );
    assert!(acknowledged > 0);
}
