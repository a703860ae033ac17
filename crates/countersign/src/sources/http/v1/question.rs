//! A question: a path and its parameters.

use evidence::ask::timeline::Query;
use jiff::{Timestamp, Zoned};

use super::params::{Params, decode};
use crate::ask::{self, BadQuestion, Period};
use crate::schema;
use crate::sources::http::answer::Problem;

/// What is asked, and how far the story must go.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) question: Question,
    pub(super) min_size: u64,
}

/// What is asked.
#[derive(Debug)]
pub(super) enum Question {
    /// What happened; a period that is `None` is the whole of the records.
    Timeline { period: Option<(Timestamp, Timestamp)>, rest: Query },
    /// Which changes there were.
    Changes { environment: Option<String> },
    /// One change.
    Change { selector: String },
    /// What ran.
    Running { at: Timestamp, environment: Option<String> },
    /// Where the live state left the desired one.
    Drift { environment: Option<String>, app: Option<String> },
    /// What the ledger covers.
    Coverage,
    /// The newest checkpoint.
    Checkpoint,
    /// The description of this API, or the schema of an answer.
    Document(&'static schema::Document),
}

/// Where changes are asked for one by one.
const CHANGE: &str = "/v1/changes/";
/// Where schemas stand.
const SCHEMA: &str = "/v1/schema/";

/// The path as counters name it: without what a reader puts there.
pub(super) fn label(path: &str) -> &'static str {
    const PATHS: [&str; 7] = [
        "/v1/timeline",
        "/v1/changes",
        "/v1/running",
        "/v1/drift",
        "/v1/coverage",
        "/v1/checkpoint",
        "/v1/openapi.json",
    ];
    match path {
        _ if path.starts_with(CHANGE) => "/v1/changes/{selector}",
        _ if path.starts_with(SCHEMA) => "/v1/schema/{name}",
        _ => PATHS.into_iter().find(|known| *known == path).unwrap_or("-"),
    }
}

impl Asked {
    /// Reads a path and its query.
    pub(super) fn read(path: &str, query: &str, clock: fn() -> Timestamp) -> Result<Self, Problem> {
        let params = |known: &[&str]| Params::read(query, &[known, &["min_size"]].concat());
        let of =
            |params: &Params, question| Ok(Self { question, min_size: params.count("min_size")? });
        match path {
            "/v1/timeline" => {
                let known =
                    ["at", "window", "from", "to", "whole", "now", "tz", "env", "app", "namespace"];
                let params = params(&known)?;
                of(&params, timeline(&params, clock)?)
            }
            "/v1/changes" => {
                let params = params(&["env"])?;
                of(&params, Question::Changes { environment: params.owned("env") })
            }
            "/v1/running" => {
                let params = params(&["at", "now", "tz", "env"])?;
                let at = params.get("at").ok_or_else(|| Problem::question("at: say when"))?;
                let at = ask::moment("at", at, &now(&params, clock)?).map_err(bad)?.from;
                of(&params, Question::Running { at, environment: params.owned("env") })
            }
            "/v1/drift" => {
                let params = params(&["env", "app"])?;
                let (environment, app) = (params.owned("env"), params.owned("app"));
                of(&params, Question::Drift { environment, app })
            }
            "/v1/coverage" => of(&params(&[])?, Question::Coverage),
            "/v1/checkpoint" => plain(query, Question::Checkpoint),
            "/v1/openapi.json" => plain(query, Question::Document(&schema::OPENAPI)),
            _ => Self::named(path, query),
        }
    }

    fn named(path: &str, query: &str) -> Result<Self, Problem> {
        if let Some(selector) = path.strip_prefix(CHANGE).filter(|s| !s.is_empty()) {
            let wrong = || Problem::question("selector: not percent-encoded UTF-8");
            let selector = decode(selector).ok_or_else(wrong)?;
            let min_size = Params::read(query, &["min_size"])?.count("min_size")?;
            return Ok(Self { question: Question::Change { selector }, min_size });
        }
        let document = path.strip_prefix(SCHEMA).and_then(schema::named);
        let nothing = || {
            Problem::nothing(
                "no question has this path; /v1/openapi.json lists those that there are",
            )
        };
        plain(query, Question::Document(document.ok_or_else(nothing)?))
    }
}

fn plain(query: &str, question: Question) -> Result<Asked, Problem> {
    if query.is_empty() {
        return Ok(Asked { question, min_size: 0 });
    }
    Err(Problem::question("this path has no parameters"))
}

fn timeline(params: &Params, clock: fn() -> Timestamp) -> Result<Question, Problem> {
    let window = params.get("window").map(|w| ask::length("window", w)).transpose().map_err(bad)?;
    let period = Period {
        at: params.get("at"),
        window,
        from: params.get("from"),
        to: params.get("to"),
        whole: params.flag("whole")?,
    };
    let period = period.read(&now(params, clock)?).map_err(bad)?;
    let rest = Query {
        from: Timestamp::MIN,
        to: Timestamp::MAX,
        app: params.owned("app"),
        namespace: params.owned("namespace"),
        environment: params.owned("env"),
    };
    Ok(Question::Timeline { period, rest })
}

fn now(params: &Params, clock: fn() -> Timestamp) -> Result<Zoned, Problem> {
    let zone = ask::zone(params.get("tz").unwrap_or("UTC")).map_err(bad)?;
    Ok(ask::now(params.get("now"), clock()).map_err(bad)?.to_zoned(zone))
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err, which gives the error away")]
pub(super) fn bad(question: BadQuestion) -> Problem {
    Problem::question(format!("{}: {}", question.name, question.problem))
}
