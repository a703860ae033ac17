//! What Argo CD's own logs show: refused calls and their callers, tokens of projects.

use std::collections::BTreeMap;

use self::apps::Apps;
use self::calls::Calls;
use super::Around;
use super::act::Act;
use super::fold::{Cited, Noted, merge};
use crate::channel::Channel;
use crate::parse::NotUnderstood;
use crate::parse::argocd_controller_log as controller;
use crate::parse::argocd_server_log::{self as server, Audit, Ended, Request, Told};
use crate::record::Cite;
use crate::time::Moment;

pub(crate) mod apps;
mod calls;
mod refused;
mod tokens;

/// A line of the log and when it was written.
pub(crate) type Line<T> = Cited<(Moment, T)>;

/// What Argo CD's own logs show. A line has no identity but its text and how often that occurred.
#[derive(Debug, Default)]
pub(crate) struct ArgocdFacts {
    requests: BTreeMap<Cite, Line<Request>>,
    ended: BTreeMap<Cite, Line<Ended>>,
    audit: BTreeMap<Cite, Line<Audit>>,
}

impl ArgocdFacts {
    /// Adds what a record says.
    pub(crate) fn add(&mut self, cite: &Cite, payload: &[u8]) -> Result<Noted, NotUnderstood> {
        if cite.channel == Channel::ArgocdControllerLog {
            return Ok(Noted::At(Some(controller::parse(payload)?.time)));
        }
        let line = server::parse(payload)?;
        let (key, time) = (cite.clone(), line.time);
        match line.what {
            Told::Request(request) if calls::is_write(&request.method) => {
                merge(&mut self.requests, key, (time, request), cite);
            }
            Told::Ended(ended) if calls::is_write(&ended.method) => {
                merge(&mut self.ended, key, (time, ended), cite);
            }
            Told::Audit(audit) => merge(&mut self.audit, key, (time, audit), cite),
            Told::Request(_) | Told::Ended(_) | Told::Nothing => {}
        }
        Ok(Noted::At(Some(time)))
    }
}

/// The acts that follow from it.
pub(crate) fn acts(around: Around<'_>) -> Vec<Act> {
    let facts = &around.facts.argocd;
    let calls = Calls::of(facts);
    let apps = Apps::of(around.facts);
    let mut acts = refused::acts(&calls, &apps, around.people);
    acts.extend(tokens::acts(&calls, facts, around.people));
    acts
}
