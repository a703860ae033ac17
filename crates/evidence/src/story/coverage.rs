//! What was seen of each channel, and where it ends: absence counts only inside of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::wire;
use crate::channel::Channel;
use crate::parse::NotUnderstood;
use crate::record::{Cite, RecordId};
use crate::time::Moment;

/// How many records are named one by one among those that were not understood.
pub const NOT_UNDERSTOOD_CITED_MAX: usize = 5;

/// What the records show of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Coverage {
    /// The channel's id.
    pub channel: &'static str,
    /// How many different records of it there are.
    pub records: usize,
    /// How many of them say only that the watch was alive.
    pub bookmarks: usize,
    /// The earliest time that a record states.
    pub first: Option<Moment>,
    /// The latest time that a record states.
    pub last: Option<Moment>,
    /// Where the channel broke off: records may be missing, and it is not known how many.
    pub gaps: Vec<Gap>,
    /// How many records were kept but not understood.
    pub not_understood: usize,
    /// The first few of those, with the reasons.
    pub not_understood_first: Vec<Unread>,
    /// How many more records of it there are that the story was not derived from.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// Whether rules of this version read the channel's records at all.
    pub interpreted: bool,
}

/// A place where a channel broke off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gap {
    /// The record that shows it.
    #[serde(serialize_with = "wire::cite")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub cite: Cite,
    /// What the record says.
    pub reason: String,
}

/// A record that was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unread {
    /// Which record.
    #[serde(serialize_with = "wire::cite")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub cite: Cite,
    /// Why; quotes nothing of the payload.
    pub reason: String,
}

/// What was seen of one channel while records were folded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    records: BTreeSet<RecordId>,
    bookmarks: BTreeSet<RecordId>,
    gaps: BTreeMap<RecordId, String>,
    not_understood: BTreeMap<RecordId, NotUnderstood>,
    first: Option<Moment>,
    last: Option<Moment>,
}

impl Seen {
    pub(crate) fn record(&mut self, id: &RecordId) {
        if !self.records.contains(id) {
            self.records.insert(id.clone());
        }
    }

    pub(crate) fn bookmark(&mut self, id: &RecordId) {
        self.bookmarks.insert(id.clone());
    }

    pub(crate) fn gap(&mut self, id: &RecordId, reason: String) {
        let known = self.gaps.entry(id.clone()).or_insert_with(|| reason.clone());
        *known = reason.min(known.clone());
    }

    pub(crate) fn not_understood(&mut self, id: &RecordId, reason: NotUnderstood) {
        let known = self.not_understood.entry(id.clone()).or_insert_with(|| reason.clone());
        *known = reason.min(known.clone());
    }

    pub(crate) fn time(&mut self, time: Moment) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        let later = |last: Moment| {
            if last.latest() < time.latest() { time } else { last }
        };
        self.last = Some(self.last.map_or(time, |last| match last.latest().cmp(&time.latest()) {
            std::cmp::Ordering::Equal => last.min(time),
            _ => later(last),
        }));
    }

    pub(crate) fn coverage(&self, channel: Channel) -> Coverage {
        let cite = |id: &RecordId| Cite { channel, id: id.clone() };
        let gaps = self.gaps.iter().map(|(id, r)| Gap { cite: cite(id), reason: r.clone() });
        let unread = self.not_understood.iter().take(NOT_UNDERSTOOD_CITED_MAX);
        let unread = unread.map(|(id, r)| Unread { cite: cite(id), reason: r.to_string() });
        Coverage {
            channel: channel.id(),
            records: self.records.len(),
            bookmarks: self.bookmarks.len(),
            first: self.first,
            last: self.last,
            gaps: gaps.collect(),
            not_understood: self.not_understood.len(),
            not_understood_first: unread.collect(),
            left_out: 0,
            interpreted: is_interpreted(channel),
        }
    }
}

/// The ledger's own records say something about the ledger, nothing about the world.
fn is_interpreted(channel: Channel) -> bool {
    !matches!(channel, Channel::LedgerAssessment | Channel::LedgerRedaction)
}

/// A watch that breaks off says so without saying what it watched: an `ERROR` line before any other
/// is filed with the objects. It may be any watch's, so it is a gap of each.
pub(crate) fn spread_gaps(coverage: &mut [Coverage]) {
    let objects = Channel::KubernetesObjectWatch.id();
    let stray: Vec<Gap> =
        coverage.iter().filter(|c| c.channel == objects).flat_map(|c| c.gaps.clone()).collect();
    let watches = [Channel::ArgocdApplicationWatch.id(), Channel::KubernetesEventWatch.id()];
    for watch in coverage.iter_mut().filter(|c| watches.contains(&c.channel)) {
        watch.gaps.extend(stray.iter().cloned());
    }
}

/// Notes the records that a story is not derived from.
pub(crate) fn leave_out(coverage: &mut [Coverage], left_out: &BTreeMap<Channel, usize>) {
    for (channel, records) in left_out {
        for row in coverage.iter_mut().filter(|row| row.channel == channel.id()) {
            row.left_out = *records;
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What was seen of one channel, if there is a record of it.
pub fn of(coverage: &[Coverage], channel: Channel) -> Option<&Coverage> {
    coverage.iter().find(|c| c.channel == channel.id())
}

impl Coverage {
    /// Whether its silence may say anything: no part of it is known to be missing.
    pub fn is_whole(&self) -> bool {
        self.gaps.is_empty() && self.left_out == 0
    }

    /// Whether a record of that moment would be here if there had been one, or why not.
    pub fn at(&self, moment: Option<&Moment>) -> Result<(), String> {
        let (Some(first), Some(last)) = (&self.first, &self.last) else {
            return Err("no record of this channel states a time".to_owned());
        };
        let Some(moment) = moment else {
            return Err("the records do not say when it was".to_owned());
        };
        if !self.gaps.is_empty() {
            Err("the channel broke off, and it is not known for how long".to_owned())
        } else if self.left_out > 0 {
            Err(format!("{} more records of this channel are not in the pack", self.left_out))
        } else if self.not_understood > 0 {
            Err(format!("{} records of this channel were not understood", self.not_understood))
        } else if first.latest() > moment.earliest() {
            Err("no record of this channel is older".to_owned())
        } else if last.earliest() < moment.latest() {
            Err("no record of this channel is newer".to_owned())
        } else {
            Ok(())
        }
    }
}
