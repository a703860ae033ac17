//! `sod-broad-owner`: met by the base, broken by one change, undetermined without its source.

use super::Case;

#[test]
fn one_change_breaks_it_and_no_other_control() {
    Case::of("sod-broad-owner").breaks_alone();
}

#[test]
fn without_its_source_it_is_undetermined() {
    Case::of("sod-broad-owner").is_undetermined_without_its_source();
}
