//! Controls on the recorded evening: what its story tells stands among the findings, and a change
//! by the book is judged as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use countersign::controls::catalogue;
use evidence::control::{
    Inputs, Outcome, Owned, Owners, Report, Settings, Verdict, assess, of_change,
};
use evidence::people::People;
use evidence::story::claim::Identity;
use serde_json::Value;

use crate::evening::{FULL, settings};
use crate::support::{captures, people};

/// What the bank's CODEOWNERS says, with the members of its teams from the forge's snapshot.
pub(crate) struct Codeowners {
    rules: Vec<(&'static str, Vec<&'static str>)>,
    teams: BTreeMap<String, Vec<String>>,
    people: People,
}

impl Codeowners {
    pub(crate) fn of_the_bank() -> Self {
        let bytes = std::fs::read(captures().join("forge/github-snapshot.json")).expect("read");
        let snapshot: Value = serde_json::from_slice(&bytes).expect("JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let teams = snapshot["teams"].as_array().expect("teams").iter().map(|team| {
            let members = team["members"].as_array().expect("members");
            let members = members.iter().map(|m| text(&m["login"])).collect();
            (format!("@platform/{}", text(&team["slug"])), members)
        });
        let rules = vec![
            ("", vec!["@platform/sre"]),
            ("base/", vec!["@platform/payments", "@platform/web"]),
            ("envs/dev/", vec!["@platform/payments", "@platform/web"]),
            ("envs/staging/", vec!["@platform/sre"]),
            ("envs/prod/", vec!["@platform/sre", "@blarsen"]),
            ("envs/prod/web/", vec!["@platform/web"]),
            ("apps/prod/", vec!["@platform/sre", "@blarsen"]),
            ("projects/", vec!["@cnunez"]),
            ("argocd/", vec!["@cnunez"]),
        ];
        Self { rules, teams: teams.collect(), people: people() }
    }
}

impl Owners for Codeowners {
    fn owners_of(&self, path: &str, _: &str) -> Owned {
        // The last match wins, and the rules are prefixes.
        let rule = self.rules.iter().rev().find(|(prefix, _)| path.starts_with(prefix));
        let Some((_, owners)) = rule else { return Owned::Nobody };
        let logins = owners.iter().flat_map(|owner| match self.teams.get(*owner) {
            Some(members) => members.clone(),
            None => vec![owner.trim_start_matches('@').to_owned()],
        });
        Owned::By(logins.map(|login| Identity::of(&login, &self.people)).collect())
    }
}

static OUTCOMES: LazyLock<Vec<Outcome>> = LazyLock::new(|| {
    let (settings, owners) = (settings(), Codeowners::of_the_bank());
    assess(Inputs { owners: Some(&owners), ..Inputs::new(&FULL, &settings) })
});

fn of_proposal(number: u64, control: &str) -> (Verdict, String) {
    let subject = format!("pr:platform/gitops#{number}");
    let mut found = OUTCOMES.iter().filter(|o| o.subject == subject && o.control == control);
    let one = found.next().unwrap_or_else(|| panic!("{control} says nothing of {subject}"));
    assert!(found.next().is_none(), "{control} says two things of {subject}");
    (one.verdict, one.reason.clone())
}

#[test]
fn the_proposals_of_the_story_are_judged_as_it_tells() {
    use Verdict::{Met, NotMet, Undetermined};
    let table = [
        (103, "sod-approver-independent", NotMet, "dave approved and merged or synced"),
        (103, "sod-author-approves", Met, "approved"),
        (103, "change-stale-approval", Met, "merged head"),
        (103, "change-unapproved-content", Met, "apps/prod/payments.yaml"),
        (103, "change-owner-approval", Met, "an owner approved"),
        (103, "change-skips-environment", Met, "ran in staging"),
        (103, "change-ticket-approved", Met, "CHG-2041"),
        (103, "sod-merged-by-author", Met, "bob"),
        (103, "sod-three-people", Met, "reviewed"),
        (103, "sod-two-people", Met, "people"),
        (103, "sod-disjoint-teams", NotMet, "bob merged and is in team-sre-oncall"),
        (103, "change-tests-recorded", Undetermined, "no source"),
        (104, "change-owner-approval", NotMet, "envs/prod/web/"),
        (104, "sod-merged-by-author", NotMet, "frank asked for it and merged it"),
        (107, "change-ticket-approved", NotMet, "no record of CHG-2050"),
        (109, "change-skips-environment", NotMet, "not seen in staging before"),
        (109, "change-restarts", NotMet, "restarted"),
        (109, "change-alerts", NotMet, "PaymentsErrorRateHigh"),
        (111, "change-stale-approval", NotMet, "earlier head"),
        (111, "change-unapproved-content", NotMet, "no approved head holds"),
        (111, "sod-merged-by-author", NotMet, "alice"),
        (111, "change-ticket-approved", NotMet, "before the deployed content was pushed"),
    ];
    let wrong = table.into_iter().filter_map(|(number, control, verdict, part)| {
        let (found, reason) = of_proposal(number, control);
        let right = found == verdict && reason.contains(part);
        (!right).then(|| format!("PR {number}, {control}: {found:?}, {reason}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The reasons of the findings of a control that are about neither of the change's own proposals.
fn findings(control: &str) -> Vec<&'static Outcome> {
    OUTCOMES.iter().filter(|o| o.control == control && o.verdict == Verdict::NotMet).collect()
}

#[test]
fn what_the_story_tells_beside_proposals_is_found() {
    let table: [(&str, &str, &[&str]); 8] = [
        ("change-direct-push", "push:7b20a0da", &["without one"]),
        ("sod-two-people", "push:7b20a0da", &["bob alone"]),
        (
            "sod-initiator-contradicted",
            "operation:payments-prod@",
            &["names dave", "frank.weiss@bank.example wrote it"],
        ),
        (
            "sod-sync-without-person",
            "operation:ledger-prod@",
            &["proj:prod:deployer", "made by carol, which is not who used it"],
        ),
        (
            "sod-temporary-grant",
            "argocd-rbac-edit:",
            &["carol granted g, bank-engineering, role:sre", "frank synced ledger-prod"],
        ),
        (
            "emergency-freeze-hole",
            "sync-window-edit:",
            &["carol removed deny", "dave synced payments-prod"],
        ),
        ("change-local-manifests", "operation:ledger-prod@", &["carol"]),
        ("emergency-hand-edit", "workload-edit:", &["frank wrote Deployment/"]),
    ];
    for (control, subject, parts) in table {
        let found = findings(control);
        let fits = |o: &&&Outcome| {
            o.subject.starts_with(subject) && parts.iter().all(|part| o.reason.contains(part))
        };
        let one = found.iter().find(fits);
        let reasons: Vec<_> = found.iter().map(|o| (&o.subject, &o.reason)).collect();
        let one = one.unwrap_or_else(|| panic!("{control} {parts:?} is not in {reasons:#?}"));
        assert!(!one.places.is_empty(), "{control} cites nothing");
    }
    assert_eq!(findings("emergency-freeze-hole").len(), 1);
    assert_eq!(findings("sod-initiator-contradicted").len(), 1);
    assert_eq!(findings("change-local-manifests").len(), 1);
    assert_eq!(findings("sod-sync-without-person").len(), 1);
}

#[test]
fn by_which_right_production_was_written_stands_in_the_finding() {
    let mut settings = settings();
    settings.emergency_bindings = Some(BTreeSet::new());
    let outcomes = assess(Inputs::new(&FULL, &settings));
    let mut of_operation = outcomes
        .iter()
        .filter(|o| o.control == "sod-right-used" && o.subject.starts_with("operation:"));
    let one = of_operation.next().expect("the contradicted operation");
    assert_eq!(one.verdict, Verdict::NotMet);
    assert!(
        one.reason.contains("ClusterRoleBinding prod-debug-fweiss → ClusterRole prod-debug"),
        "{}",
        one.reason
    );
}

#[test]
fn without_a_policy_nothing_is_said_that_needs_one() {
    let settings = Settings::default();
    for change in &FULL.changes {
        for (control, answer) in of_change(Inputs::new(&FULL, &settings), change) {
            let needs = [
                "change-owner-approval",
                "sod-entitled",
                "sod-disjoint-teams",
                "change-skips-environment",
            ];
            if needs.contains(&control.id) && !change.is_push() {
                let said = (change.number, control.id, &answer.reason);
                assert!(answer.verdict != Verdict::NotMet, "{said:?}");
            }
        }
    }
    // Nobody is in an empty people map, so nobody is accused by name.
    let nobody = crate::evening::story_under(&People::default());
    for outcome in assess(Inputs::new(&nobody, &settings)) {
        let of_people = ["sod-author-approves", "sod-two-people", "sod-initiator-contradicted"];
        let is_push = outcome.subject.starts_with("push:");
        let nobody_approved = outcome.reason.starts_with("no approval");
        if of_people.contains(&outcome.control) && !is_push && !nobody_approved {
            assert!(outcome.verdict != Verdict::NotMet, "{outcome:?}");
        }
    }
}

#[test]
fn the_report_counts_every_outcome_once() {
    let report = Report::of(OUTCOMES.clone(), &catalogue());
    let sum = report.met + report.findings.len() + report.not_assessed.len();
    assert_eq!(sum, OUTCOMES.len());
    println!(
        "{sum} outcomes: {} met, {} findings, {} not assessed",
        report.met,
        report.findings.len(),
        report.not_assessed.len()
    );
    for finding in &report.findings {
        println!("{} {}: {}", finding.control, finding.subject, finding.message);
        assert!(!finding.asks.is_empty() && !finding.fix.is_empty(), "{}", finding.control);
    }
}
