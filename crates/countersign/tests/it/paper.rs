//! Working papers: a row for every row that was frozen, no formula, dates as dates, and the same
//! bytes each time.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;

use crate::support::{Bench, captures, recorded};

/// Ledger of the recorded Applications, writes and forge, with a frozen population of production;
/// one account is a formula, as an attacker could name theirs.
fn bench() -> (Bench, u64) {
    let bench = Bench::new();
    for name in ["kubernetes/watch/applications.jsonl.gz", "kubernetes/audit.jsonl.gz"] {
        bench.ingest("a.jsonl", &recorded(name));
    }
    let forge = captures().join("forge/github-webhooks.jsonl.gz");
    bench.run(&["ingest", forge.to_str().expect("UTF-8")]);
    let asked = r#","requestObject":{"spec":{"replicas":3}}"#;
    let line = crate::support::audit_line("evil", "=HYPERLINK(1)", asked);
    let line = line.replace("2026-01-05", "2026-11-23");
    let line = line.replace(r#""objectRef":{"#, r#""objectRef":{"apiGroup":"apps","#);
    bench.ingest("evil.jsonl", &[line]).done();
    let ran = bench.run(&["--format", "json", "population", "freeze"]).done();
    let frozen: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    (bench, frozen["population"]["rows"].as_u64().expect("a count"))
}

fn export(bench: &Bench, form: &str, name: &str) -> Vec<u8> {
    let path = bench.path(name);
    let words = ["--format", form, "evidence", "export", "--out", path.to_str().expect("UTF-8")];
    bench.run(&words).done();
    fs::read(path).expect("read")
}

/// The texts of a part of a workbook.
fn part(workbook: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(workbook)).expect("a zip");
    let mut text = String::new();
    archive.by_name(name).expect(name).read_to_string(&mut text).expect("UTF-8");
    text
}

#[test]
fn a_workbook_has_a_row_for_every_row_that_was_frozen() {
    let (bench, rows) = bench();
    let workbook = export(&bench, "xlsx", "a.xlsx");
    let names = part(&workbook, "xl/workbook.xml");
    for name in ["population", "excluded", "coverage", "reading guide"] {
        assert!(names.contains(&format!("name=\"{name}\"")), "{names}");
    }
    let sheet = part(&workbook, "xl/worksheets/sheet1.xml");
    assert_eq!(sheet.matches("<row ").count() as u64, rows + 1, "a header and the rows");
    assert!(rows > 10, "{rows}");
    // No cell is a formula, and what begins like one is a text with an apostrophe.
    for number in 1..=4 {
        let sheet = part(&workbook, &format!("xl/worksheets/sheet{number}.xml"));
        assert!(!sheet.contains("<f>") && !sheet.contains("<f "), "sheet {number}");
        assert!(!sheet.contains("<t>=") && !sheet.contains("<t>@"), "sheet {number}");
    }
    assert!(sheet.contains("<t>'=HYPERLINK(1)</t>"));
    // 23 November 2026 is day 46349 of a spreadsheet: a number with a date's format.
    assert!(sheet.contains("<v>46349."), "times are dates");
    assert_eq!(export(&bench, "xlsx", "b.xlsx"), workbook, "the same bytes");
}

#[test]
fn csv_says_the_same_and_undetermined_is_no_pass() {
    let (bench, rows) = bench();
    bench.run(&["sample", "--nonce", "n", "--size", "2"]).done();
    export(&bench, "csv", "a.csv");
    let mut reader = csv::Reader::from_path(bench.path("a.csv")).expect("read");
    let header = reader.headers().expect("a header").clone();
    let all: Vec<BTreeMap<String, String>> = reader
        .records()
        .map(|row| {
            let row = row.expect("a row");
            header.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()
        })
        .collect();
    assert_eq!(all.len() as u64, rows);
    assert!(all.iter().flat_map(BTreeMap::values).all(|cell| !cell.is_empty()), "no empty cell");
    assert_eq!(all.iter().filter(|row| row["drawn in entries"] != "not drawn").count(), 2);
    // Without the repository nobody knows whether the content was approved.
    let contents: Vec<&str> = all.iter().map(|row| row["content"].as_str()).collect();
    assert!(contents.iter().any(|c| c.starts_with("undetermined")), "{contents:?}");
    for row in all
        .iter()
        .filter(|row| row["content"].starts_with("undetermined") && row["class"] == "change")
    {
        assert_ne!(row["conditions undetermined"], "0", "{row:?}");
    }
    for beside in ["a.excluded.csv", "a.coverage.csv", "a.reading-guide.csv"] {
        assert!(bench.path(beside).is_file(), "{beside}");
    }
    let guide = fs::read_to_string(bench.path("a.reading-guide.csv")).expect("read");
    assert!(guide.contains(&format!("rows,{rows}")), "{guide}");
}

#[test]
fn working_papers_need_a_frozen_population_and_a_command_that_writes_them() {
    let bench = Bench::new();
    let out = bench.path("a.xlsx");
    let out = out.to_str().expect("UTF-8");
    let ran = bench.run(&["--format", "xlsx", "evidence", "export", "--out", out]);
    assert!(ran.code == 5 && ran.err.contains("no population is frozen"), "{}", ran.err);
    let ran = bench.run(&["--format", "csv", "timeline", "--whole"]);
    assert!(ran.code == 2 && ran.err.contains("`evidence export` alone"), "{}", ran.err);
}
