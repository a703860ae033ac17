//! Populations and samples as their users meet them: frozen under a checkpoint, drawn by a nonce,
//! drawn again by whoever doubts.

use serde_json::Value;

use crate::support::Bench;

/// Ten edits of a workload by hand: ten transitions past git.
fn edited(bench: &Bench) {
    let lines: Vec<String> = (0..10).map(edit).collect();
    bench.ingest("a.jsonl", &lines).done();
}

/// An audited edit of a workload; each is of another second.
fn edit(second: u32) -> String {
    let stamp = |part: &str| format!("2026-02-03T10:00:{second:02}.{part}Z");
    serde_json::json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse",
        "auditID": format!("a{second}"), "stage": "ResponseComplete", "verb": "patch",
        "requestURI": "/apis/apps/v1/namespaces/shop/deployments/shop",
        "user": {"username": "zoe@shop.example"},
        "objectRef": {"apiGroup": "apps", "apiVersion": "v1", "resource": "deployments",
            "namespace": "shop", "name": "shop"},
        "responseStatus": {"code": 200},
        "requestObject": {"spec": {"replicas": second + 1}},
        "requestReceivedTimestamp": stamp("100000"), "stageTimestamp": stamp("200000"),
    })
    .to_string()
}

fn json(bench: &Bench, words: &[&str], code: u8) -> Value {
    let ran = bench.run(&[&["--format", "json"], words].concat());
    assert_eq!(ran.code, code, "{words:?}: {}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).expect("JSON")
}

#[test]
fn a_population_is_frozen_drawn_from_and_drawn_again() {
    let bench = Bench::new();
    edited(&bench);
    let rows = bench.path("rows.jsonl");
    let words = ["population", "freeze", "--rows", rows.to_str().expect("UTF-8")];
    let frozen = json(&bench, &words, 0);
    assert_eq!((frozen["entry"].as_u64(), frozen["checkpoint"].as_u64()), (Some(10), Some(11)));
    assert_eq!(frozen["population"]["rows"], 10);
    assert_eq!(frozen["population"]["strata"]["outside-git"], 10);
    assert_eq!(std::fs::read_to_string(&rows).expect("read").lines().count(), 10);

    let first = json(&bench, &["sample", "--nonce", "one", "--size", "3"], 0);
    assert_eq!(first["rows"].as_array().map(Vec::len), Some(3));
    assert_eq!(first["drawn"]["earlier"], serde_json::json!([]));
    // Records that come later are in no population that is frozen already.
    bench.ingest("b.jsonl", &[edit(11)]).done();
    let second = json(&bench, &["sample", "--nonce", "two", "--size", "3"], 1);
    assert_eq!(second["drawn"]["earlier"], serde_json::json!([11]));
    assert_ne!(first["drawn"]["rows"], second["drawn"]["rows"]);
    let whole = bench.run(&["sample", "--nonce", "three", "--size", "3", "--stratify"]);
    assert_eq!(whole.code, 1, "{}", whole.err);
    for said in ["outside-git 10 of 10", "DRAWN AGAIN", "draw in entry 11: nonce \"one\""] {
        assert!(whole.out.contains(said), "{said:?} is missing in {}", whole.out);
    }
    let verified = bench.run(&["sample", "--verify"]).done();
    assert_eq!(verified.out.matches("drawn again, the same").count(), 3, "{}", verified.out);
    let listed = bench.run(&["population", "list"]).done().out;
    assert_eq!(listed.matches("draw in entry").count(), 3, "{listed}");
    bench.run(&["ledger", "fsck"]).done();
}

#[test]
fn the_same_nonce_draws_the_same_rows_and_the_repetition_shows() {
    let bench = Bench::new();
    edited(&bench);
    json(&bench, &["population", "freeze"], 0);
    let first = json(&bench, &["sample", "--nonce", "n", "--size", "4"], 0);
    let second = json(&bench, &["sample", "--nonce", "n", "--size", "4"], 1);
    assert_eq!(first["drawn"]["rows"], second["drawn"]["rows"]);
    // Another freeze is another population: its entry, and so its draw, is another.
    json(&bench, &["population", "freeze"], 0);
    let third = json(&bench, &["sample", "--nonce", "n", "--size", "4"], 0);
    assert_ne!(first["drawn"]["leaf"], third["drawn"]["leaf"]);
}

#[test]
fn freezing_changes_no_story_and_is_told_apart_from_nothing() {
    let bench = Bench::new();
    let table: [(&[&str], u8, &str); 7] = [
        (&["population", "list"], 3, ""),
        (&["sample", "--nonce", "n"], 5, "no population is frozen"),
        (&["sample", "--verify"], 5, "no sample is recorded"),
        (&["sample"], 2, "--nonce"),
        (&["sample", "--nonce", ""], 2, "not empty"),
        (&["population", "freeze", "--from", "noonish"], 2, "no moment"),
        (&["population", "freeze"], 3, "Rows       0"),
    ];
    for (words, code, message) in table {
        let ran = bench.run(words);
        assert_eq!(ran.code, code, "{words:?}: {}{}", ran.out, ran.err);
        assert!(format!("{}{}", ran.out, ran.err).contains(message), "{words:?}: {}", ran.err);
    }
    edited(&bench);
    let people = crate::support::people();
    let operations = |story: String| {
        let mut story: Value = serde_json::from_str(&story).expect("JSON");
        story["coverage"] = Value::Null;
        story
    };
    let before = operations(bench.story(&people));
    json(&bench, &["population", "freeze"], 0);
    assert_eq!(operations(bench.story(&people)), before);
}
