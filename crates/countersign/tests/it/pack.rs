//! Packs of the recorded evening: the whole, one change, one period; reproducible, small, offline.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use evidence::ask::part::part;
use evidence::pack::container::{self, Member};
use evidence::pack::{Selection, Terms, Verdict, verify};
use evidence::story::derive;

use crate::support::{Bench, Ran, captures, evening, holds, people, run_on};

/// Everything that a pack is asked for here: a name and the options.
const PACKS: [(&str, &[&str]); 6] = [
    ("evening", &[]),
    ("pr103", &["--change", "pr:103"]),
    ("incident", &["--from", "2026-11-23 21:46", "--to", "2026-11-23 21:48"]),
    ("app", &["--app", "payments-prod"]),
    ("env", &["--env", "prod"]),
    ("pseudonyms", &["--change", "pr:103", "--pseudonymise"]),
];

/// The evening in a ledger; tests that change it take one of their own.
static EVENING: LazyLock<(Bench, String)> = LazyLock::new(evening);

fn export(bench: &Bench, people: &str, options: &[&str], name: &str) -> (Vec<u8>, Ran) {
    let path = bench.path(name);
    let out = ["--people", people, "evidence", "export", "--out", path.to_str().expect("UTF-8")];
    let ran = bench.run(&[&out, options].concat()).done();
    (std::fs::read(path).expect("written"), ran)
}

fn content(pack: &[u8], member: Member) -> Vec<u8> {
    let members = container::read(pack).expect("a pack");
    let place = Member::ALL.iter().position(|m| *m == member).expect("a member");
    members[place].content().expect("sound")
}

fn sound(pack: &[u8]) -> Verdict {
    let verdict = verify(pack, &Terms::default());
    assert_eq!(verdict.code(), 0, "{}", verdict.report());
    verdict
}

#[test]
fn packs_are_the_same_twice_verify_and_are_small() {
    let (bench, people) = &*EVENING;
    for (name, options) in PACKS {
        let (pack, _) = export(bench, people, options, name);
        let (again, _) = export(bench, people, options, &format!("{name}-again"));
        assert!(pack == again, "{name} is another file the second time");
        let verdict = sound(&pack);
        let (payloads, entries) = verdict.manifest.expect("a manifest").counts();
        println!("{name}: {payloads} of {entries} records in full, {} bytes", pack.len());
        assert!(pack.len() < 5_000_000, "{name} has {} bytes", pack.len());
        assert!(payloads > 50 && payloads <= entries, "{name}");
    }
}

#[test]
fn a_pack_verifies_where_there_is_no_network() {
    let (bench, people) = &*EVENING;
    let (_, _) = export(bench, people, &["--change", "pr:103"], "offline.pack");
    let allowed = std::process::Command::new("unshare").args(["-n", "true"]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        println!("skipped: no permission to make a network namespace");
        return;
    }
    let ran = std::process::Command::new("unshare")
        .args(["-n", env!("CARGO_BIN_EXE_countersign"), "verify"])
        .arg(bench.path("offline.pack"))
        .output()
        .expect("started");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}

/// What a story says of somebody, each as a line: acts and who did them, who started operations,
/// and what nobody approved.
fn accusations(story: &serde_json::Value) -> BTreeSet<String> {
    let list = |name: &str| story[name].as_array().expect("a list").clone();
    let mut said = BTreeSet::new();
    for act in list("acts") {
        let about: Vec<String> = ["number", "commit", "key", "status", "pod", "release", "path"]
            .iter()
            .map(|key| act[*key].to_string())
            .collect();
        // Fewer records say less; a statement about nobody accuses nobody.
        let Some(who) = act["who"]["account"].as_str() else { continue };
        said.insert(format!("{} {who} {} {}", act["kind"], act["app"], about.join(" ")));
    }
    for operation in list("operations") {
        let (app, set) = (&operation["app"]["name"], &operation["set"]);
        let (initiator, kind) = (&operation["initiator"], &operation["kind"]);
        said.insert(format!("{app} {set} {kind}: {initiator}"));
    }
    for change in list("changes") {
        for deployed in change["operations"].as_array().expect("a list") {
            let (id, content) = (&change["id"], &deployed["content"]);
            said.insert(format!("{id} {} {content}", deployed["version"]));
        }
    }
    said
}

/// What a part tells from fewer records, the whole ledger tells too.
#[test]
fn a_part_accuses_nobody_of_what_the_whole_does_not() {
    let (bench, file) = &*EVENING;
    let whole = derive(bench.records(), &people());
    for (name, options) in &PACKS[1..5] {
        let (pack, _) = export(bench, file, options, &format!("{name}-part"));
        let manifest = sound(&pack).manifest.expect("a manifest");
        let told = content(&pack, Member::Story);
        let told: serde_json::Value = serde_json::from_slice(&told).expect("JSON");
        let expected = part(&whole, &manifest.selection).expect("understood");
        let count = |list: &str| told[list].as_array().expect("a list").len();
        println!(
            "{name}: {} of {} operations, {} of {} changes, {} of {} acts",
            count("operations"),
            expected.operations.len(),
            count("changes"),
            expected.changes.len(),
            count("acts"),
            expected.acts.len(),
        );
        assert_eq!(count("operations"), expected.operations.len(), "{name}");
        assert_eq!(count("changes"), expected.changes.len(), "{name}");
        let said = accusations(&serde_json::to_value(&expected).expect("JSON"));
        let new: Vec<String> = accusations(&told).difference(&said).cloned().collect();
        assert!(new.is_empty(), "{name}:\n{}", new.join("\n"));
    }
}

#[test]
fn the_incident_is_told_in_its_own_pack() {
    let (bench, people) = &*EVENING;
    let options = ["--from", "2026-11-23 21:47:40", "--to", "2026-11-23 21:47:50"];
    let (pack, _) = export(bench, people, &options, "contradicted.pack");
    let story = String::from_utf8(content(&pack, Member::Story)).expect("UTF-8");
    assert!(story.contains("contradicted") && story.contains("frank.weiss@bank.example"));
    assert!(story.contains("more records of this channel are not in the pack"), "{story}");
    let names = String::from_utf8(content(&pack, Member::People)).expect("UTF-8");
    let everybody = std::fs::read(captures().join("people.json")).expect("read").len();
    assert!(names.contains("\"frank\"") && names.len() < everybody, "{names}");
}

#[test]
fn pseudonyms_stand_for_everybody_and_the_proofs_hold() {
    let (bench, file) = &*EVENING;
    let (pack, _) = export(bench, file, PACKS[5].1, "anon.pack");
    assert!(sound(&pack).pseudonymised > 50);
    let all: Vec<u8> = Member::ALL.iter().flat_map(|m| content(&pack, *m)).collect();
    for text in people().identifying_strings() {
        // Words that are names of other things too stand in places that are not personal.
        if text.contains(['@', ' ']) {
            assert!(!holds(&all, text.as_bytes()), "{text} stands in the pack");
        }
    }
    let plain = content(&export(bench, file, PACKS[1].1, "plain.pack").0, Member::Story);
    let hidden = content(&pack, Member::Story);
    let count = |story: &[u8], what: &str| {
        let story: serde_json::Value = serde_json::from_slice(story).expect("JSON");
        story[what].as_array().map_or(0, Vec::len)
    };
    for what in ["operations", "changes", "acts", "people"] {
        assert_eq!(count(&hidden, what), count(&plain, what), "{what}");
    }
}

#[test]
fn after_an_erasure_old_packs_hold_and_new_ones_say_redacted() {
    let (bench, file) = evening();
    let kept = bench.write("kept", bench.checkpoint().as_bytes());
    let (old, _) = export(&bench, &file, &[], "old.pack");
    let words = ["--people", &file, "ledger", "redact", "--person", "frank", "--reason", "r 17"];
    bench.run(&words).done();
    sound(&old);
    let map = r#"{"carol":{"email":"carol@bank.example"}}"#;
    let without = bench.write("people.json", map.as_bytes());
    for options in [&[][..], &["--from", "2026-11-23 21:47", "--to", "2026-11-23 21:48"]] {
        let (new, _) = export(&bench, &without, options, "new.pack");
        assert!(sound(&new).redacted > 5);
        let all: Vec<u8> = Member::ALL.iter().flat_map(|m| content(&new, *m)).collect();
        let of_frank: Vec<String> = people()
            .accounts("frank")
            .map(str::to_owned)
            .chain(people().name("frank").map(str::to_owned))
            .collect();
        for text in &of_frank {
            assert!(!holds(&all, text.as_bytes()), "{text} stands in the new pack");
            assert!(!holds(&new, text.as_bytes()), "{text} stands in the file");
        }
        assert!(holds(&all, b"[redacted]"), "the story says so");
        let path = bench.path("new.pack");
        let path = path.to_str().expect("UTF-8");
        let ran = bench.run(&["verify", "--checkpoint", &kept, path]);
        assert!(!ran.out.contains("contradicted"), "{}", ran.out);
    }
    let (whole, _) = export(&bench, &without, &[], "whole.pack");
    let terms = Terms { trust: None, kept: Some(&std::fs::read(&kept).expect("read")) };
    assert_eq!(verify(&whole, &terms).code(), 0, "{}", verify(&whole, &terms).report());
    let options = ["--from", "2026-11-23 21:47", "--to", "2026-11-23 21:48", "--since", &kept];
    let (part, _) = export(&bench, &without, &options, "since.pack");
    assert_eq!(verify(&part, &terms).code(), 0, "{}", verify(&part, &terms).report());
}

#[test]
fn what_is_not_there_cannot_be_exported() {
    let (bench, _) = &*EVENING;
    let path = bench.path("none.pack");
    let out = ["evidence", "export", "--out", path.to_str().expect("UTF-8")];
    let cases: [(&[&str], u8, &str); 4] = [
        (&["--change", "pr:999"], 5, "the records show nothing of change pr:999"),
        (&["--change", "nonsense"], 5, "is no proposal, commit, ticket or operation"),
        (&["--app", "nowhere"], 5, "the records show nothing of application nowhere"),
        (&["--from", "21:00"], 2, "--to"),
    ];
    for (options, code, message) in cases {
        let ran = bench.run(&[&out[..], options].concat());
        assert_eq!(ran.code, code, "{options:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(message), "{options:?}: {}", ran.err);
        assert!(!path.exists(), "{options:?}");
    }
    let empty = Bench::new();
    let ran = run_on(Path::new(&empty.ledger()), &out);
    assert!(ran.err.contains("the ledger is empty"), "{}", ran.err);
}

#[test]
fn a_selection_is_in_its_manifest() {
    let (bench, people) = &*EVENING;
    let (pack, ran) = export(bench, people, PACKS[1].1, "selected.pack");
    assert!(ran.out.contains("records in full"), "{}", ran.out);
    let manifest = sound(&pack).manifest.expect("a manifest");
    assert_eq!(manifest.selection, Selection::Change { what: "pr:103".to_owned() });
    let readme = String::from_utf8(content(&pack, Member::Readme)).expect("UTF-8");
    assert!(readme.contains("Selection   change pr:103\n"), "{readme}");
}
