//! The answers that stand in the documentation are those that the program gives.
//!
//! `UPDATE_SAMPLES=1 cargo test -p countersign --test it samples` writes them anew.

use std::path::PathBuf;

use crate::support::evening;

/// Answers by the file that holds them: the words of the command, and how it ends.
const SAMPLES: [(&str, &[&str], u8); 5] = [
    (
        "timeline-at.txt",
        &["timeline", "--at", "mon 21:47:42", "--now", NOW, "--app", "payments-prod"],
        1,
    ),
    ("change-show.txt", &["change", "show", "pr:103"], 1),
    ("change-list.txt", &["change", "list", "--env", "prod"], 0),
    ("running.txt", &["running", "--at", "mon 21:44", "--now", NOW, "--env", "prod"], 0),
    ("drift-list.txt", &["drift", "list", "--env", "prod"], 1),
];
const NOW: &str = "2026-11-24T10:00:00Z";
/// Columns of a plain terminal.
const COLUMNS: usize = 80;

#[test]
fn the_samples_of_the_documentation_are_what_the_program_says() {
    let (bench, people) = evening();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/samples");
    for (file, words, code) in SAMPLES {
        let ran = bench.run(&[&["--people", people.as_str()], words].concat());
        assert_eq!(ran.code, code, "{words:?}: {}", ran.err);
        let (path, told) = (folder.join(file), said(words, &ran.out));
        if std::env::var_os("UPDATE_SAMPLES").is_some() {
            std::fs::write(&path, &told).expect("written");
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(told, known, "{file} is not what the program says; see the module's words");
        for line in told.lines() {
            assert!(line.chars().count() <= COLUMNS, "{file}: {line:?} is too wide");
            assert!(!line.contains('\u{1b}'), "{file}: {line:?} has colour");
        }
    }
}

/// The command above its answer, as a reader would see both.
fn said(words: &[&str], out: &str) -> String {
    let quoted =
        |word: &&str| if word.contains(' ') { format!("\"{word}\"") } else { (*word).to_owned() };
    let words: Vec<String> = words.iter().map(quoted).collect();
    let mut command = String::from("$ countersign");
    let mut columns = command.len();
    for word in words {
        if columns + 1 + word.len() > COLUMNS - 2 {
            command.push_str(" \\\n   ");
            columns = 4;
        }
        columns += 1 + word.len();
        command.push(' ');
        command.push_str(&word);
    }
    format!("{command}\n{out}")
}
