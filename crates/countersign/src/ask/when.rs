//! Moments as people say them: `2026-11-23T21:47:42Z`, `2026-11-23 21:47`, `21:47`, `mon 21:47:42`.
//!
//! What is not said is taken from `--now` and `--tz`: a time alone is today's, a weekday is the last
//! one that is not in the future.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};

/// A moment and how exactly it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its beginning.
    pub from: Timestamp,
    /// How exactly.
    pub said: Said,
}

/// How exactly a moment was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// With seconds.
    ToTheSecond,
    /// Hours and minutes.
    ToTheMinute,
    /// A date alone: the day from midnight on.
    ToTheDay,
}

/// A text that says no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no moment")]
pub struct BadTime(pub String);

/// The end of what was said: a minute or a day said as the end is part of the period.
pub fn end(moment: Moment) -> Result<Timestamp, jiff::Error> {
    moment.from.checked_add(match moment.said {
        Said::ToTheSecond => SignedDuration::from_secs(1),
        Said::ToTheMinute => SignedDuration::from_mins(1),
        Said::ToTheDay => SignedDuration::from_hours(24),
    })
}

/// Reads a moment. `now` is in the time zone that the text is meant in.
pub fn parse(text: &str, now: &Zoned) -> Result<Moment, BadTime> {
    let bad = || BadTime(text.to_owned());
    let trimmed = text.trim();
    if let Ok(from) = trimmed.parse::<Timestamp>() {
        return Ok(Moment { from, said: Said::ToTheSecond });
    }
    // A date with a time parses as a date too; only the ten characters of one are a day.
    if let Some(date) = trimmed.parse::<Date>().ok().filter(|_| trimmed.len() == 10) {
        let midnight = date.to_zoned(now.time_zone().clone()).map_err(|_| bad())?;
        return Ok(Moment { from: midnight.timestamp(), said: Said::ToTheDay });
    }
    let (day, clock) = match trimmed.rsplit_once([' ', 'T']) {
        Some((day, clock)) => (Some(day.trim().trim_end_matches(',')), clock),
        None => (None, trimmed),
    };
    let (time, said) = read_clock(clock).ok_or_else(bad)?;
    let date = match day {
        None => now.date(),
        Some(day) => read_day(day, now, time).ok_or_else(bad)?,
    };
    let zone: &TimeZone = now.time_zone();
    let zoned = DateTime::from_parts(date, time).to_zoned(zone.clone()).map_err(|_| bad())?;
    Ok(Moment { from: zoned.timestamp(), said })
}

fn read_clock(text: &str) -> Option<(Time, Said)> {
    let parts: Vec<&str> = text.split(':').collect();
    let number = |t: &str| t.parse::<i8>().ok().filter(|_| (1..=2).contains(&t.len()));
    let (hour, minute) = (number(parts.first()?)?, number(parts.get(1)?)?);
    let second = parts.get(2).map(|s| number(s));
    if parts.len() > 3 || second == Some(None) {
        return None;
    }
    let second = second.flatten();
    let said = if second.is_some() { Said::ToTheSecond } else { Said::ToTheMinute };
    Some((Time::new(hour, minute, second.unwrap_or(0), 0).ok()?, said))
}

fn read_day(text: &str, now: &Zoned, time: Time) -> Option<Date> {
    if let Ok(date) = text.parse::<Date>() {
        return Some(date);
    }
    let days_back = match text.to_ascii_lowercase().as_str() {
        "today" => 0,
        "yesterday" => 1,
        name => {
            let wanted = weekday(name)?;
            let back = i64::from(now.weekday().since(wanted));
            // The same weekday later today means the one a week ago: the past is asked about.
            if back == 0 && time > now.time() { 7 } else { back }
        }
    };
    now.date().checked_sub(days_back.days()).ok()
}

fn weekday(name: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let fits = |day: &&(&str, Weekday)| name.len() >= 3 && day.0.starts_with(name);
    DAYS.iter().find(fits).map(|day| day.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_as_people_say_them() {
        // A Tuesday, one hour ahead of UTC.
        let now: Zoned = "2026-11-24T09:00:00+01:00[Europe/Madrid]".parse().expect("a time");
        let table = [
            ("2026-11-23T21:47:42Z", Some(("2026-11-23T21:47:42Z", Said::ToTheSecond))),
            ("2026-11-23T22:47:42+01:00", Some(("2026-11-23T21:47:42Z", Said::ToTheSecond))),
            ("2026-11-23 22:47", Some(("2026-11-23T21:47:00Z", Said::ToTheMinute))),
            ("mon 22:47:42", Some(("2026-11-23T21:47:42Z", Said::ToTheSecond))),
            ("Monday, 22:47", Some(("2026-11-23T21:47:00Z", Said::ToTheMinute))),
            ("yesterday 22:47", Some(("2026-11-23T21:47:00Z", Said::ToTheMinute))),
            ("08:30", Some(("2026-11-24T07:30:00Z", Said::ToTheMinute))),
            ("tue 08:30", Some(("2026-11-24T07:30:00Z", Said::ToTheMinute))),
            ("tue 10:00", Some(("2026-11-17T09:00:00Z", Said::ToTheMinute))),
            ("wed 10:00", Some(("2026-11-18T09:00:00Z", Said::ToTheMinute))),
            ("2026-11-23", Some(("2026-11-22T23:00:00Z", Said::ToTheDay))),
            ("noon", None),
            ("mon", None),
            ("mo 10:00", None),
            ("25:00", None),
            ("10:00:00:00", None),
            ("10:x", None),
            ("", None),
        ];
        for (text, expected) in table {
            let got = parse(text, &now).ok().map(|m| (m.from.to_string(), m.said));
            assert_eq!(got, expected.map(|(t, s)| (t.to_owned(), s)), "{text:?}");
        }
    }
}
