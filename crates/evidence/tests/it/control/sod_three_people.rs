//! `sod-three-people`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check("sod-three-people", include_str!("../../fixtures/control/sod-three-people.json"));
}
