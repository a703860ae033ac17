//! The sources file: who may send what, to which path, and how it is authenticated.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use evidence::channel::Channel;
use hyper::header::HeaderName;
use serde::{Deserialize, Deserializer};

use super::authenticate::{Authenticator, Wanted};
pub use super::readers::Reader;
use super::readers::ReaderTable;
use crate::ledger::LedgerError;
use crate::sources::secret::{Place, Secret};

/// Bytes of a body, and of a record, unless said otherwise: six times the largest of the recording.
const RECORD_BYTES_MAX: usize = 2 << 20;
/// Bytes of a batch of audit events: the API server sends up to 400 events of any size at once.
const AUDIT_BODY_BYTES_MAX: usize = 16 << 20;
/// Paths that the server answers itself.
const RESERVED: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// What the sources file says, checked.
#[derive(Debug)]
pub struct Settings {
    /// Limits of the server.
    pub limits: Limits,
    /// The sources.
    pub sources: Vec<Source>,
    /// Who may ask questions.
    pub readers: Vec<Reader>,
    /// What the operator should know: secrets that others can read.
    pub warnings: Vec<String>,
}

/// Limits of the server, whatever the source.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Deliveries that may wait for the ledger at once.
    pub waiting: usize,
    /// How long a delivery waits for a place among those.
    pub waiting_for_ms: u64,
    /// Bytes of bodies held in memory at once.
    pub body_memory_bytes: usize,
    /// How long the headers of a request may take, and how long a connection may be idle.
    pub header_for_ms: u64,
    /// How long a body may take, from first to last byte.
    pub body_for_ms: u64,
    /// How long requests under way may take once the server is asked to stop.
    pub stop_for_ms: u64,
    /// How far a sender's clock may be off ours before it is counted.
    pub clock_skew_seconds: u32,
    /// Answers that are made at once.
    pub answers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            waiting: 64,
            waiting_for_ms: 2_000,
            body_memory_bytes: 128 << 20,
            header_for_ms: 15_000,
            body_for_ms: 60_000,
            stop_for_ms: 30_000,
            clock_skew_seconds: 300,
            answers: 8,
        }
    }
}

impl Limits {
    pub(super) fn header_for(&self) -> Duration {
        Duration::from_millis(self.header_for_ms)
    }

    pub(super) fn body_for(&self) -> Duration {
        Duration::from_millis(self.body_for_ms)
    }

    pub(super) fn waiting_for(&self) -> Duration {
        Duration::from_millis(self.waiting_for_ms)
    }

    pub(super) fn stop_for(&self) -> Duration {
        Duration::from_millis(self.stop_for_ms)
    }
}

/// One source: a sender, or several that share a secret.
#[derive(Debug)]
pub struct Source {
    /// Its name, in answers, metrics and the ledger's coverage.
    pub name: String,
    /// The path that it posts to.
    pub path: String,
    /// The channel of what it sends; recognised record by record where none is named.
    pub channel: Option<Channel>,
    /// How it is authenticated.
    pub(super) authenticator: Authenticator,
    /// Bytes of a body, also after unpacking.
    pub body_bytes_max: usize,
    /// Bytes of a record.
    pub record_bytes_max: usize,
    /// How many deliveries it may send.
    pub rate: Option<Rate>,
}

/// How many deliveries a source may send.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rate {
    /// On the average.
    pub per_second: f64,
    /// At once, after a silence.
    pub burst: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourcesFile {
    #[serde(default)]
    limits: Limits,
    #[serde(default, rename = "source")]
    sources: Vec<SourceTable>,
    #[serde(default, rename = "reader")]
    readers: Vec<ReaderTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SourceTable {
    name: String,
    path: Option<String>,
    #[serde(default, deserialize_with = "channel")]
    channel: Option<Channel>,
    auth: AuthTable,
    body_bytes: Option<usize>,
    record_bytes: Option<usize>,
    rate: Option<Rate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum AuthTable {
    HmacSha256(HmacTable),
    Bearer(TokenTable),
    GitlabToken(TokenTable),
    ClientCertificate(CertificateTable),
    NoneLoopbackOnly,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct HmacTable {
    secret_file: Option<OneOrMore>,
    secret_env: Option<OneOrMore>,
    header: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct TokenTable {
    token_file: Option<OneOrMore>,
    token_env: Option<OneOrMore>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum CertificateTable {
    /// The common name of the subject.
    CommonName(String),
    /// A DNS name among the alternative names.
    Dns(String),
    /// A URI among the alternative names, such as a SPIFFE id.
    Uri(String),
    /// SHA-256 of the certificate, in hexadecimal.
    Sha256(String),
}

/// One name, or several while a secret is being replaced.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

fn channel<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Channel>, D::Error> {
    let id = String::deserialize(value)?;
    match id.parse() {
        Ok(channel @ (Channel::LedgerAssessment | Channel::LedgerRedaction)) => Err(
            serde::de::Error::custom(format!("only the ledger itself writes channel {channel}")),
        ),
        Ok(channel) => Ok(Some(channel)),
        Err(e) => Err(serde::de::Error::custom(e)),
    }
}

/// What is wrong with a source, without the name of the file and of the source.
pub(super) type Problem = String;

impl Settings {
    /// Reads the sources file and the secrets that it names. `listen` is where the sources are
    /// served: one without authentication is allowed on the loopback only.
    pub fn read(path: &Path, listen: SocketAddr, client_ca: bool) -> Result<Self, LedgerError> {
        let text = std::fs::read_to_string(path).map_err(LedgerError::file("read", path))?;
        Self::parse(&text, path, listen, client_ca)
    }

    /// Reads the text of a sources file. `path` is where it stands: secrets are looked for beside
    /// it, and messages name it.
    pub fn parse(
        text: &str,
        path: &Path,
        listen: SocketAddr,
        client_ca: bool,
    ) -> Result<Self, LedgerError> {
        let wrong = |problem| LedgerError::Settings { path: path.to_owned(), problem };
        let file: SourcesFile = toml::from_str(text).map_err(|e| wrong(told(&e, text)))?;
        let mut settings = Self {
            limits: file.limits,
            sources: Vec::new(),
            readers: Vec::new(),
            warnings: Vec::new(),
        };
        settings.limits.check().map_err(|e| wrong(format!("[limits]: {e}")))?;
        if file.sources.is_empty() {
            return Err(wrong("names no [[source]]; without one nothing can be sent".to_owned()));
        }
        let around = Around { folder: path.parent().unwrap_or(Path::new(".")), listen, client_ca };
        for (number, table) in file.sources.into_iter().enumerate() {
            let name = table.name.clone();
            let source = table.checked(&around, &mut settings.warnings);
            let source =
                source.map_err(|e| wrong(format!("source {}: {e}", shown(&name, number))))?;
            settings.sources.push(source);
        }
        for (number, table) in file.readers.into_iter().enumerate() {
            let name = table.name.clone();
            let reader = table.checked(&around, &mut settings.warnings);
            let reader =
                reader.map_err(|e| wrong(format!("reader {}: {e}", shown(&name, number))))?;
            settings.readers.push(reader);
        }
        settings.unique().map_err(wrong)?;
        Ok(settings)
    }

    fn unique(&self) -> Result<(), Problem> {
        let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
        for source in &self.sources {
            if !names.insert(&source.name) {
                return Err(format!("two sources are named {:?}", source.name));
            }
            if !paths.insert(&source.path) {
                return Err(format!("two sources have the path {}", source.path));
            }
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = self.readers.iter().find(|r| !names.insert(&r.name)) {
            return Err(format!("two readers are named {:?}", twice.name));
        }
        Ok(())
    }
}

impl Limits {
    fn check(&self) -> Result<(), Problem> {
        let counts = [
            ("connections", self.connections),
            ("waiting", self.waiting),
            ("body-memory-bytes", self.body_memory_bytes),
            ("answers", self.answers),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, n)| *n == 0) {
            return Err(format!("{name} must not be 0"));
        }
        // The writer's own queue has as many places: beyond it, a delivery would wait in a thread.
        if self.waiting > crate::ledger::writer::WAITING_MAX {
            let most = crate::ledger::writer::WAITING_MAX;
            return Err(format!(
                "waiting must not be over {most}, the places of the writer's queue"
            ));
        }
        Ok(())
    }
}

/// What a source is checked against.
pub(super) struct Around<'a> {
    folder: &'a Path,
    listen: SocketAddr,
    client_ca: bool,
}

impl SourceTable {
    fn checked(self, around: &Around<'_>, warnings: &mut Vec<String>) -> Result<Source, Problem> {
        check_name(&self.name)?;
        let path = self.path.unwrap_or_else(|| format!("/ingest/{}", self.name));
        check_path(&path)?;
        let default = match self.channel {
            Some(Channel::KubernetesAudit) => AUDIT_BODY_BYTES_MAX,
            _ => RECORD_BYTES_MAX,
        };
        let body_bytes_max = self.body_bytes.unwrap_or(default);
        let record_bytes_max = self.record_bytes.unwrap_or(RECORD_BYTES_MAX);
        if body_bytes_max == 0 || record_bytes_max == 0 {
            return Err("body-bytes and record-bytes must not be 0".to_owned());
        }
        check_rate(self.rate)?;
        let authenticator = self.auth.checked(self.channel, around, warnings)?;
        let (name, channel, rate) = (self.name, self.channel, self.rate);
        Ok(Source { name, path, channel, authenticator, body_bytes_max, record_bytes_max, rate })
    }
}

pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(good) {
        return Err("a name has 1 to 64 letters, digits, '-', '_' or '.'".to_owned());
    }
    Ok(())
}

pub(super) fn check_rate(rate: Option<Rate>) -> Result<(), Problem> {
    let none = |r: Rate| !(r.per_second > 0.0 && r.per_second.is_finite()) || r.burst == 0;
    if rate.is_some_and(none) {
        return Err("rate: per-second and burst must be over 0".to_owned());
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), Problem> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.~/".contains(c);
    if !path.starts_with('/') || path.len() > 256 || !path.chars().all(good) {
        return Err(format!(
            "path {path:?}: a path begins with '/' and has letters, digits, '-', '_', '.', '~' and '/'"
        ));
    }
    if RESERVED.contains(&path) || path == "/v1" || path.starts_with("/v1/") {
        return Err(format!("path {path}: the server answers this path itself; choose another"));
    }
    Ok(())
}

impl AuthTable {
    pub(super) fn checked(
        self,
        channel: Option<Channel>,
        around: &Around<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Authenticator, Problem> {
        let mut secrets = |file, env, names| secrets(file, env, names, around.folder, warnings);
        match self {
            Self::HmacSha256(t) => {
                let header = signature_header(t.header, channel)?;
                let names = ("secret-file", "secret-env");
                let secrets = secrets(t.secret_file, t.secret_env, names)?;
                Ok(Authenticator::hmac(&secrets, header))
            }
            Self::Bearer(t) => {
                let names = ("token-file", "token-env");
                Ok(Authenticator::bearer(&secrets(t.token_file, t.token_env, names)?))
            }
            Self::GitlabToken(t) => {
                let names = ("token-file", "token-env");
                Ok(Authenticator::gitlab(&secrets(t.token_file, t.token_env, names)?))
            }
            Self::ClientCertificate(_) if !around.client_ca => {
                Err("client-certificate needs --tls-cert, --tls-key and --client-ca".to_owned())
            }
            Self::ClientCertificate(t) => Ok(Authenticator::Certificate(t.checked()?)),
            Self::NoneLoopbackOnly if around.listen.ip().is_loopback() => {
                Ok(Authenticator::Loopback)
            }
            Self::NoneLoopbackOnly => Err(format!(
                "none-loopback-only is for a server on 127.0.0.1 or ::1, not on {}; give it a bearer token",
                around.listen.ip()
            )),
        }
    }
}

/// GitHub signs in `X-Hub-Signature-256`; Jira in `X-Hub-Signature`.
fn signature_header(name: Option<String>, channel: Option<Channel>) -> Result<HeaderName, Problem> {
    let name = match (name, channel) {
        (Some(name), _) => name.to_ascii_lowercase(),
        (None, Some(Channel::GithubWebhook)) => "x-hub-signature-256".to_owned(),
        (None, Some(Channel::JiraWebhook)) => "x-hub-signature".to_owned(),
        (None, _) => return Err("hmac-sha256: say in which header the signature comes (header = …); only github-webhook and jira-webhook have a usual one".to_owned()),
    };
    name.parse().map_err(|_| format!("hmac-sha256: {name:?} is no name of a header"))
}

fn secrets(
    file: Option<OneOrMore>,
    env: Option<OneOrMore>,
    (in_file, in_env): (&str, &str),
    folder: &Path,
    warnings: &mut Vec<String>,
) -> Result<Vec<Secret>, Problem> {
    let all = |names: Option<OneOrMore>| match names {
        None => Vec::new(),
        Some(OneOrMore::One(name)) => vec![name],
        Some(OneOrMore::More(names)) => names,
    };
    let files = all(file).into_iter().map(|f| Place::File(folder.join(PathBuf::from(f))));
    let places: Vec<Place> = files.chain(all(env).into_iter().map(Place::Environment)).collect();
    if places.is_empty() {
        return Err(format!("say where the secret is: {in_file} = … or {in_env} = …"));
    }
    places.iter().map(|place| place.read(warnings)).collect()
}

impl CertificateTable {
    fn checked(self) -> Result<Wanted, Problem> {
        Ok(match self {
            Self::CommonName(name) => Wanted::CommonName(name),
            Self::Dns(name) => Wanted::Dns(name.to_ascii_lowercase()),
            Self::Uri(name) => Wanted::Uri(name),
            Self::Sha256(hex) => {
                let hex = hex.replace(':', "");
                let digest = super::authenticate::unhex(hex.as_bytes());
                Wanted::Sha256(digest.ok_or("sha256: a fingerprint has 64 hexadecimal digits")?)
            }
        })
    }
}

/// A source as it is named in a message: its name, or its number where that is no name.
fn shown(name: &str, number: usize) -> String {
    if name.is_empty() { format!("number {}", number + 1) } else { format!("{name:?}") }
}

/// The problem and its line. Values are left out: one of them may be a secret in the wrong place.
fn told(error: &toml::de::Error, text: &str) -> String {
    let message = error.message();
    let message = match (message.split_once(' '), message.rsplit_once(", expected ")) {
        (Some(("invalid", _)), Some((_, expected))) => format!("not {expected}"),
        _ if message.starts_with("unknown variant") => match message.rsplit_once(", expected ") {
            Some((_, expected)) => format!("unknown value, expected {expected}"),
            None => "unknown value".to_owned(),
        },
        _ => message.to_owned(),
    };
    match error.span() {
        Some(span) => {
            let before = text.as_bytes().get(..span.start).unwrap_or_default();
            let line = before.split(|b| *b == b'\n').count();
            format!("line {line}: {message}")
        }
        None => message,
    }
}
