//! `countersign-verify` as its users run it: answers, messages and exit codes.

use std::path::PathBuf;
use std::process::Command;

use evidence::channel::Channel;
use evidence::intake::PendingEntry;
use evidence::intake::seal::{Salts, seal};
use evidence::pack::{Head, encode_entry, encode_head};
use evidence::people::People;
use evidence::record::envelope::Auth;
use evidence::record::payload::Salt;
use evidence::record::{Cite, Record, RecordId};
use evidence::story::derive;
use tlog::{Checkpoint, Frontier, Origin, Signer, sign_checkpoint};

struct Fixed;

impl Salts for Fixed {
    fn salt(&mut self) -> Salt {
        [3; 16]
    }
}

const LINE: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a"}"#;

fn entry(id: &str) -> PendingEntry {
    let cite = Cite { channel: Channel::KubernetesAudit, id: RecordId::new(id).expect("an id") };
    let payload = seal(LINE.as_bytes(), &[], &mut Fixed);
    let at = jiff::Timestamp::UNIX_EPOCH;
    PendingEntry::new(cite, &payload, Auth::OperatorFile, at).expect("short")
}

/// A pack of three entries, and the key that it verifies with.
fn pack() -> (String, String) {
    let origin: Origin = "verify.example/log".parse().expect("an origin");
    let signer = Signer::from_seed(origin.to_key_name().expect("a name"), &[9; 32]);
    let entries: Vec<PendingEntry> = ["a", "b", "c"].iter().map(|id| entry(id)).collect();
    let mut tree = Frontier::new();
    for entry in &entries {
        tree.push(entry.leaf, |_, _| {});
    }
    let checkpoint = Checkpoint::new(origin.clone(), tree.size(), tree.root()).expect("small");
    let record = |e: &PendingEntry| Record { cite: e.cite.clone(), payload: LINE.into() };
    let story = derive(entries.iter().map(record), &People::default()).to_json();
    let key = signer.verifier_key().to_string();
    let head = Head {
        pack: 0,
        origin: origin.to_string(),
        key: key.clone(),
        checkpoint: sign_checkpoint(&checkpoint, &signer),
        people: "{}".to_owned(),
        story: String::from_utf8(story).expect("UTF-8"),
    };
    let mut bytes = encode_head(&head).expect("JSON");
    for entry in &entries {
        bytes.extend(encode_entry(&entry.envelope, &entry.payload).expect("JSON"));
    }
    (String::from_utf8(bytes).expect("UTF-8"), key)
}

fn run(words: &[&str]) -> (i32, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_countersign-verify")).args(words).output();
    let ran = ran.expect("started");
    (ran.status.code().expect("an exit code"), String::from_utf8(ran.stdout).expect("UTF-8"))
}

fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_sound_pack_is_intact_and_its_story_follows() {
    let folder = tempfile::tempdir().expect("a folder");
    let (pack, key) = pack();
    let path = written(&folder, "sound.pack", &pack);
    let (code, said) = run(&["--key", &key, &path]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("intact: 3 entries under checkpoint 3 of verify.example/log"), "{said}");
    assert!(said.contains("follows from the records, byte for byte"), "{said}");
    assert!(said.contains("given by the reader"), "{said}");
    let (code, said) = run(&[&path]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("who made it is not shown"), "{said}");
}

#[test]
fn a_changed_pack_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (pack, key) = pack();
    let lines: Vec<&str> = pack.lines().collect();
    let cases = [
        (pack.replacen("\\\"story\\\":1", "\\\"story\\\":7", 1), "DOES NOT FOLLOW"),
        (format!("{}\n{}\n", lines[0], lines[1]), "signs 3 entries, the pack has 1"),
        (pack.replacen("verify.example/log\",\"key", "other.example/log\",\"key", 1), "NOT INTACT"),
        (String::new(), "is empty"),
        ("not a pack\n".to_owned(), "NOT INTACT"),
    ];
    for (changed, message) in cases {
        let path = written(&folder, "changed.pack", &changed);
        let (code, said) = run(&["--key", &key, &path]);
        assert_eq!(code, 4, "{message}: {said}");
        assert!(said.contains(message), "{message:?} is missing in {said}");
    }
}

#[test]
fn misuse_is_told() {
    let cases: [(&[&str], i32, &str); 7] = [
        (&[], 2, "no pack named"),
        (&["a", "b"], 2, "one pack at a time"),
        (&["--sing"], 2, "unknown option --sing"),
        (&["--key"], 2, "--key needs a verifier key"),
        (&["--key", "x", "a"], 2, "--key: "),
        (&["no/such/pack"], 5, "cannot read no/such/pack"),
        (&["--help"], 0, "Exit codes"),
    ];
    for (words, code, message) in cases {
        let (got, said) = run(words);
        assert_eq!(got, code, "{words:?}: {said}");
        assert!(said.contains(message), "{words:?}: {said}");
    }
}
