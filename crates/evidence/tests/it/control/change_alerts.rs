//! `change-alerts`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check("change-alerts", include_str!("../../fixtures/control/change-alerts.json"));
}
