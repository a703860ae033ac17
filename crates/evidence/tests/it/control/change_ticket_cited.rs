//! `change-ticket-cited`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-ticket-cited",
        include_str!("../../fixtures/control/change-ticket-cited.json"),
    );
}
