//! People are not accounts: the map that ties every account to its person.
//!
//! The map is an argument of a derivation, kept outside git so that it can be erased. An account
//! that is not in it belongs to an unknown person, and answers say so; it is never guessed from a
//! likeness of names. Groups are no accounts: they say what somebody may do, not who acted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The fields of a person that name an account of theirs.
const ACCOUNT_FIELDS: [&str; 8] = [
    "email",
    "git_email",
    "github_login",
    "oidc_subject",
    "argocd_username",
    "kubernetes_user",
    "openbao_entity",
    "jira_account_id",
];

/// Who owns which accounts. The empty map is valid: then every account's person is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    persons: BTreeMap<String, Person>,
    by_account: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Person {
    name: Option<String>,
    accounts: BTreeSet<String>,
    by_field: BTreeSet<(&'static str, String)>,
    groups: Option<BTreeSet<String>>,
}

/// Why a file is not a people map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    /// The bytes are not a JSON object of persons.
    #[error("the people map is not a JSON object of persons: {0}")]
    NotAMap(String),
    /// The same person is listed twice.
    #[error("person {0:?} is listed twice in the people map")]
    ListedTwice(String),
    /// A person is not a JSON object.
    #[error("person {0:?} in the people map is not a JSON object")]
    NotAPerson(String),
    /// A person has a key that the map does not know.
    #[error("person {person:?} in the people map has the unknown key {key:?}; known are name, {}, oidc_groups", ACCOUNT_FIELDS.join(", "))]
    UnknownKey {
        /// The person's id.
        person: String,
        /// The key in question.
        key: String,
    },
    /// A value has the wrong type.
    #[error("{key:?} of person {person:?} in the people map must be {expected}")]
    WrongType {
        /// The person's id.
        person: String,
        /// The key in question.
        key: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Two persons share one account: an answer could name either.
    #[error("account {account:?} belongs to both {first:?} and {second:?} in the people map")]
    SharedAccount {
        /// The account in question.
        account: String,
        /// The person who was listed with it first, in the order of ids.
        first: String,
        /// The other person.
        second: String,
    },
}

impl People {
    /// Reads a people map: `{person: {name, email, …, oidc_groups}}`, JSON.
    pub fn from_json(bytes: &[u8]) -> Result<Self, PeopleError> {
        let entries: Entries =
            serde_json::from_slice(bytes).map_err(|e| PeopleError::NotAMap(e.to_string()))?;
        let mut people = Self::default();
        let mut sorted = entries.0;
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        for (id, value) in sorted {
            let person = Person::read(&id, value)?;
            people.add(id, person)?;
        }
        Ok(people)
    }

    /// The person that an account belongs to, by the person's id.
    pub fn person_of(&self, account: &str) -> Option<&str> {
        self.by_account.get(account).map(String::as_str)
    }

    /// All accounts of a person, sorted; none for a person who is not in the map.
    pub fn accounts(&self, person: &str) -> impl Iterator<Item = &str> {
        self.persons.get(person).into_iter().flat_map(|p| p.accounts.iter().map(String::as_str))
    }

    /// The accounts of a person in one field of the map, such as `kubernetes_user`.
    pub fn accounts_in<'p>(
        &'p self,
        person: &str,
        field: &'p str,
    ) -> impl Iterator<Item = &'p str> {
        let fields = self.persons.get(person).into_iter().flat_map(|person| &person.by_field);
        fields.filter(move |(own, _)| *own == field).map(|(_, account)| account.as_str())
    }

    /// The groups that the identity provider gives a person; `None` where the map does not say,
    /// which is not the same as in no group.
    pub fn groups(&self, person: &str) -> Option<&BTreeSet<String>> {
        self.persons.get(person)?.groups.as_ref()
    }

    /// The name of a person, when the map has one.
    pub fn name(&self, person: &str) -> Option<&str> {
        self.persons.get(person)?.name.as_deref()
    }

    /// The ids of all persons, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.persons.keys().map(String::as_str)
    }

    /// Every text that identifies a person: names and accounts, for sealing personal data.
    pub fn identifying_strings(&self) -> BTreeSet<&str> {
        let names = self.persons.values().filter_map(|p| p.name.as_deref());
        names.chain(self.by_account.keys().map(String::as_str)).collect()
    }

    fn add(&mut self, id: String, person: Person) -> Result<(), PeopleError> {
        if self.persons.contains_key(&id) {
            return Err(PeopleError::ListedTwice(id));
        }
        for account in &person.accounts {
            if let Some(first) = self.by_account.insert(account.clone(), id.clone()) {
                let account = account.clone();
                return Err(PeopleError::SharedAccount { account, first, second: id });
            }
        }
        self.persons.insert(id, person);
        Ok(())
    }
}

impl Person {
    fn read(id: &str, value: Value) -> Result<Self, PeopleError> {
        let Value::Object(fields) = value else {
            return Err(PeopleError::NotAPerson(id.to_owned()));
        };
        let mut person = Self::default();
        for (key, value) in fields {
            person.set(id, &key, value)?;
        }
        Ok(person)
    }

    fn set(&mut self, id: &str, key: &str, value: Value) -> Result<(), PeopleError> {
        let wrong = |expected| PeopleError::WrongType {
            person: id.to_owned(),
            key: key.to_owned(),
            expected,
        };
        let field = ACCOUNT_FIELDS.iter().find(|field| **field == key).copied();
        let is_account = field.is_some();
        match (key, value) {
            (_, Value::Null) if is_account || key == "name" || key == "oidc_groups" => {}
            ("oidc_groups", Value::Array(groups)) => {
                let named = groups.iter().filter_map(Value::as_str).map(str::to_owned);
                self.groups = Some(named.collect());
            }
            ("oidc_groups", _) => return Err(wrong("a list of group names, or null")),
            ("name", Value::String(text)) => self.name = Some(text),
            (_, Value::String(text)) if is_account && !text.is_empty() => {
                self.by_field.extend(field.map(|field| (field, text.clone())));
                self.accounts.insert(text);
            }
            (_, Value::Array(accounts)) if is_account => {
                for account in accounts {
                    match account {
                        Value::String(text) if !text.is_empty() => {
                            self.by_field.extend(field.map(|field| (field, text.clone())));
                            self.accounts.insert(text);
                        }
                        _ => return Err(wrong("a list of non-empty texts")),
                    }
                }
            }
            _ if is_account => return Err(wrong("a non-empty text, a list of such, or null")),
            _ if key == "name" => return Err(wrong("a non-empty text, or null")),
            _ => {
                return Err(PeopleError::UnknownKey { person: id.to_owned(), key: key.to_owned() });
            }
        }
        Ok(())
    }
}

/// The top level as a list, because a map type would silently keep the last of two equal keys.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of persons")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}
