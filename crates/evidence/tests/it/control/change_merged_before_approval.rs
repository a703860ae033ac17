//! `change-merged-before-approval`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-merged-before-approval",
        include_str!("../../fixtures/control/change-merged-before-approval.json"),
    );
}
