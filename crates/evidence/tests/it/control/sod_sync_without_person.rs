//! `sod-sync-without-person`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "sod-sync-without-person",
        include_str!("../../fixtures/control/sod-sync-without-person.json"),
    );
}
