//! Bad input: each gives a message that says where and what to do, and nothing is lost.

use std::io::Write as _;
use std::process::Command;

use crate::support::{Bench, audit_line, run_on};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("packed");
    encoder.finish().expect("packed")
}

/// Each row: what stands between two good lines, the exit code, what is said, how many entries.
#[test]
fn every_bad_line_is_told_and_the_good_ones_are_kept() {
    let error = r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","code":410,"message":"too old resource version"}}"#;
    let no_uid = r#"{"type":"ADDED","object":{"kind":"Application","apiVersion":"argoproj.io/v1alpha1","metadata":null}}"#;
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(3 << 20));
    let table: &[(&[u8], u8, &str, u64)] = &[
        (b"", 0, "", 2),
        (
            br#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"x"#,
            1,
            ":2: refused: truncated",
            2,
        ),
        (deep.as_bytes(), 1, ":2: refused: nested deeper than 64 levels", 2),
        (
            long.as_bytes(),
            1,
            ":2: refused: a record of 3145736 bytes is over the limit of 2097152; raise --max-record-bytes",
            2,
        ),
        (br#"{"type":"ADDED","type":"DELETED"}"#, 1, ":2: refused: duplicate key at byte 16", 2),
        (b"{\"a\":\"\xff\xfe\"}", 1, ":2: refused: not UTF-8 at byte 6", 2),
        (b"\xef\xbb\xbf{}", 1, ":2: refused: not JSON", 2),
        (b"\0\0\0\0", 1, ":2: refused: not JSON: unexpected byte 0x00", 2),
        (
            br#"{"hello":"world"}"#,
            1,
            ":2: refused: not recognised as a record of any channel; name its channel with --channel",
            2,
        ),
        (error.as_bytes(), 0, "", 3),
        (no_uid.as_bytes(), 0, "", 3),
    ];
    for (bad, code, message, entries) in table {
        let bench = Bench::new();
        let (first, last) =
            (audit_line("first", "p@x.example", ""), audit_line("last", "p@x.example", ""));
        for packed in [false, true] {
            let text = [first.as_bytes(), b"\n", bad, b"\n", last.as_bytes(), b"\n"].concat();
            let bytes = if packed { gzip(&text) } else { text };
            let path = bench.write("in.jsonl", &bytes);
            let ran = bench.run(&["ingest", &path]);
            assert_eq!(ran.code, *code, "{message}: {}{}", ran.out, ran.err);
            assert!(ran.err.contains(message), "{message:?} is missing in {:?}", ran.err);
            let size: u64 =
                bench.checkpoint().lines().nth(1).expect("a size").parse().expect("a number");
            assert_eq!(size, *entries, "{message}");
        }
        bench.run(&["ledger", "fsck"]).done();
    }
}

#[test]
fn a_gap_and_a_record_nobody_understands_are_told_in_the_answer() {
    let bench = Bench::new();
    let app = |version: u32| {
        format!(
            r#"{{"type":"ADDED","object":{{"kind":"Application","apiVersion":"argoproj.io/v1alpha1","metadata":{{"uid":"u","name":"shop","namespace":"argocd","resourceVersion":"{version}","creationTimestamp":"2026-01-05T10:00:00Z"}}}}}}"#
        )
    };
    let error =
        r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","code":410}}"#.to_owned();
    let odd = r#"{"type":"ADDED","object":{"kind":"Application","apiVersion":"argoproj.io/v1alpha1","metadata":{"uid":"u","resourceVersion":[7]}}}"#.to_owned();
    bench.ingest("watch.jsonl", &[app(1), error, app(2), odd]);
    let json = bench.run(&["--format", "json", "timeline", "--whole"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    let source = json["sources"]
        .as_array()
        .expect("sources")
        .iter()
        .find(|s| s["coverage"]["channel"] == "argocd-application-watch");
    let coverage = &source.expect("the channel is covered")["coverage"];
    assert_eq!(coverage["gaps"].as_array().map(Vec::len), Some(1), "{coverage}");
}

#[test]
fn a_gzip_bomb_is_left_and_what_came_before_is_kept() {
    let bench = Bench::new();
    let mut text = format!("{}\n", audit_line("first", "p@x.example", "")).into_bytes();
    text.resize(300 << 20, b' ');
    let path = bench.write("bomb.jsonl.gz", &gzip(&text));
    let ran = bench.run(&["ingest", &path]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.err
            .contains("bomb.jsonl.gz:2: refused: unpacks to over 400 times its size after line 1"),
        "{}",
        ran.err
    );
    assert_eq!(bench.checkpoint().lines().nth(1), Some("1"));
}

#[test]
fn a_truncated_archive_keeps_what_came_before() {
    let bench = Bench::new();
    let lines: String = (0..500)
        .map(|i| format!("{}\n", audit_line(&format!("a{i}"), "p@x.example", "")))
        .collect();
    let mut packed = gzip(lines.as_bytes());
    packed.truncate(packed.len() * 3 / 4);
    let path = bench.write("cut.jsonl.gz", &packed);
    let ran = bench.run(&["ingest", &path]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("cannot be read after line")
            && ran.err.contains("what came before is kept"),
        "{}",
        ran.err
    );
    let size: u64 = bench.checkpoint().lines().nth(1).expect("a size").parse().expect("a number");
    assert!((100..500).contains(&size), "{size} of 500 lines");
}

/// Runs the program in a name space of its own where `script` has prepared the disk.
fn on_a_disk(bench: &Bench, script: &str) -> Option<(i32, String)> {
    let program = env!("CARGO_BIN_EXE_countersign");
    let whole = format!("set -e; cd {}; {script}", bench.path("").display());
    let ran = Command::new("unshare").args(["-rm", "sh", "-c", &whole, "sh", program]).output();
    let ran = ran.ok()?;
    let said =
        format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    // Without the right to a name space there is no such disk; the store's own test of a full disk
    // (`store_story`) needs none.
    let refused = said.contains("unshare") || said.contains("mount:");
    if refused { writeln!(std::io::stderr(), "no name space here: {said}").ok() } else { Some(()) }
        .filter(|()| !refused)
        .map(|()| (ran.status.code().unwrap_or(-1), said))
}

#[test]
fn a_full_disk_is_told_and_what_was_acknowledged_stays() {
    let bench = Bench::new();
    let lines: String = (0..6_000)
        .map(|i| format!("{}\n", audit_line(&format!("a{i}"), "p@x.example", "")))
        .collect();
    bench.write("in.jsonl", lines.as_bytes());
    let script = r#"mkdir disk; mount -t tmpfs -o size=2m none disk
        cp -r ledger disk/ledger; code=0
        "$1" --ledger disk/ledger ingest in.jsonl --batch 200 --acks acks || code=$?
        cp -r disk/ledger full; exit $code"#;
    let Some((code, said)) = on_a_disk(&bench, script) else { return };
    assert_eq!(code, 5, "{said}");
    assert!(
        said.contains("free space and run the same command again")
            || said.contains("No space left"),
        "{said}"
    );
    let full = bench.path("full");
    let acks = bench.path("acks");
    let acks = acks.to_str().expect("UTF-8");
    let noted = std::fs::read_to_string(acks).expect("noted").lines().count();
    assert!(noted > 0, "something was acknowledged before the disk was full");
    // On a larger disk the same command finishes, and everything acknowledged is where it was.
    let input = bench.path("in.jsonl");
    run_on(&full, &["ingest", input.to_str().expect("UTF-8")]).done();
    let fsck = run_on(&full, &["ledger", "fsck", "--acks", acks]).done();
    assert!(fsck.out.contains("6,000 entries"), "{}", fsck.out);
}

#[test]
fn a_read_only_disk_is_told_and_can_still_be_read() {
    let bench = Bench::new();
    bench.ingest("in.jsonl", &[audit_line("a", "p@x.example", "")]).done();
    let script = r#"mount -o bind ledger ledger; mount -o remount,bind,ro ledger
        "$1" --ledger ledger ledger fsck; "$1" --ledger ledger timeline --whole
        "$1" --ledger ledger ingest in.jsonl"#;
    let Some((code, said)) = on_a_disk(&bench, script) else { return };
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("No difference found"), "{said}");
    assert!(said.contains("Read-only file system") || said.contains("read-only"), "{said}");
}
