//! What a ledger covers: `ledger status` and `/v1/coverage`.

use std::collections::{BTreeMap, BTreeSet};

use evidence::channel::Channel;
use evidence::story::coverage::Coverage;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::spots::{BlindSpot, blind_spots};
use crate::ledger::dir::LedgerDir;
use crate::ledger::pages::{self, Seal};
use crate::ledger::read::Reader;
use crate::ledger::{LedgerError, history};
use crate::store;

/// The version of this answer's JSON. A reader must refuse a version it does not know.
pub const VERSION: u32 = 2;
/// Refused lines that an answer lists.
const REFUSALS_SHOWN: u32 = 20;

/// What a ledger holds, what it covers and what vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Status {
    /// The version of this shape: [`VERSION`].
    pub status: u32,
    /// The ledger's name.
    pub origin: String,
    /// The key that its checkpoints are verified with.
    pub verifier_key: String,
    /// How many checkpoints were published.
    pub checkpoints: usize,
    /// The file elsewhere that gets a copy of each; `null`: nobody outside would notice a rollback.
    pub anchor: Option<String>,
    /// The state of the seal over the database's pages.
    pub page_seal: String,
    /// Every channel of which a record came, in the order of their ids.
    pub channels: Vec<Channeled>,
    /// Expected channels that are silent: each is a finding.
    pub silent: Vec<Silent>,
    /// What the records cannot show.
    pub blind_spots: Vec<BlindSpot>,
    /// What came in each reading of each source.
    pub readings: Vec<Reading>,
    /// The newest refused lines, at most twenty.
    pub refusals: Vec<Refusal>,
}

/// What is there of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Channeled {
    /// What the records themselves show: how many, from when to when, where they broke off, which
    /// were not understood.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// Whether the ledger expects this channel.
    pub expected: bool,
    /// Lines refused at intake of sources that brought this channel.
    pub refused: u64,
    /// When the newest record was received, by the receiver's clock.
    pub received_last: Option<String>,
    /// Which kinds of objects came, with the number of records; of the object watch only.
    pub kinds: BTreeMap<String, u64>,
}

/// An expected channel that is silent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Silent {
    /// The channel.
    pub channel: &'static str,
    /// When the newest record was received; `null` if none ever was.
    pub received_last: Option<String>,
}

/// What came in one reading of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reading {
    /// The channel; `-` for lines of no channel.
    pub channel: String,
    /// The source.
    pub source: String,
    /// The number of the reading.
    pub epoch: u64,
    /// Records that were new.
    pub new: u64,
    /// Records that were there before.
    pub known_already: u64,
    /// Records not kept by rule: reads by people.
    pub not_kept: u64,
    /// Lines refused.
    pub refused: u64,
    /// When the newest came, by the receiver's clock.
    pub last_at: String,
}

/// A refused line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refusal {
    /// The source.
    pub source: String,
    /// The number of the reading.
    pub epoch: u64,
    /// The line, or the number of the delivery.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// What a status is put together from, beside the ledger's folder.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What the records show of each channel.
    pub coverage: &'a [Coverage],
    /// Which kinds of objects the watches brought.
    pub kinds: &'a BTreeMap<String, u64>,
    /// Lines refused, by the channels of their sources.
    pub refused: &'a BTreeMap<Channel, u64>,
}

/// Which channels are expected, and from when on one is silent.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The channels.
    pub channels: BTreeSet<Channel>,
    /// An expected channel whose newest record came before is silent; without it, only one of which
    /// no record ever came.
    pub since: Option<Timestamp>,
}

impl Expected {
    /// Adds for how long a channel may be quiet.
    #[must_use]
    pub fn silent_for(mut self, quiet: Option<SignedDuration>, now: Timestamp) -> Self {
        self.since = quiet.and_then(|quiet| now.checked_sub(quiet).ok());
        self
    }
}

/// The status of a ledger.
pub fn status(
    dir: &LedgerDir,
    seen: Seen<'_>,
    mut expected: Expected,
) -> Result<Status, LedgerError> {
    let reader = Reader::open(dir)?;
    let (notes, _) = history::read(&dir.checkpoints())?;
    expected.channels.extend(dir.expected()?);
    let rows = reader.coverage()?;
    let received = received(&rows);
    let channels: Vec<Channeled> =
        seen.coverage.iter().map(|c| channeled(c, seen, &expected, &received)).collect();
    let of = |id: &str| channels.iter().any(|c| c.coverage.channel == id);
    let present: BTreeSet<Channel> = Channel::ALL.into_iter().filter(|c| of(c.id())).collect();
    let settings = &dir.settings;
    Ok(Status {
        status: VERSION,
        origin: settings.origin.clone(),
        verifier_key: settings.verifier_key.clone(),
        checkpoints: notes.len(),
        anchor: settings.anchor.as_ref().map(|p| p.display().to_string()),
        page_seal: seal_text(&pages::check(dir)?),
        silent: silent(&expected, &received, &present),
        blind_spots: blind_spots(&present, seen.kinds),
        channels,
        readings: rows.iter().map(Reading::of).collect(),
        refusals: reader.refusals(REFUSALS_SHOWN)?.iter().map(Refusal::of).collect(),
    })
}

/// When the newest record of each channel was received, new or known.
fn received(rows: &[store::Coverage]) -> BTreeMap<&str, Timestamp> {
    let mut newest: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for row in rows.iter().filter(|r| r.accepted + r.duplicate + r.dropped > 0) {
        let at = newest.entry(&row.channel).or_insert(row.at);
        *at = row.at.max(*at);
    }
    newest
}

fn channeled(
    coverage: &Coverage,
    seen: Seen<'_>,
    expected: &Expected,
    received: &BTreeMap<&str, Timestamp>,
) -> Channeled {
    let id = coverage.channel;
    let channel = id.parse::<Channel>().ok();
    let watched = channel == Some(Channel::KubernetesObjectWatch);
    Channeled {
        coverage: coverage.clone(),
        expected: channel.is_some_and(|c| expected.channels.contains(&c)),
        refused: channel.and_then(|c| seen.refused.get(&c).copied()).unwrap_or(0),
        received_last: received.get(id).map(ToString::to_string),
        kinds: if watched { seen.kinds.clone() } else { BTreeMap::new() },
    }
}

fn silent(
    expected: &Expected,
    received: &BTreeMap<&str, Timestamp>,
    present: &BTreeSet<Channel>,
) -> Vec<Silent> {
    let quiet = |channel: &&Channel| match received.get(channel.id()) {
        // A reading that is not in the coverage, as after a copy: the records count.
        None => !present.contains(*channel),
        Some(last) => expected.since.is_some_and(|since| *last < since),
    };
    let told = |channel: &Channel| Silent {
        channel: channel.id(),
        received_last: received.get(channel.id()).map(ToString::to_string),
    };
    expected.channels.iter().filter(quiet).map(told).collect()
}

impl Reading {
    fn of(row: &store::Coverage) -> Self {
        Self {
            channel: row.channel.clone(),
            source: row.source.clone(),
            epoch: row.epoch,
            new: row.accepted,
            known_already: row.duplicate,
            not_kept: row.dropped,
            refused: row.refused,
            last_at: row.at.to_string(),
        }
    }
}

impl Refusal {
    fn of(row: &store::Refused) -> Self {
        let (source, reason) = (row.source.clone(), row.reason.clone());
        Self { source, epoch: row.epoch, line: row.line, reason }
    }
}

fn seal_text(seal: &Seal) -> String {
    match seal {
        Seal::Whole { pages } => format!("whole, {pages} pages"),
        Seal::Broken(pages) => {
            format!("broken at {} pages; run `countersign ledger fsck`", pages.len())
        }
        Seal::Absent => "absent: being written, or not closed in order".to_owned(),
        Seal::Unreadable => "unreadable; run `countersign ledger fsck`".to_owned(),
    }
}
