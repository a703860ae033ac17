//! `change-fall-back-recorded`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-fall-back-recorded",
        include_str!("../../fixtures/control/change-fall-back-recorded.json"),
    );
}
