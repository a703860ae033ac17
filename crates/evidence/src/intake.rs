//! Intake: one line in, one pending entry out, or the reason why not.
//!
//! ```text
//! line ─► within the limit? ─► strict JSON? ─► recognised? ─► a person's read? ─► cut, seal, key
//!              │ refused            │ refused       │ refused        │ dropped
//! ```
//!
//! A refused line is not stored: where its secrets stand cannot be known. The reader of the file
//! says where it stood and why it was refused, and counts it.

use std::collections::HashMap;

use jiff::Timestamp;
use tlog::Hash;

use self::cuts::{Cut, Rules};
use self::delivery::{Delivery, NotADelivery, Part, Parts};
use self::header::{Header, Identity, NotRecognised, recognise};
use self::json::JsonError;
use self::key::{ContentDigest, ContentKey, DedupKey, natural};
use self::seal::{Salts, seal};
use crate::channel::Channel;
use crate::record::envelope::{Auth, Envelope, EnvelopeError};
use crate::record::payload::Payload;
use crate::record::{BadRecordId, Cite, RecordId};

pub mod cuts;
pub mod delivery;
pub mod explain;
pub mod header;
pub mod json;
pub mod key;
pub mod seal;
mod wrapped;

/// A sealed record that has no place in the tree yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingEntry {
    /// Which record it is.
    pub cite: Cite,
    /// The ledger's unique key of the record.
    pub key: DedupKey,
    /// The envelope: the leaf's bytes.
    pub envelope: Vec<u8>,
    /// The leaf hash of the envelope.
    pub leaf: Hash,
    /// The payload as stored.
    pub payload: Vec<u8>,
}

impl PendingEntry {
    /// Puts a sealed payload under an envelope.
    pub fn new(
        cite: Cite,
        payload: &Payload,
        auth: Auth,
        received_at: Timestamp,
    ) -> Result<Self, EnvelopeError> {
        let parser = cite.channel.parser();
        let key = DedupKey::of(&cite);
        let envelope = Envelope {
            auth,
            cite: cite.clone(),
            parser,
            payload: payload.commitment(),
            received_at,
        }
        .encode()?;
        let leaf = tlog::leaf_hash(&envelope);
        Ok(Self { cite, key, envelope, leaf, payload: payload.encode() })
    }
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is to be appended.
    Pending(Box<PendingEntry>),
    /// It is not kept: a person read something that is no secret, and people are not watched.
    ReadByPerson(Channel),
    /// It carried several records, or one in a wrapper.
    Several(Vec<Result<Taken, Refusal>>),
}

/// Why a line was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Over the limit.
    #[error(
        "a record of {bytes} bytes is over the limit of {limit}; raise --max-record-bytes if it is genuine"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Not JSON that everybody reads alike.
    #[error("{0}; send the line as the source emitted it")]
    Json(#[from] JsonError),
    /// Of no channel.
    #[error("{0}; name its channel with --channel")]
    NotRecognised(#[from] NotRecognised),
    /// It cannot be put under an envelope.
    #[error("{0}")]
    Envelope(#[from] EnvelopeError),
    /// Its body cannot be taken apart.
    #[error("{0}; send the body as the source emitted it")]
    Delivery(#[from] NotADelivery),
    /// Its content key is no id; cannot happen.
    #[error("{0}")]
    Id(#[from] BadRecordId),
}

/// Limits and rules of an intake, the same for every file.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What is cut.
    pub rules: Rules,
    /// The ledger's secret for lines without a key of their own.
    pub content_key: ContentKey,
    /// The longest record.
    pub record_bytes_max: usize,
    /// The channel that the operator named, if any.
    pub named: Option<Channel>,
    /// How senders are authenticated.
    pub auth: Auth,
}

/// Takes in the lines of one file, in their order.
#[derive(Debug)]
pub struct Intake<'t> {
    terms: &'t Terms,
    /// How often each line without a key of its own has occurred in this file.
    occurrences: HashMap<ContentDigest, u64>,
    /// The watch channel of the lines so far, if it was always the same.
    watch: WatchSoFar,
}

#[derive(Debug, PartialEq, Eq)]
enum WatchSoFar {
    None,
    One(Channel),
    Several,
}

impl<'t> Intake<'t> {
    /// Starts a file.
    pub fn new(terms: &'t Terms) -> Self {
        Self { terms, occurrences: HashMap::new(), watch: WatchSoFar::None }
    }

    /// Takes in the next line, without its line end.
    pub fn take(
        &mut self,
        line: &[u8],
        received_at: Timestamp,
        salts: &mut dyn Salts,
    ) -> Result<Taken, Refusal> {
        let limit = self.terms.record_bytes_max;
        if line.len() > limit {
            return Err(Refusal::TooLong { bytes: line.len(), limit });
        }
        // The scan comes first: nothing is read from a line that readers could read differently.
        let unsealed = recognise(line, self.terms.named);
        let content = unsealed.as_ref().is_ok_and(|h| h.identity == Identity::Content);
        if unsealed.is_err() || (content && self.terms.named.is_some()) {
            json::scan(line, &mut |_| {})?;
            if let Some(parts) = delivery::unpack(line, self.terms.named) {
                return self.parts(parts?, received_at, salts);
            }
        }
        let secret_object = unsealed.as_ref().is_ok_and(|h| h.secret_object);
        let cuts = self.terms.rules.cuts(line, secret_object)?;
        let header = unsealed?;
        if header.read_by_person {
            return Ok(Taken::ReadByPerson(header.channel));
        }
        let cite = self.cite(header, line)?;
        self.sealed(cite, line, &cuts, received_at, salts)
    }

    /// Takes in what a request brought: a body of one record, or a batch.
    pub fn deliver(
        &mut self,
        delivery: &Delivery<'_>,
        received_at: Timestamp,
        salts: &mut dyn Salts,
    ) -> Result<Taken, Refusal> {
        let parts = delivery.parts(self.terms.named)?;
        self.parts(parts, received_at, salts)
    }

    /// One record is taken as if it had come alone; of several, each is taken or refused by itself.
    fn parts(
        &mut self,
        mut parts: Parts,
        received_at: Timestamp,
        salts: &mut dyn Salts,
    ) -> Result<Taken, Refusal> {
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return self.part(only?, received_at, salts);
        }
        let taken = parts.into_iter().map(|part| self.part(part?, received_at, salts));
        Ok(Taken::Several(taken.collect()))
    }

    fn part(
        &mut self,
        part: Part,
        received_at: Timestamp,
        salts: &mut dyn Salts,
    ) -> Result<Taken, Refusal> {
        let (bytes, limit) = (&part.bytes, self.terms.record_bytes_max);
        if bytes.len() > limit {
            return Err(Refusal::TooLong { bytes: bytes.len(), limit });
        }
        let cuts = self.terms.rules.cuts(bytes, part.header.secret_object)?;
        if part.header.read_by_person {
            return Ok(Taken::ReadByPerson(part.header.channel));
        }
        let cite = match &part.content {
            Some(content) => {
                let digest = self.terms.content_key.digest(part.header.channel, content);
                Cite { channel: part.header.channel, id: RecordId::new(digest.id(1))? }
            }
            None => self.cite(part.header, bytes)?,
        };
        self.sealed(cite, bytes, &cuts, received_at, salts)
    }

    fn sealed(
        &self,
        cite: Cite,
        record: &[u8],
        cuts: &[Cut],
        received_at: Timestamp,
        salts: &mut dyn Salts,
    ) -> Result<Taken, Refusal> {
        let payload = seal(record, cuts, salts);
        let entry = PendingEntry::new(cite, &payload, self.terms.auth, received_at)?;
        Ok(Taken::Pending(Box::new(entry)))
    }

    fn cite(&mut self, header: Header, line: &[u8]) -> Result<Cite, BadRecordId> {
        let channel = self.channel_of(&header);
        let id = match header.identity {
            // A caller may choose an audit id, and a leaf is never erased: nobody's name gets there.
            Identity::Natural(key) if self.terms.rules.is_personal(&key) => None,
            Identity::Natural(key) => natural(&key),
            Identity::Content => None,
        };
        let id = match id {
            Some(id) => id,
            None => self.content_id(channel, line)?,
        };
        Ok(Cite { channel, id })
    }

    fn content_id(&mut self, channel: Channel, line: &[u8]) -> Result<RecordId, BadRecordId> {
        let digest = self.terms.content_key.digest(channel, line);
        let occurrence = self.occurrences.entry(digest).or_insert(0);
        *occurrence += 1;
        RecordId::new(digest.id(*occurrence))
    }

    /// An `ERROR` line of a watch carries a Status, not an object of the watch: it belongs to the
    /// channel of the lines before it, where these were of one channel only.
    fn channel_of(&mut self, header: &Header) -> Channel {
        let errors = header.identity == Identity::Content
            && header.channel == Channel::KubernetesObjectWatch;
        match (&self.watch, errors) {
            (WatchSoFar::One(channel), true) => return *channel,
            (_, true) => return header.channel,
            (WatchSoFar::None, _) if header.channel != Channel::KubernetesAudit => {
                self.watch = WatchSoFar::One(header.channel);
            }
            (WatchSoFar::One(channel), _) if *channel != header.channel => {
                self.watch = WatchSoFar::Several;
            }
            _ => {}
        }
        header.channel
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::payload::Salt;

    struct Zero;

    impl Salts for Zero {
        fn salt(&mut self) -> Salt {
            [0; 16]
        }
    }

    fn terms(named: Option<Channel>) -> Terms {
        Terms {
            rules: Rules::new([]).expect("no names"),
            content_key: ContentKey::new([9; 32]),
            record_bytes_max: 2_000,
            named,
            auth: Auth::OperatorFile,
        }
    }

    fn take(intake: &mut Intake<'_>, line: &str) -> Result<Taken, Refusal> {
        intake.take(line.as_bytes(), Timestamp::UNIX_EPOCH, &mut Zero)
    }

    fn cite(taken: Result<Taken, Refusal>) -> String {
        match taken {
            Ok(Taken::Pending(entry)) => entry.cite.to_string(),
            other => panic!("not pending: {other:?}"),
        }
    }

    const APP: &str = r#"{"type":"MODIFIED","object":{"kind":"Application","apiVersion":"argoproj.io/v1alpha1","metadata":{"uid":"u","resourceVersion":"7"}}}"#;
    const ERROR: &str =
        r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","code":410}}"#;

    #[test]
    fn an_error_belongs_to_the_watch_before_it() {
        let terms = terms(None);
        let mut intake = Intake::new(&terms);
        assert!(cite(take(&mut intake, ERROR)).starts_with("kubernetes-object-watch:line/"));
        assert_eq!(cite(take(&mut intake, APP)), "argocd-application-watch:u/7");
        let first = cite(take(&mut intake, ERROR));
        assert!(first.starts_with("argocd-application-watch:line/") && first.ends_with("/1"));
        let second = cite(take(&mut intake, ERROR));
        assert_eq!(second, first.replace("/1", "/2"), "the same line again is another gap");
    }

    #[test]
    fn refusals_say_why_and_what_to_do() {
        let terms = terms(None);
        let mut intake = Intake::new(&terms);
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(2_000));
        let table = [
            (
                long.as_str(),
                "a record of 2008 bytes is over the limit of 2000; raise --max-record-bytes if it is genuine",
            ),
            (
                "{\"a\"",
                "truncated: the text ends inside a value at byte 4; send the line as the source emitted it",
            ),
            (
                "{\"a\":1,\"a\":1}",
                "duplicate key at byte 7: readers disagree on which one counts; send the line as the source emitted it",
            ),
            ("{}", "not recognised as a record of any channel; name its channel with --channel"),
        ];
        for (line, expected) in table {
            assert_eq!(take(&mut intake, line).expect_err("refused").to_string(), expected);
        }
    }

    #[test]
    fn a_persons_read_is_dropped_unless_of_a_secret() {
        let terms = terms(None);
        let mut intake = Intake::new(&terms);
        let read = r#"{"apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete","stageTimestamp":"t","verb":"get","user":{"username":"d@b.example"},"objectRef":{"resource":"pods"}}"#;
        assert_eq!(take(&mut intake, read), Ok(Taken::ReadByPerson(Channel::KubernetesAudit)));
        let secret = read.replace("pods", "secrets");
        assert_eq!(cite(take(&mut intake, &secret)), "kubernetes-audit:a/ResponseComplete/t");
    }
}
