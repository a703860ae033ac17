//! The oracle: every expected fact of the recorded evening but its operations, found once.

use std::collections::BTreeMap;

use evidence::story::act::Act;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::captures;

/// Whether an act says everything that an expected fact asks for; `what` is for people.
fn says(act: &Value, expected: &Value) -> bool {
    let row = expected.as_object().unwrap();
    row.iter().all(|(key, value)| match key.as_str() {
        "what" | "from" | "to" | "remark" => true,
        "fact" => act["kind"] == *value,
        "person" => act["who"]["person"] == *value,
        "account" => act["who"]["account"] == *value,
        "pr" => act["number"] == *value,
        "set" => act["version"] == *value,
        // The object's kind: `kind` is taken by the act's own.
        "kind" => act["object_kind"] == *value,
        "subject" => holds(&act["subjects"], value),
        "image" => ends(&act["images"], value),
        "value" => ends(&act["values"], value),
        "granted" => holds(&act["granted"], value),
        "removed" => value.as_array().unwrap().iter().all(|v| holds(&act["removed"], v)),
        "revision" => act["revision"] == *value,
        _ => act[key] == *value,
    })
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn holds(list: &Value, value: &Value) -> bool {
    texts(list).any(|text| Some(text) == value.as_str())
}

/// An image's tag, the value of a key.
fn ends(list: &Value, value: &Value) -> bool {
    texts(list).any(|text| text.rsplit([':', '=']).next().map(str::trim) == value.as_str())
}

fn is_then(act: &Act, expected: &Value) -> bool {
    let stamp = |key: &str| expected[key].as_str().unwrap().parse::<Timestamp>().unwrap();
    let second = SignedDuration::from_secs(1);
    act.at.is_some_and(|at| at.overlaps(stamp("from") - second, stamp("to") + second + second))
}

#[test]
fn every_expected_act_is_derived_and_nothing_else() {
    let acts: Vec<(&Act, Value)> = captures::story()
        .acts
        .iter()
        .map(|act| (act, serde_json::to_value(act).unwrap()))
        .collect();
    let mut free: Vec<bool> = vec![true; acts.len()];
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut missing = Vec::new();
    for row in captures::expected_all().iter().filter(|row| row["fact"] != "operation") {
        let count = counts.entry(row["fact"].as_str().unwrap().to_owned()).or_default();
        count.1 += 1;
        let fits = |i: &usize| free[*i] && says(&acts[*i].1, row) && is_then(acts[*i].0, row);
        match (0..acts.len()).find(fits) {
            Some(at) => {
                free[at] = false;
                count.0 += 1;
            }
            None => missing.push(row.to_string()),
        }
    }
    let extra: Vec<String> =
        acts.iter().zip(&free).filter(|(_, f)| **f).map(|((_, v), _)| v.to_string()).collect();
    for (kind, (matched, expected)) in &counts {
        println!("{kind}: {matched}/{expected}");
    }
    println!("expected, not derived: {}\n{}", missing.len(), missing.join("\n"));
    println!("derived, not expected: {}\n{}", extra.len(), extra.join("\n"));
    assert!(missing.is_empty(), "{} expected facts are not derived", missing.len());
}
