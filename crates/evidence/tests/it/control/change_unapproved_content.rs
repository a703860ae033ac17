//! `change-unapproved-content`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-unapproved-content",
        include_str!("../../fixtures/control/change-unapproved-content.json"),
    );
}
