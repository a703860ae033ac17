//! `init`: a new repository, a second run, what it refuses, and the draft for one that is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use access::yaml;
use serde_json::{Value, json};

use crate::support::{Ran, captures, run_on};

const NAMES: [&str; 6] =
    ["--forge", "github", "--name", "acme/gitops", "--url", "https://git.example/acme/gitops.git"];

fn init(folder: &Path, more: &[&str]) -> Ran {
    let folder = folder.to_str().expect("UTF-8");
    run_on(Path::new("no-ledger"), &[&["init", folder], more].concat())
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut open) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(below) = open.pop() {
        for entry in fs::read_dir(below).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_str().expect("UTF-8");
                files.insert(name.to_owned(), fs::read(&path).expect("read"));
            }
        }
    }
    files
}

#[test]
fn a_second_run_changes_nothing_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = folder.path().join("new/gitops");
    let ran = init(&repository, &NAMES);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let first = files(&repository);
    for path in ["countersign.yaml", ".github/CODEOWNERS", "apps/prod/shop.yaml", "README.md"] {
        assert!(first.contains_key(path), "{path}");
    }
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let ran = init(&repository, &NAMES);
    assert_eq!(ran.code, 0);
    assert!(
        ran.out.contains("countersign.yaml is there already: nothing was written"),
        "{}",
        ran.out
    );
    assert_eq!(files(&repository), first);
    // A run that was cut short before its last file goes on.
    fs::remove_file(repository.join("countersign.yaml")).expect("removed");
    fs::remove_dir_all(repository.join("apps")).expect("removed");
    assert_eq!(init(&repository, &NAMES).code, 0);
    assert_eq!(files(&repository), first);
}

/// What forge and cluster answer once the rules of a layout were applied, and who is who: files in a
/// folder, as the README of the layout calls them.
fn sources(repository: &Path, folder: &Path) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../access/tests/fixtures/layout");
    let read = |path: &Path| fs::read(path).expect("read");
    let ruleset = read(&repository.join(".github/rulesets/branch-of-record.json"));
    let mut ruleset: Value = serde_json::from_slice(&ruleset).expect("JSON");
    ruleset["id"] = 1.into();
    let answer = |path: &str, body: Value| json!({"path": path, "status": 200, "body": body});
    let mut answers = vec![
        answer("/repos/acme/gitops/rulesets", json!([{"id": 1, "target": "branch"}])),
        answer("/repos/acme/gitops/rulesets/1", ruleset),
    ];
    let others: Value = serde_json::from_slice(&read(&fixtures.join("forge.json"))).expect("JSON");
    answers.extend(others["github"].as_array().expect("a list").iter().cloned());
    let forge = json!({"forge_snapshot": 1, "forge": "github", "repository": "acme/gitops",
        "answers": answers});
    let limits = yaml::Limits { bytes: 1 << 20, depth: 20, nodes: 10_000, documents: 100 };
    let mut objects: Vec<Value> = Vec::new();
    for below in ["apps", "argocd", "cluster-rbac", "projects", "roots"] {
        for (path, bytes) in files(&repository.join(below)) {
            let documents = yaml::parse(&path, &bytes, &limits).documents;
            objects.extend(documents.iter().map(yaml::Node::to_json));
        }
    }
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("written");
    write("forge.json", forge.to_string().as_bytes());
    write("objects.json", list.to_string().as_bytes());
    write("people.json", &read(&fixtures.join("people.json")));
}

#[test]
fn what_it_writes_passes_the_check_that_its_readme_tells() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = folder.path().join("gitops");
    assert_eq!(init(&repository, &NAMES).code, 0);
    sources(&repository, folder.path());
    let readme = fs::read_to_string(repository.join("README.md")).expect("read");
    let command = readme.split('`').find(|text| text.starts_with("countersign check "));
    let words = command.expect("a command").split(' ').skip(1).map(|word| match word {
        "." => repository.to_str().expect("UTF-8").to_owned(),
        file @ ("forge.json" | "objects.json" | "people.json") => {
            folder.path().join(file).to_str().expect("UTF-8").to_owned()
        }
        word => word.to_owned(),
    });
    let words: Vec<String> = words.collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ran = run_on(Path::new("no-ledger"), &words);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(" met · 0 not met · 0 undetermined"), "{}", ran.out);
    // Of the files alone nothing is found either; what only the sources show stays open.
    let ran = run_on(Path::new("no-ledger"), &words[..3]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(" met · 0 not met · "), "{}", ran.out);
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("README.md"), "mine").expect("written");
    fs::create_dir(at(".github")).expect("made");
    fs::write(at(".github/CODEOWNERS"), "* @me").expect("written");
    fs::write(at("envs"), "a file").expect("written");
    let before = files(folder.path());
    let ran = init(folder.path(), &NAMES);
    assert_eq!(ran.code, 5, "{}", ran.out);
    for text in [
        ".github/CODEOWNERS: there is another file",
        "envs/prod/shop/config.yaml: what it would stand in",
    ] {
        assert!(ran.err.contains(text), "{text}\n{}", ran.err);
    }
    assert_eq!(files(folder.path()), before);
    fs::remove_file(at("envs")).expect("removed");
    fs::remove_file(at(".github/CODEOWNERS")).expect("removed");
    let ran = init(folder.path(), &NAMES);
    assert!(
        ran.code == 0 && ran.out.contains("README.md was there and stays as it is"),
        "{}",
        ran.out
    );
    assert_eq!(fs::read(at("README.md")).expect("read"), b"mine");
}

#[test]
fn what_is_not_taken_is_told_and_nothing_is_written() {
    let table: [(&[&str], &str); 4] = [
        (&[], "say --forge, --name and --url"),
        (&["--environments", "dev,Prod"], "lower-case letters"),
        (&["--sync-team", "release"], "separates nothing"),
        (&["--system", "a b"], "system \"a b\" is not taken: allowed are"),
    ];
    for (more, says) in table {
        let folder = tempfile::tempdir().expect("a folder");
        let names: &[&str] = if more.is_empty() { &[] } else { &NAMES };
        let ran = init(folder.path(), &[names, more].concat());
        assert_eq!(ran.code, 2, "{more:?}");
        assert!(ran.err.contains(says), "{says}: {}", ran.err);
        assert!(files(folder.path()).is_empty());
    }
}

#[test]
fn a_repository_that_is_there_gets_a_draft() {
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = captures().join("git/gitops.bundle");
    let done = Command::new("git")
        .args(["clone", "-q", "-b", "main"])
        .args([&bundle, &folder.path().join("r")])
        .status();
    assert!(done.expect("git").success());
    let repository = folder.path().join("r");
    let dry = init(&repository, &["--dry-run"]);
    assert!(
        dry.code == 0 && dry.out.contains("\n- name: prod\n  production: true\n"),
        "{}",
        dry.out
    );
    assert!(!repository.join("countersign.yaml").exists());
    assert_eq!(init(&repository, &["--system", "shop"]).code, 2);
    let ran = init(&repository, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for text in ["environment", "the label env, as of 3 Applications", "Not told", "@blarsen"] {
        assert!(ran.out.contains(text), "{text}\n{}", ran.out);
    }
    let written = fs::read_to_string(repository.join("countersign.yaml")).expect("written");
    assert_eq!(written, dry.out);
    assert!(init(&repository, &[]).out.contains("nothing was written"));
}
