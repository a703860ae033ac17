//! Whether more than one person had a part in it.

use std::collections::BTreeSet;

use super::asked::{Asked, NOBODYS};
use super::framework::{ISO_5_3, NIST_AC_5, PCI_6_5_4, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, open};
use super::sod_author_approves::counted;
use crate::story::claim::Identity;

/// Two people.
pub const CONTROL: Control = Control {
    id: "sod-two-people",
    condition: "two people",
    statement: "At least two people had a part in bringing the change to production: as author, approver, merger or initiator of its syncs.",
    asks: "Could one person alone have brought this to production?",
    fix: "Ask for a pull request with the approval of another on every branch that is deployed.",
    example: "Somebody pushes to the default branch, and an Application with automated sync deploys it.",
    limits: "People are counted, not accounts; bots count for nobody. Fewer than two are reported only where all accounts are mapped and the forge's deliveries are complete.",
    inputs: &[
        "github-webhook",
        "gitlab-webhook",
        "kubernetes-audit",
        "kubernetes-event-watch",
        "argocd-application-watch",
        "people map",
    ],
    relates: &[PCI_6_5_4, SOC2_CC8_1, ISO_5_3, NIST_AC_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    let parts: BTreeSet<&Identity> = asked
        .requesters()
        .into_iter()
        .chain(asked.approvers())
        .chain(asked.mergers())
        .chain(asked.syncers())
        .collect();
    let people: BTreeSet<&str> = parts.iter().filter_map(|who| who.person.as_deref()).collect();
    let said = people.iter().copied().collect::<Vec<_>>().join(", ");
    if people.len() >= 2 {
        return met(format!("{} people: {said}", people.len()));
    }
    if parts.iter().any(|who| who.person.is_none()) || asked.approvals().any(|r| r.who.is_none()) {
        return open(NOBODYS);
    }
    if asked.has_open_initiator() {
        return open("who started a sync of it is undetermined");
    }
    if asked.change.operations.is_empty() {
        return open("no operation of it is in the records");
    }
    if let Err(gap) = asked.operations_are_whole() {
        return open(format!("a sync of it may have been missed ({gap})"));
    }
    let reason = match people.first() {
        Some(only) => format!("{only} alone had every part in it that people had"),
        None => "no person had a part in it".to_owned(),
    };
    if asked.change.is_push() {
        return match asked.push_doubt() {
            Some(doubt) => open(doubt),
            None => super::model::not_met(reason).at(&asked.change.cites),
        };
    }
    counted(asked, reason)
}
