//! Members of answers, and branch names against patterns.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use super::{JsonPath, Known, Unknown};

/// A step of a JSON path: `.name`, or `["name"]` where that would not do.
pub(super) fn step(at: &str, name: &str) -> JsonPath {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain && !name.is_empty() { format!("{at}.{name}") } else { format!("{at}[{name:?}]") }
}

fn missing<T>(member: &str, at: &str) -> Known<T> {
    Known::Unknown(Unknown::Missing { member: member.to_owned(), at: at.to_owned() })
}

/// A member that is a text.
pub(super) fn member_text(body: &Value, member: &str, at: &str) -> Known<String> {
    match body.get(member).and_then(Value::as_str) {
        Some(text) => Known::at(text.to_owned(), step(at, member)),
        None => missing(member, at),
    }
}

/// A member that is true or false, or GitHub's `{"enabled": …}` of one.
pub(super) fn flag(body: &Value, member: &str, at: &str) -> Known<bool> {
    match body.get(member) {
        Some(Value::Bool(value)) => Known::at(*value, step(at, member)),
        Some(inner) => match inner.get("enabled").and_then(Value::as_bool) {
            Some(value) => Known::at(value, step(&step(at, member), "enabled")),
            None => missing(member, at),
        },
        None => missing(member, at),
    }
}

/// A member that an API leaves out where it does not hold.
pub(super) fn flag_or(body: &Value, member: &str, at: &str, without: bool) -> Known<bool> {
    match flag(body, member, at) {
        Known::Unknown(_) => Known::at(without, at),
        known @ Known::Known { .. } => known,
    }
}

/// A member that is a number.
pub(super) fn number(body: &Value, member: &str, at: &str) -> Known<u32> {
    match body.get(member).and_then(Value::as_u64) {
        Some(n) => Known::at(u32::try_from(n).unwrap_or(u32::MAX), step(at, member)),
        None => missing(member, at),
    }
}

/// The texts of a member that is a list, each with its place.
pub(super) fn texts(body: &Value, member: &str, at: &str) -> Vec<(String, JsonPath)> {
    let at = step(at, member);
    let list = body.get(member).and_then(Value::as_array).into_iter().flatten().enumerate();
    list.filter_map(|(i, v)| Some((v.as_str()?.to_owned(), format!("{at}[{i}]")))).collect()
}

/// What a part of a path may hold as it is (RFC 3986, unreserved).
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as one part of a request's path: `release%2F1`.
pub(super) fn percent_encoded(name: &str) -> String {
    utf8_percent_encode(name, &UNRESERVED).to_string()
}

/// A request's path with the names as they are.
pub(super) fn percent_decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// Whether a branch matches a pattern. `across`: whether `*` runs over slashes, as GitLab's does;
/// elsewhere `**` does.
pub(super) fn branch_matches(pattern: &str, branch: &str, across: bool) -> bool {
    let Some(c) = pattern.chars().next() else { return branch.is_empty() };
    let rest = &pattern[c.len_utf8()..];
    if c == '*' {
        let double = rest.starts_with('*');
        let rest = rest.trim_start_matches('*');
        // `**/` also stands for no directory at all.
        if double && rest.strip_prefix('/').is_some_and(|r| branch_matches(r, branch, across)) {
            return true;
        }
        let mut ends = branch.char_indices().map(|(at, _)| at).chain([branch.len()]);
        return ends
            .by_ref()
            .take_while(|at| across || double || !branch[..*at].contains('/'))
            .any(|at| branch_matches(rest, &branch[at..], across));
    }
    let mut left = branch.chars();
    match left.next() {
        Some(b) if b == c || (c == '?' && !across && b != '/') => {
            branch_matches(rest, left.as_str(), across)
        }
        _ => false,
    }
}
