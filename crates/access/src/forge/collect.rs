//! Which requests make a snapshot, and the snapshot that their answers make. Pure: whoever sends
//! them takes one request after another and puts its answer in.
//!
//! ```text
//! repository ──► protection, rulesets, people, teams ──► each ruleset, each team's members
//!    200?                  page after page                    what an answer names
//! ```
//!
//! A refusal is an answer and is kept. Nothing of an answer but what it names is followed: no link,
//! so that an answer cannot send anybody elsewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::Forge;
use super::answers::VERSION;

mod follow;
mod paging;
mod trim;

pub use self::paging::Paging;

/// Requests of one snapshot.
const REQUESTS_MAX: usize = 5_000;
/// Pages of one list: 20,000 accounts.
const PAGES_MAX: u32 = 200;
/// Branches whose protection is asked for because they are protected, beside those that are named.
const BRANCHES_MAX: usize = 200;

/// A repository's path on its forge: `acme/gitops`, of GitLab with all groups above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryPath(String);

/// Why a text is no path of a repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no repository's path: owner/name, of letters, digits, '-', '_' and '.'")]
pub struct NotARepositoryPath(String);

/// A request: a path and a query behind the root of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    path: String,
    query: &'static str,
    /// Of a list: its page, from 1.
    page: Option<u32>,
}

/// What the forge answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, `null` if it was no JSON.
    pub body: Value,
    /// What the headers say of further pages.
    pub paging: Paging,
}

/// Why a snapshot cannot be completed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// The repository itself is not shown.
    #[error(
        "the forge answered {status} to {request}{said}: no such repository, or the token may not see it"
    )]
    NoRepository {
        /// The request.
        request: String,
        /// The status.
        status: u16,
        /// What the forge said, as `" (Not Found)"`, or nothing.
        said: String,
    },
    /// The token is not taken at all.
    #[error("the forge answered 401 to {request}{said}: it does not take the token")]
    NotTaken {
        /// The request.
        request: String,
        /// What the forge said.
        said: String,
    },
    /// A list that does not end.
    #[error("{request} has more than {PAGES_MAX} pages")]
    TooLong {
        /// The request.
        request: String,
    },
    /// More requests than any repository should need.
    #[error("more than {REQUESTS_MAX} requests")]
    TooMany,
}

/// A request that was refused, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The request.
    pub request: String,
    /// The status.
    pub status: u16,
    /// What the forge said.
    pub said: Option<String>,
}

/// A snapshot in the making.
#[derive(Clone, Debug)]
pub struct Collection {
    forge: Forge,
    repository: RepositoryPath,
    branches: Vec<String>,
    open: VecDeque<Request>,
    known: BTreeSet<String>,
    kept: Vec<Kept>,
    /// Items of a list so far.
    items: BTreeMap<String, u64>,
    /// Protected branches that were not asked for.
    passed_over: usize,
}

#[derive(Clone, Debug, Serialize)]
struct Kept {
    path: String,
    status: u16,
    body: Value,
}

#[derive(Serialize)]
struct Written<'w> {
    forge_snapshot: u64,
    forge: Forge,
    repository: &'w str,
    began_at: Timestamp,
    taken_at: Timestamp,
    answers: &'w [Kept],
}

impl RepositoryPath {
    /// A path of two parts, of GitLab two or more; each of letters, digits, `-`, `_` and `.`.
    pub fn new(forge: Forge, text: &str) -> Result<Self, NotARepositoryPath> {
        let parts: Vec<&str> = text.split('/').collect();
        let plain = |part: &&str| {
            let known = part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            known && !part.is_empty() && !part.chars().all(|c| c == '.')
        };
        let count = if forge == Forge::GitLab { parts.len() >= 2 } else { parts.len() == 2 };
        let good = count && parts.iter().all(plain);
        if good { Ok(Self(text.to_owned())) } else { Err(NotARepositoryPath(text.to_owned())) }
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its first part: an organisation, an account, a group.
    fn owner(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }
}

impl Request {
    fn one(path: String) -> Self {
        Self { path, query: "", page: None }
    }

    fn list(path: String, query: &'static str) -> Self {
        Self { path, query, page: Some(1) }
    }

    /// Path and query, to be put behind the root of the API.
    pub fn target(&self, forge: Forge) -> String {
        let pages = match (self.page, forge) {
            (None, _) => None,
            (Some(page), Forge::Gitea) => Some(format!("limit={}&page={page}", size(forge))),
            (Some(page), _) => Some(format!("per_page={}&page={page}", size(forge))),
        };
        let own = (!self.query.is_empty()).then(|| self.query.to_owned());
        let query: Vec<String> = own.into_iter().chain(pages).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.path, query.join("&"))
    }
}

/// Items of a page: the most that the forges give unless their administrators say otherwise.
const fn size(forge: Forge) -> u64 {
    match forge {
        Forge::GitHub | Forge::GitLab => 100,
        Forge::Gitea => 50,
    }
}

impl Collection {
    /// Begins: with the repository, and the branches that are asked for beside its default one.
    pub fn new(forge: Forge, repository: RepositoryPath, branches: Vec<String>) -> Self {
        let first = Request::one(follow::root(forge, &repository));
        let known = BTreeSet::from([first.path.clone()]);
        Self {
            forge,
            repository,
            branches,
            open: VecDeque::from([first]),
            known,
            kept: Vec::new(),
            items: BTreeMap::new(),
            passed_over: 0,
        }
    }

    /// The next request; none when the snapshot is complete.
    pub fn next_request(&mut self) -> Option<Request> {
        self.open.pop_front()
    }

    /// Requests that are known to be left.
    pub fn left(&self) -> usize {
        self.open.len()
    }

    /// Takes the answer to a request.
    pub fn take(&mut self, request: &Request, answer: Answer) -> Result<(), Incomplete> {
        let target = request.target(self.forge);
        let answered = (200..300).contains(&answer.status);
        if !answered && self.kept.is_empty() {
            return Err(no_repository(target, &answer));
        }
        if request.page.is_some_and(|page| page > 1) && self.is_repeated(request, &answer.body) {
            return Ok(());
        }
        let mut next = Vec::new();
        if answered {
            next.extend(self.next_page(request, &answer)?);
            next.extend(follow::named(self, request, &answer.body));
        }
        let body = trim::trimmed(request.path == self.root(), answer.body);
        self.kept.push(Kept { path: target, status: answer.status, body });
        self.open.extend(next);
        if self.kept.len() + self.open.len() > REQUESTS_MAX {
            return Err(Incomplete::TooMany);
        }
        Ok(())
    }

    fn root(&self) -> String {
        follow::root(self.forge, &self.repository)
    }

    /// Some lists of Gitea have no pages: asked for the second, they answer the first again.
    fn is_repeated(&self, request: &Request, body: &Value) -> bool {
        let first = Request { page: Some(1), ..request.clone() }.target(self.forge);
        let body = trim::trimmed(false, body.clone());
        self.kept.iter().any(|kept| kept.path == first && kept.body == body)
            && body.as_array().is_some_and(|items| !items.is_empty())
    }

    fn next_page(
        &mut self,
        request: &Request,
        answer: &Answer,
    ) -> Result<Option<Request>, Incomplete> {
        let (Some(page), Some(items)) = (request.page, answer.body.as_array()) else {
            return Ok(None);
        };
        let got = items.len() as u64;
        let all = self.items.entry(request.path.clone()).or_default();
        *all += got;
        if !answer.paging.has_more(got, *all, size(self.forge)) {
            return Ok(None);
        }
        if page >= PAGES_MAX {
            return Err(Incomplete::TooLong { request: request.path.clone() });
        }
        Ok(Some(Request { page: Some(page + 1), ..request.clone() }))
    }

    /// A request that was not asked for before.
    fn once(&mut self, request: Request) -> Option<Request> {
        self.known.insert(request.path.clone()).then_some(request)
    }

    /// How many requests were answered.
    pub fn answered(&self) -> usize {
        self.kept.len() - self.refusals().count()
    }

    /// The requests that were refused.
    pub fn refusals(&self) -> impl Iterator<Item = Refusal> {
        let refused = self.kept.iter().filter(|kept| !(200..300).contains(&kept.status));
        refused.map(|kept| Refusal {
            request: kept.path.clone(),
            status: kept.status,
            said: said(&kept.body).map(str::to_owned),
        })
    }

    /// Protected branches whose protection was not asked for, because there are so many.
    pub const fn passed_over(&self) -> usize {
        self.passed_over
    }

    /// The snapshot, on one line. `began` and `ended`: the clock at the first and the last answer; what
    /// changed in between may be shown as it was or as it became.
    pub fn snapshot(&self, began: Timestamp, ended: Timestamp) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(&Written {
            forge_snapshot: VERSION,
            forge: self.forge,
            repository: self.repository.as_str(),
            began_at: began,
            taken_at: ended,
            answers: &self.kept,
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

fn no_repository(request: String, answer: &Answer) -> Incomplete {
    let said = said(&answer.body).map(|said| format!(" ({said})")).unwrap_or_default();
    match answer.status {
        401 => Incomplete::NotTaken { request, said },
        status => Incomplete::NoRepository { request, status, said },
    }
}

/// What a forge said as it refused.
fn said(body: &Value) -> Option<&str> {
    ["message", "error"].iter().find_map(|member| body.get(member)?.as_str())
}
