//! `emergency-freeze-hole`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "emergency-freeze-hole",
        include_str!("../../fixtures/control/emergency-freeze-hole.json"),
    );
}
