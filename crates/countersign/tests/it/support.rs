//! A ledger in a folder of its own, and the commands run in this process.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use countersign::cli::{self, Terminal};
use countersign::ledger::dir::LedgerDir;
use countersign::ledger::read::Reader;
use evidence::people::People;
use evidence::record::Record;
use evidence::story::derive;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A folder with a ledger in it.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// Makes a ledger without an anchor.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// Makes a ledger; `options` are those of `ledger init`.
    pub(crate) fn with(options: &[&str]) -> Self {
        let bench = Self { folder: tempfile::tempdir().expect("a folder") };
        let words = ["ledger", "init", "--origin", "test.example/prod"];
        bench.run(&[&words, options].concat()).done();
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.path("ledger")
    }

    pub(crate) fn dir(&self) -> LedgerDir {
        LedgerDir::open(&self.ledger()).expect("a ledger")
    }

    /// Runs a command on this ledger.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        run_on(&self.ledger(), words)
    }

    /// Writes a file beside the ledger.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Writes lines to a file beside the ledger and takes them in.
    pub(crate) fn ingest(&self, name: &str, lines: &[impl AsRef<str>]) -> Ran {
        let text: String = lines.iter().map(|line| format!("{}\n", line.as_ref())).collect();
        let path = self.write(name, text.as_bytes());
        self.run(&["ingest", &path])
    }

    /// The newest checkpoint.
    pub(crate) fn checkpoint(&self) -> String {
        self.run(&["ledger", "checkpoint"]).done().out
    }

    /// Every record in the ledger, held to its checkpoint, in the order of its entries.
    pub(crate) fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let reader = Reader::open(&self.dir()).expect("readable");
        reader.records(&self.dir(), |_, record| records.push(record)).expect("sound");
        records
    }

    /// The story of everything in the ledger, as JSON.
    pub(crate) fn story(&self, people: &People) -> String {
        String::from_utf8(derive(self.records(), people).to_json()).expect("UTF-8")
    }

    /// Every file of the ledger, with its bytes.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let list = fs::read_dir(self.ledger()).expect("listed");
        let paths = list.map(|entry| entry.expect("listed").path());
        paths.map(|path| (path.clone(), fs::read(path).expect("read"))).collect()
    }
}

impl Ran {
    /// The command found nothing to report.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }
}

/// Runs a command on the ledger of another folder.
pub(crate) fn run_on(ledger: &Path, words: &[&str]) -> Ran {
    let shared = ["countersign", "--ledger", ledger.to_str().expect("UTF-8")];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = shared.iter().chain(words);
    let code = cli::run(args, &mut out, &mut err, Terminal::none());
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code, out: text(out), err: text(err) }
}

/// Whether bytes stand somewhere in others.
pub(crate) fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// The folder of the recorded evening.
pub(crate) fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures")
}

/// The lines of a recorded file.
pub(crate) fn recorded(name: &str) -> Vec<String> {
    let file = fs::File::open(captures().join(name)).expect("a recording");
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).expect("gzip of UTF-8");
    text.lines().map(str::to_owned).collect()
}

/// The people map of the recording.
pub(crate) fn people() -> People {
    let bytes = fs::read(captures().join("people.json")).expect("a people map");
    People::from_json(&bytes).expect("a people map")
}

/// An audit event: the smallest line of a channel with a key of its own.
pub(crate) fn audit_line(id: &str, user: &str, more: &str) -> String {
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"{id}","stage":"ResponseComplete","stageTimestamp":"2026-01-05T10:00:00.000001Z","requestReceivedTimestamp":"2026-01-05T10:00:00.000000Z","verb":"patch","user":{{"username":"{user}"}},"objectRef":{{"resource":"deployments","namespace":"shop","name":"api"}},"responseStatus":{{"code":200}}{more}}}"#
    )
}

/// Numbers that look random and are the same every time (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16;
        usize::try_from(number).expect("48 bits") % n.max(1)
    }
}

/// The recorded evening in a ledger, and where its people map is.
pub(crate) fn evening() -> (Bench, String) {
    let bench = Bench::new();
    let path = |name: &str| captures().join(name).to_str().expect("UTF-8").to_owned();
    let folders = [
        "alertmanager",
        "argocd",
        "forge",
        "git",
        "kubernetes",
        "openbao",
        "prometheus",
        "tickets",
    ];
    let (people, folders) = (path("people.json"), folders.map(path));
    let mut words = vec!["--people", &people, "ingest"];
    words.extend(folders.iter().map(String::as_str));
    bench.run(&words).done();
    (bench, people)
}
