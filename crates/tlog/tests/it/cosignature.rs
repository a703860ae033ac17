//! Cosignatures: the signed bytes, their time, and what is refused.

use tlog::{
    Checkpoint, CheckpointError, CosignError, Cosigner, KeyName, NoteError, NoteSignature, Origin,
    SignatureType, Signer, TreeSize, UnverifiedCheckpoint, UnverifiedNote, VerifiedCheckpoint,
    VerifierKey, leaf_hash, sign_checkpoint, sign_note,
};

const SECONDS: u64 = 1_679_315_147;
const LATEST: u64 = i64::MAX as u64;

fn name(name: &str) -> KeyName {
    KeyName::new(name).expect("a key name")
}

fn log() -> Signer {
    Signer::from_seed(name("example.com/log"), &[1; 32])
}

fn witness() -> Cosigner {
    Cosigner::from_seed(name("witness.example.com/w1"), &[2; 32])
}

fn origin() -> Origin {
    Origin::from(log().name())
}

fn signed(size: u64) -> String {
    let checkpoint = Checkpoint::new(origin(), TreeSize::new(size), leaf_hash(b"root"));
    sign_checkpoint(&checkpoint.expect("a checkpoint"), &log())
}

fn verify(note: &str) -> Result<VerifiedCheckpoint, CheckpointError> {
    let known = [log().verifier_key().clone(), witness().verifier_key().clone()];
    UnverifiedCheckpoint::parse(note.as_bytes()).expect("well-formed").verify(&origin(), &known)
}

fn cosign(size: u64, seconds: u64) -> NoteSignature {
    let checkpoint = verify(&signed(size)).expect("signed by the log");
    witness().cosign(&checkpoint, seconds).expect("a time in range")
}

#[test]
fn a_cosigned_checkpoint_states_who_saw_it_and_when() {
    for seconds in [0, SECONDS, LATEST] {
        let note = format!("{}{}\n", signed(7), cosign(7, seconds));
        let verified = verify(&note).expect("signed and cosigned");
        let cosignatures: Vec<_> = verified.cosignatures().collect();
        let [cosignature] = cosignatures.as_slice() else { panic!("one cosignature") };
        assert_eq!(cosignature.key(), witness().verifier_key());
        assert_eq!(cosignature.unix_seconds(), seconds);
    }
}

/// The same bytes, signed as a plain text, give the same Ed25519 signature.
#[test]
fn the_signed_message_is_that_of_the_specification() {
    let text = verify(&signed(7)).expect("signed by the log").text().to_owned();
    let message = format!("cosignature/v1\ntime {SECONDS}\n{text}");
    let plain = Signer::from_seed(name("any"), &[2; 32]);
    let note = sign_note(&message, &[&plain]).expect("a text can be signed");
    let parsed = UnverifiedNote::parse(note.as_bytes()).expect("our own form");
    let expected = [SECONDS.to_be_bytes().as_slice(), parsed.signatures()[0].bytes()].concat();
    assert_eq!(cosign(7, SECONDS).bytes(), expected);
}

#[test]
fn the_key_of_a_cosigner_is_of_another_type_and_id() {
    let key = witness().verifier_key().clone();
    assert_eq!(key.signature_type(), SignatureType::CosignatureV1);
    assert_eq!(key.to_string().parse(), Ok(key.clone()));
    let plain = VerifierKey::ed25519(key.name().clone(), key.public_key()).expect("a key");
    assert_ne!(plain.id(), key.id());
    let rebuilt = VerifierKey::cosignature_v1(key.name().clone(), key.public_key());
    assert_eq!(rebuilt, Ok(key));
}

/// Everything the signature covers, and its own form.
#[test]
fn wrong_cosignatures_are_refused() {
    let line = cosign(7, SECONDS);
    let payload = line.bytes().to_vec();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = payload.clone();
        change(&mut bytes);
        bytes
    };
    let time = |seconds: u64| with(&|bytes| bytes[..8].copy_from_slice(&seconds.to_be_bytes()));
    let table = [
        ("later time", time(SECONDS + 1)),
        ("earlier time", time(SECONDS - 1)),
        ("no time", payload[8..].to_vec()),
        ("time only", payload[..8].to_vec()),
        ("part of a time", payload[..7].to_vec()),
        ("short signature", payload[..71].to_vec()),
        ("long signature", with(&|bytes| bytes.push(0))),
        ("changed signature", with(&|bytes| bytes[40] ^= 1)),
        ("signature of another checkpoint", cosign(8, SECONDS).bytes().to_vec()),
    ];
    let key = witness().verifier_key().clone();
    for (case, bytes) in table {
        let note = format!("{}{}\n", signed(7), rewritten(&line, &bytes));
        let (name, id) = (key.name().clone(), key.id());
        let error = CheckpointError::Note(NoteError::BadSignature { name, id });
        assert_eq!(verify(&note), Err(error), "{case}");
    }
    let untouched = format!("{}{}\n", signed(7), rewritten(&line, &payload));
    assert!(verify(&untouched).is_ok());
}

/// The line with another payload, through its text form.
fn rewritten(line: &NoteSignature, bytes: &[u8]) -> String {
    use base64::Engine as _;
    let payload = [line.key_id().as_bytes().as_slice(), bytes].concat();
    let payload = base64::engine::general_purpose::STANDARD.encode(payload);
    format!("\u{2014} {} {payload}", line.name())
}

#[test]
fn times_beyond_the_range_are_refused() {
    let checkpoint = verify(&signed(7)).expect("signed by the log");
    let unix_seconds = LATEST + 1;
    let refused = witness().cosign(&checkpoint, unix_seconds);
    assert_eq!(refused, Err(CosignError::TimeTooLate { unix_seconds }));
    // Correctly signed, but for a time the specification rules out.
    let message = format!("cosignature/v1\ntime {unix_seconds}\n{}", checkpoint.text());
    let note = sign_note(&message, &[&Signer::from_seed(name("any"), &[2; 32])]);
    let note = UnverifiedNote::parse(note.expect("a text").as_bytes()).expect("our own form");
    let bytes = [unix_seconds.to_be_bytes().as_slice(), note.signatures()[0].bytes()].concat();
    let line = rewritten(&cosign(7, SECONDS), &bytes);
    assert!(verify(&format!("{}{line}\n", signed(7))).is_err());
}

#[test]
fn private_keys_are_not_shown() {
    assert_eq!(format!("{:?}", witness()), format!("Cosigner({})", witness().verifier_key()));
}
