//! Populations and samples: what is frozen is derived again, what is drawn is drawn again.

use std::collections::BTreeSet;

use evidence::assess::population::{Listing, Parameters, Row, Stratum, list};
use evidence::assess::sample::draw;
use evidence::assess::{Difference, check_population, check_sample};
use evidence::parse::ledger_assessment::Sample;
use evidence::people::People;
use evidence::story::derive;
use proptest::prelude::*;
use tlog::{Hash, TreeSize};

use crate::captures;

const LEAF: Hash = Hash::from_bytes([7; 32]);

fn prod() -> Parameters {
    Parameters { environment: Some("prod".to_owned()), ..Parameters::default() }
}

fn rows_of(listing: &Listing<'_>) -> Vec<Row> {
    listing.rows.iter().map(|l| l.row.clone()).collect()
}

/// Rows that differ in nothing but their number.
fn plain(count: u64) -> Vec<Row> {
    let row = |number| Row {
        app: None,
        cites: Vec::new(),
        class: "change",
        detail: None,
        environment: None,
        from: None,
        resolution: None,
        row: number,
        stratum: if number % 5 == 0 { Stratum::Emergency } else { Stratum::Other },
        to: None,
        what: "web@1".to_owned(),
    };
    (1..=count).map(row).collect()
}

#[test]
fn the_population_of_production_adds_up() {
    let listing = list(captures::story(), &prod());
    let of_prod =
        captures::story().population.iter().filter(|t| t.environment.as_deref() == Some("prod"));
    assert_eq!(listing.rows.len() + listing.excluded.len(), of_prod.count());
    assert!(listing.rows.len() > 10 && !listing.excluded.is_empty());
    assert_eq!(listing.strata().values().sum::<u64>(), listing.rows.len() as u64);
    assert!(listing.rows.iter().all(|l| l.row.class != "excluded"));
}

#[test]
fn rows_do_not_depend_on_the_people_map() {
    let nobody = derive(captures::records().to_vec(), &People::default());
    let (with, without) = (list(captures::story(), &prod()), list(&nobody, &prod()));
    assert_eq!(with.digest(), without.digest());
}

#[test]
fn a_frozen_population_is_held_to_the_records() {
    let listing = list(captures::story(), &prod());
    let frozen = listing.freeze(&prod(), TreeSize::new(9), &LEAF, "test 1");
    let root = LEAF.to_base64();
    assert_eq!(Parameters::of(&frozen), Ok(prod()));
    assert_eq!(check_population(&frozen, &listing, &root), []);
    let found = |change: &dyn Fn(&mut evidence::parse::ledger_assessment::Population)| {
        let mut changed = frozen.clone();
        change(&mut changed);
        check_population(&changed, &listing, &root)
    };
    assert!(matches!(found(&|p| p.rows += 1)[..], [Difference::Count { .. }]));
    assert!(matches!(found(&|p| p.excluded += 1)[..], [Difference::Count { .. }]));
    assert!(matches!(found(&|p| p.unplaced += 1)[..], [Difference::Count { .. }]));
    assert!(matches!(found(&|p| p.strata.clear())[..], [Difference::Count { .. }, ..]));
    assert!(matches!(found(&|p| p.digest.clear())[..], [Difference::Digest { .. }]));
    assert!(matches!(found(&|p| p.root.clear())[..], [Difference::Root { .. }]));
    assert!(found(&|p| p.rules.story += 1)[0].is_undetermined());
}

#[test]
fn a_sample_is_drawn_again_and_every_difference_is_told() {
    let rows = plain(60);
    let sample = Sample {
        population: 9,
        leaf: LEAF.to_string(),
        nonce: "of the auditor".to_owned(),
        size: 25,
        stratified: true,
        rules: 1,
        rows: draw(&rows, &LEAF, "of the auditor", 25, true),
        earlier: vec![4],
    };
    assert_eq!(check_sample(&sample, &rows, &LEAF, &[4]), []);
    let found = |change: &dyn Fn(&mut Sample)| {
        let mut changed = sample.clone();
        change(&mut changed);
        check_sample(&changed, &rows, &LEAF, &[4])
    };
    assert!(matches!(found(&|s| s.nonce.push('x'))[..], [Difference::Drawn { .. }]));
    assert!(matches!(found(&|s| s.size -= 1)[..], [Difference::Drawn { .. }]));
    assert!(matches!(found(&|s| s.stratified = false)[..], [Difference::Drawn { .. }]));
    assert!(matches!(found(&|s| s.rows[0] += 1)[..], [Difference::Drawn { .. }]));
    assert!(matches!(found(&|s| s.leaf.clear())[..], [Difference::Leaf { .. }]));
    assert!(matches!(found(&|s| s.earlier.clear())[..], [Difference::Earlier { .. }]));
    assert!(found(&|s| s.rules = 2)[0].is_undetermined());
    let other = check_sample(&sample, &rows, &Hash::from_bytes([8; 32]), &[4]);
    assert!(matches!(other[..], [Difference::Leaf { .. }, Difference::Drawn { .. }]));
}

#[test]
fn emergencies_and_what_is_outside_git_are_drawn_whole() {
    let listing = list(captures::story(), &Parameters::default());
    let rows = rows_of(&listing);
    let drawn: BTreeSet<u64> = draw(&rows, &LEAF, "n", 3, true).into_iter().collect();
    let whole: BTreeSet<u64> =
        rows.iter().filter(|r| r.stratum != Stratum::Other).map(|r| r.row).collect();
    assert!(!whole.is_empty() && whole.is_subset(&drawn));
    assert_eq!(drawn.len(), whole.len() + 3);
}

proptest! {
    #[test]
    fn a_draw_is_a_subset_of_the_asked_size(count in 0u64..80, size in 0u64..100, nonce in ".{0,20}") {
        let rows = plain(count);
        let drawn = draw(&rows, &LEAF, &nonce, size, false);
        prop_assert_eq!(drawn.len() as u64, size.min(count));
        prop_assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(drawn.iter().all(|n| (1..=count).contains(n)));
        let stratified = draw(&rows, &LEAF, &nonce, size, true);
        let whole = count / 5;
        prop_assert_eq!(stratified.len() as u64, whole + size.min(count - whole));
    }

    #[test]
    fn a_draw_does_not_depend_on_the_order_of_rows(turn in 0usize..40, nonce in "[a-z]{1,9}") {
        let rows = plain(40);
        let mut turned = rows.clone();
        turned.rotate_left(turn);
        prop_assert_eq!(draw(&rows, &LEAF, &nonce, 9, true), draw(&turned, &LEAF, &nonce, 9, true));
    }

    /// Ten of forty: two nonces give the same rows once in 847 million.
    #[test]
    fn another_nonce_draws_other_rows(a in "[a-m]{1,9}", b in "[n-z]{1,9}") {
        let rows = plain(40);
        prop_assert_ne!(draw(&rows, &LEAF, &a, 10, false), draw(&rows, &LEAF, &b, 10, false));
    }
}

/// 2,000 draws of 10 from 40: each row is expected 500 times. The statistic over 40 rows has 39
/// degrees of freedom; drawing without replacement scales it by 1 - 10/40. Beyond 73.4 lies one in
/// a thousand; the nonces are fixed, so the test gives the same on every run.
#[test]
fn every_row_is_as_likely_as_any_other() {
    let rows = plain(40);
    let mut times = [0f64; 40];
    for nonce in 0..2_000 {
        for number in draw(&rows, &LEAF, &nonce.to_string(), 10, false) {
            times[usize::try_from(number).unwrap() - 1] += 1.0;
        }
    }
    let statistic: f64 = times.iter().map(|n| (n - 500.0).powi(2) / 500.0).sum::<f64>() / 0.75;
    assert!(statistic < 73.4, "chi-square {statistic}");
    assert!(statistic > 14.0, "chi-square {statistic}: more even than chance");
}
