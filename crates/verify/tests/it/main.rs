//! `countersign-verify` as its users run it: answers, messages and exit codes.

use std::path::PathBuf;
use std::process::Command;

use fixture::Ledger;

mod fixture;
mod matrix;
mod mutations;

fn run(words: &[&str]) -> (i32, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_countersign-verify")).args(words).output();
    let ran = ran.expect("started");
    (ran.status.code().expect("an exit code"), String::from_utf8(ran.stdout).expect("UTF-8"))
}

fn written(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_sound_pack_is_intact_and_its_story_follows() {
    let (folder, ledger) = (tempfile::tempdir().expect("a folder"), Ledger::new());
    let path = written(&folder, "sound.pack", &ledger.whole(13));
    let (code, said) = run(&["--key", &ledger.key(), &path]);
    assert_eq!(code, 0, "{said}");
    for part in [
        "intact: under checkpoint 13 of verify.example/log",
        "follows from the records, byte for byte",
        "given by the reader",
        "entries 0 to 12; everything: 13 of 13 records in full",
        "erased in 1 entries",
        "kubernetes-audit: 12 of 12 records, 2026-11-23T21:40:00",
    ] {
        assert!(said.contains(part), "{part:?} is missing in {said}");
    }
    let (code, said) = run(&[&path]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("who made it is not shown"), "{said}");
}

#[test]
fn options_are_understood() {
    let (folder, ledger) = (tempfile::tempdir().expect("a folder"), Ledger::new());
    let sound = written(&folder, "sound.pack", &ledger.whole(13));
    let part = written(&folder, "part.pack", &ledger.part());
    let mut bytes = ledger.whole(13);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let changed = written(&folder, "changed.pack", &bytes);
    let trust = written(&folder, "trust", format!("log {}\n", ledger.key()).as_bytes());
    let kept = written(&folder, "kept", ledger.checkpoint(4).as_bytes());
    let fork = written(&folder, "fork", ledger.fork(1).checkpoint(4).as_bytes());
    let cases: [(&[&str], i32, &str); 7] = [
        (&["--trust", &trust, "--checkpoint", &kept, &sound], 0, "consistent"),
        (&["--trust", &trust, "--checkpoint", &kept, &part], 3, "cannot tell"),
        (&["--trust", &trust, "--checkpoint", &fork, &sound], 4, "kept checkpoint: contradicted"),
        (&[&changed], 4, "FAULT"),
        (&["--format", "json", &sound], 0, "\"intact\":true"),
        (&["--format", "json", &changed], 4, "\"intact\":false"),
        (&["--checkpoint", "no/such/note", &sound], 5, "cannot read no/such/note"),
    ];
    for (words, code, message) in cases {
        let (got, said) = run(words);
        assert_eq!(got, code, "{words:?}: {said}");
        assert!(said.contains(message), "{words:?}: {said}");
    }
}

#[test]
fn misuse_is_told() {
    let cases: [(&[&str], i32, &str); 9] = [
        (&[], 2, "no pack named"),
        (&["a", "b"], 2, "one pack at a time"),
        (&["--sing"], 2, "unknown option --sing"),
        (&["--key"], 2, "--key needs a verifier key"),
        (&["--key", "x", "a"], 2, "--key: "),
        (&["--format", "xml", "a"], 2, "--format needs text or json"),
        (&["--trust", "no/such/file", "a"], 5, "cannot read no/such/file"),
        (&["no/such/pack"], 5, "cannot read no/such/pack"),
        (&["--help"], 0, "Exit codes"),
    ];
    for (words, code, message) in cases {
        let (got, said) = run(words);
        assert_eq!(got, code, "{words:?}: {said}");
        assert!(said.contains(message), "{words:?}: {said}");
    }
}
