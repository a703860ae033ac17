//! Calls that Argo CD refused: who asked, for what, and why not.
//!
//! A refusal leaves no Event. The policy's error names the subject, a sync window's does not: then
//! the caller stands in the request alone.

use std::collections::BTreeSet;

use super::Line;
use super::apps::Apps;
use super::calls::{Calls, Candidates, moment};
use crate::parse::argocd_server_log::{Caller, Ended, Refusal, Request};
use crate::people::People;
use crate::story::act::{Act, What};
use crate::story::claim::{Identity, Voice};

/// The method by which a sync is asked for.
const SYNC: &str = "application.ApplicationService/Sync";
/// Statuses of a call that was refused, not one that went wrong (`grpc/grpc` `doc/statuscodes.md`):
/// `FailedPrecondition` is Argo CD's word for a state that forbids it.
const REFUSALS: [&str; 3] = ["PermissionDenied", "Unauthenticated", "FailedPrecondition"];

/// All refused calls that asked for a change.
pub(super) fn acts(calls: &Calls<'_>, apps: &Apps<'_>, people: &People) -> Vec<Act> {
    let refused = calls.ended().filter(|c| REFUSALS.contains(&c.fact.1.code.as_str()));
    refused.map(|call| act(call, calls, apps, people)).collect()
}

fn act(call: &Line<Ended>, calls: &Calls<'_>, apps: &Apps<'_>, people: &People) -> Act {
    let ended = &call.fact.1;
    let none = Refusal { reason: ended.code.clone(), object: None, subject: None };
    let refusal = ended.refusal.as_ref().unwrap_or(&none);
    let mut candidates = calls.candidates(call);
    candidates.narrow(refusal);
    let reason = refusal.reason.clone();
    let what = if ended.method == SYNC {
        What::SyncRefused { reason }
    } else {
        What::CallRefused { method: ended.method.clone(), reason }
    };
    let mut act = Act::new(what, Some(moment(call)), Voice::Recorded, call.cites.clone());
    name_caller(&mut act, refusal, &candidates, people);
    name_application(&mut act, ended, refusal, &candidates, apps);
    for request in &candidates.requests {
        act.cites.extend(&request.cites);
    }
    act
}

impl Candidates<'_> {
    /// Leaves out the requests that the error shows to be others.
    fn narrow(&mut self, refusal: &Refusal) {
        if let Some(subject) = &refusal.subject {
            let same = |caller: &Caller| caller.subject == *subject || is_erased(&caller.subject);
            self.requests.retain(|r| r.fact.1.caller.as_ref().is_some_and(same));
        }
        if let Some(object) = &refusal.object {
            let same = |r: &Request| r.name.as_deref().is_none_or(|name| is_of(object, name));
            self.requests.retain(|r| same(&r.fact.1));
        }
    }

    /// What all of them say alike.
    fn common<T: Ord>(&self, of: impl Fn(&Request) -> Option<T>) -> Option<T> {
        let mut said: BTreeSet<Option<T>> =
            self.requests.iter().map(|request| of(&request.fact.1)).collect();
        let first = said.pop_first()?;
        first.filter(|_| said.is_empty())
    }
}

fn is_erased(text: &str) -> bool {
    text.contains(crate::record::REDACTED)
}

/// `<project>/<name>`, or `<project>/<namespace>/<name>` outside of Argo CD's own
/// (`argoproj/argo-cd` `util/security/rbac.go` `RBACName`).
fn is_of(object: &str, name: &str) -> bool {
    object == name || object.rsplit('/').next() == Some(name)
}

fn name_caller(act: &mut Act, refusal: &Refusal, candidates: &Candidates<'_>, people: &People) {
    let caller = candidates.common(|request| request.caller.clone());
    match (&refusal.subject, caller) {
        (Some(subject), caller) => {
            // The request's name is the one that Events and operations have.
            let username = caller.map(|c| Identity::of(&c.username, people));
            let subject = Identity::of(subject, people);
            let same = |name: &Identity| {
                !name.is_redacted() && (subject.person.is_none() || name.person == subject.person)
            };
            act.who = Some(username.filter(same).unwrap_or(subject));
            act.voice = Voice::Authenticated;
        }
        (None, Some(caller)) if !candidates.missing => {
            act.who = Some(Identity::of(&caller.username, people));
        }
        (None, _) => act.notes.push(unknown_caller(candidates).to_owned()),
    }
}

fn unknown_caller(candidates: &Candidates<'_>) -> &'static str {
    if candidates.requests.is_empty() {
        "the error names no caller, and the request is not in the records"
    } else if candidates.requests.iter().any(|r| r.fact.1.caller.is_none()) {
        "the error names no caller, and a request of that second carries no name"
    } else if candidates.missing {
        "the error names no caller, and a request of that second is missing"
    } else {
        "the error names no caller, and several called in that second"
    }
}

fn name_application(
    act: &mut Act,
    ended: &Ended,
    refusal: &Refusal,
    candidates: &Candidates<'_>,
    apps: &Apps<'_>,
) {
    if !ended.method.starts_with("application.ApplicationService/") {
        return;
    }
    let in_object = refusal.object.as_deref().and_then(|object| object.rsplit('/').next());
    let in_request = || candidates.common(|r| r.name.clone()).filter(|_| !candidates.missing);
    let Some(name) = in_object.map(str::to_owned).or_else(in_request) else {
        let note = "which Application it was about is not certain";
        return act.notes.push(note.to_owned());
    };
    let namespace = candidates.common(|r| r.app_namespace.clone());
    let app = namespace.map_or_else(|| apps.only(&name), |n| apps.named(&n, &name));
    act.namespace = app.and_then(|app| app.destination_namespace.clone());
    act.app = Some(name);
}
