//! `sod-cluster-bypass`: met by the base, broken by one change, undetermined without its source.

use super::Case;

#[test]
fn one_change_breaks_it_and_no_other_control() {
    Case::of("sod-cluster-bypass").breaks_alone();
}

#[test]
fn without_its_source_it_is_undetermined() {
    Case::of("sod-cluster-bypass").is_undetermined_without_its_source();
}

#[test]
fn each_further_case_is_judged() {
    Case::of("sod-cluster-bypass").judges_each_further_case();
}
