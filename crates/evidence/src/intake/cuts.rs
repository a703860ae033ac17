//! Which bytes of a record are secret, which are a network address and which are personal.
//!
//! Rules, not parsers: they look at a string's place and at its text, and so hold for records whose
//! parser does not exist yet. They err on the side of cutting.
//!
//! | class | decided by |
//! |---|---|
//! | secret | the key above it (`token`, `password`, …), the object it is part of (Secret), a sibling `name` (`DB_PASSWORD`), or its text (JWT, `Bearer …`, Vault and forge tokens, private keys, a URL's userinfo) |
//! | address | the key above it (`sourceIPs`, …) |
//! | personal | the key above it (`username`, an event's `user`), an e-mail address anywhere, a name or account of the people map anywhere |

use std::borrow::Cow;
use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::json::{Found, JsonError, scan, unescape};

/// What a cut is made for. The order is that of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Kept apart, under a salt of its own, so that it can be erased.
    Personal,
    /// A network address of a caller: not stored.
    Address,
    /// Not stored.
    Secret,
}

/// A byte range of a record that is not kept with the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where it stands in the record.
    pub range: Range<usize>,
    /// What it is.
    pub class: Class,
}

/// Keys whose string values are secret, in lower case, whole.
const SECRET_KEYS: &[&str] = &[
    "access_token",
    "api_key",
    "apikey",
    "authorization",
    "bearer",
    "client_secret",
    "client_token",
    "cookie",
    "credential",
    "credentials",
    "id_token",
    "passwd",
    "password",
    "private_key",
    "proxy-authorization",
    "refresh_token",
    "secret",
    "secret_id",
    "set-cookie",
    "token",
    "x-vault-token",
];
/// Ends of a `name` whose sibling `value` is secret: environment variables, Helm parameters.
const SECRET_NAME_ENDS: &[&str] =
    &["password", "passwd", "secret", "token", "apikey", "api_key", "private_key", "credentials"];
/// Keys whose string values are callers' network addresses, in lower case.
const ADDRESS_KEYS: &[&str] =
    &["client_ip", "remote_addr", "remote_address", "remoteaddr", "sourceips", "x-forwarded-for"];
/// Keys whose string values are accounts of people, unless they start as in [`NOT_PEOPLE`].
const PERSONAL_KEYS: &[&str] = &["username", "user", "email", "preferred_username"];
/// How accounts of the cluster and of Argo CD's project roles start.
const NOT_PEOPLE: &[&str] = &["system:", "proj:"];
/// Starts of texts that are secrets by their form; a secret ends at the first byte that
/// [`is_token_byte`] refuses. Vault (`hvs.`), GitHub (`ghp_`, `github_pat_`), GitLab
/// (`glpat-`), Slack (`xoxb-`); a JWT starts with the base64 of `{"`.
const TOKEN_STARTS: &[&str] = &[
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
];
/// The shortest text that is taken for a token: `eyJ` alone is no secret.
const TOKEN_BYTES_MIN: usize = 16;

/// Names and accounts of people that must be found anywhere, as one automaton.
#[derive(Clone, Debug)]
pub struct Rules {
    names: Option<AhoCorasick>,
    tokens: AhoCorasick,
}

/// The names do not fit into one automaton.
#[derive(Debug, thiserror::Error)]
#[error("the people map has too many names to look for: {0}")]
pub struct TooManyNames(String);

impl Rules {
    /// Rules that also find `names` (names and accounts of the people map) in free text.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, TooManyNames> {
        let names: Vec<&str> = names.into_iter().filter(|n| n.len() > 2).collect();
        let build = |patterns: &[&str], any_case| {
            AhoCorasick::builder()
                .ascii_case_insensitive(any_case)
                .match_kind(aho_corasick::MatchKind::LeftmostLongest)
                .build(patterns)
                .map_err(|e| TooManyNames(e.to_string()))
        };
        let tokens = build(TOKEN_STARTS, false)?;
        Ok(Self { names: if names.is_empty() { None } else { Some(build(&names, true)?) }, tokens })
    }

    /// Finds the cuts of a record: sorted, without overlap. `secret_object` says that the record
    /// is about a Secret, whose `data` and `stringData` are cut whatever they hold.
    pub fn cuts(&self, bytes: &[u8], secret_object: bool) -> Result<Vec<Cut>, JsonError> {
        let mut finder =
            Finder { rules: self, bytes, secret_object, cuts: Vec::new(), pairs: Vec::new() };
        scan(bytes, &mut |found| finder.string(found))?;
        finder.named_values();
        Ok(merge(finder.cuts))
    }
}

/// A `name` or `value` of an object, kept until both are known: keys have no order.
struct Pair {
    object: usize,
    secret_name: bool,
    value: Option<Range<usize>>,
}

struct Finder<'r, 'a> {
    rules: &'r Rules,
    bytes: &'a [u8],
    secret_object: bool,
    cuts: Vec<Cut>,
    pairs: Vec<Pair>,
}

impl Finder<'_, '_> {
    fn string(&mut self, found: &Found<'_, '_>) {
        if found.raw.is_empty() {
            return;
        }
        let raw = self.text(&found.raw);
        let whole = if found.is_key { None } else { self.class_of_place(found, &raw) };
        if let Some(class) = whole {
            self.cuts.push(Cut { range: found.raw.clone(), class });
            return;
        }
        self.remember_pair(found, &raw);
        self.class_of_text(found, &raw);
    }

    fn class_of_place(&self, found: &Found<'_, '_>, raw: &str) -> Option<Class> {
        let key = found.path.last()?.to_ascii_lowercase();
        let under = |name: &str| found.path.iter().any(|k| k == name);
        if SECRET_KEYS.contains(&key.as_str())
            || self.secret_object && (under("data") || under("stringData") || is_copy(&key))
            || mentions_secret_object(raw)
        {
            return Some(Class::Secret);
        }
        if ADDRESS_KEYS.contains(&key.as_str()) {
            return Some(Class::Address);
        }
        let person = PERSONAL_KEYS.contains(&key.as_str())
            && !NOT_PEOPLE.iter().any(|start| raw.starts_with(start));
        person.then_some(Class::Personal)
    }

    fn remember_pair(&mut self, found: &Found<'_, '_>, raw: &str) {
        let (is_name, is_value) = match found.path.last().map(AsRef::as_ref) {
            Some("name") => (true, false),
            Some("value") => (false, true),
            _ => return,
        };
        if found.is_key {
            return;
        }
        let secret_name = is_name && {
            let name = raw.to_ascii_lowercase();
            SECRET_NAME_ENDS.iter().any(|end| name.ends_with(end))
        };
        let value = is_value.then(|| found.raw.clone());
        match self.pairs.iter_mut().rev().take(4).find(|p| p.object == found.object) {
            Some(pair) => {
                pair.secret_name |= secret_name;
                pair.value = pair.value.take().or(value);
            }
            None => self.pairs.push(Pair { object: found.object, secret_name, value }),
        }
    }

    fn named_values(&mut self) {
        let secret = self.pairs.drain(..).filter(|p| p.secret_name).filter_map(|p| p.value);
        self.cuts.extend(secret.map(|range| Cut { range, class: Class::Secret }));
    }

    /// Cuts by text. Where escapes hide text from a reader of raw bytes, the whole string goes.
    fn class_of_text(&mut self, found: &Found<'_, '_>, raw: &str) {
        let mut hits = self.rules.hits(raw);
        if found.escaped && raw.contains("\\u") {
            let hidden = unescape(raw).map(|text| self.rules.hits(&text)).unwrap_or_default();
            if hidden.len() > hits.len() {
                let class = hidden.iter().map(|h| h.class).max().unwrap_or(Class::Secret);
                hits = vec![Cut { range: 0..raw.len(), class }];
            }
        }
        let base = found.raw.start;
        self.cuts.extend(
            hits.into_iter()
                .map(|c| Cut { range: base + c.range.start..base + c.range.end, class: c.class }),
        );
    }

    fn text(&self, raw: &Range<usize>) -> Cow<'static, str> {
        Cow::Owned(String::from_utf8_lossy(&self.bytes[raw.clone()]).into_owned())
    }
}

/// The annotation in which `kubectl apply` keeps a copy of the whole object.
fn is_copy(key: &str) -> bool {
    key == "kubectl.kubernetes.io/last-applied-configuration"
}

/// Whether a string holds a manifest of a Secret, as local manifests and annotations can.
fn mentions_secret_object(raw: &str) -> bool {
    raw.match_indices("kind").any(|(at, _)| {
        let rest = raw[at + 4..].trim_start_matches(['\\', '"', ':', ' ']);
        rest.len() < raw.len() - at - 4
            && rest.strip_prefix("Secret").is_some_and(|r| !r.starts_with(char::is_alphanumeric))
    })
}

impl Rules {
    fn hits(&self, text: &str) -> Vec<Cut> {
        let mut hits = Vec::new();
        self.tokens(text, &mut hits);
        emails(text, &mut hits);
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
        for found in self.tokens.find_iter(text) {
            let range = found.start()..run_end(bytes, found.end(), is_token_byte);
            if range.len() >= TOKEN_BYTES_MIN && !joined_left(bytes, range.start) {
                secret(range);
            }
        }
        for word in ["Bearer ", "bearer ", "Basic "] {
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

/// Sorts cuts and joins those that overlap; the stronger class wins the whole.
fn merge(mut cuts: Vec<Cut>) -> Vec<Cut> {
    cuts.sort_by_key(|c| (c.range.start, c.range.end));
    let mut merged: Vec<Cut> = Vec::with_capacity(cuts.len());
    for cut in cuts {
        match merged.last_mut() {
            Some(last) if cut.range.start < last.range.end => {
                last.range.end = last.range.end.max(cut.range.end);
                last.class = last.class.max(cut.class);
            }
            _ => merged.push(cut),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_text(json: &str, secret_object: bool) -> Vec<(&str, Class)> {
        let rules = Rules::new(["Carol Núñez", "cnunez", "anna"]).expect("few names");
        let cuts = rules.cuts(json.as_bytes(), secret_object).expect("valid JSON");
        cuts.into_iter().map(|c| (&json[c.range], c.class)).collect()
    }

    /// A record, whether it is of a Secret, and what is cut of it.
    type Row<'a> = (&'a str, bool, &'a [(&'a str, Class)]);

    #[test]
    fn what_is_cut_and_why() {
        use Class::{Address, Personal, Secret};
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
        let with_jwt = format!(r#"{{"msg":"got {jwt}, ok"}}"#);
        let table: &[Row<'_>] = &[
            (r#"{"a":"plain"}"#, false, &[]),
            (r#"{"headers":{"Authorization":["Bearer x"]}}"#, false, &[("Bearer x", Secret)]),
            (r#"{"msg":"sent Bearer abcdefgh1234 to it"}"#, false, &[("abcdefgh1234", Secret)]),
            (&with_jwt, false, &[(jwt, Secret)]),
            (r#"{"msg":"eyJ is a start"}"#, false, &[]),
            (r#"{"status":{"token":"t0k"}}"#, false, &[("t0k", Secret)]),
            (r#"{"data":{"k":"c2VjcmV0"}}"#, true, &[("c2VjcmV0", Secret)]),
            (r#"{"data":{"k":"plain"}}"#, false, &[]),
            (
                r#"{"env":[{"value":"hunter2","name":"DB_PASSWORD"}]}"#,
                false,
                &[("hunter2", Secret)],
            ),
            (r#"{"env":[{"name":"LOG_LEVEL","value":"info"}]}"#, false, &[]),
            (r#"{"url":"https://bot:pw@git.example/x"}"#, false, &[("bot:pw@git.example", Secret)]),
            (
                r#"{"manifests":["{\"kind\": \"Secret\",\"data\":{}}"]}"#,
                false,
                &[(r#"{\"kind\": \"Secret\",\"data\":{}}"#, Secret)],
            ),
            (r#"{"copy":"{\"kind\":\"SecretStore\"}"}"#, false, &[]),
            (r#"{"sourceIPs":["10.0.0.9"]}"#, false, &[("10.0.0.9", Address)]),
            (r#"{"user":{"username":"platform-root"}}"#, false, &[("platform-root", Personal)]),
            (r#"{"user":{"username":"system:kube-scheduler"}}"#, false, &[]),
            (r#"{"username":"proj:prod:deployer"}"#, false, &[]),
            (
                r#"{"message":"a.b@c.example initiated sync"}"#,
                false,
                &[("a.b@c.example", Personal)],
            ),
            (r#"{"message":"x\na.b@c.example."}"#, false, &[("a.b@c.example", Personal)]),
            (
                r#"{"message":"x\u000aa.b\u0040c.example"}"#,
                false,
                &[(r"x\u000aa.b\u0040c.example", Personal)],
            ),
            (r#"{"image":"r.example/api@sha256:4bfe"}"#, false, &[]),
            (r#"{"m":"by Carol Núñez"}"#, false, &[("Carol Núñez", Personal)]),
            (r#"{"m":"debug-CNunez in savannah"}"#, false, &[("CNunez", Personal)]),
            (r#"{"a.b@c.example":1}"#, false, &[("a.b@c.example", Personal)]),
        ];
        for (json, secret_object, expected) in table {
            assert_eq!(&cut_text(json, *secret_object), expected, "{json}");
        }
    }

    #[test]
    fn overlapping_cuts_take_the_stronger_class() {
        let cut = |range, class| Cut { range, class };
        let merged = merge(vec![
            cut(5..9, Class::Secret),
            cut(0..6, Class::Personal),
            cut(20..22, Class::Address),
        ]);
        assert_eq!(merged, [cut(0..9, Class::Secret), cut(20..22, Class::Address)]);
    }
}
