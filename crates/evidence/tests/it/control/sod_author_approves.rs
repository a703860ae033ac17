//! `sod-author-approves`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "sod-author-approves",
        include_str!("../../fixtures/control/sod-author-approves.json"),
    );
}
