//! Conditions: what one asks of a change, and what the records show of it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::duty::starter;
use crate::story::Story;
use crate::story::act::{Act, What};
use crate::story::change::{Change, Content};
use crate::story::claim::Identity;
use crate::story::operation::Operation;
use crate::time::{Moment, Sequence};

/// A condition and what the records show of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// What is asked.
    pub condition: &'static str,
    /// What the records show.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// What the records show of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Met.
    Met,
    /// Not met.
    NotMet,
    /// The records do not say.
    Undetermined,
}

struct Asked<'a> {
    story: &'a Story,
    change: &'a Change,
    syncs: Vec<&'a Operation>,
    pins: Vec<&'a Operation>,
}

/// The status that ends an approval in Jira's change-management template; another word is another
/// process, and then the answer is undetermined.
const APPROVED: &str = "Approved";

/// All conditions, in the order of a change.
pub(super) fn conditions(
    story: &Story,
    change: &Change,
    operations: &[Operation],
    pinned: &BTreeSet<(&str, u64)>,
) -> Vec<Condition> {
    let is_pin = |o: &&Operation| pinned.contains(&(o.app.name.as_str(), o.set.version().0));
    let (pins, syncs) = operations.iter().partition(is_pin);
    let asked = Asked { story, change, syncs, pins };
    let mut all = vec![
        ("proposal", asked.proposal()),
        ("approval by somebody else than the author", asked.approved_by_another()),
        ("approval of the merged head", asked.approved_head()),
        ("deployed content is approved content", asked.content()),
        ("merged after approval", asked.merged_after_approval()),
        ("deployed after the merge", asked.deployed_after_merge()),
        ("approver independent of implementer (every approver)", asked.independent()),
        ("ticket cited", asked.ticket_cited()),
        ("ticket status Approved before deployment", asked.ticket_approved()),
        ("initiator not contradicted", asked.initiators()),
        ("applied what the revision asks for", asked.applied()),
        ("no container restart in the new pods", asked.restarts()),
        ("no alert within 15 minutes", asked.alerts()),
    ];
    if asked.has_lower() {
        all.insert(3, ("same images ran in another environment before", asked.ran_before()));
    }
    let never = "no source of these records states it in a form that can be checked";
    for condition in ["tests before approval", "fall-back plan", "planned window"] {
        all.push((condition, (Verdict::Undetermined, never.to_owned())));
    }
    let condition = |(condition, (verdict, reason))| Condition { condition, verdict, reason };
    all.into_iter().map(condition).collect()
}

type Answer = (Verdict, String);

fn met(reason: impl Into<String>) -> Answer {
    (Verdict::Met, reason.into())
}

fn not_met(reason: impl Into<String>) -> Answer {
    (Verdict::NotMet, reason.into())
}

fn open(reason: impl Into<String>) -> Answer {
    (Verdict::Undetermined, reason.into())
}

fn name(who: &Identity) -> &str {
    who.person.as_deref().unwrap_or(&who.account)
}

/// Whether two accounts are of one person; `None` where the people map does not know one of them.
fn same(a: &Identity, b: &Identity) -> Option<bool> {
    match (&a.person, &b.person) {
        _ if a.account == b.account => Some(true),
        (Some(a), Some(b)) => Some(a == b),
        _ => None,
    }
}

impl Asked<'_> {
    fn proposal(&self) -> Answer {
        match self.change.number {
            Some(number) => met(format!("PR {number}")),
            None => not_met("pushed to the default branch without one"),
        }
    }

    fn approvers(&self) -> impl Iterator<Item = &Identity> {
        self.change.approved().filter_map(|r| r.who.as_ref())
    }

    fn approved_by_another(&self) -> Answer {
        if self.change.approved().next().is_none() {
            return not_met("no approval among the reviews that the forge sent");
        }
        let Some(author) = &self.change.author else {
            return open("the author is not in the records");
        };
        let mut unknown = false;
        for approver in self.approvers() {
            match same(author, approver) {
                Some(false) => return met(format!("{} approved", name(approver))),
                Some(true) => {}
                None => unknown = true,
            }
        }
        if unknown {
            open("an account belongs to nobody in the people map")
        } else {
            not_met("only the author approved")
        }
    }

    fn approved_head(&self) -> Answer {
        let approvals: Vec<_> = self.change.approved().collect();
        if approvals.is_empty() {
            return not_met("no approval");
        }
        if approvals.iter().any(|r| r.on_merged_head == Some(true)) {
            return met("an approval names the merged head");
        }
        if approvals.iter().all(|r| r.on_merged_head == Some(false)) {
            return not_met("every approval names an earlier head; commits were pushed after it");
        }
        open("the merged head or the reviewed one is not in the records")
    }

    fn content(&self) -> Answer {
        let mut answer = None;
        for deployed in self.change.operations.iter().filter(|d| d.applied && !d.again) {
            match &deployed.content {
                Content::NotApproved { .. } => {
                    let revision = short(deployed.revision.as_deref().unwrap_or_default());
                    return not_met(format!(
                        "{} deployed {revision}, which no approved head holds",
                        deployed.app.name
                    ));
                }
                Content::Undetermined { reason } => answer = Some(open(reason.clone())),
                Content::Approved { in_deployed_path: true, .. } => {
                    let reason = "the approved head differs from it in the deployed folder";
                    return not_met(reason);
                }
                Content::Approved { differs_in, .. } if !differs_in.is_empty() => {
                    answer = answer.or_else(|| {
                        let files = differs_in.join(", ");
                        Some(met(format!(
                            "they differ only in {files}, outside the deployed folder"
                        )))
                    });
                }
                Content::Approved { .. } | Content::Merged { .. } => {
                    answer =
                        answer.or_else(|| Some(met("the approved head, or what its merge left")));
                }
            }
        }
        answer.unwrap_or_else(|| open("no operation applied a revision of it"))
    }

    fn merged_after_approval(&self) -> Answer {
        let Some(merge) = &self.change.merge else { return open("no merge is in the records") };
        let times = self.change.approved().filter_map(|r| r.at);
        let Some(first) = times.min_by_key(Moment::latest) else { return not_met("no approval") };
        in_order(Some(first), merge.at, "approved", "merged")
    }

    fn deployed_after_merge(&self) -> Answer {
        let Some(merge) = &self.change.merge else { return open("no merge is in the records") };
        let starts =
            self.change.operations.iter().filter(|d| d.applied && !d.again).filter_map(|d| d.at);
        match starts.min_by_key(Moment::earliest) {
            Some(first) => in_order(merge.at, Some(first), "merged", "deployed"),
            None => open("no operation applied a revision of it"),
        }
    }

    fn independent(&self) -> Answer {
        let merger = self.change.merge.iter().filter_map(|m| m.who.as_ref());
        let syncs = self.syncs.iter().chain(&self.pins).filter_map(|o| starter(o));
        let implementers: Vec<&Identity> = merger.chain(syncs).collect();
        let (mut both, mut unknown) = (BTreeSet::new(), false);
        for approver in self.approvers() {
            for implementer in &implementers {
                match same(approver, implementer) {
                    Some(true) => drop(both.insert(name(approver))),
                    Some(false) => {}
                    None => unknown = true,
                }
            }
        }
        if self.change.approved().next().is_none() {
            return not_met("no approval");
        }
        if !both.is_empty() {
            let names: Vec<&str> = both.into_iter().collect();
            return not_met(format!(
                "{} approved and merged or synced (relates to RTS 2024/1774 Art. 17(1)(b))",
                names.join(", ")
            ));
        }
        if unknown {
            return open("an account belongs to nobody in the people map");
        }
        met("no approver merged or synced it")
    }

    fn ticket_cited(&self) -> Answer {
        let keys: Vec<&str> = self.change.tickets.iter().map(|t| t.key.as_str()).collect();
        if keys.is_empty() {
            not_met("no ticket key in its text or in an operation's info")
        } else {
            met(keys.join(", "))
        }
    }

    fn ticket_approved(&self) -> Answer {
        let starts =
            self.change.operations.iter().filter(|d| d.applied && !d.again).filter_map(|d| d.at);
        let first = starts.min_by_key(Moment::earliest);
        let mut reasons = Vec::new();
        for ticket in &self.change.tickets {
            let step = ticket.history.iter().find(|s| s.status == APPROVED);
            match step {
                Some(step) => {
                    return in_order(
                        step.at,
                        first,
                        &format!("{} approved", ticket.key),
                        "deployed",
                    );
                }
                None if ticket.history.is_empty() => {
                    reasons.push(format!("no record of {} was seen", ticket.key));
                }
                None => reasons.push(format!("{} was not set to {APPROVED}", ticket.key)),
            }
        }
        if self.change.tickets.is_empty() { not_met("no ticket") } else { open(reasons.join("; ")) }
    }

    fn initiators(&self) -> Answer {
        let all = self.syncs.iter().chain(&self.pins);
        let contradicted = all.clone().filter(|o| o.initiator.is_contradicted()).count();
        let undetermined = all.clone().filter(|o| o.initiator.is_undetermined()).count();
        if contradicted > 0 {
            not_met(format!("contradicted for {contradicted} of its operations"))
        } else if undetermined > 0 {
            open(format!("undetermined for {undetermined} of its operations"))
        } else if all.count() == 0 {
            open("no operation of it is in the records")
        } else {
            met("every initiator agrees with the record of the write")
        }
    }

    fn applied(&self) -> Answer {
        let first = || self.change.operations.iter().filter(|d| !d.again);
        match (first().count(), first().filter(|d| !d.applied).count()) {
            (0, _) => open("no operation of it is in the records"),
            (_, 0) => met("every sync of it touched resources"),
            (all, idle) if idle == all => not_met("no sync of it applied anything"),
            (all, idle) => met(format!(
                "{} of {all} syncs touched resources; {idle} applied nothing",
                all - idle
            )),
        }
    }

    fn restarts(&self) -> Answer {
        let pods: BTreeSet<&str> = self
            .change
            .rollouts
            .iter()
            .filter_map(|s| match &s.act.what {
                What::Rollout(rollout) => Some(rollout.pods.iter().map(String::as_str)),
                _ => None,
            })
            .flatten()
            .collect();
        if self.change.rollouts.is_empty() {
            return open("no rollout of it is in the records");
        }
        let restarted: Vec<&Act> = self.story.acts.iter().filter(|act| {
            matches!(&act.what, What::ContainerRestarts { pod, .. } if pods.contains(pod.as_str()))
        }).collect();
        if restarted.is_empty() {
            met("none seen")
        } else {
            not_met(format!("containers of {} of its pods restarted", restarted.len()))
        }
    }

    fn alerts(&self) -> Answer {
        let names: BTreeSet<&str> = self
            .change
            .alerts
            .iter()
            .filter(|s| !s.again)
            .filter_map(|s| match &s.act.what {
                What::Alert { name, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        let known = self.story.coverage.iter().any(|c| c.channel == "alertmanager-webhook");
        if !names.is_empty() {
            let names: Vec<&str> = names.into_iter().collect();
            not_met(format!("{}; that is a time, not a cause", names.join(", ")))
        } else if known {
            met("none was delivered")
        } else {
            open("no record of alertmanager-webhook")
        }
    }

    fn has_lower(&self) -> bool {
        !self.change.rollouts.is_empty()
    }

    /// The same images in a rollout of another Application before: images are tags or digests, so
    /// this corroborates and does not show identity.
    fn ran_before(&self) -> Answer {
        for step in &self.change.rollouts {
            let What::Rollout(own) = &step.act.what else { continue };
            let before = self.story.acts.iter().find(|act| {
                let same = matches!(&act.what, What::Rollout(r) if r.images == own.images && r.name == own.name);
                let earlier = act.at.zip(step.act.at).is_some_and(|(a, b)| a.sequence(&b) == Sequence::Before);
                same && earlier && act.app != step.act.app
            });
            match before {
                Some(act) => {
                    let app = act.app.as_deref().unwrap_or("another namespace");
                    return met(format!("{} ran in {app}", own.images.join(", ")));
                }
                None => {
                    return not_met(format!(
                        "no earlier rollout of {} elsewhere is in the records",
                        own.images.join(", ")
                    ));
                }
            }
        }
        open("no rollout of it is in the records")
    }
}

fn in_order(first: Option<Moment>, second: Option<Moment>, a: &str, b: &str) -> Answer {
    let Some((first, second)) = first.zip(second) else {
        return open("the records do not say when");
    };
    match first.sequence(&second) {
        Sequence::Before => met(format!("{a} before it was {b}")),
        Sequence::After => not_met(format!("{b} before it was {a}")),
        Sequence::SameTime => {
            open(format!("{a} and {b} at the same time, as far as clocks resolve"))
        }
    }
}

fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}
