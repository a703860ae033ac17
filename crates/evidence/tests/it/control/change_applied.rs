//! `change-applied`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check("change-applied", include_str!("../../fixtures/control/change-applied.json"));
}
