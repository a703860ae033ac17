//! `sod-initiator-contradicted`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "sod-initiator-contradicted",
        include_str!("../../fixtures/control/sod-initiator-contradicted.json"),
    );
}
