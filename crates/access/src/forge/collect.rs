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
use serde_json::{Value, json};

use super::Forge;
use super::answers::VERSION;
use super::github::NOT_PROTECTED;

mod follow;
mod paging;
mod trim;

use self::paging::Further;
pub use self::paging::Paging;

/// Requests of one snapshot.
const REQUESTS_MAX: usize = 5_000;
/// Pages of one list: 20,000 accounts. What is longer is incomplete.
const PAGES_MAX: u32 = 200;
/// Bytes of all answers together.
const BYTES_MAX: usize = 256 << 20;
/// Characters of what a forge says as it refuses.
const SAID_CHARS_MAX: usize = 200;
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
    /// The body; of a refusal `null` if it was no JSON.
    pub body: Value,
    /// Its bytes as they came.
    pub bytes: usize,
    /// What the headers say of further pages.
    pub paging: Paging,
}

/// Why a snapshot cannot be completed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// The repository itself is not shown.
    #[error(
        "the forge answered {status} to {request}{said}: no such repository, the token may not see it, \
         or the API is not at that address"
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
    /// The forge cannot answer now.
    #[error("the forge answered {status} to {request}{said}: it is out of order")]
    OutOfOrder {
        /// The request.
        request: String,
        /// The status.
        status: u16,
        /// What the forge said.
        said: String,
    },
    /// It is no forge's API that answers.
    #[error(
        "the answer to {request} is not what {forge} answers there: is that the address of its API?"
    )]
    NoApi {
        /// The request.
        request: String,
        /// The forge that was named.
        forge: &'static str,
    },
    /// All answers together are too large.
    #[error("the answers have more than {} MiB together", BYTES_MAX >> 20)]
    TooLarge,
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
    /// Bytes of all answers.
    bytes: usize,
    /// Protected branches that were not asked for.
    passed_over: usize,
}

#[derive(Clone, Debug, Serialize)]
struct Kept {
    path: String,
    status: u16,
    body: Value,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    incomplete: bool,
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
            bytes: 0,
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
        let Answer { status, body, bytes, paging } = answer;
        self.bytes += bytes;
        if self.bytes > BYTES_MAX {
            return Err(Incomplete::TooLarge);
        }
        if !(200..300).contains(&status) {
            if self.kept.is_empty() {
                return Err(no_repository(target, status, &body));
            }
            // Of what a forge says as it refuses no more is kept than is read.
            let body = said(&body).map_or(Value::Null, |said| json!({ "message": said }));
            self.kept.push(Kept { path: target, status, body, incomplete: false });
            return Ok(());
        }
        if !self.is_expected(request, &body) {
            return Err(Incomplete::NoApi { request: target, forge: name(self.forge) });
        }
        let further = self.further(request, &body, paging);
        let next = follow::named(self, request, &body);
        let body = trim::trimmed(request.path == self.root(), body);
        let repeated = self.repeats(request, &body);
        if further == Further::Possible && repeated {
            return Ok(());
        }
        let page = request.page.filter(|page| *page < PAGES_MAX && !repeated);
        let more = matches!(further, Further::Announced | Further::Possible);
        let another =
            page.filter(|_| more).map(|page| Request { page: Some(page + 1), ..request.clone() });
        let incomplete = further == Further::Lost || (more && another.is_none());
        self.kept.push(Kept { path: target, status, body, incomplete });
        self.open.extend(another.into_iter().chain(next));
        if self.kept.len() + self.open.len() > REQUESTS_MAX {
            return Err(Incomplete::TooMany);
        }
        Ok(())
    }

    fn root(&self) -> String {
        follow::root(self.forge, &self.repository)
    }

    /// Whether an answer has the form that it should have: a login page has not. A setting that is not
    /// made may be `null`.
    fn is_expected(&self, request: &Request, body: &Value) -> bool {
        match request.page {
            Some(_) => body.is_array(),
            None if request.path == self.root() => {
                ["id", "default_branch"].iter().any(|member| body.get(member).is_some())
            }
            None => body.is_object() || body.is_null(),
        }
    }

    /// Whether a page is the one before it again. Some lists of Gitea have no pages, and answer so to
    /// the second.
    fn repeats(&self, request: &Request, body: &Value) -> bool {
        let before = request.page.filter(|page| *page > 1).map(|page| page - 1);
        let Some(before) = before else { return false };
        let before = Request { page: Some(before), ..request.clone() }.target(self.forge);
        body.as_array().is_some_and(|items| !items.is_empty())
            && self.kept.iter().any(|kept| kept.path == before && kept.body == *body)
    }

    fn further(&mut self, request: &Request, body: &Value, paging: Paging) -> Further {
        let (Some(_), Some(items)) = (request.page, body.as_array()) else { return Further::None };
        let all = self.items.entry(request.path.clone()).or_default();
        *all += items.len() as u64;
        paging.further(items.len() as u64, *all, size(self.forge))
    }

    /// A request that was not asked for before.
    fn once(&mut self, request: Request) -> Option<Request> {
        self.known.insert(request.path.clone()).then_some(request)
    }

    /// How many requests were answered.
    pub fn answered(&self) -> usize {
        self.kept.len() - self.refusals().count()
    }

    /// The requests that were refused. *Branch not protected* is an answer.
    pub fn refusals(&self) -> impl Iterator<Item = Refusal> {
        let refused = self.kept.iter().filter(|kept| !(200..300).contains(&kept.status));
        let is_answer =
            |kept: &&Kept| kept.status == 404 && said(&kept.body).as_deref() == Some(NOT_PROTECTED);
        refused.filter(move |kept| !is_answer(kept)).map(|kept| Refusal {
            request: kept.path.clone(),
            status: kept.status,
            said: said(&kept.body),
        })
    }

    /// Lists that go on, and whose rest did not come.
    pub fn incomplete(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().filter(|kept| kept.incomplete).map(|kept| kept.path.as_str())
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

fn no_repository(request: String, status: u16, body: &Value) -> Incomplete {
    let said = said(body).map(|said| format!(" ({said})")).unwrap_or_default();
    match status {
        401 => Incomplete::NotTaken { request, said },
        500.. => Incomplete::OutOfOrder { request, status, said },
        _ => Incomplete::NoRepository { request, status, said },
    }
}

/// What a forge said as it refused: cut short, without what would steer a terminal.
fn said(body: &Value) -> Option<String> {
    let said = ["message", "error"].iter().find_map(|member| body.get(member)?.as_str())?;
    Some(said.chars().filter(|c| !c.is_control()).take(SAID_CHARS_MAX).collect())
}

const fn name(forge: Forge) -> &'static str {
    match forge {
        Forge::GitHub => "GitHub",
        Forge::GitLab => "GitLab",
        Forge::Gitea => "Gitea",
    }
}
