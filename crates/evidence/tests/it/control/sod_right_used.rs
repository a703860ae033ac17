//! `sod-right-used`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check("sod-right-used", include_str!("../../fixtures/control/sod-right-used.json"));
}
