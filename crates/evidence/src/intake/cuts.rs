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

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::AhoCorasick;

use self::text::{OTHER_MARKERS, TOKEN_STARTS, holds_secret_document};
use super::json::{Found, JsonError, What, scan, unescape};

pub mod table;
mod text;

/// What a cut is made for. The order is that of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Kept apart, under a salt of its own, so that it can be erased.
    Personal,
    /// A network address of a caller: not stored.
    Address,
    /// Not stored.
    Secret,
    /// A secret that is no string but a number: not stored, and something else stands for it.
    SecretNumber,
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
const SECRET_NAME_ENDS: &[&str] = &[
    "password",
    "passwd",
    "_pass",
    "secret",
    "token",
    "tokens",
    "apikey",
    "api_key",
    "access_key",
    "private_key",
    "privatekey",
    "credentials",
];
/// Keys whose string values are callers' network addresses, in lower case.
const ADDRESS_KEYS: &[&str] = &[
    "client_ip",
    "callerip",
    "peer.address",
    "remote_addr",
    "remote_address",
    "remoteaddr",
    "sourceips",
    "x-forwarded-for",
];
/// Keys whose string values are accounts of people, unless they start as in [`NOT_PEOPLE`].
const PERSONAL_KEYS: &[&str] = &[
    "username",
    "user",
    "email",
    "preferred_username",
    "principalemail",
    "login",
    "displayname",
    "accountid",
    "grpc.request.claims",
    // Lists of accounts in the branch protection of Gitea.
    "push_whitelist_usernames",
    "merge_whitelist_usernames",
    "approvals_whitelist_username",
    "force_push_allowlist_usernames",
    // Of GitLab: a role, or the name of the person that a protected branch names.
    "access_level_description",
];
/// Objects whose `name` is that of a person: of commits, in forges and in our reader of git.
const PERSONS: &[&str] = &["author", "committer", "pusher", "tagger"];
/// Names beside an account, in the answers of a forge.
const NAMES_OF_ACCOUNTS: &[&str] = &["name", "full_name"];
/// How accounts of the cluster and of Argo CD's project roles start.
const NOT_PEOPLE: &[&str] = &["system:", "proj:"];
/// Members of a Secret whose values are secret, at any depth.
const SECRET_DATA: &[&str] = &["data", "stringData"];
/// The annotation in which `kubectl apply` keeps a copy of the whole object.
const COPY: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Names and accounts of people that must be found anywhere, as one automaton.
#[derive(Clone, Debug)]
pub struct Rules {
    names: Option<AhoCorasick>,
    tokens: AhoCorasick,
    /// What every secret that is known by its text has in it: most texts have none of these, and
    /// are looked at no further.
    markers: AhoCorasick,
    /// The words by which a name tells that its value is secret.
    telling: AhoCorasick,
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
        let markers = [TOKEN_STARTS, OTHER_MARKERS].concat();
        let words = [SECRET_KEYS, SECRET_NAME_ENDS].concat();
        Ok(Self {
            names: if names.is_empty() { None } else { Some(build(&names, true)?) },
            tokens: build(TOKEN_STARTS, false)?,
            markers: build(&markers, false)?,
            telling: build(&words, true)?,
        })
    }

    /// Finds the cuts of a record: sorted, without overlap. `secret_object` says that the record
    /// is about a Secret, whose `data` and `stringData` are cut whatever they hold.
    pub fn cuts(&self, bytes: &[u8], secret_object: bool) -> Result<Vec<Cut>, JsonError> {
        let text = std::str::from_utf8(bytes).map_err(|e| JsonError::NotUtf8(e.valid_up_to()))?;
        let mentions_secret = mentions_secret_object(text);
        let (cuts, pairs) = (Vec::new(), BTreeMap::new());
        let mut finder = Finder { rules: self, text, secret_object, mentions_secret, cuts, pairs };
        scan(bytes, &mut |found| finder.string(found))?;
        finder.named_values();
        Ok(merge(finder.cuts))
    }
}

impl Class {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Address => "address",
            Self::Secret | Self::SecretNumber => "secret",
        }
    }
}

impl Rules {
    /// Whether a text gives away a person or a secret.
    pub fn is_personal(&self, text: &str) -> bool {
        !self.hits(text).is_empty()
    }
}

/// A `name` and `value` of an object, kept until both are known: keys have no order.
#[derive(Default)]
struct Pair {
    secret_name: bool,
    value: Option<Cut>,
    /// Whether it is an account of a forge, and what it is called.
    account: bool,
    names: Vec<Cut>,
}

struct Finder<'r, 'a> {
    rules: &'r Rules,
    text: &'a str,
    secret_object: bool,
    /// Whether a manifest of a Secret stands anywhere in the record.
    mentions_secret: bool,
    cuts: Vec<Cut>,
    /// By the offset of their object.
    pairs: BTreeMap<usize, Pair>,
}

impl Finder<'_, '_> {
    fn string(&mut self, found: &Found<'_, '_>) {
        if found.raw.is_empty() {
            return;
        }
        let raw = &self.text[found.raw.clone()];
        // What an escape spells otherwise is judged as what it says.
        let plain = if found.escaped { unescape(raw) } else { None };
        let plain = plain.as_deref().unwrap_or(raw);
        if found.what != What::Key
            && let Some(class) = self.class_of_place(found, plain)
        {
            if is_of_answer(found)
                && matches!(found.path.last().map(AsRef::as_ref), Some("username" | "login"))
            {
                self.pairs.entry(found.object).or_default().account = true;
            }
            self.cuts.push(Cut { range: found.raw.clone(), class });
            // Where a name is expected a token may stand: the stronger class wins the whole.
            if class == Class::Personal {
                self.class_of_text(found, raw, plain);
            }
            return;
        }
        self.remember_pair(found, plain);
        if found.what != What::Number {
            self.class_of_text(found, raw, plain);
        }
    }

    fn class_of_place(&self, found: &Found<'_, '_>, text: &str) -> Option<Class> {
        let key = found.path.last()?.to_ascii_lowercase();
        let number = found.what == What::Number;
        if SECRET_KEYS.contains(&key.as_str()) || self.is_of_secret(found, &key) {
            return Some(if number { Class::SecretNumber } else { Class::Secret });
        }
        if number {
            return None;
        }
        let secret = is_secret_name(&key) && !key.ends_with("existingsecret")
            || self.mentions_secret && mentions_secret_object(text)
            || holds_secret_document(self.rules, text);
        if secret {
            return Some(Class::Secret);
        }
        if ADDRESS_KEYS.contains(&key.as_str()) {
            return Some(Class::Address);
        }
        let above = found.path.len().checked_sub(2).and_then(|at| found.path.get(at));
        let named = key == "name" && above.is_some_and(|k| PERSONS.contains(&k.as_ref()));
        let named = named || leads_to_account(found, &key, text);
        let person = (named || PERSONAL_KEYS.contains(&key.as_str()))
            && !NOT_PEOPLE.iter().any(|start| text.starts_with(start));
        person.then_some(Class::Personal)
    }

    /// Whether a value belongs to a Secret: to its data, to the copy that `kubectl apply` keeps, or
    /// to a patch of it. Of a record that only mentions one, the data alone is taken for its.
    fn is_of_secret(&self, found: &Found<'_, '_>, key: &str) -> bool {
        let under = |name: &str| found.path.iter().any(|k| k == name);
        let data = SECRET_DATA.iter().any(|name| under(name));
        self.mentions_secret && data
            || self.secret_object && (data || key == COPY || under("value"))
    }

    /// `name` and `value` of an environment variable or a Helm parameter, `path` and `value` of a
    /// step of a JSON patch.
    fn remember_pair(&mut self, found: &Found<'_, '_>, text: &str) {
        if found.what == What::Key {
            return;
        }
        if is_of_answer(found) {
            self.remember_account(found);
        }
        match found.path.last().map(AsRef::as_ref) {
            Some("name" | "path") if names_a_secret(text) => {
                self.pairs.entry(found.object).or_default().secret_name = true;
            }
            Some("value") => {
                let number = found.what == What::Number;
                let class = if number { Class::SecretNumber } else { Class::Secret };
                let value = Cut { range: found.raw.clone(), class };
                self.pairs.entry(found.object).or_default().value = Some(value);
            }
            _ => {}
        }
    }

    /// `name` beside `username` or `login` is that of a person; elsewhere in the same answers it is
    /// that of a branch or a rule.
    fn remember_account(&mut self, found: &Found<'_, '_>) {
        let key = found.path.last().map(AsRef::as_ref).unwrap_or_default();
        if NAMES_OF_ACCOUNTS.contains(&key) {
            let name = Cut { range: found.raw.clone(), class: Class::Personal };
            self.pairs.entry(found.object).or_default().names.push(name);
        }
    }

    fn named_values(&mut self) {
        let mut pairs = std::mem::take(&mut self.pairs);
        for pair in pairs.values_mut().filter(|pair| pair.account) {
            self.cuts.append(&mut pair.names);
        }
        self.cuts.extend(pairs.into_values().filter(|p| p.secret_name).filter_map(|p| p.value));
    }

    /// Cuts by text. Where the text behind the escapes and the raw bytes do not show the same, in
    /// the same order, the whole string goes: a cut within an escape would leave no JSON.
    fn class_of_text(&mut self, found: &Found<'_, '_>, raw: &str, plain: &str) {
        let mut hits = self.rules.hits(raw);
        if found.escaped {
            let told = self.rules.hits(plain);
            let same = |(h, t): (&Cut, &Cut)| {
                unescape(&raw[h.range.clone()]).is_some_and(|h| h == plain[t.range.clone()])
            };
            if told.is_empty() {
                // What only the escapes spell, such as a name that begins with the `n` of `\n`.
                hits.clear();
            } else if hits.len() != told.len() || !hits.iter().zip(&told).all(same) {
                let class = told.iter().chain(&hits).map(|h| h.class).max();
                let class = class.unwrap_or(Class::Secret);
                hits = vec![Cut { range: 0..raw.len(), class }];
            }
        }
        let base = found.raw.start;
        let moved = |c: Cut| Cut { range: base + c.range.start..base + c.range.end, ..c };
        self.cuts.extend(hits.into_iter().map(moved));
    }
}

/// Whether a value stands in the body of an answer of a forge (`docs/formats/forge-snapshot.md`).
fn is_of_answer(found: &Found<'_, '_>) -> bool {
    let mut path = found.path.iter().map(AsRef::as_ref);
    path.next() == Some("answers") && path.next() == Some("body")
}

/// Links in answers of a forge, and requests about one account, have its login in them.
fn leads_to_account(found: &Found<'_, '_>, key: &str, text: &str) -> bool {
    let request = key == "path" && found.path.len() == 2 && found.path[0] == "answers";
    is_of_answer(found) && (key == "url" || key.ends_with("_url"))
        || request && (text.contains("/collaborators/") || text.contains("/users/"))
}

/// Whether a name in lower case says that its value is secret.
fn is_secret_name(name: &str) -> bool {
    SECRET_KEYS.contains(&name) || SECRET_NAME_ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a name, or a step of a path, says that the value beside it is secret.
fn names_a_secret(text: &str) -> bool {
    text.to_ascii_lowercase().split('/').any(is_secret_name)
}

/// Whether a string holds a manifest of a Secret, as local manifests and annotations can.
fn mentions_secret_object(raw: &str) -> bool {
    raw.match_indices("kind").any(|(at, _)| {
        let rest = raw[at + 4..].trim_start_matches(['\\', '"', '\'', ':', ' ']);
        let after = rest.strip_prefix("Secret").filter(|_| rest.len() < raw.len() - at - 4);
        after.is_some_and(|r| r.starts_with("List") || !r.starts_with(char::is_alphanumeric))
    })
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

/// The classes of a record's cuts.
#[cfg(test)]
fn cut_classes(rules: &Rules, record: &str, secret_object: bool) -> Vec<Class> {
    let cuts = rules.cuts(record.as_bytes(), secret_object).expect("valid JSON");
    cuts.into_iter().map(|c| c.class).collect()
}

#[cfg(test)]
mod tests;
