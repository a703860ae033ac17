//! `git-commit`: commits and references, as they were read from a repository.

use evidence::parse::NotUnderstood;
use evidence::parse::git_commit::{Commit, GitLine, Signed, parse};
use serde_json::{Value, json};

use crate::github_webhook::{BASE, HEAD, MADE};

/// A commit's line.
pub(crate) fn commit(id: &str, parents: &[&str]) -> Value {
    let ann = json!({"name": "Ann", "email": "ann@shop.example",
        "time": "2026-02-03T11:00:00+01:00"});
    json!({"git": "commit", "id": id, "tree": MADE, "parents": parents, "author": ann,
        "committer": ann, "message": "Shop 2\n", "signature": null,
        "changes": [{"path": "a", "status": "removed", "blob": null},
            {"path": "b", "status": "added", "blob": BASE}]})
}

fn read(line: &Value) -> Commit {
    match parse(line.to_string().as_bytes()).unwrap() {
        GitLine::Commit(commit) => *commit,
        GitLine::Refs(refs) => panic!("{refs:?}"),
    }
}

#[test]
fn a_commit_names_parents_accounts_and_files() {
    let commit = read(&commit(HEAD, &[BASE, MADE]));
    assert_eq!((commit.id.as_str(), commit.tree.as_deref()), (HEAD, Some(MADE)));
    assert_eq!(commit.parents.as_deref().unwrap(), [BASE, MADE]);
    let author = commit.author.unwrap();
    assert_eq!((author.name.as_str(), author.email.as_str()), ("Ann", "ann@shop.example"));
    assert_eq!(author.time.unwrap().earliest().to_string(), "2026-02-03T10:00:00Z");
    let changes = commit.changes.unwrap();
    assert_eq!((changes[0].path.as_str(), changes[0].blob.as_deref()), ("a", None));
    assert_eq!((changes[1].status.as_str(), changes[1].blob.as_deref()), ("added", Some(BASE)));
}

#[test]
fn a_signature_is_told_by_its_kind_and_not_believed() {
    let mut line = commit(HEAD, &[]);
    assert_eq!(read(&line).signed, Some(Signed::No));
    line["signature"] = json!({"kind": "ssh"});
    assert_eq!(read(&line).signed, Some(Signed::Unverified("ssh".to_owned())));
}

#[test]
fn what_could_not_be_read_is_not_told() {
    let mut line = commit(HEAD, &[BASE]);
    line["changes"] = Value::Null;
    line["author"] = json!({"name": "Ann", "email": "", "time": null});
    line["committer"] = Value::Null;
    let commit = read(&line);
    assert_eq!((commit.changes, commit.committer), (None, None));
    assert_eq!(commit.author.unwrap().time, None);
}

#[test]
fn references_have_a_commit_each() {
    let line = json!({"git": "refs", "refs": {"refs/heads/trunk": HEAD},
        "head": "refs/heads/trunk"});
    let GitLine::Refs(refs) = parse(line.to_string().as_bytes()).unwrap() else { panic!() };
    assert_eq!(refs.refs["refs/heads/trunk"], HEAD);
    assert_eq!(refs.head.as_deref(), Some("refs/heads/trunk"));
}

#[test]
fn what_is_malformed_is_not_understood() {
    for (line, reason) in [
        (json!({"git": "tag", "id": HEAD}), NotUnderstood::Kind),
        (json!({"git": "commit", "id": ""}), NotUnderstood::Unidentified),
    ] {
        assert_eq!(parse(line.to_string().as_bytes()), Err(reason), "{line}");
    }
    for line in [
        json!({"git": "commit"}),
        json!({"git": "commit", "id": HEAD, "parents": BASE}),
        json!({"git": "refs", "refs": []}),
        json!(["commit", HEAD]),
        json!({"id": HEAD}),
    ] {
        let read = parse(line.to_string().as_bytes());
        assert!(matches!(read, Err(NotUnderstood::Shape { .. })), "{line}");
    }
}
