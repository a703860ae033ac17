//! `change-direct-push`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-direct-push",
        include_str!("../../fixtures/control/change-direct-push.json"),
    );
}
