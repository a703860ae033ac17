//! Whether somebody approved who wrote none of it.

use super::asked::{Among, Asked, NOBODYS, among, name, names};
use super::framework::{ISO_5_3, NIST_AC_5, PCI_6_2_3_1, PCI_6_5_4, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, not_met, open};

/// Approval by another than the author.
pub const CONTROL: Control = Control {
    id: "sod-author-approves",
    condition: "approval by somebody else than the author",
    statement: "Somebody approved the change who neither asked for it, nor pushed to it, nor stands in its commits as author, committer or co-author.",
    asks: "Who, other than the people who wrote it, looked at this change before it was merged?",
    fix: "Have it approved by somebody who wrote none of it, and let the forge refuse approvals of the last pusher.",
    example: "A developer pushes a commit to a colleague's pull request and approves the request.",
    limits: "Accounts are counted as people through the people map; an account that it does not list leaves the answer undetermined. Whom a commit names is the word of whoever made it: it takes away an approver's independence, and never makes a finding. A missing approval counts only where the forge's deliveries are complete.",
    inputs: &["github-webhook", "gitlab-webhook", "git-commit", "people map"],
    relates: &[PCI_6_2_3_1, PCI_6_5_4, SOC2_CC8_1, ISO_5_3, NIST_AC_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    if asked.change.is_push() {
        return match asked.push_doubt() {
            Some(doubt) => open(doubt),
            None => not_met("pushed without a proposal, so nobody approved"),
        }
        .at(&asked.change.cites);
    }
    if asked.approvals().next().is_none() {
        return no_approval(asked);
    }
    let requesters = asked.requesters();
    if asked.change.author.is_none() {
        return open("the author is not in the records");
    }
    let named = asked.named();
    let (mut unknown, mut by_word) = (asked.approvals().any(|r| r.who.is_none()), None);
    for approver in asked.approvers() {
        match (among(approver, requesters.iter().copied()), among(approver, named.iter().copied()))
        {
            (Among::No, Among::No) => return met(format!("{} approved", name(approver))),
            (Among::No, Among::Yes) => by_word = Some(name(approver)),
            (Among::Open, _) | (_, Among::Open) => unknown = true,
            (Among::Yes, _) => {}
        }
    }
    if unknown {
        return open(NOBODYS);
    }
    if let Some(name) = by_word {
        return open(format!("a commit names {name}, who approved it: by the commit's own word"));
    }
    let only = format!("only {} approved, who wrote it", names(asked.approvers()));
    counted(asked, only)
}

/// The answer where no approval is in the records.
pub(super) fn no_approval(asked: &Asked<'_>) -> Answer {
    counted(asked, "no approval among the reviews that the forge sent".to_owned())
}

/// Not met, where the forge's deliveries are complete.
pub(super) fn counted(asked: &Asked<'_>, reason: String) -> Answer {
    match asked.forge_is_whole() {
        Ok(()) => not_met(reason).at(&asked.change.cites),
        Err(gap) => open(format!("{reason}; more may have been missed ({gap})")),
    }
}
