//! Calls: requests and their ends, which no id joins.
//!
//! The log says when a call began, when its request was read and when it ended, each to the second.
//! A request may belong to a call of the same method that was under way then. Where it may belong
//! to several, what they have in common is all that is known.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{ArgocdFacts, Line};
use crate::parse::argocd_server_log::{Ended, Request};
use crate::time::Moment;

/// How the names of calls that change something begin (`argoproj/argo-cd` `server/**/*.proto`).
const WRITES: [&str; 9] =
    ["Create", "Update", "Delete", "Patch", "Sync", "Rollback", "Terminate", "Run", "Rotate"];

/// Whether a call of `service/method` asks for a change. Log-ins are none.
pub(super) fn is_write(method: &str) -> bool {
    let Some((service, name)) = method.split_once('/') else { return false };
    service != "session.SessionService" && WRITES.iter().any(|verb| name.starts_with(verb))
}

/// Requests and ends of calls that ask for a change.
pub(super) struct Calls<'a> {
    by_method: BTreeMap<&'a str, Method<'a>>,
}

#[derive(Default)]
struct Method<'a> {
    /// By the second in which it was read.
    requests: BTreeMap<Timestamp, Vec<&'a Line<Request>>>,
    /// By the second in which the call began.
    ended: BTreeMap<Timestamp, Vec<&'a Line<Ended>>>,
    /// The longest call.
    longest: SignedDuration,
}

/// The requests that a call may have been made with.
pub(super) struct Candidates<'a> {
    pub(super) requests: Vec<&'a Line<Request>>,
    /// Whether requests are missing: more calls were under way than requests are known.
    pub(super) missing: bool,
}

impl<'a> Calls<'a> {
    pub(super) fn of(facts: &'a ArgocdFacts) -> Self {
        let mut by_method: BTreeMap<&str, Method<'_>> = BTreeMap::new();
        for request in facts.requests.values() {
            let (time, content) = &request.fact;
            let method = by_method.entry(&content.method).or_default();
            method.requests.entry(time.earliest()).or_default().push(request);
        }
        for ended in facts.ended.values() {
            let (start, end) = span(ended);
            let method = by_method.entry(&ended.fact.1.method).or_default();
            method.longest = method.longest.max(end.duration_since(start));
            method.ended.entry(start).or_default().push(ended);
        }
        Self { by_method }
    }

    /// All calls that ended.
    pub(super) fn ended(&self) -> impl Iterator<Item = &'a Line<Ended>> {
        self.by_method.values().flat_map(|m| m.ended.values()).flatten().copied()
    }

    /// All requests of a method.
    pub(super) fn requests(&self, method: &str) -> impl Iterator<Item = &'a Line<Request>> {
        let method = self.by_method.get(method).into_iter();
        method.flat_map(|m| m.requests.values()).flatten().copied()
    }

    /// The calls that a request may belong to.
    pub(super) fn owners(&self, request: &Line<Request>) -> Vec<&'a Line<Ended>> {
        let (time, content) = &request.fact;
        self.under_way(&content.method, time.earliest(), time.earliest())
    }

    /// The requests that a call may have been made with.
    pub(super) fn candidates(&self, call: &Line<Ended>) -> Candidates<'a> {
        let method = &call.fact.1.method;
        let (start, end) = span(call);
        let known = self.by_method.get(method.as_str());
        let read = known.into_iter().flat_map(|m| m.requests.range(start..=end));
        let requests: Vec<_> = read.flat_map(|(_, lines)| lines.iter().copied()).collect();
        let missing = self.under_way(method, start, end).len() > requests.len();
        Candidates { requests, missing }
    }

    fn under_way(&self, method: &str, from: Timestamp, to: Timestamp) -> Vec<&'a Line<Ended>> {
        let Some(method) = self.by_method.get(method) else { return Vec::new() };
        let earliest = from.checked_sub(method.longest).unwrap_or(Timestamp::MIN);
        let began = method.ended.range(earliest..=to).flat_map(|(_, lines)| lines.iter().copied());
        began.filter(|line| span(line).1 >= from).collect()
    }
}

/// The seconds in which a call began and ended.
fn span(line: &Line<Ended>) -> (Timestamp, Timestamp) {
    let (time, ended) = &line.fact;
    let end = time.earliest();
    (ended.started.map_or(end, |start| start.earliest()).min(end), end)
}

/// From the beginning of a call to its end.
pub(super) fn moment(line: &Line<Ended>) -> Moment {
    let (time, ended) = &line.fact;
    ended.started.map_or(*time, |start| Moment::between(start, *time))
}
