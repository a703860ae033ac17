//! A pack or a receipt, as somebody hands it to an auditor: any bytes give a verdict.

#![no_main]

use evidence::pack::{Terms, Trust, verify};
use evidence::receipt;
use libfuzzer_sys::fuzz_target;
use tlog::{KeyName, Signer};

fuzz_target!(|data: &[u8]| {
    let half = data.len() / 2;
    let kept = Terms { trust: None, kept: Some(&data[half..]) };
    let _ = verify(data, &kept).report();
    let _ = receipt::verify(data, None).report();
    let signer = Signer::from_seed(KeyName::new("fuzz.example").expect("a name"), &[3; 32]);
    let trust = Trust::in_log(signer.verifier_key().clone());
    let terms = Terms { trust: Some(&trust), kept: None };
    // Nobody signs for a key that they do not have.
    assert_ne!(verify(data, &terms).code(), 0);
    assert!(!receipt::verify_under(data, Some(&trust)).holds());
});
