//! The folder of an embedded ledger: what is in it, and who may write.
//!
//! ```text
//! ledger.toml   origin, verifier key, anchor        signing.key   Ed25519 seed, 0600
//! ledger.db     entries, tiles, cursors             content.key   for keys made of content, 0600
//! checkpoints   every checkpoint, appended          lock          held by the writer
//! ledger.pages  digest of each database page, while nobody writes
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::channel::Channel;
use evidence::intake::key::ContentKey;
use serde::{Deserialize, Serialize};
use tlog::{KeyName, Origin, Signer, VerifierKey};

use super::LedgerError;

/// How often the writer's lock is tried again.
const LOCK_ATTEMPTS: u32 = 10;
/// The pause between two tries: together a quarter of a second.
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(25);

/// The folder of a ledger.
#[derive(Clone, Debug)]
pub struct LedgerDir {
    path: PathBuf,
    /// Its settings.
    pub settings: Settings,
}

/// What `ledger.toml` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Version of this file's form.
    pub version: u32,
    /// The ledger's name: a URL prefix without its scheme.
    pub origin: String,
    /// The public key that checkpoints are verified with (C2SP signed-note verifier key).
    pub verifier_key: String,
    /// A file elsewhere (another disk, a git work tree) that gets a copy of each checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<PathBuf>,
    /// Ids of the channels that are to bring records: a silent one is a finding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<String>,
}

/// Held by the one process that writes; released by the system when the process ends.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

impl LedgerDir {
    /// Makes the folder with new keys. The store is made by the caller, and the settings are written
    /// last ([`LedgerDir::write_settings`]).
    pub fn create(
        path: &Path,
        origin: &Origin,
        anchor: Option<PathBuf>,
    ) -> Result<Self, LedgerError> {
        fs::create_dir_all(path).map_err(LedgerError::file("create", path))?;
        // A relative path would mean another file to a command run elsewhere.
        let absolute = |p: PathBuf| std::path::absolute(&p).map_err(LedgerError::file("find", p));
        let anchor = anchor.map(absolute).transpose()?;
        clear_unfinished(path)?;
        let mut there = fs::read_dir(path).map_err(LedgerError::file("list", path))?;
        if there.next().is_some() {
            return Err(LedgerError::NotEmpty(path.to_owned()));
        }
        let name = key_name(path, origin.as_str())?;
        let (seed, content) = (random()?, random()?);
        let verifier_key = Signer::from_seed(name, &seed).verifier_key().to_string();
        let settings = Settings {
            version: 1,
            origin: origin.to_string(),
            verifier_key,
            anchor,
            expect: Vec::new(),
        };
        let dir = Self { path: path.to_owned(), settings };
        write_private(&dir.signing_key(), &seed)?;
        write_private(&dir.content_key_file(), &content)?;
        Ok(dir)
    }

    /// Writes the settings: what makes the folder a ledger.
    pub fn write_settings(&self) -> Result<(), LedgerError> {
        let text = toml::to_string(&self.settings).map_err(|e| self.bad_settings(e.to_string()))?;
        write_durable(&self.settings_file(), text.as_bytes())
    }

    /// Opens the folder of a ledger that exists.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let file = path.join("ledger.toml");
        let text = match fs::read_to_string(&file) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(LedgerError::NotFound(path.to_owned()));
            }
            other => other.map_err(LedgerError::file("read", &file))?,
        };
        let settings: Settings = toml::from_str(&text)
            .map_err(|e| LedgerError::Settings { path: file, problem: e.message().to_owned() })?;
        let dir = Self { path: path.to_owned(), settings };
        if dir.settings.version != 1 {
            return Err(dir.bad_settings(format!("version {} is not known", dir.settings.version)));
        }
        dir.expected()?;
        Ok(dir)
    }

    /// The channels that are to bring records.
    pub fn expected(&self) -> Result<BTreeSet<Channel>, LedgerError> {
        let read = |id: &String| {
            id.parse::<Channel>().map_err(|e| self.bad_settings(format!("expect: {e}")))
        };
        self.settings.expect.iter().map(read).collect()
    }

    /// Takes the writer's lock, or says that another process has it.
    pub fn lock(&self) -> Result<WriterLock, LedgerError> {
        let path = self.path.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(LedgerError::file("open", &path))?;
        // A writer that has just ended may still be in a child that this process is starting: a
        // child has all files until it becomes the other program.
        for attempt in 0..=LOCK_ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(WriterLock { _file: file }),
                Err(fs::TryLockError::WouldBlock) if attempt < LOCK_ATTEMPTS => {
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(fs::TryLockError::WouldBlock) => break,
                Err(fs::TryLockError::Error(e)) => return Err(LedgerError::file("lock", &path)(e)),
            }
        }
        Err(LedgerError::Locked(self.path.clone()))
    }

    /// The ledger's signer, from its key file.
    pub fn signer(&self) -> Result<Signer, LedgerError> {
        let path = self.signing_key();
        let seed = read_private(&path)?;
        let signer = Signer::from_seed(key_name(&path, &self.settings.origin)?, &seed);
        if signer.verifier_key().to_string() != self.settings.verifier_key {
            let problem = "is not the key of ledger.toml's verifier_key".to_owned();
            return Err(LedgerError::Settings { path, problem });
        }
        Ok(signer)
    }

    /// The key that checkpoints are verified with.
    pub fn verifier_key(&self) -> Result<VerifierKey, LedgerError> {
        self.settings
            .verifier_key
            .parse()
            .map_err(|e| self.bad_settings(format!("verifier_key: {e}")))
    }

    /// The ledger's name.
    pub fn origin(&self) -> Result<Origin, LedgerError> {
        self.settings.origin.parse().map_err(|e| self.bad_settings(format!("origin: {e}")))
    }

    /// The secret for keys made of content.
    pub fn content_key(&self) -> Result<ContentKey, LedgerError> {
        read_private(&self.content_key_file()).map(ContentKey::new)
    }

    /// The secret for pseudonyms in packs: the same one, which is used under another label there.
    pub fn pseudonym_key(&self) -> Result<[u8; 32], LedgerError> {
        read_private(&self.content_key_file())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.path.join("ledger.db")
    }

    /// The file of every published checkpoint.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The page seal.
    pub fn pages(&self) -> PathBuf {
        self.path.join("ledger.pages")
    }

    fn settings_file(&self) -> PathBuf {
        self.path.join("ledger.toml")
    }

    fn signing_key(&self) -> PathBuf {
        self.path.join("signing.key")
    }

    fn content_key_file(&self) -> PathBuf {
        self.path.join("content.key")
    }

    fn bad_settings(&self, problem: String) -> LedgerError {
        LedgerError::Settings { path: self.settings_file(), problem }
    }
}

/// Removes what a crash left of a ledger being made: only files that a ledger consists of, and only
/// where nothing was published.
fn clear_unfinished(path: &Path) -> Result<(), LedgerError> {
    const PARTS: [&str; 7] = [
        "signing.key",
        "content.key",
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "checkpoints",
        "ledger.pages",
    ];
    let list = fs::read_dir(path).map_err(LedgerError::file("list", path))?;
    let names: Vec<_> = list.flatten().map(|entry| entry.file_name()).collect();
    let unfinished = !names.is_empty()
        && names
            .iter()
            .all(|n| n.to_str().is_some_and(|n| PARTS.contains(&n.trim_end_matches(".new"))));
    for name in names.iter().filter(|_| unfinished) {
        fs::remove_file(path.join(name)).map_err(LedgerError::file("remove", path.join(name)))?;
    }
    Ok(())
}

fn key_name(path: &Path, origin: &str) -> Result<KeyName, LedgerError> {
    let problem =
        |e| LedgerError::Settings { path: path.to_owned(), problem: format!("origin: {e}") };
    origin.parse().map_err(problem)
}

fn random() -> Result<[u8; 32], LedgerError> {
    let mut bytes = [0; 32];
    crate::entropy::fill(&mut bytes).map_err(|e| LedgerError::Randomness(e.to_string()))?;
    Ok(bytes)
}

fn write_private(path: &Path, secret: &[u8; 32]) -> Result<(), LedgerError> {
    let mut file = File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(LedgerError::file("create", path))?;
    let text = format!("{}\n", STANDARD.encode(secret));
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(LedgerError::file("write", path))
}

fn read_private(path: &Path) -> Result<[u8; 32], LedgerError> {
    let text = fs::read_to_string(path).map_err(LedgerError::file("read", path))?;
    let bytes = STANDARD.decode(text.trim_end()).ok().and_then(|b| b.try_into().ok());
    bytes.ok_or_else(|| LedgerError::Settings {
        path: path.to_owned(),
        problem: "is not 32 bytes in base64".to_owned(),
    })
}

/// Writes a file so that after a crash either the old one or the new one is there, whole.
pub(crate) fn write_durable(path: &Path, bytes: &[u8]) -> Result<(), LedgerError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        sync_folder(path)
    };
    write().map_err(LedgerError::file("write", path))
}

/// Makes a rename, a creation or a removal in the folder of `path` durable.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
