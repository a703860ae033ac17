//! `explain`: every control in full, and the pages made of it.

use std::path::Path;

use countersign::controls;

use crate::support::Bench;

#[test]
fn every_control_is_listed_and_told_in_full() {
    let bench = Bench::new();
    let list = bench.run(&["explain"]).done().out;
    for control in controls::catalogue() {
        assert!(list.contains(control.id), "{} is not listed in\n{list}", control.id);
        let text = bench.run(&["explain", control.id]).done().out;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let parts = [control.statement, control.asks, control.fix, control.example, control.limits];
        for part in parts.into_iter().chain(control.relates.iter().map(|r| r.id)) {
            assert!(text.contains(part), "{}: {part:?} is missing in\n{text}", control.id);
        }
        assert!(!control.relates.is_empty() && !control.inputs.is_empty(), "{}", control.id);
    }
    let json = bench.run(&["--format", "json", "explain", "sod-two-people"]).done().out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["controls"][0]["id"], "sod-two-people");
}

#[test]
fn an_id_that_is_none_is_answered_with_those_like_it() {
    let ran = Bench::new().run(&["explain", "two-people"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("sod-two-people"), "{}", ran.err);
}

#[test]
fn no_control_says_what_an_auditor_would_reject() {
    for control in controls::catalogue() {
        let page = controls::page(control).to_lowercase();
        for word in page.split(|c: char| !c.is_alphanumeric()) {
            let rejected = ["prove", "proof", "complian", "immutab", "satisf", "violat"];
            let bad = rejected.iter().any(|r| word.starts_with(r));
            assert!(!bad, "{}: {word:?}", control.id);
        }
    }
}

/// The pages are what `explain` says. `UPDATE_PAGES=1` writes them anew.
#[test]
fn the_pages_say_what_explain_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/controls");
    for control in controls::catalogue() {
        let (path, page) = (folder.join(format!("{}.md", control.id)), controls::page(control));
        if std::env::var_os("UPDATE_PAGES").is_some() {
            std::fs::write(&path, &page).expect("written");
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == page, "{} is not what explain says", path.display());
    }
}
