//! People and accounts from files: an identity provider's export, a forge's snapshot.
//!
//! The export is JSON, a list of objects, or CSV with a head line; both with the columns `subject`,
//! `email`, `login`, `name` and `groups`, any of them may be missing. In CSV groups are apart by
//! `;` or `|`. Keycloak, Okta and Entra ID export more columns under other names: rename them.

use evidence::ask::people::propose::{Field, IdpPerson, Seen};
use serde::Deserialize;
use serde_json::Value;

/// Why a file has no people in it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeopleFileError {
    /// Neither JSON nor CSV of that form.
    #[error(
        "not a list of people: {0}; expected JSON objects or CSV with subject, email, login, name, groups"
    )]
    NotAList(String),
    /// A column that is not known.
    #[error("line 1: unknown column {0:?}; known are subject, email, login, name, groups")]
    UnknownColumn(String),
    /// A line with another number of fields than the head.
    #[error("line {line}: {fields} fields, and the head line has {columns}")]
    Fields {
        /// The line, from 1.
        line: usize,
        /// How many fields it has.
        fields: usize,
        /// How many columns the head has.
        columns: usize,
    },
    /// A quotation mark that is not closed.
    #[error("line {0}: a quotation mark is not closed")]
    Quote(usize),
    /// A forge's snapshot that is no JSON.
    #[error("not a forge's snapshot: {0}")]
    NotASnapshot(String),
}

const COLUMNS: [&str; 5] = ["subject", "email", "login", "name", "groups"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    subject: Option<String>,
    email: Option<String>,
    login: Option<String>,
    name: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
}

/// Reads an identity provider's export.
pub fn idp_people(bytes: &[u8]) -> Result<Vec<IdpPerson>, PeopleFileError> {
    let not_a_list = |e: &dyn std::fmt::Display| PeopleFileError::NotAList(e.to_string());
    let text = std::str::from_utf8(bytes).map_err(|e| not_a_list(&e))?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('[') {
        let entries: Vec<Entry> = serde_json::from_str(text).map_err(|e| not_a_list(&e))?;
        return Ok(entries.into_iter().map(Entry::person).collect());
    }
    csv(text)
}

impl Entry {
    fn person(self) -> IdpPerson {
        let given = |text: Option<String>| text.filter(|t| !t.is_empty());
        IdpPerson {
            subject: given(self.subject),
            email: given(self.email),
            login: given(self.login),
            name: given(self.name),
            groups: self.groups,
        }
    }
}

fn csv(text: &str) -> Result<Vec<IdpPerson>, PeopleFileError> {
    let mut rows = rows(text)?.into_iter();
    let Some((_, head)) = rows.next() else {
        return Err(PeopleFileError::NotAList("it is empty".to_owned()));
    };
    let head: Vec<String> = head.iter().map(|c| c.trim().to_lowercase()).collect();
    if let Some(unknown) = head.iter().find(|c| !COLUMNS.contains(&c.as_str())) {
        return Err(PeopleFileError::UnknownColumn(unknown.clone()));
    }
    let mut people = Vec::new();
    for (line, fields) in rows {
        if fields.len() != head.len() {
            let (fields, columns) = (fields.len(), head.len());
            return Err(PeopleFileError::Fields { line, fields, columns });
        }
        let of = |column: &str| {
            let at = head.iter().position(|c| c == column)?;
            Some(fields[at].trim().to_owned())
        };
        let groups = of("groups").unwrap_or_default();
        let groups = groups.split([';', '|']).map(str::trim).filter(|g| !g.is_empty());
        let groups = groups.map(str::to_owned).collect();
        let [subject, email, login, name] = ["subject", "email", "login", "name"].map(of);
        people.push(Entry { subject, email, login, name, groups }.person());
    }
    Ok(people)
}

/// Rows of RFC 4180, each with the line that it begins on; empty lines are none.
fn rows(text: &str) -> Result<Vec<(usize, Vec<String>)>, PeopleFileError> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut begin, mut quoted) = (1, 1, None);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        line += usize::from(c == '\n');
        match (c, quoted) {
            ('"', Some(_)) if characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            ('"', Some(_)) => quoted = None,
            ('"', None) if field.is_empty() => quoted = Some(line),
            (',', None) => row.push(std::mem::take(&mut field)),
            ('\r', None) if characters.peek() == Some(&'\n') => {}
            ('\n', None) => {
                row.push(std::mem::take(&mut field));
                rows.push((begin, std::mem::take(&mut row)));
                begin = line;
            }
            (c, _) => field.push(c),
        }
    }
    if let Some(line) = quoted {
        return Err(PeopleFileError::Quote(line));
    }
    row.push(field);
    rows.push((begin, row));
    rows.retain(|(_, row)| row.len() > 1 || row.iter().any(|f| !f.trim().is_empty()));
    Ok(rows)
}

/// An account, by the field of the people map that it belongs to, and what was seen of it.
pub type Account = ((Field, String), Seen);

/// Every account in a forge's snapshot, in whatever part of it: an object with `login` and `type`,
/// as GitHub's and Gitea's REST interfaces write them, or `username` as GitLab's does.
pub fn forge_accounts(bytes: &[u8]) -> Result<Vec<Account>, PeopleFileError> {
    let snapshot: Value =
        serde_json::from_slice(bytes).map_err(|e| PeopleFileError::NotASnapshot(e.to_string()))?;
    let mut accounts: Vec<Account> = Vec::new();
    let mut next = vec![&snapshot];
    while let Some(value) = next.pop() {
        match value {
            Value::Array(items) => next.extend(items),
            Value::Object(members) => {
                accounts.extend(account(value));
                next.extend(members.values());
            }
            _ => {}
        }
    }
    accounts.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(accounts)
}

fn account(value: &Value) -> Option<Account> {
    let text = |key: &str| value[key].as_str().filter(|t| !t.is_empty()).map(str::to_owned);
    let login = text("login").or_else(|| text("username"))?;
    // Organisations have logins too.
    if value["type"] == "Organization" {
        return None;
    }
    let seen = Seen {
        times: 1,
        names: text("name").into_iter().collect(),
        emails: text("email").into_iter().collect(),
        is_bot: value["type"] == "Bot" || value["bot"] == true,
    };
    Some(((Field::GithubLogin, login), seen))
}

#[cfg(test)]
mod tests {
    use super::{PeopleFileError, forge_accounts, idp_people};

    #[test]
    fn csv_and_json_say_the_same() {
        let csv = "subject,email,login,name,groups\r\nu1,a@x.example,ann,\"Ito, \"\"Ann\"\"\",dev; ops\r\n\r\n";
        let json = r#"[{"subject":"u1","email":"a@x.example","login":"ann","name":"Ito, \"Ann\"","groups":["dev","ops"]}]"#;
        let people = idp_people(csv.as_bytes()).unwrap();
        assert_eq!(people, idp_people(json.as_bytes()).unwrap());
        assert_eq!(people[0].groups, ["dev", "ops"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, error) in [
            ("mail\n", PeopleFileError::UnknownColumn("mail".to_owned())),
            ("email\na\n\nb,c\n", PeopleFileError::Fields { line: 4, fields: 2, columns: 1 }),
            ("email\n\"a\n", PeopleFileError::Quote(2)),
            ("", PeopleFileError::NotAList("it is empty".to_owned())),
        ] {
            assert_eq!(idp_people(text.as_bytes()), Err(error), "{text:?}");
        }
        assert!(idp_people(br#"[{"mail":"x"}]"#).is_err());
    }

    #[test]
    fn accounts_are_found_wherever_they_stand() {
        let snapshot = br#"{"owner":{"login":"shop","type":"Organization"},
            "teams":[{"members":[{"login":"ann","type":"User","email":"a@x.example"}]}],
            "apps":[{"login":"mend[bot]","type":"Bot"}]}"#;
        let accounts = forge_accounts(snapshot).unwrap();
        let told: Vec<(&str, bool)> =
            accounts.iter().map(|((_, login), seen)| (login.as_str(), seen.is_bot)).collect();
        assert_eq!(told, [("ann", false), ("mend[bot]", true)]);
    }
}
