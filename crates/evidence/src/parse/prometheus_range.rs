//! `prometheus-range`: answers of Prometheus' `query_range`.
//!
//! An answer does not repeat its query, so a series is known by the labels that the answer gives
//! it, and series of two answers are never put together. No points are *no data*, which is neither
//! good nor bad. Shape: `prometheus/prometheus` `docs/querying/api.md`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Number;

use super::{NotUnderstood, nullable, object_only};
use crate::time::Moment;

/// What one answer tells.
#[derive(Clone, Debug, PartialEq)]
pub enum RangeAnswer {
    /// The series, possibly none.
    Series {
        /// The series.
        series: Vec<MetricSeries>,
        /// Whether Prometheus warned of it, as of an answer that may be partial.
        warned: bool,
    },
    /// The query failed.
    Failed,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSeries {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its points in order of time; a value may be no number.
    pub points: Vec<(Timestamp, f64)>,
}

/// What a series was in a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Window {
    /// There is no value in the window: nothing follows from it.
    NoData,
    /// There are values.
    Values(Summary),
}

/// The values of a series in a window, those that are no numbers left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Their mean, each point counting alike.
    pub mean: f64,
    /// The last.
    pub last: f64,
    /// How many there are.
    pub points: u32,
}

#[derive(Deserialize)]
struct Raw {
    status: String,
    data: Option<RawData>,
    #[serde(default, deserialize_with = "nullable")]
    warnings: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawData {
    result_type: String,
    result: Vec<RawSeries>,
}

#[derive(Deserialize)]
struct RawSeries {
    metric: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "nullable")]
    values: Vec<(Number, String)>,
}

/// Reads one answer.
pub fn parse(answer: &[u8]) -> Result<RangeAnswer, NotUnderstood> {
    let raw: Raw = serde_json::from_slice(object_only(answer)?)?;
    match (raw.status.as_str(), raw.data) {
        ("error", _) => Ok(RangeAnswer::Failed),
        ("success", Some(data)) if data.result_type == "matrix" => {
            let series = data.result.into_iter().map(RawSeries::read);
            let series = series.collect::<Result<_, _>>()?;
            Ok(RangeAnswer::Series { series, warned: !raw.warnings.is_empty() })
        }
        ("success", Some(_)) => Err(NotUnderstood::Kind),
        _ => Err(NotUnderstood::Shape { column: 0 }),
    }
}

impl RawSeries {
    fn read(self) -> Result<MetricSeries, NotUnderstood> {
        let shape = || NotUnderstood::Shape { column: 0 };
        let point = |(at, value): (Number, String)| {
            Ok::<_, NotUnderstood>((
                instant(&at).ok_or_else(shape)?,
                value.parse().map_err(|_| shape())?,
            ))
        };
        let mut points =
            self.values.into_iter().map(point).collect::<Result<Vec<(Timestamp, f64)>, _>>()?;
        points.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        Ok(MetricSeries { labels: self.metric, points })
    }
}

/// Seconds since 1970 with a fraction, read as digits: a binary fraction would not be exact.
fn instant(seconds: &Number) -> Option<Timestamp> {
    let text = seconds.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |c: &u8| c.is_ascii_digit();
    if fraction.len() > 9 || !fraction.bytes().all(|c| digits(&c)) || whole.starts_with('-') {
        return None;
    }
    let nanoseconds: i32 = format!("{fraction:0<9}").parse().ok()?;
    Timestamp::new(whole.parse().ok()?, nanoseconds).ok()
}

impl MetricSeries {
    /// Whether the series has all these labels with these values.
    pub fn has(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().all(|(key, value)| self.labels.get(*key).is_some_and(|v| v == value))
    }

    /// From the first of its points to the last.
    pub(crate) fn span(&self) -> Option<Moment> {
        let times = || self.points.iter().map(|(at, _)| *at);
        times().min().zip(times().max()).map(|(first, last)| Moment::window(first, last))
    }

    /// What the series was at or after `from` and before `to`.
    pub fn window(&self, from: Timestamp, to: Timestamp) -> Window {
        let within = self.points.iter().filter(|(at, _)| from <= *at && *at < to);
        let values = within.map(|(_, value)| *value).filter(|value| !value.is_nan());
        let mut summary: Option<Summary> = None;
        let mut sum = 0.0;
        for value in values {
            let known = summary.get_or_insert(Summary {
                min: value,
                max: value,
                mean: value,
                last: value,
                points: 0,
            });
            sum += value;
            known.points += 1;
            known.min = known.min.min(value);
            known.max = known.max.max(value);
            known.mean = sum / f64::from(known.points);
            known.last = value;
        }
        summary.map_or(Window::NoData, Window::Values)
    }
}
