//! The recorded evening's final state: what the controls find in it, judged against its story.
//!
//! Names stand here and in the recording, never in a rule.

use std::collections::{BTreeMap, BTreeSet};

use access::control::assess;
use evidence::control::{Outcome, Verdict};

use crate::reach::Bank;

type Found<'o> = BTreeMap<&'o str, BTreeSet<&'o str>>;

fn by_control(outcomes: &[Outcome], verdict: Verdict) -> Found<'_> {
    let mut found = Found::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.verdict == verdict) {
        found.entry(outcome.control).or_default().insert(&outcome.subject);
    }
    found
}

fn table<'o>(rows: &[(&'o str, &[&'o str])]) -> Found<'o> {
    rows.iter().map(|(control, subjects)| (*control, subjects.iter().copied().collect())).collect()
}

/// What is found, each row by what the story, the snapshot or a file of the repository says.
const FINDINGS: &[(&str, &[&str])] = &[
    // apps/prod and envs/prod have the same owners.
    ("sod-app-of-apps", &["ledger-prod", "payments-prod"]),
    // carol is cluster-admin and platform; frank patches Applications, and all of the project web.
    (
        "sod-application-write",
        &["carol", "frank", "service account external-secrets/external-secrets"],
    ),
    ("sod-branch-checks", &["main:checks", "main:dismissal", "main:signatures"]),
    (
        "sod-branch-rules",
        &["main:administrators", "main:approval", "main:bypass", "main:last-push", "main:stale"],
    ),
    (
        "sod-broad-owner",
        &["CODEOWNERS", "cluster-rbac/platform-admins.yaml", "cluster-rbac/prod-debug.yaml"],
    ),
    // dave has `edit` in payments-prod.
    (
        "sod-cluster-bypass",
        &["carol", "dave", "frank", "service account external-secrets/external-secrets"],
    ),
    ("sod-ineffective-deny", &["prod/ledger-prod"]),
    ("sod-local-admin", &["admin"]),
    ("sod-merge-and-sync", &["bob", "carol", "dave"]),
    ("sod-open-project", &["default"]),
    ("sod-project-token", &["proj:prod:deployer"]),
    ("sod-revision-sync", &["argocd-cm"]),
    // @cnunez is carol alone, and team web is frank alone.
    (
        "sod-sole-owner",
        &[
            "argocd/argocd-cm.yaml",
            "argocd/argocd-rbac-cm.yaml",
            "envs/prod/web/config.yaml",
            "envs/prod/web/kustomization.yaml",
            "projects/dev.yaml",
            "projects/prod.yaml",
            "projects/staging.yaml",
            "projects/web.yaml",
        ],
    ),
    (
        "sod-wildcard-right",
        &[
            "p, role:platform, applications, *, */*, allow",
            "p, role:platform, clusters, *, *, allow",
            "p, role:platform, projects, *, *, allow",
            "p, role:platform, repositories, *, *, allow",
            "p, role:web, applications, *, web/*, allow",
        ],
    ),
];

/// The snapshot has no answer about workflows; both Applications run a commit that is not the newest.
const UNDETERMINED: &[(&str, &[&str])] = &[
    ("sod-branch-checks", &["workflows:approve", "workflows:write"]),
    ("sod-promotion-path", &["ledger-prod", "payments-prod"]),
];

#[test]
fn each_finding_is_a_fact_of_the_story() {
    let outcomes = Bank::read().with("", |joined| assess(joined, None));
    assert_eq!(by_control(&outcomes, Verdict::NotMet), table(FINDINGS));
    assert_eq!(by_control(&outcomes, Verdict::Undetermined), table(UNDETERMINED));
}

#[test]
fn without_a_source_nobody_is_accused_of_what_it_would_show() {
    let bank = Bank::read();
    let all = table(FINDINGS);
    for missing in ["forge", "people", "repository", "objects"] {
        let outcomes = bank.with(missing, |joined| assess(joined, None));
        for (control, subjects) in by_control(&outcomes, Verdict::NotMet) {
            let known = &all[control];
            // Without a map, a person is the account; the account is no other's.
            let new: Vec<_> = subjects.difference(known).collect();
            assert!(new.is_empty(), "without {missing}, {control} finds {new:?}");
        }
    }
}
