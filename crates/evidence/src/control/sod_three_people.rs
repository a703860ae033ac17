//! Whether author, reviewer and releaser are three people.

use std::collections::BTreeSet;

use super::asked::{Among, Asked, NOBODYS, among, name};
use super::framework::{NIST_AC_5, PCI_6_2_3_1, RTS_17_1_B};
use super::model::{Answer, Control, Severity, met, open};
use super::sod_author_approves::{counted, no_approval};
use crate::story::claim::Identity;

/// Three people.
pub const CONTROL: Control = Control {
    id: "sod-three-people",
    condition: "three people: author, reviewer, releaser",
    statement: "Somebody reviewed the change who wrote none of it, and a third, neither author nor that reviewer, released it: by setting its ticket to approved, by a second approval, by merging or by syncing it.",
    asks: "Who, neither author nor reviewer, answers for the release of this change?",
    fix: "Keep review and release in different hands: a change manager approves the ticket, or a release team merges or syncs.",
    example: "The only reviewer merges, and the sync is automated.",
    limits: "Whom commits name takes away a reviewer's independence, and never makes a finding. An account in nobody's map leaves the answer undetermined unless three others are known.",
    inputs: &[
        "github-webhook",
        "gitlab-webhook",
        "git-commit",
        "jira-webhook",
        "kubernetes-audit",
        "kubernetes-event-watch",
        "argocd-application-watch",
        "people map",
    ],
    relates: &[PCI_6_2_3_1, RTS_17_1_B, NIST_AC_5],
    severity: Severity::Warning,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    if asked.change.is_push() {
        return super::sod_author_approves::assess(asked);
    }
    if asked.approvals().next().is_none() {
        return no_approval(asked);
    }
    if asked.change.author.is_none() {
        return open("the author is not in the records");
    }
    let writers: BTreeSet<&Identity> =
        asked.requesters().into_iter().chain(asked.named()).collect();
    let releasers: Vec<&Identity> = asked
        .ticket_approvers()
        .into_iter()
        .chain(asked.mergers())
        .chain(asked.syncers())
        .chain(asked.approvers())
        .collect();
    let mut unknown = writers.iter().any(|w| w.person.is_none());
    for reviewer in asked.approvers() {
        for releaser in &releasers {
            let apart = [
                among(reviewer, writers.iter().copied()),
                among(releaser, writers.iter().copied()),
                among(reviewer, [*releaser]),
            ];
            if apart == [Among::No; 3] {
                let (by, then) = (name(reviewer), name(releaser));
                return met(format!("{by} reviewed, {then} released"));
            }
            unknown |= apart.contains(&Among::Open) && !apart.contains(&Among::Yes);
        }
    }
    if unknown || asked.approvals().any(|r| r.who.is_none()) {
        return open(NOBODYS);
    }
    if asked.has_open_initiator() {
        return open("who started a sync of it is undetermined");
    }
    let requesters = asked.requesters();
    let by_word =
        asked.named().into_iter().any(|n| among(n, requesters.iter().copied()) != Among::Yes);
    if by_word {
        return open("commits name others as authors, by their own word");
    }
    if let Err(gap) = asked.operations_are_whole() {
        return open(format!("a sync of it may have been missed ({gap})"));
    }
    if let Err(gap) = tickets_whole(asked) {
        return open(format!("a ticket's approval may have been missed ({gap})"));
    }
    counted(asked, "no third person reviewed or released it".to_owned())
}

fn tickets_whole(asked: &Asked<'_>) -> Result<(), String> {
    if asked.change.tickets.is_empty() {
        return Ok(());
    }
    super::change_ticket_approved::tracker_is_whole(asked)
}
