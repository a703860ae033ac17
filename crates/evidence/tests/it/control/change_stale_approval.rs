//! `change-stale-approval`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-stale-approval",
        include_str!("../../fixtures/control/change-stale-approval.json"),
    );
}
