//! The tamper matrix: whatever is changed in a closed ledger, `fsck` finds it and names the place.

use std::fs;

use countersign::ledger::fsck::fsck;
use rusqlite::Connection;

use crate::support::{Bench, Dice, audit_line};

fn ledger() -> Bench {
    let bench = Bench::new();
    for part in 0..3 {
        let lines: Vec<String> = (0..200)
            .map(|i| audit_line(&format!("a-{part}-{i}"), &format!("p{i}@shop.example"), ""))
            .collect();
        bench.ingest(&format!("{part}.jsonl"), &lines).done();
    }
    bench
}

/// The places that `fsck` names.
fn places(bench: &Bench) -> Vec<String> {
    let report = fsck(&bench.dir(), &[], &mut |_| {}).expect("fsck runs");
    report.faults.into_iter().map(|f| f.place).collect()
}

#[test]
fn a_flipped_byte_anywhere_in_a_file_is_found_and_named() {
    let bench = ledger();
    assert_eq!(places(&bench), Vec::<String>::new());
    let mut dice = Dice::new(7);
    for (file, trials) in [("ledger.db", 150), ("ledger.pages", 20), ("checkpoints", 40)] {
        let path = bench.ledger().join(file);
        let sound = fs::read(&path).expect("read");
        for _ in 0..trials {
            let at = dice.below(sound.len());
            let mut changed = sound.clone();
            changed[at] ^= 1 << dice.below(8);
            fs::write(&path, &changed).expect("written");
            let named = places(&bench);
            let page = format!("ledger.db page {}", at / 4096 + 1);
            match file {
                "ledger.db" => assert!(named.contains(&page), "byte {at}: {named:?}"),
                "ledger.pages" => assert!(named[0].starts_with("ledger."), "byte {at}: {named:?}"),
                _ => assert!(
                    named.iter().any(|p| p.starts_with("checkpoint")),
                    "byte {at}: {named:?}"
                ),
            }
        }
        fs::write(&path, &sound).expect("written");
    }
    assert_eq!(places(&bench), Vec::<String>::new());
}

/// Changes the database as somebody would who knows it well, and who removes the page seal.
#[test]
fn a_change_by_sql_is_found_without_the_page_seal() {
    let table: &[(&str, &str)] = &[
        (
            "UPDATE entry SET leaf = cast(replace(leaf, 'operator-file', 'operator-filf') AS BLOB) WHERE idx = 77",
            "entry 77",
        ),
        (
            "UPDATE entry SET payload = cast(replace(payload, 'deployments', 'deploymentz') AS BLOB) WHERE idx = 78",
            "entry 78",
        ),
        ("UPDATE entry SET key = zeroblob(32) WHERE idx = 79", "entry 79"),
        ("UPDATE entry SET payload = zeroblob(9) WHERE idx = 80", "entry 80"),
        ("DELETE FROM entry WHERE idx = 81", "entry 81"),
        ("DELETE FROM entry WHERE idx = 599", "checkpoint 600 (file)"),
        ("UPDATE entry SET idx = 9999 WHERE idx = 82", "entry 82"),
        ("UPDATE tile SET hashes = zeroblob(8192) WHERE id = 1", "tile 0/1"),
        ("DELETE FROM tile WHERE id = 0", "tile 0/0"),
        ("INSERT INTO tile VALUES (77, zeroblob(32))", "tile 0/77"),
        ("UPDATE head SET size = 599", "table head"),
        (
            "UPDATE checkpoint SET note = replace(note, '200', '201') WHERE size = 200",
            "checkpoint no.",
        ),
        (
            "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 0) || 'x' WHERE size = 200",
            "checkpoint no.",
        ),
    ];
    for (sql, place) in table {
        let bench = ledger();
        let database = bench.ledger().join("ledger.db");
        let connection = Connection::open(&database).expect("opened");
        connection
            .execute_batch("DROP TRIGGER entry_is_final; DROP TRIGGER entry_stays;")
            .expect("triggers dropped");
        assert_eq!(connection.execute(sql, []).expect(sql), 1, "{sql}");
        drop(connection);
        fs::remove_file(bench.ledger().join("ledger.pages")).expect("unsealed");
        let named = places(&bench);
        assert!(named.iter().any(|p| p.starts_with(place)), "{sql}: {named:?}");
        assert_eq!(bench.run(&["ledger", "fsck"]).code, 4, "{sql}");
    }
}

/// An answer rests on what was signed, not on what the database says now.
#[test]
fn a_changed_record_is_told_by_no_answer_and_goes_into_no_pack() {
    let table = [
        (
            "UPDATE entry SET payload = cast(replace(payload, 'p7@', 'q7@') AS BLOB) WHERE idx = 7",
            "entry 7: ",
        ),
        ("UPDATE entry SET idx = 9999 WHERE idx = 8", "entry 9: stands where entry 8 should"),
        ("DELETE FROM entry WHERE idx = 599", "another root than checkpoint 600 signs"),
    ];
    for (sql, message) in table {
        let bench = ledger();
        let connection = Connection::open(bench.ledger().join("ledger.db")).expect("opened");
        connection
            .execute_batch("DROP TRIGGER entry_is_final; DROP TRIGGER entry_stays;")
            .expect("triggers dropped");
        assert_eq!(connection.execute(sql, []).expect(sql), 1, "{sql}");
        drop(connection);
        let pack = bench.path("p");
        let export = ["evidence", "export", "--out", pack.to_str().expect("UTF-8")];
        for words in [&["timeline", "--whole"][..], &export] {
            let ran = bench.run(words);
            assert_eq!(ran.code, 4, "{sql}: {}", ran.out);
            assert!(ran.err.contains(message), "{sql}: {}", ran.err);
        }
    }
}

/// Writing on would seal the changed pages as if they were sound.
#[test]
fn a_file_changed_since_it_was_closed_is_not_written_to() {
    let bench = ledger();
    let path = bench.ledger().join("ledger.db");
    let mut bytes = fs::read(&path).expect("read");
    // The last four bytes of the file's header page before its first cell: no row covers them.
    bytes[72] ^= 1;
    fs::write(&path, &bytes).expect("written");
    let refused = bench.ingest("more.jsonl", &[audit_line("more", "p@x.example", "")]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(
        refused.err.contains("1 pages of the database differ from their seal, the first is page 1"),
        "{}",
        refused.err
    );
    assert_eq!(places(&bench), ["ledger.db page 1"]);
    let resealed = bench.run(&["ledger", "fsck", "--reseal"]);
    assert_eq!(resealed.code, 1, "{}", resealed.out);
    assert!(resealed.out.contains("Sealed anew"), "{}", resealed.out);
    bench.ingest("more.jsonl", &[audit_line("more", "p@x.example", "")]).done();
    bench.run(&["ledger", "fsck"]).done();
}

#[test]
fn the_database_itself_refuses_to_change_an_entry() {
    let bench = ledger();
    let connection = Connection::open(bench.ledger().join("ledger.db")).expect("opened");
    for sql in ["UPDATE entry SET leaf = x'00' WHERE idx = 3", "DELETE FROM entry WHERE idx = 3"] {
        let refused = connection.execute(sql, []).expect_err("refused").to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[test]
fn a_segment_that_is_gone_without_a_redaction_is_a_fault() {
    use evidence::record::payload::{Payload, Personal};
    let bench = ledger();
    let connection = Connection::open(bench.ledger().join("ledger.db")).expect("opened");
    let stored: Vec<u8> = connection
        .query_row("SELECT payload FROM entry WHERE idx = 5", [], |row| row.get(0))
        .expect("stored");
    let mut payload = Payload::decode(&stored).expect("a payload");
    payload.personal[0] = Personal::Erased { commitment: payload.personal[0].commitment() };
    connection
        .execute("UPDATE entry SET payload = ?1 WHERE idx = 5", [payload.encode()])
        .expect("changed");
    drop(connection);
    fs::remove_file(bench.ledger().join("ledger.pages")).expect("unsealed");
    let report = fsck(&bench.dir(), &[], &mut |_| {}).expect("fsck runs");
    let told: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["entry 5: personal segment 1 is gone and no redaction names it"]);
}

#[test]
fn an_acknowledged_record_that_is_missing_or_another_is_named() {
    let bench = Bench::new();
    let lines: Vec<String> =
        (0..5).map(|i| audit_line(&format!("a{i}"), "p@x.example", "")).collect();
    let input = bench.write("in.jsonl", lines.join("\n").as_bytes());
    let acks = bench.path("acks");
    let acks = acks.to_str().expect("UTF-8");
    bench.run(&["ingest", &input, "--acks", acks]).done();
    bench.run(&["ledger", "fsck", "--acks", acks]).done();
    let noted = fs::read_to_string(acks).expect("noted");
    let (first, second) = (noted.lines().next().expect("one"), noted.lines().nth(1).expect("two"));
    let swapped = format!("0 {}\n9 {}\n", &second[2..], &first[2..]);
    let other = bench.write("other", swapped.as_bytes());
    let ran = bench.run(&["ledger", "fsck", "--acks", &other]);
    assert_eq!(ran.code, 4);
    assert!(ran.out.contains("entry 0: another record than the one acknowledged"), "{}", ran.out);
    assert!(ran.out.contains("entry 9: was acknowledged and is not there"), "{}", ran.out);
}
