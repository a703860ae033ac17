//! `sod-anonymous`: met by the base, broken by one change, undetermined without its source.

use super::Case;

#[test]
fn one_change_breaks_it_and_no_other_control() {
    Case::of("sod-anonymous").breaks_alone();
}

#[test]
fn without_its_source_it_is_undetermined() {
    Case::of("sod-anonymous").is_undetermined_without_its_source();
}
