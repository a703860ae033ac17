//! `sod-approver-independent`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "sod-approver-independent",
        include_str!("../../fixtures/control/sod-approver-independent.json"),
    );
}
