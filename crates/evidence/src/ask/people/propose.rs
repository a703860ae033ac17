//! Proposing a people map: who probably owns which accounts, for people to confirm.
//!
//! | rule | confidence | what it rests on |
//! |---|---|---|
//! | `subject` | certain | the account is the identity provider's own subject |
//! | `email` | certain | the account is the person's e-mail address |
//! | `source` | certain | the source itself names that address for the account |
//! | `login` | likely | the account is the person's login at the identity provider |
//! | `domain` | likely | the local part at a configured domain is the account, or the address's |
//! | name, initials | a question | somebody chose that name: nothing is linked |
//!
//! An account that two persons could own is a question too. Bots are told by rule and belong to
//! nobody. Whatever is left is named, so that 400 people are confirmed by exception.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::sighting::{Sightings, listed};
use crate::story::claim::is_machine;

/// The version of the report. A reader must refuse one that it does not know.
pub const VERSION: u32 = 1;

/// What an account is an account of; the words are the people map's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// An e-mail address.
    Email,
    /// An address that commits name.
    GitEmail,
    /// A login at a forge.
    GithubLogin,
    /// A subject of the identity provider.
    OidcSubject,
    /// A user of Argo CD.
    ArgocdUsername,
    /// A user of Kubernetes.
    KubernetesUser,
    /// A user or an entity of `OpenBao` or Vault.
    OpenbaoEntity,
    /// An account of the ticket system.
    JiraAccountId,
}

impl Field {
    /// The field of the people map.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::GitEmail => "git_email",
            Self::GithubLogin => "github_login",
            Self::OidcSubject => "oidc_subject",
            Self::ArgocdUsername => "argocd_username",
            Self::KubernetesUser => "kubernetes_user",
            Self::OpenbaoEntity => "openbao_entity",
            Self::JiraAccountId => "jira_account_id",
        }
    }
}

/// What was seen of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many records name it.
    pub times: usize,
    /// The names that stand beside it, by the word of whoever set them.
    pub names: BTreeSet<String>,
    /// The addresses that its own system names for it.
    pub emails: BTreeSet<String>,
    /// Whether its own system says that it is no human's.
    pub is_bot: bool,
}

/// A person of the identity provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdpPerson {
    /// The subject: what the provider calls this person for ever.
    pub subject: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The login.
    pub login: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The groups.
    pub groups: Vec<String>,
}

/// How sure a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Two systems name the same identifier.
    Certain,
    /// A convention of the house says so.
    Likely,
}

/// An account given to a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Link {
    /// The person's id in the map.
    pub person: String,
    /// What the account is of.
    pub field: Field,
    /// The account.
    pub account: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// The rule.
    pub rule: &'static str,
    /// Why.
    pub why: String,
}

/// An account that may be somebody's: nothing is linked before somebody answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Question {
    /// What the account is of.
    pub field: Field,
    /// The account.
    pub account: String,
    /// Whose it may be, and why.
    pub candidates: Vec<(String, String)>,
}

/// An account that belongs to software.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Bot {
    /// What the account is of.
    pub field: Field,
    /// The account.
    pub account: String,
    /// Why.
    pub why: &'static str,
}

/// A proposed people map, and what it rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The version of this shape: [`VERSION`].
    pub people_proposal: u32,
    /// The map, in the form that `--people` reads.
    #[serde(skip)]
    pub map: Map<String, Value>,
    /// How many persons it has.
    pub persons: usize,
    /// Why each account is in it.
    pub links: Vec<Link>,
    /// What somebody has to answer.
    pub questions: Vec<Question>,
    /// Accounts that fit nobody.
    pub unmatched: Vec<(Field, String)>,
    /// Accounts of software.
    pub bots: Vec<Bot>,
}

/// Proposes a map. `domains` are those at which one local part is one person.
pub fn propose(idp: &[IdpPerson], sightings: &Sightings, domains: &BTreeSet<String>) -> Proposal {
    let ids = ids(idp);
    let people: Vec<Candidate<'_>> =
        idp.iter().zip(ids).map(|(person, id)| Candidate { person, id }).collect();
    let mut proposal = Proposal { people_proposal: VERSION, ..Proposal::default() };
    let index = Index::of(&people, domains);
    for ((field, account), seen) in &sightings.seen {
        proposal.place(&people, &index, *field, account, seen);
    }
    proposal.links.sort();
    for candidate in &people {
        let entry = candidate.entry(&proposal.links);
        proposal.map.insert(candidate.id.clone(), entry);
    }
    proposal.persons = proposal.map.len();
    proposal
}

struct Candidate<'p> {
    person: &'p IdpPerson,
    id: String,
}

/// Ids that say who is meant: the login, else the address's local part, else the subject; numbered
/// where two would be alike.
fn ids(idp: &[IdpPerson]) -> Vec<String> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let named = idp.iter().map(|person| {
        let local = person.email.as_deref().and_then(|e| e.split('@').next());
        let login = person.login.as_deref().and_then(|l| l.split('@').next());
        let id = login.or(local).or(person.subject.as_deref()).unwrap_or("person");
        let id = id.to_lowercase();
        let times = taken.entry(id.clone()).or_default();
        *times += 1;
        if *times == 1 { id } else { format!("{id}-{times}") }
    });
    named.collect()
}

/// Who is known by what, in lower case.
struct Index<'d> {
    exact: BTreeMap<(&'static str, String), BTreeSet<usize>>,
    domains: &'d BTreeSet<String>,
}

impl<'d> Index<'d> {
    fn of(people: &[Candidate<'_>], domains: &'d BTreeSet<String>) -> Self {
        let mut index = Self { exact: BTreeMap::new(), domains };
        for (at, candidate) in people.iter().enumerate() {
            let person = candidate.person;
            index.add("subject", person.subject.as_deref(), at);
            index.add("email", person.email.as_deref(), at);
            index.add("login", person.login.as_deref(), at);
            let local = person.email.as_deref().and_then(|e| index.local(e)).map(str::to_owned);
            index.add("domain", local.as_deref(), at);
            index.add("name", person.name.as_deref(), at);
            index.add("initials", person.name.as_deref().and_then(initials).as_deref(), at);
        }
        index
    }

    fn add(&mut self, rule: &'static str, value: Option<&str>, at: usize) {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            self.exact.entry((rule, value.to_lowercase())).or_default().insert(at);
        }
    }

    fn by(&self, rule: &'static str, value: &str) -> BTreeSet<usize> {
        self.exact.get(&(rule, value.to_lowercase())).cloned().unwrap_or_default()
    }

    /// The local part of an address at a configured domain.
    fn local<'e>(&self, email: &'e str) -> Option<&'e str> {
        let (local, domain) = email.split_once('@')?;
        self.domains.contains(&domain.to_lowercase()).then_some(local)
    }

    /// Everybody whom a rule that links gives this account to, strongest rule first.
    fn strong(&self, account: &str, seen: &Seen) -> Option<Strong> {
        let found = |rule, confidence, why: String, who: BTreeSet<usize>| {
            (!who.is_empty()).then_some(Strong { rule, confidence, why, who })
        };
        let certain = Confidence::Certain;
        let own =
            found("subject", certain, "it is the subject".into(), self.by("subject", account));
        own.or_else(|| {
            found("email", certain, "it is the address".into(), self.by("email", account))
        })
        .or_else(|| {
            let who = seen.emails.iter().flat_map(|e| self.by("email", e)).collect();
            let why = format!("its own system names {}", listed(&seen.emails));
            found("source", certain, why, who)
        })
        .or_else(|| {
            let why = "it is the login at the identity provider";
            found("login", Confidence::Likely, why.into(), self.by("login", account))
        })
        .or_else(|| {
            let addresses = seen.emails.iter().map(String::as_str).chain([account]);
            let locals = addresses.filter_map(|e| self.local(e));
            let bare = (!account.contains('@')).then_some(account);
            let who = locals.chain(bare).flat_map(|local| self.by("domain", local)).collect();
            let why = "the same local part at a domain of the house";
            found("domain", Confidence::Likely, why.into(), who)
        })
    }

    /// Everybody whom a hint points to.
    fn hints(&self, account: &str, seen: &Seen) -> BTreeMap<usize, String> {
        let mut hints = BTreeMap::new();
        for name in &seen.names {
            for at in self.by("name", name) {
                hints.insert(at, format!("the name {name:?} stands beside it"));
            }
        }
        let local = account.split('@').next().unwrap_or(account);
        for at in self.by("initials", local) {
            hints.entry(at).or_insert_with(|| "initial and surname fit".to_owned());
        }
        hints
    }
}

struct Strong {
    rule: &'static str,
    confidence: Confidence,
    why: String,
    who: BTreeSet<usize>,
}

/// The first letter of the first name and the last name: a common form of logins.
fn initials(name: &str) -> Option<String> {
    let mut words = name.split_whitespace();
    let (first, last) = (words.next()?, words.next_back()?);
    let plain: String = last.chars().filter(|c| c.is_alphanumeric()).collect();
    Some(format!("{}{plain}", first.chars().next()?).to_lowercase())
}

/// Why an account is software's, if it is.
fn bot(account: &str, seen: &Seen) -> Option<&'static str> {
    if account.starts_with("system:serviceaccount:") {
        Some("a service account of Kubernetes")
    } else if account.starts_with("proj:") && is_machine(account) {
        Some("a role of an Argo CD project")
    } else if is_machine(account) {
        Some("an account of Kubernetes itself")
    } else if seen.is_bot {
        Some("its own system says that it is a bot")
    } else {
        None
    }
}

impl Proposal {
    fn place(
        &mut self,
        people: &[Candidate<'_>],
        index: &Index<'_>,
        field: Field,
        account: &str,
        seen: &Seen,
    ) {
        let account = account.to_owned();
        if let Some(why) = bot(&account, seen) {
            self.bots.push(Bot { field, account, why });
            return;
        }
        let named = |at: usize, why: String| (people[at].id.clone(), why);
        if let Some(strong) = index.strong(&account, seen) {
            let Strong { rule, confidence, why, who } = strong;
            let mut who = who.into_iter();
            match (who.next(), who.next()) {
                (Some(only), None) => {
                    let person = people[only].id.clone();
                    self.links.push(Link { person, field, account, confidence, rule, why });
                }
                (first, second) => {
                    let all = first.into_iter().chain(second).chain(who);
                    let candidates = all.map(|at| named(at, format!("{rule}: {why}"))).collect();
                    self.questions.push(Question { field, account, candidates });
                }
            }
            return;
        }
        let hints = index.hints(&account, seen);
        if hints.is_empty() {
            self.unmatched.push((field, account));
        } else {
            let candidates = hints.into_iter().map(|(at, why)| named(at, why)).collect();
            self.questions.push(Question { field, account, candidates });
        }
    }

    /// The map's file.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(&self.map).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

impl Candidate<'_> {
    fn entry(&self, links: &[Link]) -> Value {
        let person = self.person;
        let mut entry = Map::new();
        let mut put = |key: &str, value: Option<&String>| {
            if let Some(value) = value {
                entry.insert(key.to_owned(), json!(value));
            }
        };
        put("name", person.name.as_ref());
        put("email", person.email.as_ref());
        put("oidc_subject", person.subject.as_ref());
        let mut own: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for link in links.iter().filter(|l| l.person == self.id) {
            own.entry(link.field.word()).or_default().insert(&link.account);
        }
        for (key, accounts) in own {
            let mut all: Vec<Value> = accounts.into_iter().map(|a| json!(a)).collect();
            let value = if all.len() == 1 { all.swap_remove(0) } else { Value::Array(all) };
            entry.entry(key.to_owned()).or_insert(value);
        }
        if !person.groups.is_empty() {
            entry.insert("oidc_groups".to_owned(), json!(person.groups));
        }
        Value::Object(entry)
    }
}
