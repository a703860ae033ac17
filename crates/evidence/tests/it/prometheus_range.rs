//! `prometheus-range`: series, and what they were in a window.

use evidence::channel::Channel;
use evidence::parse::prometheus_range::{MetricSeries, RangeAnswer, Summary, Window, parse};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::captures::{self, record, records_of};
use crate::scenes::told;

fn answer(result: &Value) -> Value {
    json!({"status": "success", "data": {"resultType": "matrix", "result": result}})
}

fn one(values: &Value) -> MetricSeries {
    let text = answer(&json!([{"metric": {"app": "shop"}, "values": values}])).to_string();
    match parse(text.as_bytes()).unwrap() {
        RangeAnswer::Series { mut series, warned: false } => series.remove(0),
        other => panic!("{other:?}"),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn every_recorded_line_is_understood() {
    let of = |c: &&evidence::story::coverage::Coverage| c.channel == "prometheus-range";
    let found = captures::story().coverage.iter().find(of).unwrap();
    assert_eq!((found.records, found.not_understood, found.gaps.len()), (3, 0, 0));
    let (first, last) =
        (found.first.unwrap().to_string(), found.last.unwrap().latest().to_string());
    assert!(
        first.starts_with("2026-11-23T21:4") && last.starts_with("2026-11-23T21:5"),
        "{first} {last}"
    );
}

/// The evening's incident: more than half of the requests failed, and none did an hour's minute
/// before.
#[test]
fn the_recorded_error_ratio_shows_the_incident() {
    let answers = records_of(&[Channel::PrometheusRange]);
    let parsed = answers.iter().map(|r| parse(&r.payload).unwrap());
    let series = parsed.flat_map(|a| match a {
        RangeAnswer::Series { series, .. } => series,
        RangeAnswer::Failed => Vec::new(),
    });
    let labels = [("namespace", "payments-prod"), ("app", "payments")];
    let ratio: Vec<_> =
        series.filter(|s| s.has(&labels) && !s.labels.contains_key("__name__")).collect();
    let [ratio] = &ratio[..] else { panic!("{} series", ratio.len()) };
    let max = |from: &str, to: &str| {
        let on = |time: &str| format!("2026-11-23T{time}Z").parse().unwrap();
        match ratio.window(on(from), on(to)) {
            Window::Values(summary) => summary.max,
            Window::NoData => panic!("no data from {from} to {to}"),
        }
    };
    assert!(max("21:46:20", "21:47:10") > 0.05);
    assert!(max("21:44:00", "21:45:00") < 0.05);
}

#[test]
fn a_window_holds_what_lies_in_it_and_nothing_is_no_data() {
    let series = one(&json!([[30, "NaN"], [10, "1"], [20.5, "4"], [40, "+Inf"], [50, "2"]]));
    let summary =
        |points, min, max, mean, last| Window::Values(Summary { min, max, mean, last, points });
    assert_eq!(series.window(at(0), at(40)), summary(2, 1.0, 4.0, 2.5, 4.0));
    assert_eq!(series.window(at(50), at(51)), summary(1, 2.0, 2.0, 2.0, 2.0));
    assert_eq!(
        series.window(at(40), at(41)),
        summary(1, f64::INFINITY, f64::INFINITY, f64::INFINITY, f64::INFINITY)
    );
    for (from, to) in [(25, 35), (30, 30), (51, 99), (40, 10)] {
        assert_eq!(series.window(at(from), at(to)), Window::NoData, "{from}..{to}");
    }
    assert_eq!(one(&json!([])).window(at(0), at(99)), Window::NoData);
    assert!(series.has(&[("app", "shop")]) && !series.has(&[("app", "till")]));
    assert!(!series.has(&[("team", "")]));
}

#[test]
fn a_failed_or_partial_answer_is_a_gap_and_an_empty_one_none() {
    let gaps = |answer: &Value| {
        let story = told(&[record(Channel::PrometheusRange, "p", answer.to_string())]);
        assert_eq!(story.coverage[0].not_understood, 0);
        story.coverage[0].gaps.iter().map(|g| g.reason.clone()).collect::<Vec<_>>()
    };
    let failed = json!({"status": "error", "errorType": "timeout", "error": "somebody's query"});
    assert_eq!(gaps(&failed), ["a query failed"]);
    let mut warned = answer(&json!([]));
    warned["warnings"] = json!(["somebody's store is away"]);
    assert_eq!(gaps(&warned), ["Prometheus warned that an answer may be partial"]);
    assert!(gaps(&answer(&json!([]))).is_empty());
}

#[test]
fn answers_that_are_none() {
    let point = |point: Value| answer(&json!([{"metric": {}, "values": [point]}])).to_string();
    for (text, expected) in [
        (point(json!([10, "many"])), "a missing field"),
        (point(json!([10, 1])), "a missing field"),
        (point(json!(["10", "1"])), "a missing field"),
        (point(json!([-10, "1"])), "a missing field"),
        (point(json!([1e300, "1"])), "a missing field"),
        (point(json!([10])), "a missing field"),
        (answer(&json!({})).to_string(), "a missing field"),
        (answer(&json!([])).to_string().replace("matrix", "vector"), "an object of another kind"),
        (json!({"status": "success"}).to_string(), "a missing field"),
        ("{\"status\":".to_owned(), "not one complete JSON text"),
    ] {
        let reason = parse(text.as_bytes()).unwrap_err().to_string();
        assert!(reason.starts_with(expected), "{reason} for {text}");
    }
}
