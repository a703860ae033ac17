//! A forge's REST API, asked with a token: read only, one request after another.
//!
//! Requests go to the host that the operator named and nowhere else: redirects are not followed, and
//! of an answer no link is. The token is sent in a header, and stands in no error.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use access::forge::Forge;
use access::forge::collect::{Answer, Collection, Incomplete, Paging, Request};
use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Certificate, Client, Response, StatusCode, Url};
use serde_json::Value;

use super::secret::Secret;

/// Bytes of one answer, unpacked.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// How long an answer may take, and a connection.
const ANSWER_TIME: Duration = Duration::from_mins(1);
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How often a request is sent that found the forge out of order.
const TRIES: u32 = 3;
/// How often a forge may ask to wait before one request.
const WAITS_MAX: u32 = 10;

/// How long to wait for a forge.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The pause before the second try of a request; it doubles with each.
    pub pause: Duration,
    /// The longest pause that a forge may ask for.
    pub wait_max: Duration,
}

/// A forge to ask.
pub struct Api {
    client: Client,
    root: Url,
    forge: Forge,
    patience: Patience,
    clock: fn() -> Timestamp,
}

/// Why a forge gave no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The address of the API is none, or the token would travel in the clear.
    #[error("{address:?} cannot be asked: {why}")]
    Address {
        /// The address.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// The token is no text that a header can hold.
    #[error("the token has characters that no header can hold")]
    Token,
    /// The certificates cannot be read.
    #[error("{path}: {why}")]
    Authority {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The client cannot be made.
    #[error("cannot ask over HTTPS: {0}")]
    Client(String),
    /// No answer came.
    #[error("{host} gave no answer to {request}: {why}")]
    Unreachable {
        /// The host.
        host: String,
        /// The request.
        request: String,
        /// Why.
        why: String,
    },
    /// It sends elsewhere.
    #[error(
        "{host} answered {status} to {request} and sends to {to}: name the repository and the API \
         as they are called now; redirects are not followed"
    )]
    Redirected {
        /// The host.
        host: String,
        /// The status.
        status: u16,
        /// The request.
        request: String,
        /// Where to, cut short.
        to: String,
    },
    /// It asks to come back later than somebody would wait.
    #[error("{host} takes no more requests for {seconds} s: begin again then; nothing was written")]
    Later {
        /// The host.
        host: String,
        /// Seconds from now.
        seconds: u64,
    },
    /// An answer that does not end.
    #[error("the answer to {request} has more than {} MiB", ANSWER_BYTES_MAX >> 20)]
    TooLarge {
        /// The request.
        request: String,
    },
    /// Something else than a forge's API answered.
    #[error("the answer to {request} is no JSON: is that the address of the API?")]
    NoJson {
        /// The request.
        request: String,
    },
    /// The answers make no snapshot.
    #[error(transparent)]
    Incomplete(#[from] Incomplete),
}

impl Api {
    /// The API of a forge. `address`: its root, or the forge's own, where the root is where the kind of
    /// forge has it; `authority`: certificates to trust beside those of the system.
    pub(crate) fn new(
        forge: Forge,
        address: &str,
        token: Option<&Secret>,
        authority: Option<&Path>,
        patience: Patience,
        clock: fn() -> Timestamp,
    ) -> Result<Self, ForgeError> {
        let root = root_of(forge, address)?;
        // Once for the process; whoever was first chose the same.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers(forge, token)?)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_TIME)
            .connect_timeout(CONNECT_TIME);
        if is_loopback(&root) {
            client = client.no_proxy();
        }
        if let Some(path) = authority {
            let wrong =
                |why: String| ForgeError::Authority { path: path.display().to_string(), why };
            let pem = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
            let certificates =
                Certificate::from_pem_bundle(&pem).map_err(|e| wrong(e.to_string()))?;
            if certificates.is_empty() {
                return Err(wrong("no certificate in it (PEM)".to_owned()));
            }
            client = client.tls_certs_merge(certificates);
        }
        let client = client.build().map_err(|e| ForgeError::Client(causes(&e)))?;
        Ok(Self { client, root, forge, patience, clock })
    }

    /// Asks until the collection is complete. `tell` is called before each request. Returns the time of
    /// the first and of the last answer.
    pub async fn collect(
        &self,
        collection: &mut Collection,
        mut tell: impl FnMut(&Collection, &str),
    ) -> Result<(Timestamp, Timestamp), ForgeError> {
        let (mut began, mut ended) = (None, (self.clock)());
        while let Some(request) = collection.next_request() {
            tell(collection, &request.target(self.forge));
            let answer = self.answer(&request).await?;
            ended = (self.clock)();
            began.get_or_insert(ended);
            collection.take(&request, answer)?;
        }
        Ok((began.unwrap_or(ended), ended))
    }

    async fn answer(&self, request: &Request) -> Result<Answer, ForgeError> {
        let target = request.target(self.forge);
        let (mut tries, mut waits, mut pause) = (1, 0, self.patience.pause);
        loop {
            let answered = self.send(&target).await;
            match answered {
                Ok(response) => {
                    if let Some(wait) = asks_to_wait(&response, (self.clock)()) {
                        waits += 1;
                        if wait > self.patience.wait_max || waits > WAITS_MAX {
                            return Err(ForgeError::Later {
                                host: self.host(),
                                seconds: wait.as_secs(),
                            });
                        }
                        tokio::time::sleep(wait).await;
                        continue;
                    }
                    if !response.status().is_server_error() || tries == TRIES {
                        return self.read(response, &target).await;
                    }
                }
                Err(e) if tries == TRIES => return Err(e),
                Err(_) => {}
            }
            tries += 1;
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    async fn send(&self, target: &str) -> Result<Response, ForgeError> {
        let mut url = self.root.clone();
        let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
        // The names in it are encoded, so that it stays behind the root.
        url.set_path(&format!("{}{path}", self.root.path().trim_end_matches('/')));
        url.set_query(query);
        self.client.get(url).send().await.map_err(|e| self.unreachable(target, &e))
    }

    async fn read(&self, mut response: Response, target: &str) -> Result<Answer, ForgeError> {
        let status = response.status();
        if status.is_redirection() && response.headers().contains_key(LOCATION) {
            return Err(self.redirected(&response, target));
        }
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        let links = response.headers().get_all("link").iter().filter_map(|l| l.to_str().ok());
        let paging = Paging::of(links, header("x-next-page"), header("x-total-count"));
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.unreachable(target, &e))? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(ForgeError::TooLarge { request: target.to_owned() });
            }
            bytes.extend_from_slice(&chunk);
        }
        let body = match serde_json::from_slice(&bytes) {
            Ok(body) => body,
            Err(_) if !status.is_success() => Value::Null,
            Err(_) => return Err(ForgeError::NoJson { request: target.to_owned() }),
        };
        Ok(Answer { status: status.as_u16(), body, bytes: bytes.len(), paging })
    }

    fn host(&self) -> String {
        self.root.host_str().unwrap_or_default().to_owned()
    }

    fn unreachable(&self, target: &str, e: &reqwest::Error) -> ForgeError {
        let why = causes(e);
        ForgeError::Unreachable { host: self.host(), request: target.to_owned(), why }
    }

    fn redirected(&self, response: &Response, target: &str) -> ForgeError {
        let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("?");
        // Without an account or a query, which may hold what nobody should read in a log.
        let to = self.root.join(to).ok();
        let to =
            to.and_then(|to| Some(format!("{}://{}{}", to.scheme(), to.host_str()?, to.path())));
        let to = to.unwrap_or_else(|| "an address that is none".to_owned());
        ForgeError::Redirected {
            host: self.host(),
            status: response.status().as_u16(),
            request: target.to_owned(),
            to: to.chars().take(200).collect(),
        }
    }
}

/// The root of the API at an address.
fn root_of(forge: Forge, address: &str) -> Result<Url, ForgeError> {
    let wrong = |why: &str| ForgeError::Address { address: shown(address), why: why.to_owned() };
    let mut url = Url::parse(address).map_err(|e| wrong(&e.to_string()))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(wrong("the token would travel in the clear; use https")),
        _ => return Err(wrong("it is neither https nor http")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds an account; give the token in a file"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has a query"));
    }
    if forge == Forge::GitHub && matches!(host.as_str(), "github.com" | "www.github.com") {
        return Url::parse(PUBLIC_GITHUB).map_err(|e| wrong(&e.to_string()));
    }
    // A tenant of GitHub Enterprise Cloud has its API where github.com has it.
    if forge == Forge::GitHub && host.ends_with(".ghe.com") && !host.starts_with("api.") {
        return Url::parse(&format!("https://api.{host}")).map_err(|e| wrong(&e.to_string()));
    }
    if url.path() == "/" {
        url.set_path(match forge {
            Forge::GitHub if host == "api.github.com" || host.ends_with(".ghe.com") => "/",
            Forge::GitHub => "/api/v3",
            Forge::GitLab => "/api/v4",
            Forge::Gitea => "/api/v1",
        });
    }
    Ok(url)
}

/// The API of GitHub where nothing else is said.
pub const PUBLIC_GITHUB: &str = "https://api.github.com";
/// The API of GitLab where nothing else is said.
pub const PUBLIC_GITLAB: &str = "https://gitlab.com/api/v4";

/// An address in a message: without what may stand before its host.
fn shown(address: &str) -> String {
    address.rsplit_once('@').map_or_else(|| address.to_owned(), |(_, host)| format!("…@{host}"))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn headers(forge: Forge, token: Option<&Secret>) -> Result<HeaderMap, ForgeError> {
    let mut headers = HeaderMap::new();
    let accept = match forge {
        Forge::GitHub => "application/vnd.github+json",
        Forge::GitLab | Forge::Gitea => "application/json",
    };
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    if forge == Forge::GitHub {
        let version = HeaderName::from_static("x-github-api-version");
        headers.insert(version, HeaderValue::from_static("2022-11-28"));
    }
    if let Some(token) = token {
        // All three take it so: personal, of a project, a group, an app.
        let value = [b"Bearer ", token.bytes()].concat();
        let mut value = HeaderValue::from_bytes(&value).map_err(|_| ForgeError::Token)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// How long a forge asks to wait: `Retry-After` in seconds, or GitHub's and Gitea's limit that is used
/// up until a time in seconds (docs: "Rate limits for the REST API").
fn asks_to_wait(response: &Response, now: Timestamp) -> Option<Duration> {
    let limited = [StatusCode::TOO_MANY_REQUESTS, StatusCode::FORBIDDEN];
    if !limited.contains(&response.status()) {
        return None;
    }
    let number =
        |name: &str| response.headers().get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let seconds = match (number("retry-after"), number("x-ratelimit-remaining")) {
        (Some(seconds), _) => seconds,
        (None, Some(0)) => {
            let reset = number("x-ratelimit-reset").or_else(|| number("ratelimit-reset"))?;
            reset - clock_of(response).unwrap_or_else(|| now.as_second())
        }
        (None, _) if response.status() == StatusCode::TOO_MANY_REQUESTS => 60,
        (None, _) => return None,
    };
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// The forge's own clock: by ours we might come too early.
fn clock_of(response: &Response) -> Option<i64> {
    let date = response.headers().get("date")?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(date).ok().map(|at| at.timestamp().as_second())
}

/// An error and what it comes from; the address is left out.
fn causes(e: &reqwest::Error) -> String {
    use std::error::Error as _;
    let mut said: Vec<String> = Vec::new();
    let mut next = e.source();
    while let Some(cause) = next {
        said.push(cause.to_string());
        next = cause.source();
    }
    if e.is_timeout() {
        said.insert(0, "it took too long".to_owned());
    }
    if said.is_empty() { "it failed".to_owned() } else { said.join(": ") }
}
