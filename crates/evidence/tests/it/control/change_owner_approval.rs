//! `change-owner-approval`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-owner-approval",
        include_str!("../../fixtures/control/change-owner-approval.json"),
    );
}
