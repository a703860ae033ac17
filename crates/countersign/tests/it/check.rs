//! `check` on a repository that meets every control, with one thing broken at a time.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const BASE: &str = include_str!("../../../access/tests/fixtures/control/base.txt");

/// A repository that meets every control, with `from` in one of its files replaced by `to`.
fn repository(change: Option<(&str, &str, &str)>) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for part in BASE.split(">>> ").skip(1) {
        let (path, text) = part.split_once('\n').expect("a path and its text");
        let mut text = text.to_owned();
        if let Some((_, from, to)) = change.filter(|(file, ..)| *file == path) {
            assert!(text.contains(from), "{path} has no {from}");
            text = text.replace(from, to);
        }
        // What no repository holds lies beside it.
        let at = if has_end(path, "json") { "" } else { "repo/" };
        let path = folder.path().join(format!("{at}{path}"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn has_end(path: &str, end: &str) -> bool {
    Path::new(path).extension().is_some_and(|own| own == end)
}

fn check(folder: &TempDir, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.current_dir(folder.path()).env_remove("COUNTERSIGN_PEOPLE").env("COLUMNS", "80");
    command.args(["check", "--repo", "repo", "--forge", "forge.json", "--people", "people.json"]);
    command
        .args(["--cluster", "cluster.json", "--on", "2026-02-03"])
        .args(more)
        .output()
        .expect("it runs")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn json(output: &Output) -> Value {
    let err = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {err}"))
}

const REVISION_SYNC: &str =
    "  application.sync.requireOverridePrivilegeForRevisionSync: \"true\"\n";
const OPEN: (&str, &str, &str) = (
    "projects/prod.yaml",
    "sourceRepos: [https://git.example/acme/gitops.git]",
    "sourceRepos: ['*']",
);

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn a_repository_that_meets_every_control_has_nothing_to_report() {
    let output = check(&repository(None), &[]);
    assert_eq!(code(&output), Some(0), "{}", text(&output));
    assert!(text(&output).contains(" met · 0 not met · 0 undetermined"), "{}", text(&output));
}

#[test]
fn a_finding_is_shown_at_its_line_with_what_is_asked_and_how_to_mend_it() {
    let output = check(&repository(Some(OPEN)), &[]);
    let text = text(&output);
    assert_eq!(code(&output), Some(1), "{text}");
    for expected in [
        "warning[sod-open-project]: the project prod allows any repository",
        "projects/prod.yaml:",
        " |   sourceRepos: ['*']",
        "^^^^^^^^^^^^^^^^^^",
        "subject: prod",
        "auditor asks: ",
        "fix: ",
        "relates to: ",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn a_missing_source_is_undetermined_with_its_reason_and_no_finding() {
    let folder = repository(None);
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.current_dir(folder.path().join("repo")).env_remove("COUNTERSIGN_PEOPLE");
    let output = command.arg("check").output().expect("it runs");
    assert_eq!(code(&output), Some(3));
    let text = text(&output);
    assert!(text.contains("a snapshot of the forge was not among the sources"), "{text}");
    assert!(text.contains("Not read   forge snapshot (--forge)"), "{text}");
    assert!(text.contains(" · 0 not met · "), "{text}");
}

#[test]
fn an_exception_covers_while_it_holds_and_is_told_when_it_does_not() {
    let folder = repository(Some(OPEN));
    let policy = folder.path().join("repo/countersign.yaml");
    let own = fs::read_to_string(&policy).expect("the policy");
    let write = |expires: &str, subject: &str| {
        let exception = format!(
            "exceptions:\n- control: sod-open-project\n  subject: {subject}\n  reason: a migration\n  \
             owner: ada\n  approver: ben\n  expires: {expires}\n"
        );
        fs::write(&policy, format!("{own}{exception}")).expect("it is written");
    };
    write("2026-02-03", "prod");
    let output = check(&folder, &[]);
    assert_eq!(code(&output), Some(0), "{}", text(&output));
    assert!(text(&output).contains("(approved by ben, until 2026-02-03)"), "{}", text(&output));
    write("2026-02-02", "prod");
    let output = check(&folder, &[]);
    assert_eq!(code(&output), Some(1), "{}", text(&output));
    assert!(text(&output).contains("it expired on 2026-02-02"), "{}", text(&output));
    // A glob means several subjects; one that means none is told.
    write("2026-12-31", "'p*'");
    assert_eq!(code(&check(&folder, &[])), Some(0));
    write("2026-12-31", "staging");
    let output = check(&folder, &[]);
    assert_eq!(code(&output), Some(1));
    assert!(text(&output).contains("for staging covers nothing found"), "{}", text(&output));
}

#[test]
fn a_baseline_is_written_once_and_hides_nothing_new() {
    let folder = repository(Some(OPEN));
    let output = check(&folder, &["--write-baseline", "base.json"]);
    assert_eq!((code(&output), text(&output).contains("1 finding written")), (Some(0), true));
    let output = check(&folder, &["--baseline", "base.json", "--format", "json"]);
    assert_eq!(code(&output), Some(0));
    assert_eq!(json(&output)["findings"][0]["standing"], "known");
    let map = folder.path().join("repo/argocd/argocd-cm.yaml");
    let own = fs::read_to_string(&map).expect("the map");
    fs::write(&map, own.replace(REVISION_SYNC, "")).expect("it is written");
    let output = check(&folder, &["--baseline", "base.json"]);
    assert_eq!(code(&output), Some(1));
    assert!(text(&output).contains("2 not met (1 new, 1 known)"), "{}", text(&output));
}

#[test]
fn a_policy_gives_another_weight_or_switches_off() {
    let folder = repository(Some(OPEN));
    let policy = folder.path().join("repo/countersign.yaml");
    let own = fs::read_to_string(&policy).expect("the policy");
    fs::write(&policy, format!("{own}controls:\n  sod-open-project: critical\n")).expect("it is");
    assert_eq!(json(&check(&folder, &["--format", "json"]))["findings"][0]["severity"], "error");
    fs::write(&policy, format!("{own}controls:\n  sod-open-project: off\n")).expect("it is");
    let output = check(&folder, &[]);
    assert_eq!(code(&output), Some(0));
    assert!(text(&output).contains("switched off by the policy: sod-open-project"));
}

#[test]
fn sarif_names_file_and_line() {
    let output = check(&repository(Some(OPEN)), &["--format", "sarif"]);
    let log = json(&output);
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "sod-open-project");
    let at = &result["locations"][0]["physicalLocation"];
    assert_eq!(at["artifactLocation"]["uri"], "projects/prod.yaml");
    assert_eq!(at["region"]["startLine"], 5);
}

#[test]
fn a_safe_fix_is_written_and_found_mended() {
    let removed = ("argocd/argocd-cm.yaml", REVISION_SYNC, "");
    let folder = repository(Some(removed));
    let map = folder.path().join("repo/argocd/argocd-cm.yaml");
    let output = check(&folder, &["--fix"]);
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(code(&output), Some(0), "{err}{}", text(&output));
    assert!(err.contains("+   application.sync.requireOverride"), "{err}");
    assert!(fs::read_to_string(&map).expect("the map").contains(REVISION_SYNC));
    // A value that is there is replaced, and what stands behind it stays.
    let wrong = "requireOverridePrivilegeForRevisionSync: false # why?\n";
    let own = fs::read_to_string(&map).expect("the map");
    let right = "requireOverridePrivilegeForRevisionSync: \"true\"\n";
    fs::write(&map, own.replace(right, wrong)).expect("it is written");
    assert_eq!(code(&check(&folder, &[])), Some(1));
    assert_eq!(code(&check(&folder, &["--fix"])), Some(0));
    let fixed = fs::read_to_string(&map).expect("the map");
    assert!(fixed.contains("RevisionSync: \"true\" # why?\n"), "{fixed}");
}

#[test]
fn what_needs_a_decision_is_not_fixed() {
    // Without another way to sign in, nobody could any more.
    let change = ("argocd/argocd-cm.yaml", "admin.enabled: \"false\"", "admin.enabled: \"true\"");
    let folder = repository(Some(change));
    let map = folder.path().join("repo/argocd/argocd-cm.yaml");
    let before = fs::read_to_string(&map).expect("the map");
    let output = check(&folder, &["--fix"]);
    assert_eq!(code(&output), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("0 findings fixed, 1 finding left"));
    assert_eq!(fs::read_to_string(&map).expect("the map"), before);
}

#[test]
fn a_policy_with_a_problem_judges_nothing_and_shows_the_line() {
    for (from, to, said) in [
        ("production: true", "producton: true", "producton"),
        (
            "version: 1",
            "version: 1\ncontrols: {sod-weak-owners: low}",
            "did you mean \"sod-weak-owner\"?",
        ),
    ] {
        let output = check(&repository(Some(("countersign.yaml", from, to))), &[]);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), Some(5), "{err}");
        assert!(err.contains(said) && err.contains("countersign.yaml:"), "{err}");
        assert!(err.contains("so nothing was judged") && output.stdout.is_empty(), "{err}");
    }
}

const CAPTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captures");
const POLICY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../access/tests/fixtures/bank/countersign.yaml");

/// The bank's forge snapshot as a record of the ledger, taken early in the evening.
fn snapshot() -> String {
    let bytes = fs::read(format!("{CAPTURES}/forge/github-snapshot.json")).expect("read");
    let plain: Value = serde_json::from_slice(&bytes).expect("JSON");
    let answer = |path: &str, body: &Value| {
        let path = format!("/repos/platform/gitops{path}");
        serde_json::json!({"path": path, "status": 200, "body": body})
    };
    let answers = [
        answer("", &plain["repository"]),
        answer("/branches/main/protection", &plain["branch_protection"]["main"]),
        answer("/rulesets", &plain["rulesets"]),
        answer("/collaborators", &plain["collaborators"]),
        answer("/teams", &plain["teams"]),
    ];
    let snapshot = serde_json::json!({"forge_snapshot": 1, "forge": "github",
        "repository": "platform/gitops", "taken_at": "2026-11-23T21:41:00Z", "answers": answers});
    format!("{snapshot}\n")
}

/// A ledger of the recorded evening.
fn evening() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = folder.path().join("ledger").to_string_lossy().into_owned();
    bank(&ledger, &["ledger", "init", "--origin", "bank.example/prod"]);
    bank(&ledger, &["ingest", CAPTURES]);
    (folder, ledger)
}

fn bank(ledger: &str, args: &[&str]) -> Output {
    let people = format!("{CAPTURES}/people.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.env("COLUMNS", "80").args(["--ledger", ledger, "--people", &people]).args(args);
    command.output().expect("it runs")
}

#[test]
fn the_changes_of_the_evening_are_judged_by_the_banks_policy_and_owners() {
    let (_folder, ledger) = evening();
    let [bundle, forge, cluster] =
        ["git/gitops.bundle", "forge/github-snapshot.json", "kubernetes/snapshot"]
            .map(|source| format!("{CAPTURES}/{source}"));
    let sources = ["--repo", &bundle, "--forge", &forge, "--policy", POLICY];
    let check = ["check", "--changes", "--cluster", &cluster, "--format", "json"];
    let output = bank(&ledger, &[&check[..], &sources].concat());
    assert_eq!(code(&output), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let json = json(&output);
    let findings = json["findings"].as_array().expect("findings");
    let is_there = |control: &str, subject: &str, says: &str| {
        findings.iter().any(|f| {
            let text = |key: &str| f[key].as_str().expect("text").to_owned();
            f["control"] == control
                && text("subject").contains(subject)
                && text("message").contains(says)
        })
    };
    for (control, subject, says) in [
        ("change-owner-approval", "#104", "envs/prod/web/kustomization.yaml (frank)"),
        ("sod-merged-by-author", "#104", "frank asked for it and merged it"),
        ("change-ticket-approved", "#107", "no record of CHG-2050"),
        ("change-skips-environment", "#109", "not seen in staging before"),
        ("change-stale-approval", "#111", "every approval names an earlier head"),
        ("change-unapproved-content", "#111", "no approved head holds"),
        ("change-direct-push", "push:7b20a0da", "pushed to the default branch"),
        ("sod-initiator-contradicted", "operation:payments-prod@", "names dave"),
        ("sod-sync-without-person", "operation:ledger-prod@", "proj:prod:deployer"),
        ("sod-temporary-grant", "", "g, bank-engineering, role:sre"),
        ("emergency-freeze-hole", "", "carol removed deny"),
        ("sod-branch-rules", "main:administrators", "do not bind administrators"),
    ] {
        assert!(is_there(control, subject, says), "{control} {subject} {says}");
    }
    // What was by the book in this respect is not accused.
    assert!(!is_there("change-owner-approval", "#103", ""));
    assert!(!is_there("change-ticket-approved", "#103", ""));
    let shown = bank(&ledger, &[&["change", "show", "pr:103"][..], &sources].concat());
    let flat = text(&shown).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("an owner approved, for 2 paths that have one"), "{flat}");
    assert!(flat.contains("disjoint teams for merge and sync: bob merged and is in sre"), "{flat}");
}

#[test]
fn entitlement_is_told_by_the_rules_of_that_moment() {
    let (folder, ledger) = evening();
    let entitled = || {
        let show = ["change", "show", "pr:103", "--policy", POLICY, "--format", "json"];
        let shown = bank(&ledger, &show);
        let conditions = json(&shown)["conditions"].as_array().expect("conditions").clone();
        let own = conditions.into_iter().find(|c| c["control"] == "sod-entitled").expect("told");
        (own["verdict"].to_string(), own["reason"].to_string())
    };
    let (verdict, reason) = entitled();
    assert_eq!(verdict, "\"undetermined\"");
    assert!(reason.contains("no forge snapshot of platform/gitops"), "{reason}");
    let file = folder.path().join("snapshot.jsonl");
    fs::write(&file, snapshot()).expect("it is written");
    let ingested = bank(&ledger, &["ingest", &file.to_string_lossy()]);
    assert_eq!(code(&ingested), Some(0), "{}", text(&ingested));
    let (verdict, reason) = entitled();
    assert_eq!(verdict, "\"met\"", "{reason}");
    for part in ["bob: ", "snapshot of 2026-11-23T21:41:00Z", "p, role:sre, applications, sync"] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
}
