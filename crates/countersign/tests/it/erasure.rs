//! Erasing a person: no byte is left, every proof holds, and the absence is told.

use evidence::people::People;

use crate::support::{Bench, captures, holds, people};

fn with_everybody() -> (Bench, String) {
    let bench = Bench::new();
    let people = captures().join("people.json").to_str().expect("UTF-8").to_owned();
    let watch = captures().join("kubernetes/watch");
    let audit = captures().join("kubernetes/audit.jsonl.gz");
    let paths = [watch.to_str().expect("UTF-8"), audit.to_str().expect("UTF-8")];
    bench.run(&["--people", &people, "ingest", paths[0], paths[1]]).done();
    (bench, people)
}

#[test]
fn an_erased_person_stands_in_no_file_and_every_proof_holds() {
    let (bench, file) = with_everybody();
    let people = people();
    let mut identifying: Vec<&str> = people.accounts("frank").collect();
    identifying.extend(people.name("frank"));
    let stands = |text: &str| bench.files().iter().any(|(_, bytes)| holds(bytes, text.as_bytes()));
    assert!(stands("frank.weiss@bank.example"), "there is something to erase");
    let before = bench.checkpoint();

    let words = ["ledger", "redact", "--person", "frank", "--reason", "request 17"];
    let ran = bench.run(&[&["--people", &file][..], &words].concat()).done();
    assert!(ran.out.contains("every proof holds"), "{}", ran.out);
    for text in identifying {
        assert!(!stands(text), "{text:?} is still in a file");
    }
    let fsck = bench.run(&["ledger", "fsck"]).done();
    assert!(!fsck.out.contains("0 segments erased"), "{}", fsck.out);
    let all = bench.run(&["ledger", "checkpoint", "--all"]).done().out;
    assert!(all.contains(&before), "the checkpoint from before is kept");

    // The story goes on without the name, and says why.
    let story = bench.story(&People::default());
    assert!(!story.contains("frank") && story.contains("[redacted]"));
    let pack = bench.path("evening.pack");
    let pack = pack.to_str().expect("UTF-8");
    bench.run(&["evidence", "export", "--out", pack]).done();
    let verdict = bench.run(&["verify", pack]).done();
    assert!(!verdict.out.contains("erased in 0 entries"), "{}", verdict.out);
}

/// A commitment is longer than a short name: rows grow, pages split, and what moves off a page must
/// not stay behind in its gaps.
#[test]
fn erasing_leaves_no_copy_where_pages_were_split() {
    let bench = Bench::new();
    let lines: Vec<String> =
        (0..3_000).map(|i| crate::support::audit_line(&format!("a{i}"), "zqxzqx", "")).collect();
    bench.ingest("a.jsonl", &lines).done();
    bench.run(&["ledger", "redact", "--value", "zqxzqx", "--reason", "r"]).done();
    for (path, bytes) in bench.files() {
        assert!(!holds(&bytes, b"zqxzqx"), "a copy is left in {}", path.display());
    }
    let fsck = bench.run(&["ledger", "fsck"]).done();
    assert!(fsck.out.contains("3,000 segments erased"), "{}", fsck.out);
}

#[test]
fn what_the_people_map_did_not_know_at_intake_is_told() {
    let bench = Bench::new();
    let line = crate::support::audit_line("a-1", "zoe@shop.example", r#","note":"by zoedoe""#);
    bench.ingest("a.jsonl", &[line]).done();
    let words =
        ["ledger", "redact", "--value", "zoedoe", "--value", "zoe@shop.example", "--reason", "r"];
    let ran = bench.run(&words);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("1 entry still holds"), "{}", ran.out);
    bench.run(&["ledger", "fsck"]).done();
}

#[test]
fn nobody_is_erased_by_mistake() {
    let (bench, file) = with_everybody();
    let before = bench.checkpoint();
    let words = ["ledger", "redact", "--reason", "r"];
    let cases: [(&[&str], &str); 3] = [
        (&["--person", "nobody"], "no person \"nobody\""),
        (&["--value", "a"], "would erase too much"),
        (&["--value", "stands.nowhere@x.example"], "Erased 0 personal segments"),
    ];
    for (who, message) in cases {
        let ran = bench.run(&[&["--people", &file][..], &words, who].concat());
        assert!(format!("{}{}", ran.out, ran.err).contains(message), "{}{}", ran.out, ran.err);
    }
    assert_eq!(bench.checkpoint(), before);
}

/// Old pages stay alive while somebody reads: then nothing is called erased that is not.
#[test]
fn an_open_reader_is_told_and_a_second_run_finishes() {
    let bench = Bench::new();
    let lines: Vec<String> = (0..50)
        .map(|i| crate::support::audit_line(&format!("a{i}"), "zoe@shop.example", ""))
        .collect();
    bench.ingest("a.jsonl", &lines).done();
    let reader = countersign::ledger::read::Reader::open(&bench.dir()).expect("opened");
    let words = ["ledger", "redact", "--value", "zoe@shop.example", "--reason", "r"];
    let refused = bench.run(&words);
    assert_eq!(refused.code, 5, "{}", refused.out);
    assert!(refused.err.contains("another command is reading the ledger"), "{}", refused.err);
    drop(reader);
    bench.run(&words).done();
    for (path, bytes) in bench.files() {
        assert!(!holds(&bytes, b"zoe@shop.example"), "left in {}", path.display());
    }
    let fsck = bench.run(&["ledger", "fsck"]).done();
    assert!(fsck.out.contains("50 segments erased"), "{}", fsck.out);
}
