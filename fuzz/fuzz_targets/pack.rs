//! A pack, as somebody hands it to an auditor: any bytes give a verdict.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tlog::{KeyName, Signer};

fuzz_target!(|data: &[u8]| {
    let verdict = evidence::pack::verify(data, None);
    let _ = verdict.report();
    let signer = Signer::from_seed(KeyName::new("fuzz.example").expect("a name"), &[3; 32]);
    // Nobody signs for a key that they do not have.
    assert!(!evidence::pack::verify(data, Some(signer.verifier_key())).holds());
});
