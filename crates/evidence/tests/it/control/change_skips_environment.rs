//! `change-skips-environment`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-skips-environment",
        include_str!("../../fixtures/control/change-skips-environment.json"),
    );
}
