//! The oracle: every operation of the recorded evening, found once and told as it was.

use std::fmt::Write as _;

use evidence::story::operation::{Applied, End, Kind, Operation, SetAt};
use evidence::time::Moment;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::captures;

/// What a reading has to say of an operation, in the words of the expected facts.
fn told(operation: &Operation) -> Value {
    let SetAt::Exactly(set) = operation.set else { panic!("{operation:?} has no exact version") };
    let End::Cleared(cleared) = operation.end else { panic!("{operation:?} was not cleared") };
    json!({
        "app": operation.app.name,
        "set": set.0,
        "cleared": cleared.0,
        "kind": operation.kind.word(),
        "automated": operation.automated,
        "phase": operation.phase,
        "revision": operation.revision,
        "claimed_by": operation.claimed_by,
        "person": operation.person(),
        "contradicted": operation.initiator.is_contradicted(),
        "applied": applied(operation),
    })
}

/// The expected facts leave it open what an empty self-heal and a dry run applied.
fn applied(operation: &Operation) -> Option<&'static str> {
    let nothing = operation.applied == Applied::Nothing;
    (nothing && operation.kind != Kind::SelfHealEmpty).then_some("nothing")
}

fn expected(row: &Value) -> Value {
    let mut row = row.as_object().unwrap().clone();
    for key in ["fact", "from", "to", "remark"] {
        row.remove(key);
    }
    row.entry("applied").or_insert(Value::Null);
    Value::Object(row)
}

fn is_near(moment: Option<Moment>, expected: &Value) -> bool {
    let expected: Timestamp = expected.as_str().unwrap().parse().unwrap();
    let second = SignedDuration::from_secs(1);
    moment.is_some_and(|m| m.overlaps(expected - second, expected + second + second))
}

#[test]
fn all_operations_of_the_evening_are_told_as_they_were() {
    let mut unexpected: Vec<&Operation> = captures::story().operations.iter().collect();
    let rows = captures::expected("operation");
    let mut unmatched = Vec::new();
    for row in &rows {
        let found = unexpected.iter().position(|operation| {
            told(operation) == expected(row)
                && is_near(operation.from(), &row["from"])
                && is_near(operation.finished_at, &row["to"])
        });
        match found {
            Some(at) => drop(unexpected.remove(at)),
            None => unmatched.push(row),
        }
    }
    let mut report = String::new();
    for row in &unmatched {
        writeln!(report, "expected, not derived: {row}").unwrap();
    }
    for operation in &unexpected {
        let (from, to) = (operation.from(), operation.finished_at);
        writeln!(report, "derived, not expected: {} {from:?} {to:?}", told(operation)).unwrap();
    }
    println!("operations: matched {}/{}\n{report}", rows.len() - unmatched.len(), rows.len());
    assert_eq!(rows.len(), 45, "the expected facts changed");
    assert!(unmatched.is_empty() && unexpected.is_empty(), "{report}");
}
