//! Git repositories and bundles, and JSON documents, through `ingest`.

use std::path::Path;
use std::process::Command;

use evidence::people::People;
use evidence::record::Record;

use crate::support::{Bench, captures};

/// Runs git in a folder, as nobody in particular.
fn git(folder: &Path, words: &[&str]) -> String {
    let ran = Command::new("git")
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs([("HOME", "/nonexistent"), ("GIT_CONFIG_NOSYSTEM", "1"), ("LC_ALL", "C")])
        .envs([("GIT_AUTHOR_NAME", "Ann"), ("GIT_AUTHOR_EMAIL", "ann@shop.example")])
        .envs([("GIT_COMMITTER_NAME", "Ann"), ("GIT_COMMITTER_EMAIL", "ann@shop.example")])
        .envs([("GIT_AUTHOR_DATE", "1770112800 +0100"), ("GIT_COMMITTER_DATE", "1770112801 +0100")])
        .current_dir(folder)
        .args(words)
        .output()
        .expect("git runs");
    assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("UTF-8").trim().to_owned()
}

/// A repository with two commits: a file, then the same file moved into a folder beside another.
fn repository(bench: &Bench) -> std::path::PathBuf {
    let folder = bench.path("clone");
    std::fs::create_dir(&folder).expect("made");
    git(&folder, &["init", "--quiet", "--initial-branch=trunk"]);
    std::fs::write(folder.join("a.yaml"), "a: 1\n").expect("written");
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "--message=first"]);
    std::fs::create_dir(folder.join("x")).expect("made");
    git(&folder, &["mv", "a.yaml", "x/a.yaml"]);
    std::fs::write(folder.join("x/b.yaml"), "b: 1\n").expect("written");
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "--message=second"]);
    folder
}

/// The records of the ledger as JSON, in the order of its entries.
fn records(bench: &Bench) -> Vec<serde_json::Value> {
    let json = |record: &Record| serde_json::from_slice(&record.payload).expect("JSON");
    bench.records().iter().map(json).collect()
}

fn counts(bench: &Bench, path: &Path) -> (u64, u64, u64) {
    let path = path.to_str().expect("UTF-8");
    let ran = bench.run(&["--format", "json", "ingest", path]);
    let said: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let of = |key: &str| said[key]["git-commit"].as_u64().unwrap_or(0);
    (of("new"), of("known_already"), said["refused"].as_u64().unwrap_or(0))
}

#[test]
fn the_recorded_bundle_gives_every_commit_once() {
    let bench = Bench::new();
    let bundle = captures().join("git/gitops.bundle");
    let listed = git(&captures(), &["bundle", "list-heads", bundle.to_str().expect("UTF-8")]);
    // Fourteen branches and `HEAD`.
    assert_eq!(listed.lines().count(), 15);
    let cloned = tempfile::tempdir().expect("a folder");
    git(
        &captures(),
        &[
            "clone",
            "--quiet",
            "--mirror",
            bundle.to_str().expect("UTF-8"),
            cloned.path().to_str().expect("UTF-8"),
        ],
    );
    let commits: u64 =
        git(cloned.path(), &["rev-list", "--all", "--count"]).parse().expect("a count");
    // And where the references were.
    let lines = commits + 1;
    assert_eq!(counts(&bench, &bundle), (lines, 0, 0));
    assert_eq!(counts(&bench, &bundle), (0, lines, 0));
    let story = bench.story(&People::default());
    assert!(
        story.contains(&format!(r#""channel":"git-commit","records":{lines}"#)),
        "{story:.2000}"
    );
    assert!(story.contains(r#""acts":[]"#), "commits alone are nobody's act");
}

#[test]
fn a_commit_is_told_with_its_files_against_the_first_parent() {
    let bench = Bench::new();
    let folder = repository(&bench);
    assert_eq!(counts(&bench, &folder), (3, 0, 0));
    let records = records(&bench);
    let (first, second, refs) = (&records[0], &records[1], &records[2]);
    assert_eq!(second["id"], git(&folder, &["rev-parse", "HEAD"]));
    assert_eq!(second["parents"][0], first["id"]);
    assert_eq!(second["author"]["name"], "Ann");
    assert_eq!(second["author"]["time"], "2026-02-03T11:00:00+01:00");
    assert_eq!((&second["message"], &second["signature"]), (&"second\n".into(), &().into()));
    let blob = |path: &str| git(&folder, &["rev-parse", &format!("HEAD:{path}")]);
    let (a, b) = (blob("x/a.yaml"), blob("x/b.yaml"));
    let changes = |of: &serde_json::Value| of["changes"].to_string();
    assert_eq!(changes(first), format!(r#"[{{"blob":"{a}","path":"a.yaml","status":"added"}}]"#));
    let gone = r#"{"blob":null,"path":"a.yaml","status":"removed"}"#;
    let new = format!(
        r#"{{"blob":"{a}","path":"x/a.yaml","status":"added"}},{{"blob":"{b}","path":"x/b.yaml","status":"added"}}"#
    );
    assert_eq!(changes(second), format!("[{gone},{new}]"));
    assert_eq!(refs["head"], "refs/heads/trunk");
    assert_eq!(refs["refs"]["refs/heads/trunk"], second["id"]);
}

#[test]
fn a_signature_is_told_by_its_kind() {
    let bench = Bench::new();
    let folder = repository(&bench);
    let raw = git(&folder, &["cat-file", "commit", "HEAD"]);
    let (head, message) = raw.split_once("\n\n").expect("a message");
    let signed = format!(
        "{head}\ngpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\n\n{message}\n"
    );
    let file = bench.write("commit", signed.as_bytes());
    let id = git(&folder, &["hash-object", "-t", "commit", "-w", &file]);
    git(&folder, &["update-ref", "refs/heads/signed", &id]);
    assert_eq!(counts(&bench, &folder), (4, 0, 0));
    let signed = records(&bench).into_iter().find(|r| r["id"] == id.as_str()).expect("there");
    assert_eq!(signed["signature"]["kind"], "ssh");
}

#[test]
fn a_replaced_or_damaged_commit_is_not_passed_off_as_the_real_one() {
    let bench = Bench::new();
    let folder = repository(&bench);
    let (first, second) =
        (git(&folder, &["rev-parse", "HEAD~"]), git(&folder, &["rev-parse", "HEAD"]));
    git(&folder, &["replace", &second, &first]);
    assert_eq!(counts(&bench, &folder).2, 0);
    let replaced = records(&bench).into_iter().find(|r| r["id"] == second.as_str()).expect("there");
    assert_eq!(replaced["message"], "second\n");
    // Another object's bytes under the id of the second commit.
    let object = |id: &str| folder.join(".git/objects").join(&id[..2]).join(&id[2..]);
    std::fs::remove_file(object(&second)).expect("removed");
    std::fs::copy(object(&first), object(&second)).expect("copied");
    let other = Bench::new();
    // The first commit, and where the references were: the second is left out.
    assert_eq!(counts(&other, &folder), (2, 0, 0));
    assert!(records(&other).iter().all(|r| r["id"] != second.as_str()));
}

#[test]
fn a_shallow_clone_tells_what_it_has() {
    let bench = Bench::new();
    let folder = repository(&bench);
    let from = format!("file://{}", folder.display());
    git(bench.path("").as_path(), &["clone", "--quiet", "--bare", "--depth=1", &from, "shallow"]);
    assert_eq!(counts(&bench, &bench.path("shallow")), (2, 0, 0));
    let commit = &records(&bench)[0];
    assert_eq!(commit["parents"].as_array().map(Vec::len), Some(1));
    assert!(commit["changes"].is_null());
    assert_eq!(commit["changes_unknown"], "a tree or the parent is not there");
}

#[test]
fn what_is_no_whole_bundle_is_refused_with_what_to_do() {
    let bench = Bench::new();
    let folder = repository(&bench);
    let part = bench.path("part.bundle");
    let part_name = part.to_str().expect("UTF-8");
    git(&folder, &["bundle", "create", "--quiet", part_name, "trunk~..trunk"]);
    let ran = bench.run(&["ingest", part_name]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains("git bundle create FILE --all"), "{}", ran.err);
    let broken = bench.write("broken.bundle", b"# v2 git bundle\nnot a reference\n");
    let ran = bench.run(&["ingest", &broken]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains("git cannot unpack it"), "{}", ran.err);
}

#[test]
fn a_name_that_looks_like_an_option_is_a_name() {
    let bench = Bench::new();
    let folder = repository(&bench);
    let whole = bench.path("--upload-pack=x.bundle");
    git(&folder, &["bundle", "create", "--quiet", whole.to_str().expect("UTF-8"), "--all"]);
    assert_eq!(counts(&bench, &whole), (3, 0, 0));
}

#[test]
fn folders_that_hold_one_another_many_times_end() {
    let bench = Bench::new();
    let folder = repository(&bench);
    let mut tree = git(&folder, &["rev-parse", "HEAD:x"]);
    // Ten folders of ten folders, nine times over: a billion files in ten objects.
    for _ in 0..9 {
        let entries: String = (0..10).map(|n| format!("040000 tree {tree}\tf{n}\n")).collect();
        let list = bench.write("list", entries.as_bytes());
        let script = format!("git mktree < '{list}'");
        let ran = Command::new("sh").current_dir(&folder).args(["-c", &script]).output();
        tree = String::from_utf8(ran.expect("ran").stdout).expect("UTF-8").trim().to_owned();
    }
    let id = git(&folder, &["commit-tree", "-m", "bomb", &tree]);
    git(&folder, &["update-ref", "refs/heads/bomb", &id]);
    assert_eq!(counts(&bench, &folder), (4, 0, 0));
    let bomb = records(&bench).into_iter().find(|r| r["id"] == id.as_str()).expect("there");
    assert_eq!(
        (&bomb["changes"], &bomb["changes_unknown"]),
        (&().into(), &"too many files".into())
    );
}

#[test]
fn a_named_document_over_several_lines_is_one_record() {
    let answer = "{\n  \"status\": \"success\",\n  \"data\": {\"resultType\": \"matrix\", \"result\": []}\n}\n";
    let lines =
        "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[1]}}\n".repeat(2);
    for (name, text, expected) in [
        ("answer.json", answer, (1, 0)),
        ("lines.json", &lines, (2, 0)),
        ("broken.json", "{\n\"a\":\n", (0, 1)),
    ] {
        let bench = Bench::new();
        let path = bench.write(name, text.as_bytes());
        let ran = bench.run(&["--format", "json", "ingest", &path]);
        let said: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        let new = said["new"]["prometheus-range"].as_u64().unwrap_or(0);
        assert_eq!((new, said["refused"].as_u64().unwrap_or(0)), expected, "{name}: {}", ran.err);
        bench.run(&["ledger", "fsck"]).done();
    }
}

#[test]
fn in_a_folder_documents_are_passed_over_and_bundles_are_read() {
    let bench = Bench::new();
    let folder = repository(&bench);
    let search = bench.path("search");
    std::fs::create_dir(&search).expect("made");
    std::fs::write(search.join("answer.json"), "{}").expect("written");
    std::fs::write(search.join("no.bundle"), "none").expect("written");
    let bundle = search.join("whole.bundle");
    git(&folder, &["bundle", "create", "--quiet", bundle.to_str().expect("UTF-8"), "--all"]);
    let ran = bench.run(&["--format", "json", "ingest", search.to_str().expect("UTF-8")]);
    let said: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(said["new"]["git-commit"], 3, "{}", ran.err);
    assert_eq!(said["passed_over"].as_array().map(Vec::len), Some(2));
}
