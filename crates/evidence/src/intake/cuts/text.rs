//! What a text gives away by itself, wherever it stands.

use std::borrow::Cow;
use std::ops::Range;

use super::{Class, Cut, Rules, is_secret_name};

/// Starts of texts that are secrets by their form; a secret ends at the first byte that
/// [`is_token_byte`] refuses. Vault (`hvs.`), GitHub (`ghp_`, `github_pat_`), GitLab
/// (`glpat-`), Slack (`xoxb-`); a JWT starts with the base64 of `{"`.
pub(super) const TOKEN_STARTS: &[&str] = &[
    "eyJ",
    "hvs.",
    "hvb.",
    "hvr.",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    // Base64 of `-----BEGIN … PRIVATE KEY-----`.
    "LS0tLS1CRUdJTiBQUklWQVRF",
    "LS0tLS1CRUdJTiBSU0EgUFJJVkFURS",
    "LS0tLS1CRUdJTiBFQyBQUklWQVRF",
    "LS0tLS1CRUdJTiBPUEVOU1NI",
    "LS0tLS1CRUdJTiBFTkNSWVBURUQ",
];
/// Marks of secrets that [`Rules::hits`] knows by other rules than their start.
pub(super) const OTHER_MARKERS: &[&str] =
    &["Bearer ", "bearer ", "Basic ", "basic ", "://", "PRIVATE KEY-----", "="];
/// The shortest text that is taken for a token: `eyJ` alone is no secret.
const TOKEN_BYTES_MIN: usize = 16;
/// A start within a word is one of a token when this many letters and digits follow it, as in
/// `-ughp_…`: longer than the rest of `highp_`, or of the name of a host behind `archvs.`.
const JOINED_RUN_MIN: usize = 16;

impl Rules {
    /// Secrets and personal data in a text; ranges are those of the text.
    pub(super) fn hits(&self, text: &str) -> Vec<Cut> {
        let mut hits = Vec::new();
        if self.markers.is_match(text) {
            self.tokens(text, &mut hits);
        }
        if text.contains('@') {
            emails(text, &mut hits);
        }
        if let Some(names) = &self.names {
            let found = names.find_iter(text).map(|m| m.start()..m.end());
            let alone = found.filter(|r| stands_alone(text.as_bytes(), r));
            hits.extend(alone.map(|range| Cut { range, class: Class::Personal }));
        }
        hits
    }

    fn tokens(&self, text: &str, hits: &mut Vec<Cut>) {
        let bytes = text.as_bytes();
        let mut secret = |range| hits.push(Cut { range, class: Class::Secret });
        let mut until = 0;
        for found in self.tokens.find_iter(text).map(|m| m.start()..m.end()) {
            // A start within a run that was looked at is no start: each byte is passed once.
            if found.start < until {
                continue;
            }
            if joined_left(bytes, found.start)
                && run_within(bytes, found.end, JOINED_RUN_MIN) < JOINED_RUN_MIN
            {
                continue;
            }
            until = run_end(bytes, found.end, is_token_byte);
            if until - found.start >= TOKEN_BYTES_MIN {
                secret(found.start..until);
            }
        }
        // `--password=x`, `?access_token=x`.
        for word in self.telling.find_iter(text).filter(|m| bytes.get(m.end()) == Some(&b'=')) {
            let start = word.end() + 1;
            let end = run_end(bytes, start, |b| {
                b.is_ascii_graphic() && !matches!(b, b'&' | b'"' | b'\'' | b'\\' | b';')
            });
            if end > start {
                secret(start..end);
            }
        }
        for word in ["Bearer ", "bearer ", "Basic ", "basic "] {
            for (at, _) in text.match_indices(word) {
                let start = at + word.len();
                let end = run_end(bytes, start, is_token_byte);
                if end - start >= 8 {
                    secret(start..end);
                }
            }
        }
        for (at, _) in text.match_indices("://") {
            let start = at + 3;
            let end = run_end(bytes, start, |b| {
                b.is_ascii_graphic() && !matches!(b, b'/' | b'"' | b'\\')
            });
            let userinfo =
                text[start..end].rfind('@').filter(|i| text[start..start + i].contains(':'));
            if let Some(len) = userinfo {
                secret(start..start + len);
            }
        }
        if let Some(at) = text.find("PRIVATE KEY-----") {
            let start = text[..at].rfind("-----BEGIN").unwrap_or(at);
            secret(start..text.len());
        }
    }
}

/// Finds e-mail addresses: an `@` between a local part and a host with a dot.
fn emails(text: &str, hits: &mut Vec<Cut>) {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('@') {
        let mut start = at;
        while start > 0 && is_local_byte(bytes[start - 1]) && !is_escape_tail(bytes, start - 1) {
            start -= 1;
        }
        let mut end =
            run_end(bytes, at + 1, |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        while end > at + 1 && matches!(bytes[end - 1], b'.' | b'-') {
            end -= 1;
        }
        if start < at && bytes[at + 1..end].contains(&b'.') {
            hits.push(Cut { range: start..end, class: Class::Personal });
        }
    }
}

fn is_local_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'') || b >= 0x80
}

fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'/' | b'=' | b'~')
}

fn run_end(bytes: &[u8], from: usize, fits: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|b| !fits(*b)).map_or(bytes.len(), |n| from + n)
}

/// How many letters and digits stand at `from`, counted up to `most`.
fn run_within(bytes: &[u8], from: usize, most: usize) -> usize {
    bytes[from..].iter().take(most).take_while(|b| b.is_ascii_alphanumeric()).count()
}

/// Whether byte `i` is the letter of an escape such as `\n`: it is no part of the word after it.
fn is_escape_tail(bytes: &[u8], i: usize) -> bool {
    bytes[..i].iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1
}

fn joined_left(bytes: &[u8], start: usize) -> bool {
    start > 0 && bytes[start - 1].is_ascii_alphanumeric() && !is_escape_tail(bytes, start - 1)
}

/// Whether a match is a word of its own: `anna` is not in `savannah`.
fn stands_alone(bytes: &[u8], range: &Range<usize>) -> bool {
    let right = bytes.get(range.end).is_some_and(u8::is_ascii_alphanumeric);
    !joined_left(bytes, range.start) && !right
}

/// Whether a text is a document with secrets in it: JSON or YAML within JSON, as in the copy that
/// `kubectl apply` annotates and in Helm values. `text` is free of the escapes around it.
pub(super) fn holds_secret_document(rules: &Rules, text: &str) -> bool {
    let start = text.trim_start();
    if start.starts_with(['{', '[']) && (text.contains("\\u") || rules.telling.is_match(text)) {
        let secret = |cuts: Vec<Cut>| cuts.iter().any(|c| c.class >= Class::Secret);
        if rules.cuts(text.as_bytes(), false).is_ok_and(secret) {
            return true;
        }
    }
    rules.telling.is_match(text) && yaml_secret(text)
}

/// Whether a line of YAML gives a secret: by its own key, or as the value after a telling name.
/// A value that starts with `$` refers to a secret and is none.
fn yaml_secret(text: &str) -> bool {
    let mut named = false;
    // A flow map on one line is read like a block.
    text.split(['\n', '{', ',']).any(|line| {
        let line = line.trim_start_matches([' ', '-', '\t']).trim_end_matches([' ', '}']);
        let Some((key, value)) = line.split_once(": ") else { return false };
        let (key, value) = (plain(key).to_ascii_lowercase(), plain(value));
        let is_word = !key.contains(' ');
        let given = is_word && !value.is_empty() && !value.starts_with('$');
        let secret = given && (is_secret_name(&key) || named && key == "value");
        named = key == "name" && is_secret_name(&value.to_ascii_lowercase());
        secret
    })
}

fn plain(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text.trim().trim_matches(['"', '\'']))
}
