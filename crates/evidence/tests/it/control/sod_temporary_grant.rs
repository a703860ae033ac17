//! `sod-temporary-grant`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "sod-temporary-grant",
        include_str!("../../fixtures/control/sod-temporary-grant.json"),
    );
}
