//! `sod-two-people`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check("sod-two-people", include_str!("../../fixtures/control/sod-two-people.json"));
}
