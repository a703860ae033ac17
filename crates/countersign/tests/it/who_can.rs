//! `who-can` on the recorded evening: the table, one person, JSON, the picture, and missing sources.

use std::process::{Command, Output};

const CAPTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captures");
const POLICY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../access/tests/fixtures/bank/countersign.yaml");

/// Asks with every source of the recording but those named, and more arguments.
fn ask(without: &[&str], more: &[&str]) -> Output {
    let sources = [
        ("--repo", format!("{CAPTURES}/git/gitops.bundle@main")),
        ("--cluster", format!("{CAPTURES}/kubernetes/snapshot")),
        ("--forge", format!("{CAPTURES}/forge/github-snapshot.json")),
        ("--people", format!("{CAPTURES}/people.json")),
        ("--policy", POLICY.to_owned()),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.arg("who-can").env_remove("COUNTERSIGN_PEOPLE").env("COLUMNS", "80").args(more);
    for (flag, value) in sources.iter().filter(|(flag, _)| !without.contains(flag)) {
        command.args([flag, value.as_str()]);
    }
    command.output().expect("it holds")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("it holds")
}

#[test]
fn the_table_fits_and_names_everybody_with_a_place() {
    let output = ask(&[], &["deploy"]);
    let text = text(&output);
    // What nobody lists, such as the members of system:masters, keeps the answer undetermined.
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "Who can deploy to prod (",
        "5 people · ",
        "bob Bob Larsen",
        "ClusterRoleBinding prod-debug-fweiss",
        "data.policy.csv line 17",
        "CODEOWNERS:6",
        "project role proj:prod:deployer",
        "service account external-secrets/external-secrets",
        "Argo CD local account admin",
        "web-prod syncs by itself: a merge deploys it",
    ] {
        assert!(flat.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn one_person_is_told_in_sentences_and_nobody_is_made_up() {
    let output = ask(&[], &["deploy", "--why", "frank", "--app", "payments-prod"]);
    let flat = text(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("Frank Weiss (frank) can deploy"), "{flat}");
    assert!(flat.contains("[ClusterRole prod-debug: rules[0]]"), "{flat}");
    let output = ask(&[], &["deploy", "--why", "erin"]);
    assert_eq!(output.status.code(), Some(3));
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(err.contains("no path by which \"erin\" can deploy"), "{err}");
}

#[test]
fn json_holds_every_path() {
    let output = ask(&[], &["sync", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it holds");
    let people = json["people"].as_array().expect("it holds");
    let ids: Vec<&str> = people.iter().map(|p| p["id"].as_str().expect("it holds")).collect();
    assert_eq!(ids, ["bob", "carol", "dave", "frank"]);
    let all = people.iter().flat_map(|p| p["paths"].as_array().expect("it holds"));
    assert!(all.into_iter().all(|path| !path["hops"].as_array().expect("it holds").is_empty()));
}

#[test]
fn the_picture_describes_itself() {
    let output = ask(&[], &["deploy", "--format", "svg"]);
    let svg = text(&output);
    for expected in [
        "role=\"img\" aria-labelledby=\"t d\"",
        "<title id=\"t\">Who can deploy to prod",
        "Bob Larsen by ",
        "prefers-color-scheme:dark",
        ">payments-prod</text>",
    ] {
        assert!(svg.contains(expected), "{expected}\n{svg}");
    }
    assert_eq!(svg.matches("<g>").count(), svg.matches("</g>").count());
    assert!(!svg.contains("http://") || svg.matches("http://").count() == 1, "only the name space");
    let refused = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["explain", "--format", "svg"])
        .output()
        .expect("it holds");
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn what_is_missing_is_undetermined_and_what_is_wrong_is_said() {
    let output = ask(&["--forge", "--cluster"], &["deploy"]);
    assert_eq!(output.status.code(), Some(3));
    let flat = text(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("who can merge and push: no snapshot of the forge was given"), "{flat}");
    assert!(flat.contains("argocd/argocd-rbac-cm.yaml:43"), "{flat}");
    for more in [
        &["deploy", "--env", "produktion"][..],
        &["deploy", "--cluster", POLICY],
        &["deploy", "--policy", "/nowhere"],
    ] {
        let without: &[&str] = if more.contains(&"--policy") { &["--policy"] } else { &[] };
        let output = ask(without, more);
        assert_eq!(output.status.code(), Some(5), "{more:?}");
        assert!(output.stderr.starts_with(b"error: "), "{more:?}");
    }
}

#[test]
fn a_grant_for_a_time_adds_people_in_that_time_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = folder.path().join("ledger").to_string_lossy().into_owned();
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.env_remove("COUNTERSIGN_PEOPLE").args(["--ledger", &ledger]).args(args);
        command.output().expect("it runs")
    };
    run(&["ledger", "init", "--origin", "bank.example/prod"]);
    let [kubernetes, forge] = ["kubernetes", "forge"].map(|part| format!("{CAPTURES}/{part}"));
    let people = format!("{CAPTURES}/people.json");
    run(&["ingest", "--people", &people, &kubernetes, &forge]);
    let who = |at: &str| {
        let bundle = format!("{CAPTURES}/git/gitops.bundle");
        let asked = ["who-can", "sync", "--app", "ledger-prod", "--format", "json"];
        let sources = ["--people", &people, "--repo", &bundle, "--policy", POLICY];
        let output = run(&[&asked[..], &sources, &["--as-of", at]].concat());
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect(&err);
        let by = |person: &serde_json::Value| {
            let paths = person["paths"].as_array().expect("paths");
            paths.iter().any(|path| path["by"] == "role:sre").then(|| person["id"].to_string())
        };
        let people = json["people"].as_array().expect("people").iter().filter_map(by);
        (people.collect::<Vec<_>>().join(" "), json["as_of"]["commit"].to_string())
    };
    let usual = r#""bob" "dave""#;
    let (before, commit) = who("2026-11-23T21:48:20Z");
    assert_eq!(before, usual);
    let (within, same) = who("2026-11-23T21:48:37Z");
    assert_eq!(within, r#""alice" "bob" "carol" "dave" "frank""#);
    assert_eq!(commit, same);
    let (after, later) = who("2026-11-23T21:49:20Z");
    assert_eq!(after, usual);
    // The branch of record went on meanwhile, and so does what is read of git.
    assert_ne!(commit, later);
}
