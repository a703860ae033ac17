//! A story depends on the set of records, on nothing else; fewer records accuse nobody new.

use evidence::channel::Channel;
use evidence::people::People;
use evidence::record::Record;
use evidence::story::{Story, derive};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};

use crate::captures;

/// The records in another order, some of them twice or three times.
fn shuffled(seed: u64) -> Vec<Record> {
    let mut state = seed | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    let mut records = captures::records().to_vec();
    for _ in 0..records.len() / 4 {
        let copy = records[next() % records.len()].clone();
        records.push(copy);
    }
    for at in (1..records.len()).rev() {
        records.swap(at, next() % (at + 1));
    }
    records
}

#[test]
fn any_order_and_any_repetition_give_the_same_bytes() {
    let people = captures::people();
    let expected = captures::story().to_json();
    for seed in 1..=20 {
        let story = derive(shuffled(seed * 0x9e37_79b9), &people);
        assert!(story.to_json() == expected, "seed {seed} gives another story");
    }
}

fn accusations(story: &Story) -> Vec<(String, u64)> {
    let contradicted = story.operations.iter().filter(|o| o.initiator.is_contradicted());
    contradicted.map(|o| (o.app.name.clone(), o.set.version().0)).collect()
}

fn persons(story: &Story) -> Vec<(String, u64, String)> {
    let named = story.operations.iter().filter_map(|o| Some((o, o.person()?)));
    named.map(|(o, p)| (o.app.name.clone(), o.set.version().0, p.to_owned())).collect()
}

#[test]
fn leaving_channels_out_accuses_and_names_nobody_new() {
    let (people, full) = (captures::people(), captures::story());
    for bits in 0_u8..8 {
        let channels: Vec<Channel> = Channel::ALL[..3]
            .iter()
            .enumerate()
            .filter_map(|(at, channel)| (bits & (1 << at) != 0).then_some(*channel))
            .collect();
        let story = derive(captures::records_of(&channels), &people);
        let (accused, named) = (accusations(&story), persons(&story));
        println!(
            "{channels:?}: {} operations, {} contradicted, {} with a person, {} undetermined",
            story.operations.len(),
            accused.len(),
            named.len(),
            story.operations.iter().filter(|o| o.initiator.is_undetermined()).count(),
        );
        assert!(accused.iter().all(|a| accusations(full).contains(a)), "{channels:?}: {accused:?}");
        assert!(named.iter().all(|n| persons(full).contains(n)), "{channels:?}: {named:?}");
        let has = |c| channels.contains(&c);
        let seen = has(Channel::ArgocdApplicationWatch);
        assert_eq!(story.operations.len(), if seen { 45 } else { 0 });
        let shown = seen && has(Channel::KubernetesAudit);
        assert_eq!(accused.len(), usize::from(shown), "{channels:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Single records lost, as by a dropped connection: no operation is told of anybody else.
    #[test]
    fn losing_records_accuses_nobody_new(lost in vec(any::<u16>(), 1..400)) {
        let records = captures::records();
        let lost: Vec<usize> = lost.into_iter().map(|at| usize::from(at) % records.len()).collect();
        let kept = records.iter().enumerate().filter(|(at, _)| !lost.contains(at));
        let story = derive(kept.map(|(_, r)| r.clone()), &captures::people());
        for accused in accusations(&story) {
            assert!(accusations(captures::story()).contains(&accused), "{accused:?}");
        }
        for named in persons(&story) {
            assert!(persons(captures::story()).contains(&named), "{named:?}");
        }
    }
}

#[test]
fn without_a_people_map_accounts_are_told_and_nobody_is_named() {
    let story = derive(captures::records().to_vec(), &People::default());
    assert!(story.people.is_empty());
    assert!(persons(&story).is_empty());
    // Two accounts that differ may be one person's: without a map nobody is contradicted.
    assert!(accusations(&story).is_empty());
    let written_by_another = story.operations.iter().filter(|o| o.initiator.is_undetermined());
    assert_eq!(written_by_another.count(), 1);
}

#[test]
fn a_story_says_its_version_and_which_channels_it_reads() {
    let json: serde_json::Value = serde_json::from_slice(&captures::story().to_json()).unwrap();
    assert_eq!(json["story"], 1);
    // Every channel is read; what the ledger says of itself says nothing of the world.
    let own = [Channel::LedgerAssessment, Channel::LedgerRedaction];
    let of_ledger = own.map(|channel| captures::record(channel, "r", "{}"));
    let records = captures::records().iter().cloned().chain(of_ledger);
    for coverage in &derive(records, &captures::people()).coverage {
        let of_the_ledger = own.iter().any(|c| c.id() == coverage.channel);
        assert_eq!(coverage.interpreted, !of_the_ledger, "{}", coverage.channel);
        assert_eq!(coverage.not_understood, 0, "{}", coverage.channel);
    }
    let people = ["alice", "bob", "carol", "dave", "erin", "frank"];
    assert_eq!(json["people"], serde_json::json!(people));
}
