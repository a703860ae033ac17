//! The tamper matrix: every part of a pack changed, each change refused and its place named.
//!
//! With `PACK_MATRIX_DIR` set, every pack is written there too, with the verdicts, for the second
//! verifier (`make second-verifier`).

use std::fmt::Write as _;

use evidence::pack::entries::{PackedEntry, put, take};
use evidence::pack::manifest::{ChannelCount, Manifest};
use evidence::pack::write::assemble;
use evidence::pack::{StoryVerdict, Terms, Trust, Verdict, verify};

use crate::fixture::{Ledger, contents, erased};

/// A pack taken apart, to be put together again with digests and README that fit.
struct Parts {
    manifest: Manifest,
    /// `checkpoint`, `proofs.json`, `people.json`, `entries`, `story.json`.
    members: Vec<Vec<u8>>,
    entries: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Parts {
    fn of(pack: &[u8]) -> Self {
        let contents = contents(pack);
        let manifest = Manifest::decode(&contents[1]).expect("a manifest");
        let mut entries = Vec::new();
        let mut rest = contents[5].as_slice();
        while let Some(entry) = take(&mut rest) {
            entries.push((entry.leaf.to_vec(), entry.payload.map(<[u8]>::to_vec)));
        }
        Self { manifest, members: contents[2..].to_vec(), entries }
    }

    /// The pack as somebody would make it who changes everything that follows from a change.
    fn pack(mut self) -> Vec<u8> {
        let mut entries = Vec::new();
        for (leaf, payload) in &self.entries {
            put(&mut entries, PackedEntry { leaf, payload: payload.as_deref() });
        }
        self.members[3] = entries;
        let members: [&[u8]; 5] = std::array::from_fn(|n| self.members[n].as_slice());
        assemble(self.manifest, members)
    }
}

fn consistently(pack: &[u8], change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let mut parts = Parts::of(pack);
    change(&mut parts);
    let changed = parts.pack();
    assert_ne!(changed, pack, "the row must change something");
    changed
}

/// Replaces the first occurrence of a text, anywhere in the file.
fn replaced(pack: &[u8], from: &str, to: &str) -> Vec<u8> {
    let from = from.as_bytes();
    let at = pack.windows(from.len()).position(|w| w == from).expect("it stands there");
    [&pack[..at], to.as_bytes(), &pack[at + from.len()..]].concat()
}

fn flipped(bytes: &mut [u8], at: usize) {
    bytes[at] ^= 1;
}

/// Changes the count of a channel.
fn recount(parts: &mut Parts, channel: &str, change: fn(&mut ChannelCount)) {
    let row = parts.manifest.channels.iter_mut().find(|r| r.channel == channel);
    change(row.expect("a channel"));
}

/// A change, the changed pack, and the place that is named; `story` is the second verdict.
type Row = (&'static str, Vec<u8>, &'static str);

/// Something in one entry changed, and all that follows from it made to fit.
fn entry_changed(whole: &[u8]) -> Vec<Row> {
    let audit = "kubernetes-audit";
    vec![
        (
            "another envelope",
            consistently(whole, |p| {
                let at = p.entries[3].0.len() - 10;
                p.entries[3].0[at] = b'1';
            }),
            "entries",
        ),
        ("no envelope", consistently(whole, |p| flipped(&mut p.entries[3].0, 3)), "entry 3"),
        (
            "another commitment",
            consistently(whole, |p| {
                let leaf = String::from_utf8(p.entries[3].0.clone()).expect("UTF-8");
                let at = leaf.find("\"payload\":\"").expect("there") + 14;
                p.entries[3].0[at] = if p.entries[3].0[at] == b'A' { b'B' } else { b'A' };
            }),
            "entry 3",
        ),
        (
            "kept bytes",
            consistently(whole, |p| {
                let payload = p.entries[7].1.as_mut().expect("there");
                let at = payload.len() / 2;
                flipped(payload, at);
            }),
            "entry 7",
        ),
        (
            "a salt",
            consistently(whole, |p| {
                let payload = p.entries[7].1.as_mut().expect("there");
                let layout = usize::from(payload[4]);
                flipped(payload, 5 + layout);
            }),
            "entry 7",
        ),
        (
            "a segment erased silently",
            consistently(whole, |p| {
                p.entries[2].1 = Some(erased(p.entries[2].1.as_ref().expect("there")));
            }),
            "entry 2",
        ),
        (
            "the erasure's record left out",
            consistently(whole, |p| {
                p.entries[12].1 = None;
                recount(p, "ledger-redaction", |row| row.payloads -= 1);
            }),
            "entry 4",
        ),
        (
            "a payload left out",
            consistently(whole, |p| {
                p.entries[6].1 = None;
                recount(p, audit, |row| row.payloads -= 1);
            }),
            "manifest.json",
        ),
    ]
}

/// Entries moved, dropped and put in.
fn order_changed(whole: &[u8], part: &[u8]) -> Vec<Row> {
    let audit = "kubernetes-audit";
    vec![
        ("two entries swapped", consistently(whole, |p| p.entries.swap(8, 9)), "entries"),
        (
            "an entry dropped",
            consistently(whole, |p| {
                p.entries.remove(8);
                p.manifest.end -= 1;
                recount(p, audit, |row| {
                    row.entries -= 1;
                    row.payloads -= 1;
                });
            }),
            "entries",
        ),
        (
            "the last entry dropped",
            consistently(whole, |p| {
                p.entries.pop();
            }),
            "entries",
        ),
        (
            "an entry dropped from a part",
            consistently(part, |p| {
                p.entries.pop();
                p.manifest.end -= 1;
                recount(p, audit, |row| {
                    row.entries -= 1;
                    row.payloads -= 1;
                });
            }),
            "entries",
        ),
        (
            "a part moved",
            consistently(part, |p| {
                p.manifest.start -= 1;
                p.manifest.end -= 1;
            }),
            "entries",
        ),
        (
            "an entry twice",
            consistently(whole, |p| {
                let again = p.entries[5].clone();
                p.entries.insert(6, again);
            }),
            "entry 6",
        ),
        (
            "an entry put in",
            consistently(whole, |p| {
                let id = String::from_utf8(p.entries[5].0.clone()).expect("UTF-8");
                let leaf = id.replacen("\"id\":\"a5", "\"id\":\"b5", 1).into_bytes();
                p.entries.insert(6, (leaf, p.entries[5].1.clone()));
            }),
            "entries",
        ),
    ]
}

/// Proofs, checkpoint, manifest, story and people changed.
fn members_changed(ledger: &Ledger, whole: &[u8], part: &[u8]) -> Vec<Row> {
    let audit = "kubernetes-audit";
    let mut rows = proofs_changed(part);
    rows.extend([
        ("the signed root", consistently(whole, |p| flipped(&mut p.members[0], 25)), "checkpoint"),
        (
            "the signature",
            consistently(whole, |p| {
                let at = p.members[0].len() - 20;
                flipped(&mut p.members[0], at);
            }),
            "checkpoint",
        ),
        (
            "the root in the manifest",
            consistently(whole, |p| {
                let fork = ledger.fork(2).checkpoint(13);
                fork.lines().nth(2).expect("root").clone_into(&mut p.manifest.root);
            }),
            "manifest.json",
        ),
        (
            "the counts",
            consistently(whole, |p| recount(p, audit, |row| row.entries += 1)),
            "manifest.json",
        ),
        (
            "the order of the counts",
            consistently(whole, |p| p.manifest.channels.reverse()),
            "manifest.json",
        ),
        (
            "an older checkpoint over more entries",
            consistently(whole, |p| {
                p.members[0] = ledger.checkpoint(12).into_bytes();
            }),
            "manifest.json",
        ),
        (
            "the story",
            consistently(whole, |p| {
                let at = p.members[4].len() - 20;
                flipped(&mut p.members[4], at);
            }),
            "story",
        ),
        (
            "the people",
            consistently(whole, |p| {
                p.members[2] = br#"{"dave":{"email":"dora@b.example"}}"#.to_vec();
            }),
            "story",
        ),
        (
            "the selection",
            consistently(part, |p| {
                p.manifest.selection =
                    evidence::pack::Selection::Application { name: "x".to_owned() };
            }),
            "story",
        ),
    ]);
    rows
}

fn proofs_changed(part: &[u8]) -> Vec<Row> {
    vec![
        (
            "a range proof",
            consistently(part, |p| {
                p.members[1][12] = if p.members[1][12] == b'A' { b'B' } else { b'A' };
            }),
            "entries",
        ),
        (
            "a range proof cut short",
            consistently(part, |p| {
                let text = String::from_utf8(p.members[1].clone()).expect("UTF-8");
                let end = text.find("\",").expect("two hashes");
                p.members[1] = format!("{{\"range\":[{}", &text[end + 2..]).into_bytes();
            }),
            "entries",
        ),
    ]
}

/// The container and single members changed, and nothing that follows from it.
fn container_changed(whole: &[u8]) -> Vec<Row> {
    let at = |name: &str| {
        let name = format!("{name} ");
        whole.windows(name.len()).rposition(|w| w == name.as_bytes()).expect("a header")
    };
    let (proofs, people, entries, story) =
        (at("proofs.json"), at("people.json"), at("entries"), at("story.json"));
    let (proofs_bytes, people_bytes) = (&whole[proofs..people], &whole[people..entries]);
    let changed_at = |at: usize| {
        let mut pack = whole.to_vec();
        flipped(&mut pack, at);
        pack
    };
    let people_header =
        String::from_utf8_lossy(people_bytes).lines().next().expect("one").to_owned();
    let sizes: Vec<&str> = people_header.split(' ').collect();
    let people_content = contents(whole)[4].clone();
    let mut unpacked = vec![u8::try_from(people_content.len()).expect("short")];
    unpacked.extend(&people_content);
    let spaced = |from: &str, to: &str| replaced(whole, from, to);
    vec![
        ("another version", spaced("pack 1\n", "pack 2\n"), "README.txt"),
        ("the README", spaced("without a network", "without a Network"), "README.txt"),
        ("a digest", changed_at(at("checkpoint") - 20), "story.json"),
        ("a member missing", [&whole[..proofs], &whole[people..]].concat(), "proofs.json"),
        (
            "a member twice",
            [&whole[..people], proofs_bytes, &whole[people..]].concat(),
            "people.json",
        ),
        (
            "two members swapped",
            [&whole[..proofs], people_bytes, proofs_bytes, &whole[entries..]].concat(),
            "proofs.json",
        ),
        (
            "a member put in",
            [&whole[..people], b"extra 0 0\n", &whole[people..]].concat(),
            "people.json",
        ),
        ("a member behind the last", [whole, b"extra 0 0\n"].concat(), "story.json"),
        (
            "a size with a zero before",
            spaced(&people_header, &format!("{} 0{} {}", sizes[0], sizes[1], sizes[2])),
            "people.json",
        ),
        (
            "another packed form of the same bytes",
            [
                &whole[..people],
                format!("people.json {} {}\n", people_content.len(), unpacked.len() + 1).as_bytes(),
                &[unpacked[0] | 0x80, 0],
                &unpacked[1..],
                &whole[entries..],
            ]
            .concat(),
            "people.json",
        ),
        ("packed entries", changed_at(entries + (story - entries) / 2), "entries"),
        ("the packed story", changed_at(story + 40), "story.json"),
    ]
}

/// Verdicts for the second verifier: code of integrity, key, kept checkpoint, pack.
struct Written {
    folder: Option<std::path::PathBuf>,
    name: &'static str,
    table: String,
    count: usize,
}

impl Written {
    fn new(name: &'static str) -> Self {
        let folder = std::env::var_os("PACK_MATRIX_DIR").map(Into::into);
        Self { folder, name, table: String::new(), count: 0 }
    }

    fn add(&mut self, verdict: &Verdict, key: &str, kept: Option<&str>, pack: &[u8]) {
        let Some(folder) = &self.folder else { return };
        let write = |name: String, bytes: &[u8]| {
            let path = folder.join(name);
            std::fs::write(&path, bytes).expect("written");
            path.display().to_string()
        };
        let name = format!("{}-{:02}", self.name, self.count);
        let pack = write(format!("{name}.pack"), pack);
        let kept = kept.map(|kept| write(format!("{name}.checkpoint"), kept.as_bytes()));
        let kept = kept.unwrap_or_else(|| "-".to_owned());
        let code = if verdict.is_intact() { 0 } else { 4 };
        writeln!(self.table, "{code}\t{key}\t{kept}\t{pack}").expect("to memory");
        self.count += 1;
        std::fs::write(folder.join(format!("{}.table", self.name)), &self.table).expect("written");
    }
}

#[test]
fn every_part_that_is_changed_is_refused_and_named() {
    let (ledger, mut written) = (Ledger::new(), Written::new("changed"));
    let trust = Trust::in_log(ledger.key().parse().expect("a key"));
    let terms = Terms { trust: Some(&trust), kept: None };
    for sound in [ledger.whole(13), ledger.whole(7), ledger.part(), ledger.pseudonymised()] {
        let verdict = verify(&sound, &terms);
        assert_eq!((verdict.code(), &verdict.faults), (0, &vec![]), "{}", verdict.report());
        assert!(verdict.report().contains("2 lines refused at intake"), "{}", verdict.report());
        written.add(&verdict, &ledger.key(), None, &sound);
    }
    let (whole, part) = (ledger.whole(13), ledger.part());
    let mut rows = entry_changed(&whole);
    rows.extend(order_changed(&whole, &part));
    rows.extend(members_changed(&ledger, &whole, &part));
    rows.extend(container_changed(&whole));
    println!("tamper matrix: {} changes", rows.len());
    let mut wrong = Vec::new();
    for (what, pack, place) in rows {
        let verdict = verify(&pack, &terms);
        let named = if place == "story" {
            matches!(verdict.story, StoryVerdict::DoesNotFollow { .. }) && verdict.is_intact()
        } else {
            verdict.faults.iter().any(|f| f.place == place)
        };
        if verdict.code() != 4 || !named {
            wrong.push(format!("{what}: {place} is not named in {}", verdict.report()));
        }
        written.add(&verdict, &ledger.key(), None, &pack);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_checkpoint_from_before_is_confirmed_or_contradicts() {
    let (ledger, mut written) = (Ledger::new(), Written::new("kept"));
    let trust = Trust::in_log(ledger.key().parse().expect("a key"));
    let (whole, old, part) = (ledger.whole(13), ledger.whole(9), ledger.part());
    // A fork stays one: entries 1 and 2 are swapped, so every root from size 2 on is another.
    let (mine, forked) = (|n| ledger.checkpoint(n), ledger.fork(1));
    let unsigned = mine(9).replacen("\n9\n", "\n8\n", 1);
    // A pack, a kept checkpoint, the exit code.
    let mut rows = vec![
        (&old, mine(13), 4),
        (&part, forked.checkpoint(9), 4),
        (&part, forked.checkpoint(2), 4),
        (&part, mine(2), 0),
        (&part, mine(3), 3),
        (&part, mine(12), 3),
        (&whole, unsigned, 4),
        (&whole, "nonsense".to_owned(), 4),
    ];
    rows.extend((1..=13).map(|n| (&whole, mine(n), 0)));
    rows.extend((2..=13).map(|n| (&whole, forked.checkpoint(n), 4)));
    rows.extend((5..=11).map(|n| (&part, mine(n), 0)));
    for (pack, kept, code) in rows {
        let terms = Terms { trust: Some(&trust), kept: Some(kept.as_bytes()) };
        let verdict = verify(pack, &terms);
        assert_eq!(verdict.code(), code, "{kept}{}", verdict.report());
        if code == 4 {
            assert!(verdict.faults.iter().all(|f| f.place == "kept checkpoint"), "{kept}");
        }
        written.add(&verdict, &ledger.key(), Some(&kept), pack);
    }
}

#[test]
fn another_key_and_another_log_are_refused() {
    let ledger = Ledger::new();
    let other = tlog::Signer::from_seed(
        tlog::KeyName::new(crate::fixture::ORIGIN).expect("a name"),
        &[8; 32],
    );
    let elsewhere =
        tlog::Signer::from_seed(tlog::KeyName::new("other.example").expect("a name"), &[9; 32]);
    for signer in [other, elsewhere] {
        let trust = Trust::in_log(signer.verifier_key().clone());
        let verdict = verify(&ledger.whole(13), &Terms { trust: Some(&trust), kept: None });
        assert_eq!(verdict.code(), 4);
        assert_eq!(verdict.faults[0].place, "checkpoint", "{}", verdict.report());
    }
}
