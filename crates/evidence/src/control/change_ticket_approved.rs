//! Whether the ticket was approved before the deployment.

use std::collections::BTreeSet;

use super::asked::{Asked, before, covers};
use super::framework::{ISO_8_32, NIST_CM_3, PCI_6_5_1, RTS_17_1_B, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, not_met, open};
use crate::channel::Channel;
use crate::story::change::{Ticket, TicketStep};
use crate::time::{Moment, Sequence};

/// The ticket was approved before the deployment.
pub const CONTROL: Control = Control {
    id: "change-ticket-approved",
    condition: "ticket approved before deployment",
    statement: "A ticket of the change was set to a status that means approval before something of it was deployed; and after the deployed content was there, unless the policy takes earlier approvals too.",
    asks: "Show me the approval of this change request, given before the change and for this very change.",
    fix: "Let the gate ask for an approved ticket before the merge, and ask again when commits are pushed.",
    example: "A pull request cites a ticket that nobody ever approved.",
    limits: "No ticket names a commit: that the approval came after the head was pushed is all that ties it to the content. A missing approval counts only where the tracker's records are complete from the push of the head to the deployment.",
    inputs: &[
        "jira-webhook",
        "github-webhook",
        "gitlab-webhook",
        "argocd-application-watch",
        "policy: statuses that mean approval",
    ],
    relates: &[PCI_6_5_1, SOC2_CC8_1, ISO_8_32, NIST_CM_3, RTS_17_1_B],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    if asked.change.tickets.is_empty() {
        return super::change_ticket_cited::assess(asked);
    }
    let Some(first) = asked.first_applied() else {
        return open("no operation applied a revision of it");
    };
    let mut reasons = Vec::new();
    for ticket in &asked.change.tickets {
        match judge(asked, ticket, &first) {
            Ok(answer) => return answer,
            Err(reason) => reasons.push(reason),
        }
    }
    let reason = reasons.join("; ");
    match tracker_is_whole(asked) {
        Ok(()) => not_met(reason).at(&asked.change.cites),
        Err(gap) => open(format!("{reason}; it may have been missed ({gap})")),
    }
}

/// An answer that needs no other ticket, or why this one is not approved.
fn judge(asked: &Asked<'_>, ticket: &Ticket, first: &Moment) -> Result<Answer, String> {
    let (key, settings) = (&ticket.key, asked.settings());
    let mut approvals: Vec<&TicketStep> =
        ticket.history.iter().filter(|s| settings.ticket_approved.contains(&s.status)).collect();
    approvals.sort_by_key(|s| s.at);
    if ticket.history.is_empty() {
        return Err(format!("no record of {key} was seen"));
    }
    let statuses: Vec<&str> = settings.ticket_approved.iter().map(String::as_str).collect();
    if approvals.is_empty() {
        return Err(format!("{key} was not seen set to {}", statuses.join(" or ")));
    }
    let content = content_at(asked);
    let mut why = None;
    for step in approvals {
        let early = settings.ticket_of_content.then(|| before(step.at, content)).flatten();
        match (before(step.at, Some(*first)), early) {
            (Some(Sequence::Before), Some(Sequence::Before)) => {
                why = Some(format!("{key} was approved before the deployed content was pushed"));
            }
            (Some(Sequence::Before), Some(Sequence::SameTime)) => {
                return Ok(open(format!(
                    "{key} was approved when its content was pushed, as far as clocks resolve"
                )));
            }
            (Some(Sequence::Before), _) => {
                return Ok(met(format!("{key} approved before it was deployed")).at(&step.cites));
            }
            (Some(Sequence::SameTime), _) => {
                return Ok(open(format!(
                    "{key} approved and deployed at the same time, as far as clocks resolve"
                )));
            }
            (Some(Sequence::After), _) => {
                why = why.or_else(|| Some(format!("{key} deployed before it was approved")));
            }
            (None, _) => return Ok(open("the records do not say when")),
        }
    }
    Err(why.unwrap_or_default())
}

/// When the merged head was pushed: no earlier approval can have been of it.
fn content_at(asked: &Asked<'_>) -> Option<Moment> {
    let merged = asked.change.merge.as_ref().and_then(|m| m.head.as_deref());
    let heads = &asked.change.heads;
    let head = heads.iter().find(|h| Some(h.commit.as_str()) == merged);
    head.or(heads.last()).and_then(|h| h.at)
}

/// Whether the tracker's records are complete from the push of the content to the deployment.
pub(super) fn tracker_is_whole(asked: &Asked<'_>) -> Result<(), String> {
    let from = if asked.settings().ticket_of_content {
        content_at(asked)
    } else {
        // An approval of any age counts: that there was none before the records begin is not known.
        return Err("a ticket may have been approved before the records begin".to_owned());
    };
    let channels = BTreeSet::from([Channel::JiraWebhook]);
    covers(asked.story(), &channels, [from, asked.first_applied()])
}
