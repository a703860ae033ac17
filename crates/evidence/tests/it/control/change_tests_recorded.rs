//! `change-tests-recorded`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-tests-recorded",
        include_str!("../../fixtures/control/change-tests-recorded.json"),
    );
}
