//! `change-restarts`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check("change-restarts", include_str!("../../fixtures/control/change-restarts.json"));
}
