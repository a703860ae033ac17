//! `sod-entitled`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check("sod-entitled", include_str!("../../fixtures/control/sod-entitled.json"));
}
