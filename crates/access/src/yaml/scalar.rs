//! What a scalar means, by the schema of Kubernetes' tools.

use std::borrow::Cow;

use saphyr_parser::{ScalarStyle, Tag};

use super::Value;

/// The value of a scalar by its text, its style and its tag.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Cow<'_, Tag>>) -> Value {
    let plain = matches!(style, ScalarStyle::Plain);
    match tag {
        Some(tag) if tag.is_yaml_core_schema() => tagged(text, &tag.suffix),
        None if plain => of_plain(text),
        Some(_) | None => Value::Text(text.into()),
    }
}

fn tagged(text: &str, suffix: &str) -> Value {
    let otherwise = || Value::Text(text.into());
    match suffix {
        "null" => Value::Null,
        "bool" => boolean(text).map_or_else(otherwise, Value::Bool),
        "int" => whole(text).map_or_else(otherwise, |n| Value::Number(n, text.into())),
        "float" => number(text).map_or_else(otherwise, |n| Value::Number(n, text.into())),
        _ => otherwise(),
    }
}

fn of_plain(text: &str) -> Value {
    // What begins with a letter of no keyword is text: almost every scalar of a manifest.
    match text.as_bytes().first() {
        None => Value::Null,
        Some(b'~' | b'n' | b'N' | b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O') => {
            match text {
                "~" | "null" | "Null" | "NULL" => Value::Null,
                _ => boolean(text).map_or_else(|| Value::Text(text.into()), Value::Bool),
            }
        }
        Some(b'0'..=b'9' | b'-' | b'+' | b'.') => match number(text) {
            Some(n) => Value::Number(n, text.into()),
            None => Value::Text(text.into()),
        },
        Some(_) => Value::Text(text.into()),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(false)
        }
        _ => None,
    }
}

fn number(text: &str) -> Option<serde_json::Number> {
    whole(text).or_else(|| fraction(text))
}

fn whole(text: &str) -> Option<serde_json::Number> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = digits.replace('_', "");
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, &digits[..]),
    };
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        0_i64.checked_sub_unsigned(magnitude).map(Into::into)
    } else {
        Some(magnitude.into())
    }
}

fn fraction(text: &str) -> Option<serde_json::Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text).replace('_', "");
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (&unsigned[..], None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_mantissa = match (before, after) {
        ("", after) => digits(after),
        (before, "") => digits(before),
        (before, after) => digits(before) && digits(after),
    };
    let is_exponent = exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)));
    if !is_mantissa || !is_exponent {
        return None;
    }
    let value: f64 = text.replace('_', "").parse().ok()?;
    serde_json::Number::from_f64(value)
}
