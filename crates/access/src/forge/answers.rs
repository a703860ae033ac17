//! A snapshot's answers, by request; refusals are kept as such.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::github::NOT_PROTECTED;
use super::names::{percent_decoded, step};
use super::{Forge, JsonPath, Unknown};

/// The version of the format that this program writes and reads.
pub(super) const VERSION: u64 = 1;

/// Bytes that are no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum NotASnapshot {
    /// No JSON, or members of other types.
    #[error("not a forge snapshot: {0}")]
    Json(#[from] serde_json::Error),
    /// A later version of the format.
    #[error("a forge snapshot of version {0}, and this program reads version 1")]
    Version(u64),
    /// Neither of the two forms.
    #[error(
        "not a forge snapshot: neither `forge_snapshot` nor `repository` with `branch_protection`"
    )]
    Form,
}

#[derive(Deserialize)]
struct Written {
    forge_snapshot: u64,
    forge: Forge,
    repository: String,
    taken_at: Option<Timestamp>,
    answers: Vec<WrittenAnswer>,
}

#[derive(Deserialize)]
struct WrittenAnswer {
    path: String,
    status: u16,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    incomplete: bool,
}

/// The answers of a snapshot.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) forge: Forge,
    pub(super) repository: String,
    pub(super) taken_at: Option<Timestamp>,
    list: Vec<Answer>,
}

#[derive(Clone, Debug)]
struct Answer {
    /// The request behind that of the repository: `/rulesets`, nothing for the repository itself;
    /// a request about something else in full.
    request: String,
    status: u16,
    body: Value,
    /// Of a page: the list goes on, and the rest of it is not here.
    incomplete: bool,
    at: JsonPath,
}

/// The members of a list, each with its place.
pub(super) type Items<'a> = Vec<(&'a Value, JsonPath)>;

impl Answers {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, NotASnapshot> {
        let value: Value = serde_json::from_slice(bytes)?;
        if value.get("forge_snapshot").is_some() {
            return Self::written(serde_json::from_value(value)?);
        }
        Self::plain(&value).ok_or(NotASnapshot::Form)
    }

    fn written(written: Written) -> Result<Self, NotASnapshot> {
        if written.forge_snapshot != VERSION {
            return Err(NotASnapshot::Version(written.forge_snapshot));
        }
        let list = written.answers.into_iter().enumerate().map(|(index, answer)| Answer {
            request: request_of(written.forge, &answer.path),
            status: answer.status,
            body: answer.body,
            incomplete: answer.incomplete,
            at: format!("$.answers[{index}].body"),
        });
        Ok(Self {
            forge: written.forge,
            list: list.collect(),
            repository: written.repository,
            taken_at: written.taken_at,
        })
    }

    /// The plain form of GitHub's answers under names of their own.
    fn plain(value: &Value) -> Option<Self> {
        let repository = value.get("repository")?;
        let protection = value.get("branch_protection")?.as_object()?;
        let mut list = vec![answer("", repository, "$.repository")];
        for (branch, body) in protection {
            let at = step("$.branch_protection", branch);
            let mut answer = answer(&format!("/branches/{branch}/protection"), body, &at);
            if body.is_null() {
                // This form has no refusals: nothing stands for what administrators are told.
                (answer.status, answer.body) = (404, json!({"message": NOT_PROTECTED}));
            }
            list.push(answer);
        }
        for name in ["rulesets", "collaborators", "teams"] {
            if let Some(body) = value.get(name) {
                list.push(answer(&format!("/{name}"), body, &format!("$.{name}")));
            }
        }
        if let Some(body) = value.get("workflow_permissions") {
            list.push(answer("/actions/permissions/workflow", body, "$.workflow_permissions"));
        }
        for (index, ruleset) in each(value.get("rulesets")) {
            if let Some(id) = ruleset.get("id").and_then(Value::as_u64) {
                list.push(answer(
                    &format!("/rulesets/{id}"),
                    ruleset,
                    &format!("$.rulesets[{index}]"),
                ));
            }
        }
        for (index, team) in each(value.get("teams")) {
            let slug = team.get("slug").and_then(Value::as_str);
            if let (Some(slug), Some(members)) = (slug, team.get("members")) {
                let at = format!("$.teams[{index}].members");
                list.push(answer(&format!("/teams/{slug}/members"), members, &at));
            }
        }
        let full_name = repository.get("full_name")?.as_str()?.to_owned();
        let taken_at = value.get("taken_at").and_then(Value::as_str).and_then(|t| t.parse().ok());
        Some(Self { forge: Forge::GitHub, repository: full_name, taken_at, list })
    }

    /// The answer to a request, or why there is none.
    pub(super) fn one(&self, request: &str) -> Result<(&Value, JsonPath), Unknown> {
        let found = self.list.iter().find(|answer| answer.request == request);
        found.map_or_else(|| Err(self.not_asked(request)), |answer| self.ok(answer))
    }

    /// What the forge said as it refused a request.
    pub(super) fn refusal(&self, request: &str) -> Option<(u16, &str)> {
        let found = self.list.iter().find(|answer| answer.request == request)?;
        Some((found.status, found.body.get("message")?.as_str()?))
    }

    /// The members of a list, all pages together, or why it is not known whole.
    pub(super) fn all(&self, request: &str) -> Result<Items<'_>, Unknown> {
        let pages = self.list.iter().filter(|answer| answer.request == request);
        let mut items = Vec::new();
        let mut asked = false;
        for page in pages {
            asked = true;
            let (body, at) = self.ok(page)?;
            let missing = || Unknown::Missing { member: "a list".to_owned(), at: at.clone() };
            if page.incomplete {
                return Err(Unknown::Missing { member: "the rest of the list".to_owned(), at });
            }
            let list = body.as_array().ok_or_else(missing)?;
            items.extend(list.iter().enumerate().map(|(i, item)| (item, format!("{at}[{i}]"))));
        }
        if asked { Ok(items) } else { Err(self.not_asked(request)) }
    }

    /// Requests that end so, such as all members of teams.
    pub(super) fn requests<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        self.list.iter().map(|a| a.request.as_str()).filter(move |r| r.starts_with(start))
    }

    fn ok<'a>(&self, answer: &'a Answer) -> Result<(&'a Value, JsonPath), Unknown> {
        if (200..300).contains(&answer.status) {
            return Ok((&answer.body, answer.at.clone()));
        }
        let request = self.full(&answer.request);
        Err(Unknown::Refused { request, status: answer.status, at: answer.at.clone() })
    }

    fn not_asked(&self, request: &str) -> Unknown {
        Unknown::NotAsked { request: self.full(request) }
    }

    fn full(&self, request: &str) -> String {
        let of_repository = match self.forge {
            Forge::GitHub | Forge::Gitea => format!("/repos/{}", self.repository),
            Forge::GitLab => "/projects/:id".to_owned(),
        };
        let elsewhere = ["/teams/", "/groups/", "/orgs/"].iter().any(|s| request.starts_with(s));
        if elsewhere { request.to_owned() } else { format!("{of_repository}{request}") }
    }
}

fn answer(request: &str, body: &Value, at: &str) -> Answer {
    Answer {
        request: request.to_owned(),
        status: 200,
        body: body.clone(),
        incomplete: false,
        at: at.to_owned(),
    }
}

fn each(list: Option<&Value>) -> impl Iterator<Item = (usize, &Value)> {
    list.and_then(Value::as_array).into_iter().flatten().enumerate()
}

/// A request's path without the API's root, the query and the repository.
fn request_of(forge: Forge, path: &str) -> String {
    let path = path.split('?').next().unwrap_or(path);
    let path = ["/api/v4", "/api/v3", "/api/v1"]
        .iter()
        .find_map(|root| path.strip_prefix(root))
        .unwrap_or(path);
    let parts = match forge {
        Forge::GitHub | Forge::Gitea => path.strip_prefix("/repos/").map(|rest| (rest, 2)),
        Forge::GitLab => path.strip_prefix("/projects/").map(|rest| (rest, 1)),
    };
    if let Some((rest, names)) = parts {
        let cut = rest.match_indices('/').nth(names - 1).map_or(rest.len(), |(at, _)| at);
        return percent_decoded(&rest[cut..]);
    }
    // A team's members stand under its organisation: `/orgs/{org}/teams/{slug}/members`.
    let team = path.strip_prefix("/orgs/").and_then(|rest| rest.split_once("/teams/"));
    team.map_or_else(|| path.to_owned(), |(_, rest)| format!("/teams/{rest}"))
}
