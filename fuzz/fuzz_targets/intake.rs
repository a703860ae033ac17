//! A line of any channel, named or recognised: the first byte selects.
//!
//! Whatever is taken is sealed as promised, taken again it is the same record, and what is planted
//! into a string of it (a token, a password, a person's address) is nowhere that it must not be.

#![no_main]

use fuzz::{assert_not_kept, channel, checked, plant, take};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((select, line)) = data.split_first() else { return };
    let named = channel(*select);
    let (entries, _) = take(line, named);
    for entry in &entries {
        let record = checked(entry);
        fuzz::parse(record.cite.channel, &record.payload);
    }
    let (again, _) = take(line, named);
    assert!(entries.iter().zip(&again).all(|(a, b)| a.key == b.key && a.leaf == b.leaf));
    // The planted text moves through the line as the line changes.
    let sum =
        line.iter().fold(0_usize, |sum, b| sum.wrapping_mul(31).wrapping_add(usize::from(*b)));
    let (nth, way) = (sum % 4096, (sum >> 12) as u8);
    let Some((changed, planted)) = plant(line, nth, way) else { return };
    let (entries, refusals) = take(&changed, named);
    assert_not_kept(&entries, &refusals, planted);
});
