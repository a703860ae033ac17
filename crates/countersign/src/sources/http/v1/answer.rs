//! Answers: from the held story to bytes.

use evidence::ask::change::{self, TransitionView};
use evidence::ask::timeline::timeline;
use evidence::ask::{drift, running};
use serde::Serialize;

use super::question::{Question, bad};
use super::{Api, Body};
use crate::ask::status::{self, Expected, Seen};
use crate::ask::{self, Answered, BadQuestion};
use crate::index::{Told, keeper};
use crate::ledger::{LedgerError, history};
use crate::sources::http::answer::Problem;

const JSON: &str = "application/json";

/// Makes an answer; blocks. Questions about the story come with it.
pub(super) fn make(api: &Api, question: Question, told: Option<&Told>) -> Result<Body, Problem> {
    match (question, told) {
        (Question::Checkpoint, _) => checkpoint(api),
        (Question::Document(document), _) => {
            let bytes = document.text.as_bytes().to_vec();
            Ok(Body { media_type: document.media_type, bytes })
        }
        (question, Some(told)) => of_story(api, question, told),
        (_, None) => Err(Problem::deriving()),
    }
}

fn of_story(api: &Api, question: Question, told: &Told) -> Result<Body, Problem> {
    let story = &*told.story;
    Ok(match question {
        Question::Timeline { period, mut rest } => {
            (rest.from, rest.to) = period.unwrap_or_else(|| ask::extent(story));
            let mut answer = timeline(story, &rest);
            answer.weaken(&told.refused);
            body(told, answer)
        }
        Question::Changes { environment } => {
            body(told, change::list(story, environment.as_deref()))
        }
        Question::Change { selector } => one_change(api, &selector, told)?,
        Question::Running { at, environment } => {
            body(told, running::running(story, at, environment.as_deref()))
        }
        Question::Drift { environment, app } => {
            body(told, drift::list(story, environment.as_deref(), app.as_deref()))
        }
        Question::Coverage => {
            let seen =
                Seen { coverage: &story.coverage, kinds: &told.kinds, refused: &told.refused };
            let expected = Expected { channels: api.expected.clone(), since: None };
            let status = status::status(&api.dir, seen, expected).map_err(|e| unread(api, &e))?;
            body(told, status)
        }
        Question::Checkpoint | Question::Document(_) => {
            return Err(Problem::nothing("this is no question to the story"));
        }
    })
}

/// Why a change could not be looked for.
enum NotLooked {
    Question(BadQuestion),
    Ledger(LedgerError),
}

impl From<BadQuestion> for NotLooked {
    fn from(question: BadQuestion) -> Self {
        Self::Question(question)
    }
}

fn one_change(api: &Api, text: &str, told: &Told) -> Result<Body, Problem> {
    let entries = told.derived.entries;
    let selector = ask::selector(text, |entry| {
        keeper::cite_of(&api.dir, entry, entries).map_err(NotLooked::Ledger)
    });
    let selector = selector.map_err(|e| match e {
        NotLooked::Question(question) => bad(question),
        NotLooked::Ledger(e) => unread(api, &e),
    })?;
    if let Some(one) = change::find(&told.story, &selector).first() {
        return Ok(body(told, change::show(&told.story, one)));
    }
    match change::outside(&told.story, &selector) {
        Some(transition) => Ok(body(told, TransitionView::from(transition))),
        None => Err(Problem::nothing(format!(
            "no change is in the first {entries} entries under {text:?}; /v1/changes lists all, /v1/timeline what happened outside of them"
        ))),
    }
}

fn body<T: Serialize>(told: &Told, answer: T) -> Body {
    let mut bytes = Answered { answer, derived: told.derived.clone() }.to_json();
    bytes.push(b'\n');
    Body { media_type: JSON, bytes }
}

fn checkpoint(api: &Api) -> Result<Body, Problem> {
    let (notes, _) = history::read(&api.dir.checkpoints()).map_err(|e| unread(api, &e))?;
    let newest = notes.into_iter().next_back().ok_or_else(Problem::unverified)?;
    Ok(Body { media_type: "text/plain; charset=utf-8", bytes: newest.into_bytes() })
}

/// The ledger could not be read: why is for the operator.
fn unread(api: &Api, error: &LedgerError) -> Problem {
    api.shared.notice(format!("error: {error}"));
    Problem::unverified()
}
