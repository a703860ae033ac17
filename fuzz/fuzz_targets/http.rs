//! What a request brings: its body, the headers that name it, its signature.
//!
//! The input is a selecting byte (the channel of the source), header lines `name: value`, an empty
//! line, and the body. Whatever the body is, what is taken of it is sealed as promised; taken again
//! it is the same; and no body has a signature that nobody made.

#![no_main]

use countersign::sources::http::fuzzing;
use evidence::intake::delivery::Delivery;
use fuzz::{assert_not_kept, channel, checked, plant, terms};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((select, rest)) = data.split_first() else { return };
    let end = rest.windows(2).position(|w| w == b"\n\n").unwrap_or(0);
    let (head, body) = rest.split_at(end);
    let headers: Vec<(String, String)> = String::from_utf8_lossy(head)
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let source = channel(*select);
    let both = || [None, source].map(terms);
    let (entries, refused) = fuzzing::take(both(), headers.clone(), body);
    for entry in &entries {
        let record = checked(entry);
        fuzz::parse(record.cite.channel, &record.payload);
    }
    let (again, _) = fuzzing::take(both(), headers.clone(), body);
    assert!(entries.iter().zip(&again).all(|(a, b)| a.key == b.key));
    for reason in &refused {
        assert!(!reason.is_empty());
    }
    fuzzing::clocks(source, &headers, body);
    for (_, value) in &headers {
        assert!(!fuzzing::is_signed(value, body), "a signature that nobody made");
    }
    // The same as a recorded line, and with something planted into the body.
    if let Some(delivery) = Delivery::recorded(body) {
        let _ = delivery.parts(source);
    }
    let sum =
        body.iter().fold(0_usize, |sum, b| sum.wrapping_mul(31).wrapping_add(usize::from(*b)));
    if let Some((changed, planted)) = plant(body, sum % 4096, (sum >> 12) as u8) {
        let (entries, refused) = fuzzing::take(both(), headers, &changed);
        assert_not_kept(&entries, &[], planted);
        assert!(refused.iter().all(|r| !r.contains(planted)), "planted text in a refusal");
    }
});
