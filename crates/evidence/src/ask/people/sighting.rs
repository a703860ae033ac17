//! Sightings: which accounts the records name, and what sources themselves say belongs together.
//!
//! Only what a system authenticated, or states of its own accounts, ties two accounts together
//! here. A name that somebody chose is a hint and nothing more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::propose::{Field, Seen};
use crate::channel::Channel;
use crate::record::{CUT, REDACTED, Record};

/// Everything that records say of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sightings {
    /// Accounts by what they are accounts of.
    pub seen: BTreeMap<(Field, String), Seen>,
}

impl Sightings {
    /// Gathers the accounts of records. A payload that is no JSON says nothing.
    pub fn of<'r>(records: impl IntoIterator<Item = &'r Record>) -> Self {
        let mut sightings = Self::default();
        for record in records {
            if let Ok(payload) = serde_json::from_slice::<Value>(&record.payload) {
                sightings.add(record.cite.channel, &payload);
            }
        }
        sightings
    }

    fn add(&mut self, channel: Channel, payload: &Value) {
        match channel {
            Channel::GitCommit => self.commit(payload),
            Channel::GithubWebhook => self.github(&body(payload)),
            Channel::GitlabWebhook => self.gitlab(&body(payload)),
            Channel::JiraWebhook => self.jira(&body(payload)),
            Channel::KubernetesAudit => {
                self.see(Field::KubernetesUser, &payload["user"]["username"], None);
                self.see(Field::KubernetesUser, &payload["impersonatedUser"]["username"], None);
            }
            Channel::KubernetesEventWatch => {
                let user = &payload["object"]["metadata"]["annotations"]["user"];
                self.see(Field::ArgocdUsername, user, None);
            }
            Channel::OpenbaoAudit => {
                self.see(Field::OpenbaoEntity, &payload["auth"]["metadata"]["username"], None);
            }
            _ => {}
        }
    }

    fn commit(&mut self, line: &Value) {
        for by in [&line["author"], &line["committer"]] {
            self.see(Field::GitEmail, &by["email"], text(&by["name"]));
        }
    }

    /// GitHub says of a commit's e-mail whose verified address it is (`username`), and of who
    /// pushed which address they pushed with (`pusher`): `octokit/webhooks` `push`.
    fn github(&mut self, body: &Value) {
        let mut senders = Vec::new();
        for at in ["/sender", "/pull_request/user", "/review/user", "/pull_request/merged_by"] {
            senders.extend(body.pointer(at));
        }
        for user in senders {
            let is_bot = user["type"] == "Bot";
            let seen = self.see(Field::GithubLogin, &user["login"], None);
            if let Some(seen) = seen {
                seen.is_bot |= is_bot;
            }
        }
        let pushed = [(&body["pusher"]["name"], &body["pusher"]["email"])];
        let commits = body["commits"].as_array().into_iter().flatten();
        let authors = commits.flat_map(|c| [&c["author"], &c["committer"]]);
        let authored = authors.map(|by| (&by["username"], &by["email"]));
        for (login, email) in pushed.into_iter().chain(authored) {
            let email = text(email);
            if let (Some(seen), Some(email)) = (self.see(Field::GithubLogin, login, None), email) {
                seen.emails.insert(email);
            }
        }
    }

    fn gitlab(&mut self, body: &Value) {
        for user in [&body["user"], body] {
            let login = if user["username"].is_string() { "username" } else { "user_username" };
            let email = if login == "username" { "email" } else { "user_email" };
            let email = text(&user[email]);
            let seen = self.see(Field::GithubLogin, &user[login], None);
            if let (Some(seen), Some(email)) = (seen, email.filter(|e| e.contains('@'))) {
                seen.emails.insert(email);
            }
        }
    }

    fn jira(&mut self, body: &Value) {
        let user = &body["user"];
        let id = if user["accountId"].is_string() { &user["accountId"] } else { &user["name"] };
        let name = text(&user["displayName"]);
        let (email, is_app) = (text(&user["emailAddress"]), user["accountType"] == "app");
        if let Some(seen) = self.see(Field::JiraAccountId, id, name) {
            seen.emails.extend(email);
            seen.is_bot |= is_app;
        }
    }

    fn see(&mut self, field: Field, account: &Value, name: Option<String>) -> Option<&mut Seen> {
        let account = text(account)?;
        let seen = self.seen.entry((field, account)).or_default();
        seen.times += 1;
        seen.names.extend(name);
        Some(seen)
    }
}

/// The body of a delivery: as it came, a text or an object.
fn body(payload: &Value) -> Value {
    match &payload["body"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    }
}

/// A text that says something: neither empty, nor cut, nor erased.
fn text(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|t| !t.is_empty())?;
    (!text.contains(REDACTED) && !text.contains(CUT)).then(|| text.to_owned())
}

/// What two sets of sightings say together.
impl Extend<((Field, String), Seen)> for Sightings {
    fn extend<T: IntoIterator<Item = ((Field, String), Seen)>>(&mut self, other: T) {
        for (key, more) in other {
            let seen = self.seen.entry(key).or_default();
            seen.times += more.times;
            seen.is_bot |= more.is_bot;
            seen.names.extend(more.names);
            seen.emails.extend(more.emails);
        }
    }
}

/// The names of a set, for a sentence.
pub(super) fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
