//! A ledger that lost entries, or has others than were signed, is not written to again.

use std::fs;
use std::path::Path;

use crate::support::{Bench, audit_line};

fn lines(part: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| audit_line(&format!("{part}-{i}"), "p@x.example", "")).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed") {
        let path = entry.expect("listed").path();
        fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("copied");
    }
}

#[track_caller]
fn refused(bench: &Bench, code: u8, message: &str) {
    let before = bench.files();
    let ran = bench.ingest("more.jsonl", &lines("more", 3));
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains(message), "{}", ran.err);
    let unchanged = |name: &str| {
        let of = |files: &[(std::path::PathBuf, Vec<u8>)]| {
            files.iter().find(|(p, _)| p.ends_with(name)).map(|(_, b)| b.clone())
        };
        of(&before) == of(&bench.files())
    };
    assert!(unchanged("ledger.db") && unchanged("checkpoints"), "nothing was written");
}

#[test]
fn an_older_database_under_newer_checkpoints_is_a_rollback() {
    let bench = Bench::new();
    bench.ingest("a.jsonl", &lines("a", 10)).done();
    let old = bench.path("old");
    copy(&bench.ledger(), &old);
    bench.ingest("b.jsonl", &lines("b", 10)).done();
    fs::copy(old.join("ledger.db"), bench.ledger().join("ledger.db")).expect("restored");
    refused(&bench, 4, "rollback: ");
}

#[test]
fn other_entries_than_were_signed_are_a_fork() {
    let bench = Bench::new();
    bench.ingest("a.jsonl", &lines("a", 10)).done();
    let twin = bench.path("twin");
    copy(&bench.ledger(), &twin);
    bench.ingest("b.jsonl", &lines("b", 10)).done();
    // The twin has the same keys and another history of the same length or more.
    let other = Bench::new();
    fs::remove_dir_all(other.ledger()).expect("removed");
    copy(&twin, &other.ledger());
    other.ingest("c.jsonl", &lines("c", 12)).done();
    fs::copy(other.ledger().join("ledger.db"), bench.ledger().join("ledger.db")).expect("swapped");
    refused(&bench, 4, "fork: ");
}

#[test]
fn a_whole_folder_from_a_backup_is_seen_by_the_anchor() {
    let outside = tempfile::tempdir().expect("a folder");
    let anchor = outside.path().join("anchor");
    let bench = Bench::with(&["--anchor", anchor.to_str().expect("UTF-8")]);
    bench.ingest("a.jsonl", &lines("a", 10)).done();
    let backup = bench.path("backup");
    copy(&bench.ledger(), &backup);
    bench.ingest("b.jsonl", &lines("b", 10)).done();
    assert_eq!(fs::read_to_string(&anchor).expect("anchored"), bench.checkpoint());
    fs::remove_dir_all(bench.ledger()).expect("removed");
    copy(&backup, &bench.ledger());
    refused(&bench, 4, "rollback: ");
    let fsck = bench.run(&["ledger", "fsck"]);
    assert_eq!(fsck.code, 4);
    assert!(
        fsck.out.contains("checkpoint 20 (anchor): the ledger has only 10 entries"),
        "{}",
        fsck.out
    );
}

#[test]
fn a_missing_or_foreign_checkpoint_file_is_no_reason_to_start_over() {
    let bench = Bench::new();
    bench.ingest("a.jsonl", &lines("a", 10)).done();
    let file = bench.ledger().join("checkpoints");
    let own = fs::read(&file).expect("read");
    fs::remove_file(&file).expect("removed");
    refused(&bench, 4, "holds no checkpoint of this ledger");
    fs::write(&file, b"").expect("emptied");
    refused(&bench, 4, "holds no checkpoint of this ledger");
    let foreign = Bench::new();
    fs::copy(foreign.ledger().join("checkpoints"), &file).expect("swapped");
    refused(&bench, 5, "the last checkpoint is not this ledger's");
    fs::write(&file, own).expect("restored");
    bench.ingest("b.jsonl", &lines("b", 1)).done();
    bench.run(&["ledger", "fsck"]).done();
}

#[test]
fn two_writers_are_one_too_many() {
    let bench = Bench::new();
    let dir = bench.dir();
    let writing = countersign::ledger::recover::open(&dir).expect("opened");
    let ran = bench.ingest("a.jsonl", &lines("a", 1));
    assert_eq!(ran.code, 5);
    assert!(ran.err.contains("another process is writing"), "{}", ran.err);
    countersign::ledger::recover::close(writing, &dir).expect("closed");
    bench.ingest("a.jsonl", &lines("a", 1)).done();
}

#[test]
fn a_new_ledger_is_whole_and_one_that_was_not_finished_is_made_again() {
    let outside = tempfile::tempdir().expect("a folder");
    let anchor = outside.path().join("anchor");
    let bench = Bench::with(&["--anchor", anchor.to_str().expect("UTF-8")]);
    bench.run(&["ledger", "fsck"]).done();
    let half = bench.path("half");
    fs::create_dir(&half).expect("made");
    for part in ["signing.key", "content.key", "ledger.db"] {
        fs::copy(bench.ledger().join(part), half.join(part)).expect("copied");
    }
    let init = ["ledger", "init", "--origin", "half.example"];
    crate::support::run_on(&half, &init).done();
    crate::support::run_on(&half, &["ledger", "fsck"]).done();
    // A folder with anything else in it is nobody's to clear.
    fs::write(outside.path().join("signing.key"), "mine").expect("written");
    assert_eq!(crate::support::run_on(outside.path(), &init).code, 5);
    assert!(outside.path().join("signing.key").exists());
}

#[test]
fn a_checkpoint_that_is_gone_from_the_file_is_missed() {
    let bench = Bench::new();
    for part in ["a", "b", "c"] {
        bench.ingest(&format!("{part}.jsonl"), &lines(part, 3)).done();
    }
    let file = bench.ledger().join("checkpoints");
    let text = fs::read_to_string(&file).expect("read");
    let middle = text.find("test.example/prod\n6\n").expect("the middle one");
    let end = text.find("test.example/prod\n9\n").expect("the last one");
    fs::write(&file, format!("{}{}", &text[..middle], &text[end..])).expect("written");
    let fsck = bench.run(&["ledger", "fsck"]);
    assert_eq!(fsck.code, 4);
    assert!(fsck.out.contains("lacks the checkpoint of 6 entries"), "{}", fsck.out);
}
