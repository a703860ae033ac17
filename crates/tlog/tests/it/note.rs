//! Signed notes: the specification's examples, and tables of everything that is refused.

use proptest::prelude::*;
use tlog::note::{MAX_NOTE_BYTES, MAX_SIGNATURES, SignatureLineError};
use tlog::{
    KeyName, KeyNameError, NoteError, SignatureType, Signer, UnverifiedNote, VerifierKey, sign_note,
};

/// The verifier key and the note of the specification.
pub(crate) const VKEY: &str =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const LINE: &str = "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1E\
                    RYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
const TEXT: &str = "This is an example message.\n";

fn spec_note() -> String {
    format!("{TEXT}\n{LINE}\n")
}

fn spec_key() -> VerifierKey {
    VKEY.parse().expect("the key of the specification")
}

fn name(name: &str) -> KeyName {
    KeyName::new(name).expect("a key name")
}

fn signer(name_text: &str, seed: u8) -> Signer {
    Signer::from_seed(name(name_text), &[seed; 32])
}

fn parse(note: impl AsRef<[u8]>) -> Result<UnverifiedNote, NoteError> {
    UnverifiedNote::parse(note.as_ref())
}

fn verify(note: &str, keys: &[VerifierKey]) -> Result<tlog::VerifiedNote, NoteError> {
    parse(note).expect("well-formed note").verify(keys)
}

#[test]
fn the_example_of_the_specification_verifies() {
    let key = spec_key();
    assert_eq!(key.name().as_str(), "example.com/foo");
    assert_eq!(key.id().to_string(), "530d903a");
    assert_eq!(key.signature_type(), SignatureType::Ed25519);
    assert_eq!(key.to_string(), VKEY);
    let rebuilt = VerifierKey::ed25519(key.name().clone(), key.public_key());
    assert_eq!(rebuilt.as_ref().map(VerifierKey::id), Ok(key.id()));
    let note = verify(&spec_note(), std::slice::from_ref(&key)).expect("the example verifies");
    assert_eq!(note.text(), TEXT);
    assert_eq!(note.to_note_text(), spec_note());
    let [signature] = note.signatures() else { panic!("one signature") };
    assert_eq!((signature.key(), signature.unix_seconds()), (&key, None));
}

#[test]
fn malformed_notes_are_refused() {
    let line = |source| NoteError::SignatureLine { line: 1, source };
    let name = |reason| line(SignatureLineError::Name(reason));
    let control = |offset, byte| NoteError::ControlCharacter { offset, byte };
    let with_line = |line: &str| format!("{TEXT}\n{line}\n");
    let table: Vec<(&str, String, NoteError)> = vec![
        ("nothing", String::new(), NoteError::MissingFinalNewline),
        ("no final newline", format!("{TEXT}\n{LINE}"), NoteError::MissingFinalNewline),
        ("no blank line", format!("{TEXT}{LINE}\n"), NoteError::NoBlankLine),
        ("text only", TEXT.to_owned(), NoteError::NoBlankLine),
        ("no text", format!("\n{LINE}\n"), NoteError::NoBlankLine),
        ("no signatures", format!("{TEXT}\n"), NoteError::NoSignatures),
        ("blank line at the end", format!("{}\n", spec_note()), NoteError::NoSignatures),
        ("only newlines", "\n\n".to_owned(), NoteError::NoSignatures),
        ("tab in the text", format!("a\tb\n\n{LINE}\n"), control(1, b'\t')),
        ("null in the text", format!("a\0b\n\n{LINE}\n"), control(1, 0)),
        ("crlf", spec_note().replace('\n', "\r\n"), control(27, b'\r')),
        ("escape in the name", with_line("— a\u{1b}b AAAAAAA="), control(34, 0x1b)),
        ("hyphen", with_line(&LINE.replace('—', "-")), line(SignatureLineError::Prefix)),
        ("en dash", with_line(&LINE.replace('—', "–")), line(SignatureLineError::Prefix)),
        ("two hyphens", with_line(&LINE.replace('—', "--")), line(SignatureLineError::Prefix)),
        ("no space", with_line(&LINE.replacen(' ', "", 1)), line(SignatureLineError::Prefix)),
        ("indented", with_line(&format!(" {LINE}")), line(SignatureLineError::Prefix)),
        (
            "byte order mark",
            with_line(&format!("\u{feff}{LINE}")),
            line(SignatureLineError::Prefix),
        ),
        ("empty name", with_line("—  AAAAAAA="), name(KeyNameError::Empty)),
        ("plus in name", with_line("— a+b AAAAAAA="), name(KeyNameError::Plus)),
        ("wide space in name", with_line("— a\u{2003}b AAAAAAA="), name(KeyNameError::Space)),
        ("no signature", with_line("— example.com/foo"), line(SignatureLineError::NoSignature)),
        ("space in name", with_line("— a b AAAAAAA="), line(SignatureLineError::Base64)),
        ("two spaces", with_line("— a  AAAAAAA="), line(SignatureLineError::Base64)),
        ("trailing space", with_line(&format!("{LINE} ")), line(SignatureLineError::Base64)),
        ("bad base64", with_line("— a AAA!AAA="), line(SignatureLineError::Base64)),
        ("url-safe base64", with_line("— a AAAA_AA="), line(SignatureLineError::Base64)),
        ("no padding", with_line("— a AAAAAAA"), line(SignatureLineError::Base64)),
        ("padding inside", with_line("— a AA==AAA="), line(SignatureLineError::Base64)),
        // The last letter carries bits that are not part of any byte.
        ("non-canonical base64", with_line("— a AAAAAAB="), line(SignatureLineError::Base64)),
        ("no base64", with_line("— a "), line(SignatureLineError::TooShort { found: 0 })),
        ("short key id", with_line("— a AAAA"), line(SignatureLineError::TooShort { found: 3 })),
        ("key id only", with_line("— a AAAAAA=="), line(SignatureLineError::TooShort { found: 4 })),
        (
            "garbage after the signatures",
            format!("{}garbage\n", spec_note()),
            NoteError::SignatureLine { line: 2, source: SignatureLineError::Prefix },
        ),
        (
            "too many signatures",
            format!("{TEXT}\n{}", format!("{LINE}\n").repeat(MAX_SIGNATURES + 1)),
            NoteError::TooManySignatures { found: MAX_SIGNATURES + 1 },
        ),
        (
            "too large",
            format!("{}\n{}", "a".repeat(MAX_NOTE_BYTES), spec_note()),
            NoteError::TooLarge { found: MAX_NOTE_BYTES + 1 + spec_note().len() },
        ),
    ];
    for (case, note, error) in table {
        assert_eq!(parse(&note), Err(error), "{case}: {note:.100?}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    let table: [(&[u8], usize); 4] =
        [(b"\xff", 0), (b"a\xc0\x80", 1), (b"ab\xed\xa0\x80", 2), (b"abc\xe2\x80", 3)];
    for (bytes, offset) in table {
        let note = [bytes, b"\n\n", LINE.as_bytes(), b"\n"].concat();
        assert_eq!(parse(&note), Err(NoteError::NotUtf8 { offset }), "{bytes:?}");
    }
}

#[test]
fn the_last_blank_line_ends_the_text() {
    let table =
        ["a\n\nb\n", "\n", "\n\n", "a\n\n\n", "— not a signature\n\nb\n", "a\u{7f}\u{85}b\n"];
    for text in table {
        let signer = signer("example.com/log", 1);
        let note = sign_note(text, &[&signer]).expect("a text can be signed");
        let verified = verify(&note, &[signer.verifier_key().clone()]).expect("note verifies");
        assert_eq!(verified.text(), text);
    }
}

#[test]
fn at_least_sixteen_signatures_are_read() {
    let signers: Vec<Signer> =
        (0_u8..).take(MAX_SIGNATURES).map(|i| signer(&format!("witness-{i}"), i)).collect();
    let keys: Vec<_> = signers.iter().map(|signer| signer.verifier_key().clone()).collect();
    for count in [1, 16, MAX_SIGNATURES] {
        let signers: Vec<&Signer> = signers[..count].iter().collect();
        let note = sign_note(TEXT, &signers).expect("a text can be signed");
        let verified = verify(&note, &keys).expect("all signatures verify");
        let signed: Vec<_> = verified.signatures().iter().map(|by| by.key().clone()).collect();
        assert_eq!(signed, keys[..count]);
    }
}

#[test]
fn unknown_keys_are_ignored() {
    let [known, unknown, namesake] = [signer("log", 1), signer("other", 2), signer("log", 3)];
    let note = sign_note(TEXT, &[&unknown, &namesake, &known]).expect("a text can be signed");
    let verified = verify(&note, &[known.verifier_key().clone()]).expect("the known key signed");
    let [signature] = verified.signatures() else { panic!("one known signature") };
    assert_eq!(signature.key(), known.verifier_key());
    assert_eq!(verified.to_note_text(), note, "unknown signatures are kept");
}

#[test]
fn a_key_counts_once() {
    let note = format!("{TEXT}\n{LINE}\n{LINE}\n");
    let verified = verify(&note, &[spec_key(), spec_key()]).expect("both lines verify");
    assert_eq!(verified.signatures().len(), 1);
}

#[test]
fn notes_not_signed_by_known_keys_are_refused() {
    let [log, other, namesake] = [signer("log", 1), signer("other", 1), signer("log", 2)];
    let note = sign_note(TEXT, &[&log]).expect("a text can be signed");
    let keys = |signers: &[&Signer]| -> Vec<VerifierKey> {
        signers.iter().map(|signer| signer.verifier_key().clone()).collect()
    };
    for known in [keys(&[]), keys(&[&other]), keys(&[&namesake]), keys(&[&other, &namesake])] {
        assert_eq!(verify(&note, &known), Err(NoteError::NoKnownSignature), "{known:?}");
    }
}

/// Key ids are short enough to collide: the seeds of these two keys were searched for.
#[test]
fn keys_that_cannot_be_told_apart_are_refused() {
    let [one, other] = [11_324_u32, 51_932].map(|number| {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_le_bytes());
        Signer::from_seed(name("log"), &seed)
    });
    let (key, other_key) = (one.verifier_key(), other.verifier_key());
    assert_eq!(key.id(), other_key.id());
    assert_ne!(key, other_key);
    let note = sign_note(TEXT, &[&one]).expect("a text can be signed");
    let error = NoteError::AmbiguousKey { name: name("log"), id: key.id() };
    assert_eq!(verify(&note, &[key.clone(), other_key.clone()]), Err(error));
    assert!(verify(&note, &[key.clone(), key.clone()]).is_ok(), "the same key twice is one key");
    let namesake = signer("log", 1).verifier_key().clone();
    assert!(verify(&note, &[key.clone(), namesake]).is_ok(), "the ids tell these two apart");
    let (name, id) = (name("log"), key.id());
    let error = NoteError::BadSignature { name, id };
    assert_eq!(verify(&note, std::slice::from_ref(other_key)), Err(error));
}

#[test]
fn one_bad_signature_of_a_known_key_refuses_the_note() {
    let [log, witness] = [signer("log", 1), signer("witness", 2)];
    let good = sign_note(TEXT, &[&log]).expect("a text can be signed");
    let other_text = sign_note("other\n", &[&witness]).expect("a text can be signed");
    let wrong_line = other_text.rsplit_once("\n\n").expect("a blank line").1;
    let key = witness.verifier_key();
    let error = || NoteError::BadSignature { name: key.name().clone(), id: key.id() };
    let known = [log.verifier_key().clone(), key.clone()];
    assert_eq!(verify(&format!("{good}{wrong_line}"), &known), Err(error()));
    let wrong_first = good.replacen("\n\n", &format!("\n\n{wrong_line}"), 1);
    assert_eq!(verify(&wrong_first, &known), Err(error()));
    // Without the witness among the known keys its line is as good as absent.
    assert!(verify(&wrong_first, &known[..1]).is_ok());
}

#[test]
fn every_changed_byte_of_a_signed_note_is_noticed() {
    let (note, key) = (spec_note().into_bytes(), spec_key());
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut changed = note.clone();
            changed[at] ^= 1 << bit;
            let result = parse(&changed).and_then(|note| note.verify(std::slice::from_ref(&key)));
            assert!(result.is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn texts_that_cannot_be_notes_are_not_signed() {
    let signer = signer("log", 1);
    let table = [
        ("", NoteError::MissingFinalNewline),
        ("a", NoteError::MissingFinalNewline),
        ("a\r\n", NoteError::ControlCharacter { offset: 1, byte: b'\r' }),
        ("a\0\n", NoteError::ControlCharacter { offset: 1, byte: 0 }),
    ];
    for (text, error) in table {
        assert_eq!(sign_note(text, &[&signer]), Err(error), "{text:?}");
    }
    assert_eq!(sign_note(TEXT, &[]), Err(NoteError::NoSignatures));
}

#[test]
fn private_keys_are_not_shown() {
    let signer = signer("log", 0xab);
    let shown = format!("{signer:?}");
    assert_eq!(shown, format!("Signer({})", signer.verifier_key()));
    assert!(!shown.contains("abab") && !shown.contains("171, 171") && !shown.contains("q6ur"));
}

proptest! {
    #[test]
    fn signed_notes_round_trip(
        text in "[^\\x00-\\x1f]{0,40}(\n{1,3}[^\\x00-\\x1f]{0,40}){0,4}\n",
        seed: [u8; 32],
        name in "[a-zé./0-9]{1,20}",
    ) {
        let signer = Signer::from_seed(KeyName::new(name).expect("a key name"), &seed);
        let key = signer.verifier_key();
        prop_assert_eq!(key.to_string().parse(), Ok(key.clone()));
        let note = sign_note(&text, &[&signer]).expect("a text can be signed");
        let verified = verify(&note, std::slice::from_ref(key)).expect("note verifies");
        prop_assert_eq!(verified.text(), text);
        prop_assert_eq!(verified.to_note_text(), note);
    }

    /// What is accepted is written back byte for byte: there is one spelling.
    #[test]
    fn the_parser_takes_any_bytes(
        note in "([a-c— +\n\r]|Uw2QOkn8|=){0,60}",
        tail in "(\n\n— a AAAAAAA=\n)?",
    ) {
        let note = note + &tail;
        if let Ok(parsed) = parse(&note) {
            let lines = parsed.signatures().iter().map(|line| format!("{line}\n"));
            let rewritten = format!("{}\n{}", parsed.unverified_text(), lines.collect::<String>());
            prop_assert_eq!(rewritten, note);
        }
    }
}
