//! `change-ticket-approved`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-ticket-approved",
        include_str!("../../fixtures/control/change-ticket-approved.json"),
    );
}
