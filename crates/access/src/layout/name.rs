//! Names that go into a layout: each kind with what is allowed of it.
//!
//! The texts end up in YAML, in lines of Argo CD's policy, in patterns of CODEOWNERS and in names of
//! Kubernetes, so only what means the same in all of them is let in.

use std::fmt;

/// A name that is not taken, with what is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} is not taken: {why}")]
pub struct BadName {
    /// What it was to be: `environment`.
    pub what: &'static str,
    /// The name.
    pub value: String,
    /// Why not, with what is allowed.
    pub why: String,
}

/// Longest name of a system or environment: both and a dash are one name of Kubernetes, 63 long.
const LABEL_MAX: usize = 30;

/// Words that YAML readers take for something else than text.
const YAML_WORDS: [&str; 9] = ["false", "n", "no", "null", "off", "on", "true", "y", "yes"];

/// A checked name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// The name of a system or an environment.
    pub(super) fn label(what: &'static str, value: &str) -> Result<Self, BadName> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_good = value.starts_with(|c: char| c.is_ascii_lowercase())
            && !value.ends_with('-')
            && value.chars().all(is_plain)
            && value.len() <= LABEL_MAX;
        let allowed = "lower-case letters, digits and dashes, a letter first, 30 at most";
        Self::new(what, value, is_good, allowed)
    }

    /// The name of a team, on the forge and at the identity provider. GitHub takes no dots.
    pub(super) fn team(what: &'static str, value: &str) -> Result<Self, BadName> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let is_good = value.starts_with(|c: char| c.is_ascii_alphabetic())
            && value.ends_with(|c: char| c.is_ascii_alphanumeric())
            && value.chars().all(is_plain)
            && value.len() <= 60;
        let allowed = "letters, digits, dashes and underscores, a letter first, 60 at most";
        Self::new(what, value, is_good, allowed)
    }

    /// The path of a repository on its forge; `is_deep` where groups stand within groups.
    pub(super) fn repository(value: &str, is_deep: bool) -> Result<Self, BadName> {
        let is_part = |part: &str, more: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let (groups, name) = value.rsplit_once('/').unwrap_or_default();
        // A dot in an organisation's name makes no owner of GitHub's CODEOWNERS.
        let is_good = groups.split('/').all(|group| is_part(group, "-_"))
            && is_part(name, "-_.")
            && (is_deep || !groups.contains('/'))
            && value.len() <= 200;
        let allowed = if is_deep {
            "group/name, with groups between, of letters, digits, dashes and underscores"
        } else {
            "organisation/name, of letters, digits, dashes and underscores"
        };
        Self::new("repository", value, is_good, allowed)
    }

    /// The address that Argo CD reads the repository from.
    pub(super) fn address(value: &str) -> Result<Self, BadName> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~:/@%+".contains(c);
        let starts = ["https://", "http://", "ssh://", "git@"];
        let rest = starts.iter().find_map(|start| value.strip_prefix(start)).unwrap_or_default();
        let host = rest.split('/').next().unwrap_or_default();
        let has_word = host.split_once('@').is_some_and(|(user, _)| user.contains(':'));
        let is_good = rest.contains('/')
            && host.starts_with(|c: char| c.is_ascii_alphanumeric())
            && value.ends_with(|c: char| c.is_ascii_alphanumeric())
            && value.chars().all(is_plain)
            && value.matches('@').count() <= 1
            && value.len() <= 300
            && !has_word;
        let allowed = "https://, ssh:// or git@ with host and path, and no password in it";
        Self::new("address", value, is_good, allowed)
    }

    /// The branch of record.
    pub(super) fn branch(value: &str) -> Result<Self, BadName> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        let is_good = value.starts_with(|c: char| c.is_ascii_alphabetic())
            && value.ends_with(|c: char| c.is_ascii_alphanumeric())
            && value.chars().all(is_plain)
            && !["..", "//", "/.", "./", ".lock"].iter().any(|bad| value.contains(bad))
            && value != "HEAD"
            && value.len() <= 100;
        let allowed = "a branch of letters, digits, dashes, underscores, dots and slashes";
        Self::new("branch", value, is_good, allowed)
    }

    fn new(what: &'static str, value: &str, is_good: bool, allowed: &str) -> Result<Self, BadName> {
        let bad = |why: String| Err(BadName { what, value: value.to_owned(), why });
        if !is_good {
            return bad(format!("allowed are {allowed}"));
        }
        if YAML_WORDS.contains(&value.to_ascii_lowercase().as_str()) {
            return bad("readers of YAML take the word for something else than a name".to_owned());
        }
        Ok(Self(value.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
