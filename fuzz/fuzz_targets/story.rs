//! A story of several records of any channels, a line each with its selecting byte first.
//!
//! The same records give the same bytes in another order and when some come twice, and every
//! question can be asked of it.

#![no_main]

use std::sync::LazyLock;

use evidence::ask::timeline::{Query, timeline};
use evidence::ask::{change, running};
use evidence::people::People;
use evidence::record::Record;
use evidence::story::derive;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

static PEOPLE: LazyLock<People> = LazyLock::new(fuzz::people);

fn asked(answer: &impl serde::Serialize) {
    serde_json::to_vec(answer).expect("an answer has text keys only");
}

fuzz_target!(|data: &[u8]| {
    let lines = data.split(|b| *b == b'\n').take(24).filter_map(|l| l.split_first());
    let taken = lines.flat_map(|(select, line)| fuzz::take(line, fuzz::channel(*select)).0);
    let records: Vec<Record> = taken.map(|entry| fuzz::checked(&entry)).collect();
    if records.is_empty() {
        return;
    }
    // A ledger keeps the first of two records with one key.
    let mut seen = std::collections::BTreeSet::new();
    let records: Vec<Record> =
        records.into_iter().filter(|r| seen.insert(r.cite.clone())).collect();
    let story = derive(records.clone(), &PEOPLE);
    let bytes = story.to_json();
    let backwards = records.iter().rev().chain(records.first()).cloned();
    assert!(
        derive(backwards, &PEOPLE).to_json() == bytes,
        "the order of arrival changed the story"
    );
    let (from, to) = (Timestamp::MIN, Timestamp::MAX);
    let query = Query { from, to, app: None, namespace: None, environment: None };
    asked(&timeline(&story, &query));
    asked(&running::running(&story, to, None));
    asked(&change::list(&story, None));
    for one in &story.changes {
        asked(&change::show(&story, one));
    }
});
