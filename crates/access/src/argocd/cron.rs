//! Schedules and durations as Argo CD's sync windows write them: five fields in the dialect of the Go
//! library robfig/cron, and Go's durations. Own, because dialects differ where it matters: whether
//! day of month and day of week must both fit, what `*/2` counts as, and whether 7 is a Sunday.
//!
//! Read in robfig/cron at `bc59245`, the version that Argo CD pins: `parser.go` (`getField`,
//! `getRange`: a step above 1 takes the star away) and `spec.go` (`Next`, `dayMatches`). That
//! Argo CD's parser takes five fields and no `@daily` is in argoproj/argo-cd at `37ee009`,
//! `pkg/apis/application/v1alpha1/types.go`. Go's `time.ParseDuration` was not at hand to be read.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use thiserror::Error;

/// How many years `Next` of robfig/cron looks ahead before it gives up.
const YEARS_MAX: i16 = 5;

/// Why a schedule or a duration cannot be read. Argo CD then refuses every sync of the Application.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CronFault {
    /// Not five fields.
    #[error("the schedule has {0} fields: write minute, hour, day, month and weekday")]
    Fields(usize),
    /// A field that is no list of numbers, names, ranges and steps.
    #[error("the part {0:?} of the schedule is no number, name, range or step")]
    Part(String),
    /// A number that the field does not have, or a range that runs backwards.
    #[error("the part {0:?} of the schedule is outside of what its field may hold")]
    Range(String),
    /// A prefix `TZ=` or `CRON_TZ=`. robfig/cron reads it; it is not weighed here, so whether the
    /// window is open is undetermined.
    #[error("the schedule brings its own time zone, which is not weighed: write it in timeZone")]
    Zone,
    /// Not a duration of Go.
    #[error("the duration {0:?} is not like 1h30m")]
    Duration(String),
}

/// A schedule: the minutes at which something begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    bits: u64,
    star: bool,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Cron {
    /// Reads a schedule of five fields.
    pub fn parse(text: &str) -> Result<Self, CronFault> {
        if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
            return Err(CronFault::Zone);
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(CronFault::Fields(fields.len()));
        };
        Ok(Self {
            minutes: Field::parse(minutes, 0, 59, &[], 0)?,
            hours: Field::parse(hours, 0, 23, &[], 0)?,
            days: Field::parse(days, 1, 31, &[], 0)?,
            months: Field::parse(months, 1, 12, &MONTHS, 1)?,
            weekdays: Field::parse(weekdays, 0, 6, &WEEKDAYS, 0)?,
        })
    }

    /// Whether a minute is in the schedule. If day or weekday is a star both must fit, else either.
    pub fn contains(&self, at: DateTime) -> bool {
        self.minutes.has(at.minute()) && self.hours.has(at.hour()) && self.on(at.date())
    }

    fn on(&self, date: Date) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().to_sunday_zero_offset());
        let fits =
            if self.days.star || self.weekdays.star { day && weekday } else { day || weekday };
        self.months.has(date.month()) && fits
    }

    /// The first minute of the schedule strictly after a time, on a clock without zones. None if
    /// there is none in about five years.
    pub fn next_after(&self, after: DateTime) -> Option<DateTime> {
        // The search begins with the upcoming second, which may lie in the next year.
        let from = after.checked_add(SignedDuration::from_secs(1)).ok()?;
        let last_year = from.year().saturating_add(YEARS_MAX);
        let mut date = after.date();
        let mut from = Some(after);
        while date.year() <= last_year {
            if let Some(found) = self.on(date).then(|| self.next_on(date, from)).flatten() {
                return Some(found);
            }
            from = None;
            let whole_month = !self.months.has(date.month());
            let last = if whole_month { date.last_of_month() } else { date };
            date = last.tomorrow().ok()?;
        }
        None
    }

    fn next_on(&self, date: Date, after: Option<DateTime>) -> Option<DateTime> {
        let hours = self.hours.values();
        let mut times = hours
            .flat_map(|hour| self.minutes.values().map(move |minute| date.at(hour, minute, 0, 0)));
        times.find(|time| after.is_none_or(|after| *time > after))
    }
}

impl Field {
    fn parse(
        text: &str,
        min: u32,
        max: u32,
        names: &[&str],
        first: u32,
    ) -> Result<Self, CronFault> {
        let mut field = Self { bits: 0, star: false };
        for part in text.split(',').filter(|part| !part.is_empty()) {
            field.add(part, (min, max), names, first)?;
        }
        Ok(field)
    }

    fn add(
        &mut self,
        part: &str,
        (min, max): (u32, u32),
        names: &[&str],
        first: u32,
    ) -> Result<(), CronFault> {
        let bad = || CronFault::Part(part.to_owned());
        let (range, step) = part.split_once('/').map_or((part, None), |(a, b)| (a, Some(b)));
        let (low, high) = range.split_once('-').map_or((range, None), |(a, b)| (a, Some(b)));
        let star = low == "*" || low == "?";
        let value = |word: &str| number_or_name(word, names, first).ok_or_else(bad);
        let (start, mut end) = match (star, high) {
            (true, _) => (min, max),
            (false, None) => (value(low)?, value(low)?),
            (false, Some(high)) => (value(low)?, value(high)?),
        };
        let step = match step {
            None => 1,
            Some(word) => {
                // `5/15` means from 5 to the end.
                end = if high.is_none() { max } else { end };
                number(word).ok_or_else(bad)?
            }
        };
        if start < min || end > max || start > end || step == 0 {
            return Err(CronFault::Range(part.to_owned()));
        }
        // A star with a step is no star for the rule of day and weekday.
        self.star |= star && step == 1;
        let mut value = start;
        while value <= end {
            self.bits |= 1 << value;
            value = value.saturating_add(step);
        }
        Ok(())
    }

    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.bits & (1 << value) != 0)
    }

    fn values(self) -> impl Iterator<Item = i8> {
        (0..64i8).filter(move |value| self.has(*value))
    }
}

fn number(word: &str) -> Option<u32> {
    let digits = word.strip_prefix('+').unwrap_or(word);
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = if all { digits.parse().ok()? } else { return None };
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}

fn number_or_name(word: &str, names: &[&str], first: u32) -> Option<u32> {
    let lower = word.to_lowercase();
    let known = names.iter().zip(first..).find(|(name, _)| **name == lower);
    known.map(|(_, value)| value).or_else(|| number(word))
}

/// Reads a duration as Go writes it: `240h`, `1h30m`, `-1.5h`, `0`.
pub fn duration(text: &str) -> Result<SignedDuration, CronFault> {
    let bad = || CronFault::Duration(text.to_owned());
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(bad());
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
        let (amount, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        nanos = scaled(amount, unit_nanos(unit).ok_or_else(bad)?)
            .and_then(|part| nanos.checked_add(part))
            .filter(|nanos| *nanos <= i128::from(i64::MAX))
            .ok_or_else(bad)?;
        rest = after;
    }
    let nanos = i64::try_from(nanos).map_err(|_| bad())?;
    Ok(SignedDuration::from_nanos(if negative { -nanos } else { nanos }))
}

fn unit_nanos(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn scaled(amount: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    if (whole.is_empty() && fraction.is_empty()) || whole.len() > 19 || fraction.len() > 15 {
        return None;
    }
    let number = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse().ok() };
    let whole: i128 = number(whole)?;
    let part: i128 = number(fraction)?;
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    Some(whole * unit + part * unit / scale)
}
