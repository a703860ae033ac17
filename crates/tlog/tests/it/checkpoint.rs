//! Checkpoints: signing, verifying, and a table of everything that is refused.

use proptest::prelude::*;
use tlog::{
    Checkpoint, CheckpointError, Cosigner, EMPTY_ROOT, Hash, HashParseError, KeyName, NoteError,
    Origin, OriginError, ParseSizeError, Signer, TreeSize, UnverifiedCheckpoint, VerifierKey,
    leaf_hash, sign_checkpoint, sign_note,
};

/// The example of the specification. Its key is not published.
const SPEC: &str = "\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJur\
mRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHe\
olMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

fn origin(origin: &str) -> Origin {
    Origin::new(origin).expect("an origin")
}

fn log() -> Signer {
    Signer::from_seed(KeyName::new("example.com/log").expect("a key name"), &[7; 32])
}

fn checkpoint() -> Checkpoint {
    Checkpoint::new(origin("example.com/log"), TreeSize::new(7), leaf_hash(b"root"))
        .expect("a checkpoint")
}

fn keys(signer: &Signer) -> Vec<VerifierKey> {
    vec![signer.verifier_key().clone()]
}

#[test]
fn the_example_of_the_specification_parses() {
    let parsed = UnverifiedCheckpoint::parse(SPEC.as_bytes()).expect("the example parses");
    let checkpoint = parsed.unverified();
    assert_eq!(checkpoint.origin().as_str(), "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size(), TreeSize::new(20_852_163));
    assert_eq!(checkpoint.root().to_base64(), "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
    assert_eq!(checkpoint.extensions(), [] as [&str; 0]);
    let names: Vec<_> = parsed.signatures().iter().map(|line| line.name().as_str()).collect();
    assert_eq!(names, ["example.com/behind-the-sofa", "witness.example.com/w1"]);
    assert!(SPEC.starts_with(&checkpoint.to_string()));
}

#[test]
fn a_signed_checkpoint_verifies() {
    let note = sign_checkpoint(&checkpoint(), &log());
    let parsed = UnverifiedCheckpoint::parse(note.as_bytes()).expect("our own form");
    let verified = parsed.verify(&origin("example.com/log"), &keys(&log())).expect("our own key");
    assert_eq!(verified.checkpoint(), &checkpoint());
    assert_eq!(verified.text(), checkpoint().to_string());
    assert_eq!(verified.to_note_text(), note);
    assert_eq!(verified.cosignatures().count(), 0);
    assert_eq!(verified.note().signatures()[0].key(), log().verifier_key());
}

#[test]
fn malformed_checkpoints_are_refused() {
    use CheckpointError as E;
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let empty = EMPTY_ROOT.to_base64();
    let size = |size: &str| format!("log\n{size}\n{root}\n");
    let with_root = |root: &str| format!("log\n7\n{root}\n");
    let length = |found| E::Root(HashParseError::Length { found });
    let table = [
        ("only newlines", "\n\n\n".to_owned(), E::Origin(OriginError::Empty)),
        ("origin only", "log\n".to_owned(), E::TooFewLines { found: 1 }),
        ("no root", "log\n7\n".to_owned(), E::TooFewLines { found: 2 }),
        ("empty origin", format!("\n7\n{root}\n"), E::Origin(OriginError::Empty)),
        ("empty size", size(""), E::Size(ParseSizeError::NotDecimal)),
        ("negative size", size("-7"), E::Size(ParseSizeError::NotDecimal)),
        ("signed size", size("+7"), E::Size(ParseSizeError::NotDecimal)),
        ("space after size", size("7 "), E::Size(ParseSizeError::NotDecimal)),
        ("hex size", size("0x7"), E::Size(ParseSizeError::NotDecimal)),
        ("other digits", size("٧"), E::Size(ParseSizeError::NotDecimal)),
        ("leading zero", size("07"), E::Size(ParseSizeError::LeadingZero)),
        ("two zeros", size("00"), E::Size(ParseSizeError::LeadingZero)),
        ("size of 2^63", size("9223372036854775808"), E::Size(ParseSizeError::TooLarge)),
        ("size of 2^64", size("18446744073709551616"), E::Size(ParseSizeError::TooLarge)),
        ("empty root", with_root(""), length(0)),
        ("short root", with_root("AAAA"), length(3)),
        ("long root", with_root(&"A".repeat(44)), length(33)),
        ("no padding", with_root(&root[..43]), E::Root(HashParseError::Base64)),
        (
            "non-canonical root",
            with_root(&root.replace("I=", "J=")),
            E::Root(HashParseError::Base64),
        ),
        ("hex root", with_root(&EMPTY_ROOT.to_string()), length(48)),
        ("space after root", with_root(&format!("{root} ")), E::Root(HashParseError::Base64)),
        ("lines swapped", format!("log\n{root}\n7\n"), E::Size(ParseSizeError::NotDecimal)),
        (
            "wrong root of the empty tree",
            format!("log\n0\n{root}\n"),
            E::EmptyTreeRoot { found: Hash::from_base64(root).expect("a hash") },
        ),
        ("empty extension", format!("log\n0\n{empty}\n\n"), E::EmptyExtension { line: 4 }),
        ("empty extension", format!("log\n0\n{empty}\na\n\nb\n"), E::EmptyExtension { line: 5 }),
    ];
    for (case, text, error) in table {
        let note = sign_note(&text, &[&log()]).expect("a text can be signed");
        assert_eq!(UnverifiedCheckpoint::parse(note.as_bytes()), Err(error.clone()), "{case}");
        assert_eq!(text.parse::<Checkpoint>(), Err(error), "{case}");
    }
    assert_eq!("log\n7".parse::<Checkpoint>(), Err(E::MissingFinalNewline));
    let unsigned = UnverifiedCheckpoint::parse(checkpoint().to_string().as_bytes());
    assert_eq!(unsigned, Err(E::Note(NoteError::NoBlankLine)));
}

#[test]
fn checkpoints_that_do_not_speak_for_the_log_are_refused() {
    let note = sign_checkpoint(&checkpoint(), &log());
    let verify = |note: &str, origin_text: &str, known: &[VerifierKey]| {
        let parsed = UnverifiedCheckpoint::parse(note.as_bytes()).expect("well-formed");
        parsed.verify(&origin(origin_text), known)
    };
    let (expected, found) = (origin("example.com/log2"), origin("example.com/log"));
    assert_eq!(
        verify(&note, "example.com/log2", &keys(&log())),
        Err(CheckpointError::OriginMismatch { expected, found })
    );
    let stranger = Signer::from_seed(log().name().clone(), &[8; 32]);
    let unknown = Err(CheckpointError::Note(NoteError::NoKnownSignature));
    assert_eq!(verify(&note, "example.com/log", &keys(&stranger)), unknown);
    let key = log().verifier_key().clone();
    for (before, after) in [("\n7\n", "\n8\n"), ("example.com/log\n7", "example.com/log\n70")] {
        let (name, id) = (key.name().clone(), key.id());
        let forged = verify(&note.replacen(before, after, 1), "example.com/log", &keys(&log()));
        assert_eq!(forged, Err(CheckpointError::Note(NoteError::BadSignature { name, id })));
    }
}

#[test]
fn witnesses_alone_do_not_speak_for_the_log() {
    let note = sign_checkpoint(&checkpoint(), &log());
    let log_origin = origin("example.com/log");
    let parse = |note: &str| UnverifiedCheckpoint::parse(note.as_bytes()).expect("well-formed");
    let verified = parse(&note).verify(&log_origin, &keys(&log())).expect("our own key");
    let witness = Cosigner::from_seed(KeyName::new("witness").expect("a key name"), &[9; 32]);
    let line = witness.cosign(&verified, 1_700_000_000).expect("a time in range");
    let known = [log().verifier_key().clone(), witness.verifier_key().clone()];
    let unsigned = format!("{}\n{line}\n", checkpoint());
    assert_eq!(
        parse(&unsigned).verify(&log_origin, &known),
        Err(CheckpointError::NoLogSignature { origin: log_origin.clone() })
    );
    let both = parse(&format!("{note}{line}\n")).verify(&log_origin, &known).expect("both signed");
    assert_eq!(both.cosignatures().count(), 1);
}

#[test]
fn extension_lines_are_kept_and_signed() {
    let text = format!("{}extra line\nanother\n", checkpoint());
    let note = sign_note(&text, &[&log()]).expect("a text can be signed");
    let parse = |note: &str| UnverifiedCheckpoint::parse(note.as_bytes()).expect("well-formed");
    let log_origin = origin("example.com/log");
    let verified = parse(&note).verify(&log_origin, &keys(&log())).expect("our own key");
    assert_eq!(verified.checkpoint().extensions(), ["extra line", "another"]);
    assert_eq!(verified.checkpoint().to_string(), text);
    let changed = note.replacen("another", "Another", 1);
    assert!(parse(&changed).verify(&log_origin, &keys(&log())).is_err());
}

#[test]
fn origins_need_not_be_key_names() {
    let spaced = origin("go.sum database tree");
    assert!(spaced.to_key_name().is_err());
    assert_eq!(origin("example.com/log").to_key_name(), Ok(log().name().clone()));
    assert_eq!(Origin::from(log().name()), origin("example.com/log"));
    assert_eq!(Origin::new(""), Err(OriginError::Empty));
    assert_eq!(Origin::new("a\nb"), Err(OriginError::Control));
}

#[test]
fn the_empty_tree_has_the_empty_root() {
    let new = |root| Checkpoint::new(origin("log"), TreeSize::EMPTY, root);
    let text = new(EMPTY_ROOT).expect("the empty tree").to_string();
    assert_eq!(text, "log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
    let found = leaf_hash(b"");
    assert_eq!(new(found), Err(CheckpointError::EmptyTreeRoot { found }));
}

proptest! {
    #[test]
    fn texts_round_trip(name in "[^\\x00-\\x1f]{1,40}", size in 1_u64..1 << 63, root: [u8; 32]) {
        let checkpoint = Checkpoint::new(origin(&name), TreeSize::new(size), Hash::from_bytes(root))
            .expect("a checkpoint");
        prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
    }
}
