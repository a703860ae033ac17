//! Writes by people and their tools, straight to the Kubernetes API.

use serde::Serialize;

use super::claim::{Identity, Writer, is_machine};
use super::fold::{Cited, Facts};
use super::wire::Cites;
use crate::parse::kubernetes_audit::{AuditWrite, ObjectRef, RequestedOperation};
use crate::people::People;
use crate::time::Moment;

/// One audited write, or one that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Write {
    /// When the request arrived and when it was answered.
    pub at: Moment,
    /// Who wrote it, with which credential and by which right.
    pub writer: Writer,
    /// `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// What was written.
    pub object: ObjectRef,
    /// The HTTP status of the answer.
    pub code: Option<u16>,
    /// The operation that the write asked for, of Applications only.
    pub operation: Option<AskedOperation>,
    /// The records that show it.
    pub cites: Cites,
}

/// What a write put into an Application's `.operation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AskedOperation {
    /// The account that it names as initiator.
    pub claimed_by: Option<Identity>,
    /// Whether it says that Argo CD started the operation by itself.
    pub automated: bool,
    /// The revision that it asks for.
    pub revision: Option<String>,
}

/// Which answers a list of writes holds.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Succeeded,
    Refused,
}

/// The writes of accounts that do not belong to the cluster's own software, in order of time.
pub(crate) fn writes(facts: &Facts, people: &People, answer: Answer) -> Vec<Write> {
    let wanted = |write: &AuditWrite| match answer {
        Answer::Succeeded => write.succeeded(),
        Answer::Refused => write.refused(),
    };
    let of_people = facts.writes.values().filter(|w| is_by_people(&w.fact) && wanted(&w.fact));
    let mut writes: Vec<Write> = of_people.map(|w| told(w, people)).collect();
    writes.sort_by(|a, b| {
        a.at.list_order(&b.at).then_with(|| a.writer.audit_id.cmp(&b.writer.audit_id))
    });
    writes
}

/// A proxy's service account that impersonates a human acts for that human.
fn is_by_people(write: &AuditWrite) -> bool {
    let named = write.impersonated.as_deref();
    !is_machine(&write.account) || named.is_some_and(|account| !is_machine(account))
}

fn told(write: &Cited<AuditWrite>, people: &People) -> Write {
    let fact = &write.fact;
    let operation = match &fact.operation {
        RequestedOperation::Present(request) => Some(AskedOperation {
            claimed_by: request.username.as_deref().map(|name| Identity::of(name, people)),
            automated: request.automated,
            revision: request.revision.clone(),
        }),
        _ => None,
    };
    Write {
        at: fact.time,
        writer: Writer::of(fact, people),
        verb: fact.verb.clone(),
        object: fact.object.clone(),
        code: fact.code,
        operation,
        cites: write.cites.clone(),
    }
}
