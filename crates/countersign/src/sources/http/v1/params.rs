//! Parameters of a question: each known, each once.

use std::collections::BTreeMap;

use crate::sources::http::answer::Problem;

/// The parameters of one question.
#[derive(Debug)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads a query (the part behind `?`); `known` are the names that the question has.
    pub(super) fn read(query: &str, known: &[&str]) -> Result<Self, Problem> {
        let mut params = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let undecoded =
                || Problem::question(format!("{}: not percent-encoded UTF-8", shown(name)));
            let plus = |text: &str| text.replace('+', " ");
            let name = decode(&plus(name)).ok_or_else(undecoded)?;
            let value = decode(&plus(value)).ok_or_else(undecoded)?;
            if !known.contains(&name.as_str()) {
                let known = known.join(", ");
                let detail =
                    format!("{}: no parameter of this question; it has {known}", shown(&name));
                return Err(Problem::question(detail));
            }
            if value.is_empty() {
                return Err(Problem::question(format!(
                    "{name}: the value is empty; leave the parameter out"
                )));
            }
            if params.insert(name.clone(), value).is_some() {
                return Err(Problem::question(format!("{name}: stands more than once")));
            }
        }
        Ok(Self(params))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// A count.
    pub(super) fn count(&self, name: &str) -> Result<u64, Problem> {
        let Some(value) = self.get(name) else { return Ok(0) };
        let wrong = || Problem::question(format!("{name}: {:?} is no whole number", shown(value)));
        value.parse().map_err(|_| wrong())
    }

    /// A flag: `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(value) => {
                let detail = format!("{name}: {:?} is neither true nor false", shown(value));
                Err(Problem::question(detail))
            }
        }
    }
}

/// As much of a text as an answer repeats.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

/// Decodes percent-encoding (RFC 3986 2.1); `None` where it is broken or no UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (pair, after) = rest.split_at_checked(2)?;
        let digit = |d: u8| char::from(d).to_digit(16).and_then(|d| u8::try_from(d).ok());
        bytes.push(digit(pair[0])? << 4 | digit(pair[1])?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_known_and_stand_once() {
        let read = |query: &str| {
            let params = Params::read(query, &["at", "tz"]);
            params.map(|p| p.0.into_iter().collect::<Vec<_>>()).map_err(|p| p.detail)
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let table = [
            ("", Ok(vec![])),
            (
                "at=mon+21%3A46&tz=Europe/Madrid",
                Ok(vec![pair("at", "mon 21:46"), pair("tz", "Europe/Madrid")]),
            ),
            ("at=%2B1&", Ok(vec![pair("at", "+1")])),
            ("at=a%2", Err("at: not percent-encoded UTF-8")),
            ("at=%ff", Err("at: not percent-encoded UTF-8")),
            ("att=1", Err("att: no parameter of this question; it has at, tz")),
            ("at=1&at=2", Err("at: stands more than once")),
            ("at", Err("at: the value is empty; leave the parameter out")),
        ];
        for (query, expected) in table {
            assert_eq!(read(query), expected.map_err(str::to_owned), "{query}");
        }
    }
}
