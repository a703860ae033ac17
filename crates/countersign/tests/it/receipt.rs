//! Receipts: signed, verified, and refused with the member named when one thing is changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Bench, Ran, recorded};

const OPERATION: &str = "operation:payments-prod@1149";

/// A ledger with the versions of the recorded Applications, and a receipt of one operation.
fn receipt() -> (Bench, Value, String) {
    let bench = Bench::new();
    bench.ingest("a.jsonl", &recorded("kubernetes/watch/applications.jsonl.gz")).done();
    let path = bench.path("sync.json");
    let path = path.to_str().expect("UTF-8").to_owned();
    bench.run(&["evidence", "receipt", OPERATION, "--out", &path]).done();
    let read = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    (bench, read, path)
}

fn statement(receipt: &Value) -> Value {
    let payload = STANDARD.decode(receipt["payload"].as_str().expect("a text")).expect("base64");
    serde_json::from_slice(&payload).expect("JSON")
}

fn verified(bench: &Bench, receipt: &Value) -> Ran {
    let path = bench.write("changed.json", format!("{receipt}\n").as_bytes());
    bench.run(&["verify", "--key", &bench.dir().settings.verifier_key, &path])
}

#[test]
fn a_receipt_is_a_signed_statement_and_verifies() {
    let (bench, receipt, path) = receipt();
    let statement = statement(&receipt);
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    let commit = &statement["predicate"]["operation"]["revision"];
    assert_eq!(statement["subject"][0]["digest"]["gitCommit"], *commit);
    let claims = statement["predicate"]["operation"]["claims"].as_array().expect("claims");
    assert!(claims.iter().all(|claim| claim["voice"].is_string()) && !claims.is_empty());
    let key = bench.dir().settings.verifier_key;
    let good = bench.run(&["verify", "--key", &key, &path]).done().out;
    for said in ["intact", "under checkpoint", "payments-prod, full, Succeeded", "by the reader"] {
        assert!(good.contains(said), "{said:?} is missing in {good}");
    }
    let own = bench.run(&["verify", &path]).done().out;
    assert!(own.contains("who made it is not shown"), "{own}");
    let foreign = Bench::new().dir().settings.verifier_key;
    assert_eq!(bench.run(&["verify", "--key", &foreign, &path]).code, 4, "another key");
    // The same operation under the same checkpoint gives the same file; a record of it names it too.
    let again = bench.run(&["evidence", "receipt", OPERATION]).done().out;
    assert_eq!(again.as_bytes(), std::fs::read(&path).expect("read"));
    let entry = &statement["predicate"]["records"][0]["entry"];
    let by_entry = bench.run(&["evidence", "receipt", &format!("entry:{entry}")]);
    assert!(by_entry.code == 0 && by_entry.out == again || by_entry.err.contains("names 2"));
    assert_eq!(bench.run(&["evidence", "receipt", "operation:payments-prod@1"]).code, 3);
}

/// One member changed, and the member that the verdict names.
type Case = (&'static str, fn(&mut Value), &'static str);

/// Changes of the envelope and of what names the key.
const ENVELOPE: [Case; 10] = [
    ("version", |r| r["countersign"]["receipt"] = json!(2), "countersign.receipt: version 2"),
    ("key", |r| r["countersign"]["key"] = json!("x"), "countersign.key:"),
    ("type", |r| r["payloadType"] = json!("text/plain"), "payloadType:"),
    ("no signature", |r| r["signatures"] = json!([]), "signatures: are 0, not one"),
    ("keyid", |r| r["signatures"][0]["keyid"] = json!("x"), "signatures[0].keyid:"),
    ("short", |r| r["signatures"][0]["sig"] = json!("AAAA"), "signatures[0].sig:"),
    ("base64", |r| r["signatures"][0]["sig"] = json!("*"), "signatures[0].sig: is not base64"),
    ("more", |r| r["more"] = json!(1), "receipt: is none"),
    ("no payload", |r| r["payload"] = json!(""), "signatures[0].sig:"),
    ("no checkpoint", |r| r["countersign"]["checkpoint"] = json!(""), "countersign.checkpoint:"),
];

/// Changes of the list of entries.
const ENTRIES: [Case; 8] = [
    ("none", |e| *e = json!([]), ": are 0"),
    ("index", |e| e[0]["entry"] = json!(1), "[0]: entry 1: the statement cites"),
    ("leaf", |e| e[0]["leaf"] = json!("AAAA"), "[0]:"),
    ("another leaf", |e| e[0]["leaf"] = e[1]["leaf"].clone(), "[0]:"),
    ("no proof", |e| e[1]["proof"] = json!([]), "[1]:"),
    ("proof", |e| e[1]["proof"][0] = e[1]["proof"][1].clone(), "[1]:"),
    ("order", |e| e.as_array_mut().expect("a list").swap(0, 1), "[0]:"),
    ("twice", |e| *e = json!([e[0], e[1], e[0], e[1], e[0], e[1], e[0], e[1], e[0]]), ": are 9"),
];

#[track_caller]
fn is_refused(bench: &Bench, sound: &Value, changed: &Value, named: &str) {
    assert_ne!(changed, sound, "{named}: the case must change something");
    let ran = verified(bench, changed);
    assert_eq!(ran.code, 4, "{named}: {}", ran.out);
    assert!(ran.out.contains(&format!("FAULT      {named}")), "{named}: {}", ran.out);
}

#[test]
fn any_change_is_refused_and_the_member_named() {
    let (bench, sound, _) = receipt();
    assert_eq!(verified(&bench, &sound).code, 0);
    for (_, change, member) in ENVELOPE {
        let mut changed = sound.clone();
        change(&mut changed);
        is_refused(&bench, &sound, &changed, member);
    }
    for (_, change, member) in ENTRIES {
        let mut changed = sound.clone();
        change(&mut changed["countersign"]["entries"]);
        is_refused(&bench, &sound, &changed, &format!("countersign.entries{member}"));
    }
    for member in ["/payload", "/signatures/0/sig"] {
        let mut changed = sound.clone();
        let place = changed.pointer_mut(member).expect("a member");
        let text = place.as_str().expect("a text");
        let first = if text.starts_with('A') { "B" } else { "A" };
        *place = json!(format!("{first}{}", &text[1..]));
        is_refused(&bench, &sound, &changed, "signatures[0].sig: is not the key's");
    }
}

#[test]
fn another_checkpoint_of_the_same_ledger_is_not_the_one_that_was_signed() {
    let (bench, mut receipt, path) = receipt();
    bench.ingest("b.jsonl", &[crate::support::audit_line("b", "zoe@shop.example", "")]).done();
    receipt["countersign"]["checkpoint"] = json!(bench.checkpoint());
    let ran = verified(&bench, &receipt);
    assert_eq!(ran.code, 4);
    assert!(ran.out.contains("countersign.checkpoint: signs"), "{}", ran.out);
    // White space, and a member said in another order, are another spelling.
    let text = std::fs::read_to_string(&path).expect("read");
    let spaced = bench.write("spaced.json", text.replacen(':', ": ", 1).as_bytes());
    let ran = bench.run(&["verify", &spaced]);
    assert!(ran.code == 4 && ran.out.contains("canonical form"), "{}", ran.out);
}

#[test]
fn every_bit_of_a_receipt_counts() {
    let (bench, _, path) = receipt();
    let sound = std::fs::read(&path).expect("read");
    let key = bench.dir().verifier_key().expect("a key");
    assert!(evidence::receipt::verify(&sound, Some(&key)).holds());
    for at in (0..sound.len()).step_by(3) {
        let mut changed = sound.clone();
        changed[at] ^= 1;
        assert!(!evidence::receipt::verify(&changed, Some(&key)).holds(), "byte {at}");
    }
}
