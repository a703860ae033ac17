//! One change, as controls ask about it: who had which part, and what is covered.

use std::collections::{BTreeMap, BTreeSet};

use super::inputs::Inputs;
use super::settings::Settings;
use crate::channel::Channel;
use crate::story::Story;
use crate::story::act::What;
use crate::story::change::{Change, Deployed, Review};
use crate::story::claim::Identity;
use crate::story::coverage;
use crate::story::initiator::Initiator;
use crate::story::operation::Operation;
use crate::time::{Moment, Sequence};

pub(super) const NOBODYS: &str = "an account belongs to nobody in the people map";

/// A change with its operations, under settings.
pub struct Asked<'a> {
    /// What controls read.
    pub inputs: Inputs<'a>,
    /// The change.
    pub change: &'a Change,
    /// The operations that deployed it.
    pub syncs: Vec<&'a Operation>,
    /// The operations that moved its pins.
    pub pins: Vec<&'a Operation>,
}

impl<'a> Asked<'a> {
    /// Looks a change's operations up.
    pub fn of(inputs: Inputs<'a>, change: &'a Change) -> Self {
        let pinned: BTreeSet<(&str, u64)> = change
            .pins
            .iter()
            .filter_map(|p| p.by.as_ref().map(|(name, version)| (name.as_str(), version.0)))
            .collect();
        let deployed: BTreeSet<(&str, u64)> =
            change.operations.iter().map(|d| (d.app.name.as_str(), d.version.0)).collect();
        let (mut syncs, mut pins) = (Vec::new(), Vec::new());
        for operation in &inputs.story.operations {
            let key = (operation.app.name.as_str(), operation.set.version().0);
            if pinned.contains(&key) {
                pins.push(operation);
            } else if deployed.contains(&key) {
                syncs.push(operation);
            }
        }
        Self { inputs, change, syncs, pins }
    }

    pub(super) fn story(&self) -> &'a Story {
        self.inputs.story
    }

    pub(super) fn settings(&self) -> &'a Settings {
        self.inputs.settings
    }

    /// The syncs of it and of its pins.
    pub(super) fn operations(&self) -> impl Iterator<Item = &'a Operation> {
        self.syncs.iter().chain(&self.pins).copied()
    }

    /// Its first deployments that applied something, without those that brought it back.
    pub(super) fn applied(&self) -> impl Iterator<Item = &'a Deployed> {
        self.change.operations.iter().filter(|d| d.applied && !d.again)
    }

    /// When something of it was applied first.
    pub(super) fn first_applied(&self) -> Option<Moment> {
        self.applied().filter_map(|d| d.at).min_by_key(Moment::earliest)
    }

    /// Who asked for it and who pushed to it: accounts that the forge authenticated.
    pub(super) fn requesters(&self) -> BTreeSet<&'a Identity> {
        let pushers = self.change.heads.iter().filter_map(|h| h.who.as_ref());
        self.change.author.iter().chain(pushers).filter(|who| self.is_human(who)).collect()
    }

    /// Whom its commits name as author, committer or co-author: the word of whoever made them.
    pub(super) fn named(&self) -> BTreeSet<&'a Identity> {
        let named = self
            .change
            .commits
            .iter()
            .flat_map(|c| c.author.iter().chain(&c.committer).chain(&c.co_authors));
        named.filter(|who| self.is_human(who)).collect()
    }

    /// The approvals of humans that were not taken back.
    pub(super) fn approvals(&self) -> impl Iterator<Item = &'a Review> {
        let human = |r: &&Review| r.who.as_ref().is_none_or(|who| self.is_human(who));
        self.change.approved().filter(human)
    }

    /// Who approved.
    pub(super) fn approvers(&self) -> impl Iterator<Item = &'a Identity> {
        self.approvals().filter_map(|r| r.who.as_ref())
    }

    /// Who merged it, or pushed it to the branch.
    pub(super) fn mergers(&self) -> Vec<&'a Identity> {
        let merger = self.change.merge.iter().filter_map(|m| m.who.as_ref());
        let pusher = self.change.author.iter().filter(|_| self.change.is_push());
        merger.chain(pusher).filter(|who| self.is_human(who)).collect()
    }

    /// Who synced it or its pins.
    pub(super) fn syncers(&self) -> impl Iterator<Item = &'a Identity> {
        self.operations().filter_map(starter).filter(|who| self.is_human(who))
    }

    /// Who set a ticket of it to a status that means its approval.
    pub(super) fn ticket_approvers(&self) -> Vec<&'a Identity> {
        let approved = &self.settings().ticket_approved;
        let steps = self.change.tickets.iter().flat_map(|t| &t.history);
        let approving = steps.filter(|s| approved.contains(&s.status));
        approving.filter_map(|s| s.who.as_ref()).filter(|who| self.is_human(who)).collect()
    }

    /// Whether an account may be a human's. Bots never are: accounts of software by their form,
    /// logins that a forge keeps for its apps, and those that the policy names.
    pub(super) fn is_human(&self, who: &Identity) -> bool {
        !is_bot(who, self.settings())
    }

    /// Whether it is not known who started one of its operations.
    pub(super) fn has_open_initiator(&self) -> bool {
        self.operations().any(|o| o.initiator.is_undetermined())
    }

    /// Whether a review or a merge of it that is not in the records was never sent.
    pub(super) fn forge_is_whole(&self) -> Result<(), String> {
        let Some(merge) = &self.change.merge else {
            return Err("no merge of it is in the records".to_owned());
        };
        if self.change.author.is_none() || self.change.heads.is_empty() {
            return Err("its opening is not in the records".to_owned());
        }
        let channels: BTreeSet<Channel> =
            self.change.cites.iter().map(|c| c.channel).filter(|c| is_forge(*c)).collect();
        covers(self.story(), &channels, [self.change.at, merge.at])
    }

    /// Whether an operation of it that is not in the records was never there.
    pub(super) fn operations_are_whole(&self) -> Result<(), String> {
        let last = self.change.operations.iter().filter_map(|d| d.at).max_by_key(Moment::latest);
        let channels = BTreeSet::from([Channel::ArgocdApplicationWatch]);
        covers(self.story(), &channels, [self.change.at, last])
    }

    /// Why a push past proposals may have had one.
    pub(super) fn push_doubt(&self) -> Option<String> {
        let id = self.change.heads.first().map(|h| h.commit.as_str())?;
        let act = self
            .story()
            .acts
            .iter()
            .find(|act| matches!(&act.what, What::DirectPush { commit, .. } if commit == id))?;
        let doubts = crate::story::PUSH_DOUBTS;
        act.notes.iter().find(|note| doubts.iter().any(|d| note.starts_with(d))).cloned()
    }
}

const fn is_forge(channel: Channel) -> bool {
    matches!(channel, Channel::GithubWebhook | Channel::GitlabWebhook)
}

/// Whether an account is no human's.
pub(super) fn is_bot(who: &Identity, settings: &Settings) -> bool {
    // GitHub keeps the ending for its apps: no user may choose a login with brackets.
    who.is_machine() || settings.bots.contains(&who.account) || who.account.ends_with("[bot]")
}

/// Whether channels were complete at moments, so that what they do not tell did not happen there.
pub(super) fn covers(
    story: &Story,
    channels: &BTreeSet<Channel>,
    moments: [Option<Moment>; 2],
) -> Result<(), String> {
    if channels.is_empty() {
        return Err("no record of the channel".to_owned());
    }
    for channel in channels {
        let coverage = coverage::of(&story.coverage, *channel);
        let coverage = coverage.ok_or_else(|| format!("no record of {channel}"))?;
        for moment in &moments {
            coverage.at(moment.as_ref()).map_err(|reason| format!("{channel}: {reason}"))?;
        }
    }
    Ok(())
}

/// Who started an operation: of a contradicted one the account that wrote it.
pub(crate) fn starter(operation: &Operation) -> Option<&Identity> {
    match &operation.initiator {
        Initiator::Determined { who, .. } | Initiator::Machine { who, .. } => Some(who),
        Initiator::Contradicted { writer, .. } => Some(writer.acting()),
        Initiator::Automated { .. } | Initiator::Undetermined { .. } => None,
    }
}

/// A person's id, or the account when nobody is known to own it.
pub(super) fn name(who: &Identity) -> &str {
    who.person.as_deref().unwrap_or(&who.account)
}

/// Names, each once, sorted.
pub(super) fn names<'i>(all: impl IntoIterator<Item = &'i Identity>) -> String {
    let names: BTreeSet<&str> = all.into_iter().map(name).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// Whether two accounts are of one person; `None` where the people map does not know one of them.
pub(super) fn same(a: &Identity, b: &Identity) -> Option<bool> {
    match (&a.person, &b.person) {
        _ if a.account == b.account => Some(true),
        (Some(a), Some(b)) => Some(a == b),
        _ => None,
    }
}

/// How somebody stands to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Among {
    /// One of them.
    Yes,
    /// None of them.
    No,
    /// An account on either side belongs to nobody.
    Open,
}

/// Whether somebody is one of some accounts' persons.
pub(super) fn among<'i>(who: &Identity, all: impl IntoIterator<Item = &'i Identity>) -> Among {
    let mut among = Among::No;
    for other in all {
        match same(who, other) {
            Some(true) => return Among::Yes,
            Some(false) => {}
            None => among = Among::Open,
        }
    }
    among
}

/// The environment of each Application, by its name.
pub(super) fn environments(story: &Story) -> BTreeMap<&str, &str> {
    story
        .operations
        .iter()
        .filter_map(|o| Some((o.app.name.as_str(), o.app.environment.as_deref()?)))
        .collect()
}

/// Whether `a` came before `b`, for a sentence.
pub(super) fn before(a: Option<Moment>, b: Option<Moment>) -> Option<Sequence> {
    a.zip(b).map(|(a, b)| a.sequence(&b))
}

/// An answer from the order of two moments: met where the first came before the second.
pub(super) fn in_order(
    first: Option<Moment>,
    second: Option<Moment>,
    a: &str,
    b: &str,
) -> super::model::Answer {
    use super::model::{met, not_met, open};
    match before(first, second) {
        None => open("the records do not say when"),
        Some(Sequence::Before) => met(format!("{a} before it was {b}")),
        Some(Sequence::After) => not_met(format!("{b} before it was {a}")),
        Some(Sequence::SameTime) => {
            open(format!("{a} and {b} at the same time, as far as clocks resolve"))
        }
    }
}

/// The first digits of a commit.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}
