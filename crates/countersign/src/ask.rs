//! Questions as they come from outside, on the command line and over HTTP: words become a query, and
//! an answer says what it was derived from.
//!
//! Both ways share this module, so that the same question gives the same bytes on both.

use evidence::ask::change::Selector;
use evidence::record::Cite;
use evidence::story::Story;
use evidence::time::Moment;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use schemars::JsonSchema;
use serde::Serialize;

use self::when::Said;

pub mod check;
pub mod judging;
pub mod spots;
pub mod status;
pub mod when;

/// How far around a moment said to the second the answer looks: the effects of a sync show within
/// seconds.
const AROUND: SignedDuration = SignedDuration::from_secs(10);

/// An answer, and what it was derived from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "{T}Answer")]
pub struct Answered<T> {
    /// The answer.
    #[serde(flatten)]
    pub answer: T,
    /// What it was derived from.
    pub derived: Derived,
}

/// What an answer was derived from: the first entries of a ledger, as signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Derived {
    /// So many entries from the first on: the size of the tree that the checkpoint signs.
    pub entries: u64,
    /// The checkpoint, a C2SP signed note.
    pub checkpoint: String,
}

impl<T: Serialize> Answered<T> {
    /// The answer as JSON: the same bytes for the same answer.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What is wrong with a question, and with which of its parts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct BadQuestion {
    /// The part: `at`, `window`, `from`, `to`, `tz`, `now`, `selector`.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: Wrong,
}

/// What is wrong with a part of a question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It says no moment.
    #[error(
        "{0:?} is no moment; say 2026-11-23T21:47:42Z, \"2026-11-23 21:47\", 2026-11-23, 21:47 or \"mon 21:47:42\""
    )]
    Moment(String),
    /// It names no time zone.
    #[error("{0:?} is no time zone; say UTC or Europe/Madrid")]
    Zone(String),
    /// It says no length of time.
    #[error("{0:?} is no length of time; say 30s, 5m or 1h")]
    Length(String),
    /// Nothing says when.
    #[error("nothing says when; say at, from and to, or whole")]
    NoPeriod,
    /// Two ways to say when exclude each other.
    #[error("say at (with window), or from and to, or whole: not several of them")]
    SeveralPeriods,
    /// The period has no length.
    #[error("the period ends before it begins")]
    Backwards,
    /// It is outside of the years that can be reckoned with.
    #[error("the period leaves the years -9999 to 9999")]
    TooFar,
    /// It names no change.
    #[error(
        "{0:?} names no change; say pr:N, a commit of at least 7 digits, a ticket's key, operation:app@version or entry:N"
    )]
    Selector(String),
    /// The ledger has no such entry.
    #[error("the ledger has no entry {0} under the checkpoint that the answer rests on")]
    NoEntry(u64),
}

impl Wrong {
    fn with(self, name: &'static str) -> BadQuestion {
        BadQuestion { name, problem: self }
    }
}

/// Reads a time zone.
pub fn zone(name: &str) -> Result<TimeZone, BadQuestion> {
    TimeZone::get(name).map_err(|_| Wrong::Zone(name.to_owned()).with("tz"))
}

/// Reads the moment that "now" means.
pub fn now(text: Option<&str>, system: Timestamp) -> Result<Timestamp, BadQuestion> {
    let Some(text) = text else { return Ok(system) };
    text.parse().map_err(|_| Wrong::Moment(text.to_owned()).with("now"))
}

/// Reads a length of time.
pub fn length(name: &'static str, text: &str) -> Result<SignedDuration, BadQuestion> {
    let length: Option<SignedDuration> = text.parse().ok();
    let length = length.filter(|l| !l.is_negative());
    length.ok_or_else(|| Wrong::Length(text.to_owned()).with(name))
}

/// Reads one moment of a question.
pub fn moment(name: &'static str, text: &str, now: &Zoned) -> Result<when::Moment, BadQuestion> {
    when::parse(text, now).map_err(|_| Wrong::Moment(text.to_owned()).with(name))
}

/// The words that say which period is asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Period<'a> {
    /// A moment.
    pub at: Option<&'a str>,
    /// How far around it to look.
    pub window: Option<SignedDuration>,
    /// The beginning.
    pub from: Option<&'a str>,
    /// The end.
    pub to: Option<&'a str>,
    /// All that the records hold.
    pub whole: bool,
}

impl Period<'_> {
    /// The period, `to` exclusive; `None` for all that the records hold.
    pub fn read(&self, now: &Zoned) -> Result<Option<(Timestamp, Timestamp)>, BadQuestion> {
        let span = self.from.is_some() || self.to.is_some();
        if usize::from(self.at.is_some()) + usize::from(span) + usize::from(self.whole) > 1 {
            return Err(Wrong::SeveralPeriods.with("at"));
        }
        if self.window.is_some() && self.at.is_none() {
            return Err(Wrong::NoPeriod.with("window"));
        }
        match self.at {
            Some(at) => self.around(at, now).map(Some),
            None if self.whole => Ok(None),
            None if span => self.span(now).map(Some),
            None => Err(Wrong::NoPeriod.with("at")),
        }
    }

    fn around(&self, at: &str, now: &Zoned) -> Result<(Timestamp, Timestamp), BadQuestion> {
        let moment = moment("at", at, now)?;
        let far = |_| Wrong::TooFar.with("at");
        let window = match (self.window, moment.said) {
            (Some(window), _) => window,
            (None, Said::ToTheSecond) => AROUND,
            (None, Said::ToTheMinute | Said::ToTheDay) => {
                return Ok((moment.from, when::end(moment).map_err(far)?));
            }
        };
        let from = moment.from.checked_sub(window).map_err(far)?;
        Ok((from, moment.from.checked_add(window).map_err(far)?))
    }

    fn span(&self, now: &Zoned) -> Result<(Timestamp, Timestamp), BadQuestion> {
        let from = self.from.map(|t| moment("from", t, now)).transpose()?;
        let from = from.map_or(Timestamp::MIN, |m| m.from);
        let to = match self.to.map(|t| moment("to", t, now)).transpose()? {
            None => now.timestamp(),
            Some(m) => when::end(m).map_err(|_| Wrong::TooFar.with("to"))?,
        };
        if from < to { Ok((from, to)) } else { Err(Wrong::Backwards.with("to")) }
    }
}

/// From the first to the last time that a record states; all times there are, where none does.
pub fn extent(story: &Story) -> (Timestamp, Timestamp) {
    let first = story.coverage.iter().filter_map(|c| c.first.as_ref()).map(Moment::earliest).min();
    let last = story.coverage.iter().filter_map(|c| c.last.as_ref()).map(Moment::latest).max();
    let last = last.and_then(|l| l.checked_add(SignedDuration::from_nanos(1)).ok());
    first.zip(last).unwrap_or((Timestamp::MIN, Timestamp::MAX))
}

/// Whether an Application is in the records under this name.
pub fn is_known(story: &Story, asked: &str) -> bool {
    let named = |namespace: &str, name: &str| {
        asked == name || asked.split_once('/') == Some((namespace, name))
    };
    let operations = story.operations.iter().map(|o| &o.app);
    let mut apps = operations.chain(story.state_changes.iter().map(|s| &s.app));
    apps.any(|app| named(&app.namespace, &app.name))
}

/// What a selector says; an entry's number is looked up in the ledger at hand.
pub fn selector<E: From<BadQuestion>>(
    text: &str,
    entry: impl FnOnce(u64) -> Result<Option<Cite>, E>,
) -> Result<Selector, E> {
    if let Some(number) = text.strip_prefix("entry:").and_then(|n| n.parse::<u64>().ok()) {
        let cite = entry(number)?;
        let cite = cite.ok_or_else(|| Wrong::NoEntry(number).with("selector"))?;
        return Ok(Selector::Record(cite));
    }
    let selector = Selector::parse(text);
    selector.ok_or_else(|| Wrong::Selector(text.to_owned()).with("selector").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_said_in_one_way() {
        let now: Zoned = "2026-11-24T09:00:00+01:00[Europe/Madrid]".parse().expect("a time");
        let none = Period::default();
        let minute = Some(SignedDuration::from_mins(1));
        let table = [
            (Period { at: Some("mon 22:47:42"), ..none }, Ok("21:47:32Z 21:47:52Z")),
            (Period { at: Some("mon 22:47"), ..none }, Ok("21:47:00Z 21:48:00Z")),
            (Period { at: Some("mon 22:47"), window: minute, ..none }, Ok("21:46:00Z 21:48:00Z")),
            (
                Period { from: Some("mon 22:40"), to: Some("mon 22:41"), ..none },
                Ok("21:40:00Z 21:42:00Z"),
            ),
            (Period { at: Some("noonish"), ..none }, Err("at")),
            (Period { from: Some("mon 22:40"), to: Some("noonish"), ..none }, Err("to")),
            (Period { from: Some("mon 22:40"), to: Some("mon 22:30"), ..none }, Err("to")),
            (Period { window: minute, ..none }, Err("window")),
            (Period { at: Some("mon 22:47"), whole: true, ..none }, Err("at")),
            (none, Err("at")),
        ];
        for (period, expected) in table {
            let read = period.read(&now).map(|p| p.expect("a period"));
            let clock = |t: Timestamp| t.to_string().split_once('T').expect("a time").1.to_owned();
            let read = read.map(|(from, to)| format!("{} {}", clock(from), clock(to)));
            assert_eq!(read.as_deref().map_err(|e| e.name), expected, "{period:?}");
        }
        assert_eq!(Period { whole: true, ..none }.read(&now), Ok(None));
    }
}
