//! `change-local-manifests`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "change-local-manifests",
        include_str!("../../fixtures/control/change-local-manifests.json"),
    );
}
