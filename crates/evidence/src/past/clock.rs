//! When versions came about, from the order of their numbers and the times that some of them have.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::parse::ResourceVersion;

/// How far a write may lie behind the time stamp of the version that it made, which has whole
/// seconds.
const STAMPED: SignedDuration = SignedDuration::from_secs(2);

/// Times by version. A time stamp of a version's metadata says that it is not older. An audited
/// write that resulted in a version says that it was there when the write was answered; whether the
/// write made it is another question, because a write that changes nothing is answered with the
/// version that there is, however old.
#[derive(Debug, Default)]
pub(super) struct Clock {
    stamps: BTreeMap<ResourceVersion, Timestamp>,
    /// The first write that resulted in a version: when it arrived, and when it was answered.
    written: BTreeMap<ResourceVersion, (Timestamp, Timestamp)>,
    bounds: OnceCell<Bounds>,
}

/// What follows from all of them, in the order of the versions.
#[derive(Debug)]
struct Bounds {
    /// The latest beginning up to that version.
    from: Vec<(ResourceVersion, Timestamp)>,
    /// The earliest end from that version on.
    until: Vec<(ResourceVersion, Timestamp)>,
}

impl Clock {
    /// A version is not older than that.
    pub(super) fn not_before(&mut self, version: ResourceVersion, time: Timestamp) {
        let known = self.stamps.entry(version).or_insert(time);
        *known = time.max(*known);
        self.bounds.take();
    }

    /// A write that arrived and was answered then resulted in a version.
    pub(super) fn written(&mut self, version: ResourceVersion, from: Timestamp, until: Timestamp) {
        let known = self.written.entry(version).or_insert((from, until));
        *known = (known.0.min(from), known.1.min(until));
        self.bounds.take();
    }

    /// Between which times a version came about: since versions are numbered in order, not before
    /// any earlier one and not after any later one.
    pub(super) fn bounds(
        &self,
        version: ResourceVersion,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        let bounds = self.bounds.get_or_init(|| self.conclude());
        let before = bounds.from.partition_point(|(known, _)| *known <= version);
        let from = before.checked_sub(1).and_then(|at| bounds.from.get(at));
        let after = bounds.until.partition_point(|(known, _)| *known < version);
        (from.map(|(_, time)| *time), bounds.until.get(after).map(|(_, time)| *time))
    }

    fn conclude(&self) -> Bounds {
        let mut from: Vec<_> = self.stamps.iter().map(|(v, t)| (*v, self.begun(*v, *t))).collect();
        for at in 1..from.len() {
            from[at].1 = from[at].1.max(from[at - 1].1);
        }
        let mut until: Vec<_> = self.written.iter().map(|(v, (_, t))| (*v, *t)).collect();
        for at in (1..until.len()).rev() {
            until[at - 1].1 = until[at - 1].1.min(until[at].1);
        }
        Bounds { from, until }
    }

    /// The beginning of the write that made a version, if one fits its time stamp; else the stamp.
    fn begun(&self, version: ResourceVersion, stamp: Timestamp) -> Timestamp {
        let written = self.written.get(&version).map(|(from, _)| *from);
        written
            .filter(|from| *from >= stamp && from.duration_since(stamp) < STAMPED)
            .unwrap_or(stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn version(n: u64) -> ResourceVersion {
        ResourceVersion(n)
    }

    #[test]
    fn neighbours_bound_a_version_without_times() {
        let mut clock = Clock::default();
        clock.not_before(version(3), at(10));
        clock.written(version(3), at(11), at(12));
        clock.written(version(7), at(20), at(21));
        let table = [
            (2, (None, Some(at(12)))),
            (3, (Some(at(11)), Some(at(12)))),
            (5, (Some(at(11)), Some(at(21)))),
            (9, (Some(at(11)), None)),
        ];
        for (n, expected) in table {
            assert_eq!(clock.bounds(version(n)), expected, "{n}");
        }
    }

    #[test]
    fn a_write_that_changed_nothing_moves_no_beginning() {
        let mut clock = Clock::default();
        clock.not_before(version(3), at(10));
        // Answered with version 3 much later: it was there, and older.
        clock.written(version(3), at(500), at(501));
        clock.not_before(version(4), at(20));
        clock.written(version(4), at(20), at(21));
        assert_eq!(clock.bounds(version(3)), (Some(at(10)), Some(at(21))));
        assert_eq!(clock.bounds(version(4)), (Some(at(20)), Some(at(21))));
    }
}
