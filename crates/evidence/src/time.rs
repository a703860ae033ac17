//! Times as sources state them: an interval, and how finely its clock resolves.
//!
//! A stamp of one second means some moment within that second, so two stamps of one second say
//! nothing about which came first. Within one resource the resourceVersion orders; across
//! resources only intervals that do not overlap do. Everything else is "same time", and said so.

use std::cmp::Ordering;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// How finely the clock behind a [`Moment`] resolves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// The stamp has fractions of a second; the interval is as wide as its last digit.
    Subsecond,
    /// The stamp has whole seconds; the interval is one second wide.
    Second,
    /// No stamp states the moment; the interval lies between two others that do.
    Bounds,
}

impl Resolution {
    /// The word for it in serialised stories.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Subsecond => "subsecond",
            Self::Second => "second",
            Self::Bounds => "bounds",
        }
    }
}

/// When something happened: at or after `earliest`, and before `latest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    earliest: Timestamp,
    latest: Timestamp,
    resolution: Resolution,
}

/// What two moments say about which of them came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// The first ended before the second began.
    Before,
    /// The second ended before the first began.
    After,
    /// The intervals overlap: the records do not say.
    SameTime,
}

/// A text that is no RFC 3339 time stamp.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time stamp")]
pub struct BadStamp;

impl Moment {
    /// Reads an RFC 3339 stamp as the interval that it means.
    pub fn parse(stamp: &str) -> Result<Self, BadStamp> {
        let earliest: Timestamp = stamp.parse().map_err(|_| BadStamp)?;
        let digits = stamp
            .split_once('.')
            .map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
        let resolution = if digits == 0 { Resolution::Second } else { Resolution::Subsecond };
        let exponent = u32::try_from(digits.min(9)).map_err(|_| BadStamp)?;
        let width = SignedDuration::from_nanos(1_000_000_000 / 10_i64.pow(exponent));
        Ok(Self { earliest, latest: later(earliest, width), resolution })
    }

    /// The moment between two stamps: not before the first, and before the end of the second.
    pub fn between(first: Self, second: Self) -> Self {
        let latest = second.latest.max(first.latest);
        Self {
            earliest: first.earliest,
            latest,
            resolution: first.resolution.max(second.resolution),
        }
    }

    /// The moment bounded by two others that do not state it themselves.
    pub fn bounded(first: Self, second: Self) -> Self {
        Self { resolution: Resolution::Bounds, ..Self::between(first, second) }
    }

    /// The interval from one instant to another, as somebody asks for it.
    pub fn window(from: Timestamp, to: Timestamp) -> Self {
        Self { earliest: from, latest: to.max(from), resolution: Resolution::Subsecond }
    }

    /// The first instant of the interval.
    pub const fn earliest(&self) -> Timestamp {
        self.earliest
    }

    /// The end of the interval, itself no longer within it.
    pub const fn latest(&self) -> Timestamp {
        self.latest
    }

    /// How finely the clock resolves.
    pub const fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// Which of the two came first, as far as the intervals say.
    pub fn sequence(&self, other: &Self) -> Sequence {
        if self.latest <= other.earliest {
            Sequence::Before
        } else if other.latest <= self.earliest {
            Sequence::After
        } else {
            Sequence::SameTime
        }
    }

    /// Whether any instant of the interval lies within `from..to`.
    pub fn overlaps(&self, from: Timestamp, to: Timestamp) -> bool {
        self.earliest < to && from < self.latest
    }

    /// Orders by the beginning, then by the end: for lists only, it claims no sequence.
    pub fn list_order(&self, other: &Self) -> Ordering {
        (self.earliest, self.latest).cmp(&(other.earliest, other.latest))
    }
}

fn later(start: Timestamp, by: SignedDuration) -> Timestamp {
    start.checked_add(by).unwrap_or(Timestamp::MAX)
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.earliest.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stamp = String::deserialize(deserializer)?;
        Self::parse(&stamp).map_err(D::Error::custom)
    }
}

/// Serialised as `{"from", "to", "resolution"}`; `to` is exclusive.
impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Moment", 3)?;
        fields.serialize_field("from", &self.earliest.to_string())?;
        fields.serialize_field("to", &self.latest.to_string())?;
        fields.serialize_field("resolution", self.resolution.word())?;
        fields.end()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An interval on a source's clock; moments that overlap have no order.",
            "type": "object",
            "properties": {
                "from": { "type": "string", "format": "date-time" },
                "to": { "type": "string", "format": "date-time", "description": "Exclusive." },
                "resolution": { "enum": ["subsecond", "second", "bounds"] }
            },
            "required": ["from", "to", "resolution"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_as_wide_as_its_last_digit() {
        for (stamp, nanoseconds) in [
            ("2026-01-02T03:04:05Z", 1_000_000_000),
            ("2026-01-02T03:04:05.5Z", 100_000_000),
            ("2026-01-02T03:04:05.123456Z", 1_000),
            ("2026-01-02T03:04:05.123456789Z", 1),
            ("2026-01-02T05:04:05+02:00", 1_000_000_000),
        ] {
            let moment = Moment::parse(stamp).unwrap();
            let width = moment.latest.duration_since(moment.earliest);
            assert_eq!(width.as_nanos(), nanoseconds, "{stamp}");
        }
    }

    #[test]
    fn what_is_no_stamp_is_refused() {
        for stamp in ["", "yesterday", "2026-01-02", "[redacted]", "2026-13-02T03:04:05Z"] {
            assert_eq!(Moment::parse(stamp), Err(BadStamp), "{stamp}");
        }
    }

    #[test]
    fn only_intervals_that_do_not_overlap_have_a_sequence() {
        let second = Moment::parse("2026-01-02T03:04:05Z").unwrap();
        let within = Moment::parse("2026-01-02T03:04:05.9Z").unwrap();
        let next = Moment::parse("2026-01-02T03:04:06Z").unwrap();
        assert_eq!(second.sequence(&within), Sequence::SameTime);
        assert_eq!(second.sequence(&next), Sequence::Before);
        assert_eq!(next.sequence(&within), Sequence::After);
    }

    #[test]
    fn the_last_stamp_of_all_does_not_overflow() {
        let moment = Moment::parse("9999-12-30T22:00:00.999999999Z").unwrap();
        assert_eq!(moment.latest, Timestamp::MAX);
    }
}
