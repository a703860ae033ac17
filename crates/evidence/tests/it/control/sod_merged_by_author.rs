//! `sod-merged-by-author`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "sod-merged-by-author",
        include_str!("../../fixtures/control/sod-merged-by-author.json"),
    );
}
