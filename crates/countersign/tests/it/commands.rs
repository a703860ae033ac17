//! The commands as their users meet them: exit codes, messages, formats.

use crate::support::{Bench, audit_line, run_on};

#[test]
fn exit_codes_and_messages() {
    let bench = Bench::new();
    let table: &[(&[&str], u8, &str)] = &[
        (&["--help"], 0, "Exit codes"),
        (&["--version"], 0, "countersign 0."),
        (&["sing"], 2, "unrecognized subcommand"),
        (&["ingest"], 2, "PATH"),
        (&["ingest", "-", "--channel", "gossip"], 2, "known are alertmanager-webhook"),
        (&["ingest", "-", "--channel", "ledger-redaction"], 2, "only the ledger itself"),
        (&["ingest", "no/such/file"], 5, "cannot open no/such/file"),
        (&["timeline"], 2, "say at, from and to, or whole"),
        (&["timeline", "--at", "noonish"], 2, "\"noonish\" is no moment; say"),
        (&["timeline", "--at", "10:00", "--tz", "Mars/Base"], 2, "\"Mars/Base\" is no time zone"),
        (&["timeline", "--whole", "--app", "nosuch"], 3, "no Application \"nosuch\""),
        (&["ledger", "init", "--origin", "https://x.example/l"], 2, "an origin has no scheme"),
        (&["timeline", "--at", "10:00"], 3, ""),
        (&["ledger", "init", "--origin", "x.example"], 5, "is not empty"),
        (&["ledger", "init", "--origin", "a b"], 2, "origin"),
        (&["ledger", "checkpoint", "--size", "7"], 5, "no checkpoint of 7 entries"),
        (&["ledger", "redact", "--reason", "r"], 2, "--person"),
        (&["verify", "no/such/pack"], 5, "cannot read no/such/pack: No such file"),
        (&["--people", "no/such/map", "timeline", "--whole"], 5, "cannot read no/such/map"),
        (&["completions", "bash"], 0, "_countersign"),
    ];
    for (words, code, message) in table {
        let ran = bench.run(words);
        let said = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, *code, "{words:?}: {said}");
        assert!(said.contains(message), "{words:?}: {said}");
    }
}

#[test]
fn a_folder_without_a_ledger_is_told_how_to_get_one() {
    let bench = Bench::new();
    let ran = run_on(&bench.path("other"), &["ledger", "status"]);
    assert_eq!(ran.code, 5);
    assert!(ran.err.contains("no ledger at") && ran.err.contains("ledger init"), "{}", ran.err);
}

#[test]
fn status_tells_what_is_covered_and_what_vouches_for_it() {
    let bench = Bench::new();
    bench.ingest("a.jsonl", &[audit_line("a", "p@x.example", ""), "{".to_owned()]);
    let text = bench.run(&["ledger", "status"]).done().out;
    for shown in [
        "test.example/prod",
        "kubernetes-audit",
        "Anchor      none",
        "Timestamp   none",
        "a.jsonl:2: truncated",
    ] {
        assert!(text.contains(shown), "{shown:?} is missing in\n{text}");
    }
    let json = bench.run(&["--format", "json", "ledger", "status"]).done().out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    crate::schema::fits(&json, "status");
    assert_eq!(json["derived"]["entries"], 1);
    assert_eq!(json["channels"][0]["channel"], "kubernetes-audit");
    assert_eq!(json["channels"][0]["refused"], 1);
    assert_eq!(json["readings"][1]["new"], 1);
    assert_eq!(json["readings"][0]["refused"], 1);
    assert_eq!(json["refusals"][0]["line"], 2);
}

#[test]
fn a_pack_verifies_and_a_change_of_it_is_named() {
    let bench = Bench::new();
    let lines: Vec<String> =
        (0..20).map(|i| audit_line(&format!("a{i}"), "p@x.example", "")).collect();
    bench.ingest("a.jsonl", &lines).done();
    let pack = bench.path("a.pack");
    let path = pack.to_str().expect("UTF-8");
    bench.run(&["evidence", "export", "--out", path]).done();
    let key = bench.dir().settings.verifier_key;
    let good = bench.run(&["verify", "--key", &key, path]).done();
    assert!(good.out.contains("given by the reader"), "{}", good.out);
    let foreign = Bench::new().dir().settings.verifier_key;
    assert_eq!(bench.run(&["verify", "--key", &foreign, path]).code, 4, "another key");

    let bytes = std::fs::read(&pack).expect("read");
    let changed = bench.write("changed.pack", &bytes[..bytes.len() - 1]);
    let ran = bench.run(&["verify", &changed]);
    assert_eq!(ran.code, 4);
    assert!(ran.out.contains("story.json: is cut short"), "{}", ran.out);
    let ran = bench.run(&["--format", "json", "verify", &changed]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((ran.code, &json["intact"]), (4, &false.into()));
    // What the reader trusts and kept.
    let trust = bench.write("trust", format!("log {key}\n").as_bytes());
    let kept = bench.write("kept", bench.checkpoint().as_bytes());
    let ran = bench.run(&["verify", "--trust", &trust, "--checkpoint", &kept, path]).done();
    assert!(ran.out.contains("Kept       consistent"), "{}", ran.out);
}

#[test]
fn every_bit_of_a_pack_counts() {
    let bench = Bench::new();
    bench.ingest("a.jsonl", &[audit_line("a", "p@x.example", "")]).done();
    let pack = bench.path("a.pack");
    bench.run(&["evidence", "export", "--out", pack.to_str().expect("UTF-8")]).done();
    let sound = std::fs::read(&pack).expect("read");
    let key = bench.dir().verifier_key().expect("a key");
    let trust = evidence::pack::Trust::in_log(key);
    let terms = evidence::pack::Terms { trust: Some(&trust), kept: None };
    assert_eq!(evidence::pack::verify(&sound, &terms).code(), 0);
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        changed[at] ^= 1;
        let verdict = evidence::pack::verify(&changed, &terms);
        assert_eq!(verdict.code(), 4, "byte {at}: {}", verdict.report());
    }
}

#[test]
fn a_pack_names_only_the_people_of_its_story() {
    let bench = Bench::new();
    let map = r#"{"zoe":{"kubernetes_user":"zoe@shop.example"},"yan":{"kubernetes_user":"yan@shop.example"}}"#;
    let people = bench.write("people.json", map.as_bytes());
    bench.ingest("a.jsonl", &[audit_line("a", "zoe@shop.example", "")]).done();
    let pack = bench.path("a.pack");
    let path = pack.to_str().expect("UTF-8");
    bench.run(&["--people", &people, "evidence", "export", "--out", path]).done();
    let bytes = std::fs::read(&pack).expect("read");
    let members = evidence::pack::container::read(&bytes).expect("a pack");
    let people = String::from_utf8(members[4].content().expect("sound")).expect("UTF-8");
    assert!(people.contains("zoe@shop.example") && !people.contains("yan@shop.example"));
    bench.run(&["verify", path]).done();
}

#[test]
fn lines_refused_at_intake_are_told_with_the_answer() {
    let bench = Bench::new();
    let line = audit_line("a", "zoe@shop.example", "");
    bench.ingest("a.jsonl", &[line.clone(), "{".to_owned()]);
    let answer = bench.run(&["timeline", "--whole"]);
    let words = answer.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("1 refused at intake of its sources"), "{}", answer.out);
    // Mended and read again, nothing is missing any more.
    bench.ingest("a.jsonl", &[line, audit_line("b", "zoe@shop.example", "")]).done();
    let answer = bench.run(&["timeline", "--whole"]);
    assert!(!answer.out.contains("refused at intake"), "{}", answer.out);
}

#[test]
fn a_silent_channel_that_is_expected_is_a_finding() {
    let bench = Bench::with(&["--expect", "kubernetes-audit", "--expect", "jira-webhook"]);
    bench.ingest("a.jsonl", &[audit_line("a", "p@x.example", "")]).done();
    let status = |words: &[&str]| bench.run(&[&["ledger", "status"], words].concat());
    let silent = status(&[]);
    assert_eq!(silent.code, 1, "{}", silent.out);
    for shown in [
        "!! SILENT   jira-webhook: expected, and no record ever came",
        "1 record, expected",
        "Blind spots: channels of which no record came",
        "github-webhook            pushes, proposals, reviews and merges",
        "inside of pods",
    ] {
        assert!(silent.out.contains(shown), "{shown:?} is missing in\n{}", silent.out);
    }
    assert!(!silent.out.contains("SILENT   kubernetes-audit"), "{}", silent.out);
    assert!(silent.out.lines().all(|line| line.chars().count() <= 80), "{}", silent.out);
    // One that came before, and not lately.
    let quiet = status(&["--silent-for", "0s", "--expect", "git-commit"]).out;
    assert!(
        quiet.contains("SILENT   kubernetes-audit: expected, and nothing came since"),
        "{quiet}"
    );
    assert!(quiet.contains("SILENT   git-commit"), "{quiet}");
    let lately = status(&["--silent-for", "24h"]).out;
    assert!(!lately.contains("SILENT   kubernetes-audit"), "{lately}");
    let unknown = bench.run(&["ledger", "status", "--expect", "gossip"]);
    assert!(unknown.code == 2 && unknown.err.contains("known are"), "{}", unknown.err);
}
