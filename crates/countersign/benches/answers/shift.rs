//! Another evening of the same bank: the same lines with other days, identities and versions.
//!
//! Every line is changed in the same way, so what belonged together still does: days, uuids, commits,
//! resourceVersions, numbers of proposals and keys of tickets.

use std::fmt::Write as _;

/// The day of the recording.
const DAY: &str = "2026-11-23";
/// How far the versions of two evenings are apart: more than one evening uses up.
const VERSIONS: u64 = 1_000_000;
/// Names of numbers, what they are followed by in a line or inside of a text, and how far two
/// evenings are apart.
const NUMBERS: [(&str, u64); 3] =
    [("resourceVersion", VERSIONS), ("\"number", 1_000), ("\\\"number", 1_000)];

/// The line of the `evening`-th evening; that of evening 0 is the recorded one.
pub(crate) fn shifted(line: &str, evening: u32) -> String {
    if evening == 0 {
        return line.to_owned();
    }
    let (day, mask) = (day(evening), mixed(evening));
    let mut out = String::with_capacity(line.len() + 64);
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let is_part = |b: u8| b.is_ascii_hexdigit() || b == b'-';
        let run = bytes[at..].iter().take_while(|b| is_part(**b)).count();
        let word = &line[at..at + run];
        if is_uuid(word) || is_commit(word) {
            let first = u32::from_str_radix(&word[..8], 16).unwrap_or(0) ^ mask;
            let _written = write!(out, "{first:08x}{}", &word[8..]);
        } else if word == DAY {
            out.push_str(&day);
        } else {
            out.push_str(word);
        }
        at += run;
        if let Some((name, step)) = NUMBERS.iter().find(|(name, _)| line[at..].starts_with(name)) {
            at = number(line, at, name, u64::from(evening) * step, &mut out);
        } else if line[at..].starts_with("HG-") && out.ends_with('C') {
            at = number(line, at, "HG-", u64::from(evening) * 10_000, &mut out);
        } else if let Some(next) = line[at..].chars().next() {
            out.push(next);
            at += next.len_utf8();
        }
    }
    out
}

/// Copies a name and what stands between it and its number, and adds to the number.
fn number(line: &str, at: usize, name: &str, more: u64, out: &mut String) -> usize {
    out.push_str(name);
    let rest = &line[at + name.len()..];
    let between = rest.len() - rest.trim_start_matches(['\\', '"', ':', ' ']).len();
    out.push_str(&rest[..between]);
    let digits = rest[between..].bytes().take_while(u8::is_ascii_digit).count();
    if let Ok(number) = rest[between..between + digits].parse::<u64>() {
        let _written = write!(out, "{}", number + more);
    }
    at + name.len() + between + digits
}

fn is_uuid(word: &str) -> bool {
    let dashes = |(at, b): (usize, u8)| (b == b'-') == [8, 13, 18, 23].contains(&at);
    word.len() == 36 && word.bytes().enumerate().all(dashes)
}

fn is_commit(word: &str) -> bool {
    word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

fn day(evening: u32) -> String {
    let first = jiff::civil::date(2026, 11, 23);
    first.saturating_add(jiff::Span::new().days(i64::from(evening))).to_string()
}

/// Numbers that look random (the finaliser of `MurmurHash3`): a bijection, so no two evenings share
/// identities.
fn mixed(evening: u32) -> u32 {
    let mut z = evening;
    z = (z ^ (z >> 16)).wrapping_mul(0x85eb_ca6b);
    z = (z ^ (z >> 13)).wrapping_mul(0xc2b2_ae35);
    z ^ (z >> 16)
}
