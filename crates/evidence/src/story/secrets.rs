//! Requests to `OpenBao` or Vault: who wrote and read which secret, who changed the configuration.
//!
//! A request counts when its answer is in the records and shows no failure.

use std::collections::BTreeMap;

use self::callers::Callers;
use self::deed::Deed;
use super::Around;
use super::act::{Act, What};
use super::claim::Voice;
use super::fold::{Cited, Noted, merge};
use crate::parse::NotUnderstood;
use crate::parse::openbao_audit::{self as openbao, AuditLine, Stage};
use crate::record::Cite;

mod callers;
mod deed;

/// Requests to `OpenBao` or Vault.
#[derive(Debug, Default)]
pub(crate) struct SecretFacts {
    /// By the request's id; of a line without one, by the record's.
    lines: BTreeMap<(String, Stage), Cited<AuditLine>>,
}

impl SecretFacts {
    /// Adds what a record says.
    pub(crate) fn add(&mut self, cite: &Cite, payload: &[u8]) -> Result<Noted, NotUnderstood> {
        let line = openbao::parse(payload)?;
        let time = line.time;
        let id = line.id.clone().unwrap_or_else(|| cite.to_string());
        merge(&mut self.lines, (id, line.stage), line, cite);
        Ok(Noted::At(Some(time)))
    }
}

/// The acts that follow from it.
pub(crate) fn acts(around: Around<'_>) -> Vec<Act> {
    let lines = &around.facts.secrets.lines;
    let callers = Callers::of(lines.values().map(|line| &line.fact));
    let mut acts = Vec::new();
    for ((id, stage), answer) in lines {
        if *stage == Stage::Response && !answer.fact.failed {
            let request = lines.get(&(id.clone(), Stage::Request));
            acts.extend(act(answer, request, &callers, around));
        }
    }
    acts
}

fn act(
    answer: &Cited<AuditLine>,
    request: Option<&Cited<AuditLine>>,
    callers: &Callers<'_>,
    around: Around<'_>,
) -> Option<Act> {
    let line = &answer.fact;
    let deed = Deed::of(line)?;
    if matches!(deed, Deed::Read { .. }) && callers.is_software(line) {
        return None;
    }
    let what = match deed {
        Deed::Read { path } => What::SecretRead { path },
        Deed::Write { path, operation } => {
            What::SecretWrite { path, operation, version: line.answer.version }
        }
        Deed::Admin { path } => What::OpenbaoAdmin { path, operation: line.operation.clone() },
    };
    let mut cites = answer.cites.clone();
    if let Some(request) = request {
        cites.extend(&request.cites);
    }
    let mut act = Act::new(what, Some(line.time), Voice::Authenticated, cites);
    let named = callers.name(line, around.people);
    act.who = named.who;
    act.notes.extend(named.note.map(str::to_owned));
    Some(act)
}
