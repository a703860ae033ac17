//! `sod-disjoint-teams`: its fixture, case by case.

#[test]
fn verdicts_and_reasons() {
    super::check(
        "sod-disjoint-teams",
        include_str!("../../fixtures/control/sod-disjoint-teams.json"),
    );
}
