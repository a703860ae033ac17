//! `change-window-recorded`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-window-recorded",
        include_str!("../../fixtures/control/change-window-recorded.json"),
    );
}
