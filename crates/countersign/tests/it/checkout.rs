//! The files of a repository: a commit of a bundle and the folder of a clone hold the same.

use std::path::Path;
use std::process::Command;

use countersign::sources::checkout::{Checkout, Limits};

const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../captures/git/gitops.bundle");

#[test]
fn a_commit_and_a_clone_of_it_hold_the_same_files() {
    let limits = Limits::default();
    let commit = Checkout::of_commit(Path::new(BUNDLE), Some("main"), &limits).expect("it holds");
    let folder = tempfile::tempdir().expect("it holds");
    let clone = folder.path().join("clone");
    let args = ["clone", "-q", "-b", "main", BUNDLE];
    let done = Command::new("git").args(args).arg(&clone).output().expect("it holds");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let lying = Checkout::of_folder(&clone, &limits).expect("it holds");
    let told = |checkout: &Checkout| -> Vec<(String, usize)> {
        checkout.files().iter().map(|f| (f.path.to_owned(), f.bytes.len())).collect()
    };
    assert_eq!(told(&commit), told(&lying));
    assert!(commit.content("CODEOWNERS").is_some() && commit.left_out.is_empty());

    let id = commit.commit.expect("it holds");
    assert_eq!(lying.commit, None);
    for named in [&id[..], &id[..9]] {
        let same = Checkout::of_commit(Path::new(BUNDLE), Some(named), &limits).expect("it holds");
        assert_eq!(same.commit.as_deref(), Some(&*id), "{named}");
    }
    for unknown in ["nowhere", "0000000000"] {
        let error = Checkout::of_commit(&clone, Some(unknown), &limits).unwrap_err();
        assert!(error.to_string().contains("name a branch, a tag or the id"), "{error}");
    }
}

#[test]
fn a_limit_is_said() {
    let few = Limits { files: 3, ..Limits::default() };
    let error = Checkout::of_commit(Path::new(BUNDLE), Some("main"), &few).unwrap_err();
    assert!(error.to_string().contains("more than 3 files"), "{error}");
    let small = Limits { file_bytes: 10, ..Limits::default() };
    let read = Checkout::of_commit(Path::new(BUNDLE), Some("main"), &small).expect("it holds");
    assert!(read.left_out.iter().any(|(path, _)| path == "CODEOWNERS"));
    assert_eq!(read.content("CODEOWNERS"), Some(&[][..]));
}
