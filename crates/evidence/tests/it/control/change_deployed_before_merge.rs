//! `change-deployed-before-merge`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-deployed-before-merge",
        include_str!("../../fixtures/control/change-deployed-before-merge.json"),
    );
}
