//! Whether approvers are independent of those who ask and those who carry out.

use std::collections::BTreeSet;

use super::asked::{Among, Asked, NOBODYS, among, name};
use super::framework::{ISO_5_3, NIST_AC_5, RTS_17_1_B, RTS_21_B, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, not_met, open};
use super::settings::Independent;
use super::sod_author_approves::{counted, no_approval};
use crate::story::claim::Identity;

/// Approver independent of requester and implementer.
pub const CONTROL: Control = Control {
    id: "sod-approver-independent",
    condition: "approver independent of requester and implementer",
    statement: "Who approved neither asked for the change nor merged or synced it: every approver, or at least one, as the policy says. Without a policy it is every approver.",
    asks: "Were the people who approved this change independent of those who asked for it and of those who put it into production?",
    fix: "Let people merge and sync who did not approve, or say in the policy that one independent approver is enough.",
    example: "A member of the on-call team approves a pull request and then syncs it to production.",
    limits: "An automated sync has no implementer of its own: then who merged it is the implementer. Where it is not determined who started a sync, independence is undetermined.",
    inputs: &[
        "github-webhook",
        "gitlab-webhook",
        "kubernetes-audit",
        "kubernetes-event-watch",
        "argocd-application-watch",
        "people map",
        "policy: independent approvers",
    ],
    relates: &[RTS_17_1_B, RTS_21_B, SOC2_CC8_1, ISO_5_3, NIST_AC_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    if asked.change.is_push() {
        return super::sod_author_approves::assess(asked);
    }
    if asked.approvals().next().is_none() {
        return no_approval(asked);
    }
    let requesters = asked.requesters();
    let implementers: BTreeSet<&Identity> =
        asked.mergers().into_iter().chain(asked.syncers()).collect();
    let (mut asked_too, mut carried_out, mut unknown, mut free) = (none(), none(), false, none());
    for approver in asked.approvers() {
        let asks = among(approver, requesters.iter().copied());
        let does = among(approver, implementers.iter().copied());
        if asks == Among::Yes {
            asked_too.insert(name(approver));
        }
        if does == Among::Yes {
            carried_out.insert(name(approver));
        }
        match (asks, does) {
            (Among::Yes, _) | (_, Among::Yes) => {}
            (Among::No, Among::No) => drop(free.insert(name(approver))),
            _ => unknown = true,
        }
    }
    let said = said(&asked_too, &carried_out);
    let blind = unknown || asked.approvals().any(|r| r.who.is_none());
    let open_ended =
        asked.has_open_initiator().then_some("who started a sync of it is undetermined");
    match asked.settings().independent {
        Independent::Every if !said.is_empty() => {
            let every = Independent::Every.word();
            not_met(format!("{said}; asked of {every}")).at(&asked.change.cites)
        }
        Independent::AtLeastOne if !free.is_empty() && open_ended.is_none() => {
            met(format!("{} neither asked for it nor merged or synced it", list(&free)))
        }
        _ if blind => open(NOBODYS),
        _ if open_ended.is_some() => open(open_ended.unwrap_or_default()),
        Independent::Every => met("no approver asked for it, merged or synced it"),
        Independent::AtLeastOne => counted(asked, said),
    }
}

fn said(asked_too: &BTreeSet<&str>, carried_out: &BTreeSet<&str>) -> String {
    let mut parts = Vec::new();
    if !carried_out.is_empty() {
        parts.push(format!(
            "{} approved and merged or synced (relates to RTS 2024/1774 Art. 17(1)(b))",
            list(carried_out)
        ));
    }
    if !asked_too.is_empty() {
        parts.push(format!("{} approved and asked for it", list(asked_too)));
    }
    parts.join("; ")
}

fn list(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

const fn none<'a>() -> BTreeSet<&'a str> {
    BTreeSet::new()
}
