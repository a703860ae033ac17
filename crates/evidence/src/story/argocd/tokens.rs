//! Tokens of project roles: accounts without a person, made by one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::calls::Calls;
use super::{ArgocdFacts, Line};
use crate::parse::argocd_server_log::{Audit, Request};
use crate::people::People;
use crate::story::act::{Act, What};
use crate::story::claim::{Identity, Voice};
use crate::time::Moment;

/// The method by which a token of a project role is made.
const CREATE_TOKEN: &str = "project.ProjectService/CreateToken";
/// What the audit line says behind the caller's name (`argoproj/argo-cd`
/// `server/project/project.go` `createToken`, `logEvent`).
const CREATED: &str = " created token";
/// The caller that the audit line names when the token has no name.
const NOBODY: &str = "Unknown user";

/// A project, and who asked.
type Asked<'a> = (&'a str, Option<&'a str>);

/// All tokens that were made.
pub(super) fn acts(calls: &Calls<'_>, facts: &ArgocdFacts, people: &People) -> Vec<Act> {
    let mut told = ToldLines::of(facts);
    let mut alike: BTreeMap<(Asked<'_>, Timestamp), usize> = BTreeMap::new();
    let requests: Vec<_> = calls.requests(CREATE_TOKEN).filter_map(Asking::of).collect();
    for asking in &requests {
        *alike.entry((asking.asked, asking.request.fact.0.earliest())).or_default() += 1;
    }
    let mut acts = Vec::new();
    for asking in &requests {
        let alone = alike[&(asking.asked, asking.request.fact.0.earliest())] == 1;
        acts.extend(asking.act(calls, &mut told, alone, people));
    }
    acts.extend(told.rest().map(|line| by_line_alone(line, people)));
    acts
}

/// The audit lines that tell of a token and of which none is used up.
struct ToldLines<'a>(BTreeMap<Asked<'a>, BTreeMap<Timestamp, Vec<&'a Line<Audit>>>>);

impl<'a> ToldLines<'a> {
    fn of(facts: &'a ArgocdFacts) -> Self {
        let mut lines: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for line in facts.audit.values() {
            let (time, audit) = &line.fact;
            let created = audit.reason == "ResourceCreated" && audit.message.ends_with(CREATED);
            if let Some(project) = audit.project.as_deref().filter(|_| created) {
                let of_caller = lines.entry((project, by(audit))).or_default();
                of_caller.entry(time.earliest()).or_default().push(line);
            }
        }
        Self(lines)
    }

    /// Uses up the first line of those seconds.
    fn take(
        &mut self,
        asked: Asked<'a>,
        from: Timestamp,
        to: Timestamp,
    ) -> Option<&'a Line<Audit>> {
        let lines = self.0.get_mut(&asked)?;
        let (second, first) = lines.range_mut(from..=to).next()?;
        let (second, line) = (*second, first.pop());
        if first.is_empty() {
            lines.remove(&second);
        }
        line
    }

    fn rest(self) -> impl Iterator<Item = &'a Line<Audit>> {
        self.0.into_values().flat_map(BTreeMap::into_values).flatten()
    }
}

/// A request for a token.
struct Asking<'a> {
    request: &'a Line<Request>,
    asked: Asked<'a>,
}

impl<'a> Asking<'a> {
    fn of(request: &'a Line<Request>) -> Option<Self> {
        let content = &request.fact.1;
        let caller = content.caller.as_ref().map(|c| c.username.as_str());
        Some(Self { request, asked: (content.project.as_deref()?, caller) })
    }

    /// The token that was asked for, if it was made. Where calls of one second ended differently,
    /// only the audit line tells that one was granted, and it does not name the role.
    fn act(
        &self,
        calls: &Calls<'_>,
        told: &mut ToldLines<'a>,
        alone: bool,
        people: &People,
    ) -> Option<Act> {
        let (read, content) = &self.request.fact;
        let owners = calls.owners(self.request);
        let end = owners.iter().map(|call| call.fact.0).max().unwrap_or(*read);
        let granted = !owners.is_empty() && owners.iter().all(|call| call.fact.1.code == "OK");
        let line = if granted || alone {
            told.take(self.asked, read.earliest(), end.earliest())
        } else {
            None
        };
        if line.is_none() && !granted {
            return None;
        }
        let mut cites = self.request.cites.clone();
        for call in owners {
            cites.extend(&call.cites);
        }
        if let Some(line) = line {
            cites.extend(&line.cites);
        }
        let (project, caller) = self.asked;
        let what = token(project, content.role.as_deref().unwrap_or("?"));
        let mut act = Act::new(what, Some(Moment::between(*read, end)), Voice::Recorded, cites);
        name(&mut act, caller, people);
        Some(act)
    }
}

/// A token that only the audit line tells of.
fn by_line_alone(line: &Line<Audit>, people: &People) -> Act {
    let (time, audit) = &line.fact;
    let what = token(audit.project.as_deref().unwrap_or_default(), "?");
    let mut act = Act::new(what, Some(*time), Voice::Recorded, line.cites.clone());
    act.notes.push("which role it is of is not certain: the line does not name it".to_owned());
    name(&mut act, by(audit), people);
    act
}

/// The bearer of such a token is `proj:<project>:<role>` (`argoproj/argo-cd`
/// `server/project/project.go` `JWTTokenSubFormat`).
fn token(project: &str, role: &str) -> What {
    let role = format!("proj:{project}:{role}");
    What::ProjectTokenCreated { project: project.to_owned(), role }
}

/// The caller that an audit line names.
fn by(audit: &Audit) -> Option<&str> {
    audit.message.strip_suffix(CREATED).filter(|name| *name != NOBODY)
}

fn name(act: &mut Act, caller: Option<&str>, people: &People) {
    act.who = caller.map(|name| Identity::of(name, people));
    if caller.is_none() {
        act.notes.push("Argo CD's API server names no caller".to_owned());
    }
}
