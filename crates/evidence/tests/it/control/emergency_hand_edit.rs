//! `emergency-hand-edit`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "emergency-hand-edit",
        include_str!("../../fixtures/control/emergency-hand-edit.json"),
    );
}
