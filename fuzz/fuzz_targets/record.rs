//! What a ledger keeps, read back: envelopes, payloads, the strict JSON scan. The first byte selects.

#![no_main]

use evidence::intake::json::{JsonError, MAX_DEPTH, scan};
use evidence::people::People;
use evidence::record::check::{EntryFault, check_entry};
use evidence::record::envelope::Envelope;
use evidence::record::payload::Payload;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((select, bytes)) = data.split_first() else { return };
    match select % 4 {
        0 => {
            if let Ok(envelope) = Envelope::decode(bytes) {
                assert_eq!(envelope.encode().as_deref(), Ok(bytes));
            }
        }
        1 => payload(bytes),
        2 => json(bytes),
        _ => {
            // Cuts are sorted, do not overlap and lie on characters.
            let rules = fuzz::terms(None).rules;
            let cuts = rules.cuts(bytes, bytes.len() % 2 == 0).unwrap_or_default();
            assert!(cuts.windows(2).all(|w| w[0].range.end <= w[1].range.start));
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            for cut in cuts {
                assert!(cut.range.start < cut.range.end && text.get(cut.range).is_some());
            }
            rules.is_personal(text);
        }
    }
    let _ = People::from_json(bytes);
});

/// Two readers that share no code agree on what a stored payload is.
fn payload(bytes: &[u8]) {
    match Payload::decode(bytes) {
        Ok(payload) => {
            assert_eq!(payload.encode(), bytes);
            let leaf = fuzz::envelope_over(payload.commitment());
            check_entry(&leaf, bytes).expect("the other reader takes it too");
            let _ = payload.record();
        }
        Err(_) => {
            let leaf = fuzz::envelope_over(tlog::Hash::from_bytes([0; 32]));
            let fault = check_entry(&leaf, bytes).expect_err("the other reader refuses it too");
            assert!(matches!(fault, EntryFault::Form(_)), "{fault}");
        }
    }
}

/// What the scan takes every reader takes; what it refuses has a reason.
fn json(bytes: &[u8]) {
    let other = serde_json::from_slice::<serde_json::Value>(bytes);
    match (scan(bytes, &mut |_| {}), other) {
        (Ok(()), Err(e)) => assert!(e.to_string().starts_with("number out of range"), "{e}"),
        (Err(JsonError::DuplicateKey(_)), _) | (Ok(()), Ok(_)) => {}
        (Err(JsonError::TooDeep(_)), _) => assert!(bytes.len() > MAX_DEPTH),
        (Err(e), Ok(_)) => panic!("refused, where another reader takes it: {e}"),
        (Err(_), Err(_)) => {}
    }
}
