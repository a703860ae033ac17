//! What a reader trusts: keys of logs, and how many witnesses must have cosigned.
//!
//! The lines of a trust policy file (C2SP tlog-policy):
//!
//! ```text
//! log <vkey> [<url>]
//! witness <name> <vkey> [<url>]
//! group <name> <number>|any|all <witness or group>…
//! quorum <name>|none
//! ```

use std::collections::{BTreeMap, BTreeSet};

use tlog::{SignatureType, VerifierKey};

/// Keys that the reader got by another way than the pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    logs: Vec<VerifierKey>,
    witnesses: BTreeMap<String, VerifierKey>,
    groups: BTreeMap<String, (usize, Vec<String>)>,
    quorum: Option<String>,
}

impl Trust {
    /// Trusts one log, and asks for no witness.
    pub fn in_log(key: VerifierKey) -> Self {
        Self { logs: vec![key], ..Self::default() }
    }

    /// Reads a trust policy file; fails with the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut trust = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if words.first().is_some_and(|w| !w.starts_with('#')) {
                trust.line(&words).map_err(|e| format!("line {number}: {e}"))?;
            }
        }
        if trust.logs.is_empty() {
            return Err("no log is named".to_owned());
        }
        Ok(trust)
    }

    fn line(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            ["log", key] | ["log", key, _] => {
                self.logs.push(parse_key(key, SignatureType::Ed25519)?);
            }
            ["witness", name, key] | ["witness", name, key, _] => {
                self.new_name(name)?;
                let key = parse_key(key, SignatureType::CosignatureV1)?;
                self.witnesses.insert((*name).to_owned(), key);
            }
            ["group", name, needed, members @ ..] if !members.is_empty() => {
                self.new_name(name)?;
                let needed = match *needed {
                    "any" => 1,
                    "all" => members.len(),
                    number => number.parse().map_err(|_| format!("{number} is no number"))?,
                };
                if needed == 0 || needed > members.len() {
                    return Err(format!("{needed} of {} cannot be asked for", members.len()));
                }
                members.iter().try_for_each(|member| self.known(member))?;
                let members = members.iter().map(|m| (*m).to_owned()).collect();
                self.groups.insert((*name).to_owned(), (needed, members));
            }
            ["quorum", _] if self.quorum.is_some() => return Err("a second quorum".to_owned()),
            ["quorum", name] => {
                if *name != "none" {
                    self.known(name)?;
                }
                self.quorum = Some((*name).to_owned());
            }
            [word, ..] => return Err(format!("{word} is not understood here")),
            [] => {}
        }
        Ok(())
    }

    fn new_name(&self, name: &str) -> Result<(), String> {
        if name == "none" || self.known(name).is_ok() {
            return Err(format!("{name} cannot be named again"));
        }
        Ok(())
    }

    /// Names come before they are used, so groups cannot contain themselves.
    fn known(&self, name: &str) -> Result<(), String> {
        let known = self.witnesses.contains_key(name) || self.groups.contains_key(name);
        if known { Ok(()) } else { Err(format!("{name} is not named before")) }
    }

    /// The keys of the logs that are trusted.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The keys that a checkpoint of a log may be signed with, and those of all witnesses; `None`
    /// when the log is not trusted.
    pub(super) fn keys(&self, origin: &str) -> Option<Vec<VerifierKey>> {
        let of_log = self.logs.iter().filter(|key| key.name().as_str() == origin);
        let mut keys: Vec<VerifierKey> = of_log.cloned().collect();
        if keys.is_empty() {
            return None;
        }
        keys.extend(self.witnesses.values().cloned());
        Some(keys)
    }

    /// Whether these cosigners are those that are asked for.
    pub(super) fn is_met(&self, cosigners: &[&VerifierKey]) -> bool {
        let signed: BTreeSet<&str> = self
            .witnesses
            .iter()
            .filter(|(_, key)| cosigners.contains(key))
            .map(|(name, _)| name.as_str())
            .collect();
        match self.quorum.as_deref() {
            None | Some("none") => true,
            Some(name) => self.has(name, &signed),
        }
    }

    fn has(&self, name: &str, signed: &BTreeSet<&str>) -> bool {
        match self.groups.get(name) {
            None => signed.contains(name),
            Some((needed, members)) => {
                members.iter().filter(|member| self.has(member, signed)).count() >= *needed
            }
        }
    }
}

/// A witness must not be able to speak for a log, nor a log for a witness.
fn parse_key(text: &str, kind: SignatureType) -> Result<VerifierKey, String> {
    let key: VerifierKey = text.parse().map_err(|e| format!("{text} is no verifier key: {e}"))?;
    let fits = key.signature_type() == kind;
    if fits { Ok(key) } else { Err(format!("{text} is a key of another kind")) }
}

#[cfg(test)]
mod tests {
    use tlog::{Cosigner, KeyName};

    use super::*;

    const LOG: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    fn witness() -> VerifierKey {
        let name = KeyName::new("witness.example").expect("a name");
        Cosigner::from_seed(name, &[7; 32]).verifier_key().clone()
    }

    #[test]
    fn a_file_that_asks_for_what_cannot_be_is_refused() {
        let witness = witness();
        let table = [
            (String::new(), "no log is named"),
            (format!("log {LOG}\nquorum w\n"), "line 2: w is not named before"),
            (format!("log {LOG}\nwitness none {witness}\n"), "line 2: none cannot be named again"),
            (format!("log {LOG}\nwitness w {witness}\ngroup g 2 w\n"), "line 3: 2 of 1 cannot"),
            (format!("log {LOG}\nlogs {LOG}\n"), "line 2: logs is not understood here"),
            ("log x\n".to_owned(), "line 1: x is no verifier key"),
            (format!("log {witness}\n"), "line 1: witness.example+"),
        ];
        for (text, problem) in table {
            let refused = Trust::parse(&text).expect_err(problem);
            assert!(refused.starts_with(problem), "{refused}");
        }
    }

    #[test]
    fn a_quorum_counts_witnesses_and_groups() {
        let key = witness();
        let text = format!("# ours\nlog {LOG}\nwitness a {key}\ngroup g any a\nquorum g\n");
        let trust = Trust::parse(&text).expect("a policy");
        assert!(trust.is_met(&[&key]) && !trust.is_met(&[]));
        assert!(trust.keys("example.com/foo").is_some() && trust.keys("example.com").is_none());
    }
}
