//! The rules of cutting as a table, made of the very lists that cut.

use super::text::{OTHER_MARKERS, TOKEN_STARTS};
use super::{
    ADDRESS_KEYS, COPY, Class, NOT_PEOPLE, PERSONAL_KEYS, PERSONS, SECRET_DATA, SECRET_KEYS,
    SECRET_NAME_ENDS,
};

/// One rule: what is cut, as what, and by what it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// As what it is cut.
    pub class: Class,
    /// What the pattern is compared with.
    pub by: By,
    /// The pattern.
    pub pattern: &'static str,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The key above a value, whole, in any case.
    Key,
    /// The end of the key above a value, or of the `name` beside it, in any case.
    NameEnd,
    /// The beginning of a word anywhere in a text.
    Word,
    /// A mark anywhere in a text, with what belongs to it.
    Mark,
    /// A member of an object that is a Secret, at any depth.
    Secret,
    /// The `name` of an object under this key.
    Person,
    /// The form of a text, or a list outside of the program.
    Text,
    /// How an account starts that is nobody's: it is kept.
    Except,
}

impl By {
    /// In words, before the pattern.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Key => "value of key",
            Self::NameEnd => "value whose key or name ends in",
            Self::Word => "word that begins with",
            Self::Mark => "text at the mark",
            Self::Secret => "of a Secret, all below",
            Self::Person => "name of",
            Self::Text => "anywhere",
            Self::Except => "kept: account that starts with",
        }
    }
}

/// Personal data that is known by its text.
const PERSONAL_TEXTS: &[&str] = &["e-mail address", "name or account of the people map"];
/// Secrets that are known by the document that they stand in.
const SECRET_TEXTS: &[&str] =
    &["JSON or YAML within a text that holds a secret", "manifest of a Secret within a text"];

/// Every rule, strongest class first.
pub fn table() -> Vec<Rule> {
    let lists: [(Class, By, &[&'static str]); 12] = [
        (Class::Secret, By::Key, SECRET_KEYS),
        (Class::Secret, By::NameEnd, SECRET_NAME_ENDS),
        (Class::Secret, By::Secret, SECRET_DATA),
        (Class::Secret, By::Secret, &[COPY]),
        (Class::Secret, By::Word, TOKEN_STARTS),
        (Class::Secret, By::Mark, OTHER_MARKERS),
        (Class::Secret, By::Text, SECRET_TEXTS),
        (Class::Address, By::Key, ADDRESS_KEYS),
        (Class::Personal, By::Key, PERSONAL_KEYS),
        (Class::Personal, By::Person, PERSONS),
        (Class::Personal, By::Text, PERSONAL_TEXTS),
        (Class::Personal, By::Except, NOT_PEOPLE),
    ];
    let rules = |(class, by, patterns): (Class, By, &'static [&'static str])| {
        patterns.iter().map(move |pattern| Rule { class, by, pattern })
    };
    lists.into_iter().flat_map(rules).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Rules, cut_classes};
    use super::*;

    /// A record that has what a rule speaks of, and whether it is of a Secret.
    fn probe(rule: Rule) -> (String, bool) {
        let p = rule.pattern;
        let value = match (rule.by, p) {
            (By::Key, _) => return (format!(r#"{{"{p}":"x y"}}"#), false),
            (By::NameEnd, _) => return (format!(r#"{{"name":"DB{p}","value":"x y"}}"#), false),
            (By::Secret, _) => return (format!(r#"{{"{p}":"x y"}}"#), true),
            (By::Person, _) => return (format!(r#"{{"{p}":{{"name":"x y"}}}}"#), false),
            (By::Except, _) => return (format!(r#"{{"username":"{p}x"}}"#), false),
            (By::Word, _) => format!("got {p}0123456789abcdef"),
            (By::Mark, "://") => "https://user:word@host".to_owned(),
            (By::Mark, "=") => "--password=x".to_owned(),
            (By::Mark, "PRIVATE KEY-----") => format!("-----BEGIN {p}"),
            (By::Mark, _) => format!("sent {p}0123456789"),
            (By::Text, "e-mail address") => "by a@b.example".to_owned(),
            (By::Text, "name or account of the people map") => "by Anna".to_owned(),
            (By::Text, text) if text.starts_with("JSON") => "db:\\n  password: x".to_owned(),
            (By::Text, _) => r#"{\"kind\":\"Secret\"}"#.to_owned(),
        };
        (format!(r#"{{"text":"{value}"}}"#), false)
    }

    #[test]
    fn every_rule_of_the_table_cuts_what_it_says() {
        let rules = Rules::new(["Anna"]).expect("few names");
        for rule in table() {
            let (record, secret_object) = probe(rule);
            let cut = cut_classes(&rules, &record, secret_object);
            let expected = if rule.by == By::Except { vec![] } else { vec![rule.class] };
            assert_eq!(cut, expected, "{rule:?}: {record}");
        }
    }
}
