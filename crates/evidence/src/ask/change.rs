//! `change`: one change, who had which part in it, and which conditions the records show met.
//!
//! A condition is met, not met or undetermined, each with the reason. What a condition is worth is
//! for the reader's policy; nothing here says that a change was right.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use self::duty::{DUTIES, Duty, Part};
pub use crate::control::Verdict;
use crate::control::{self, Inputs, Settings};
use crate::record::Cite;
use crate::story::Story;
use crate::story::act::What;
use crate::story::change::Change;
use crate::story::change::population::Transition;
use crate::story::commit::CommitSeen;
use crate::story::effect::Effect;
use crate::story::operation::Operation;
use crate::story::wire::Cites;

mod duty;

/// The version of a change's JSON. A reader must refuse a version it does not know.
pub const VERSION: u32 = 1;

/// One change, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeView {
    /// The version of this shape: [`VERSION`].
    pub change_view: u32,
    /// The change.
    pub change: Change,
    /// The operations that it consists of or that moved its pins, in full.
    pub operations: Vec<Operation>,
    /// Who had which part, counted in people where the people map knows them.
    pub duties: Vec<Part>,
    /// What the records show met, not met and undetermined.
    pub conditions: Vec<Condition>,
    /// The commits of its heads, its merge and what was deployed of it.
    pub commits: Vec<CommitSeen>,
    /// What its operations wrote and what was measured around them.
    pub effects: Vec<Effect>,
    /// What is worth knowing and no condition.
    pub noted: Vec<String>,
}

/// A condition and what the records show of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Condition {
    /// What is asked.
    pub condition: &'static str,
    /// The control that asks it; `countersign explain` tells it in full.
    pub control: &'static str,
    /// What the records show.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// A proposal's number, in any repository.
    Proposal(u64),
    /// A commit, or the beginning of one of at least seven digits.
    Commit(String),
    /// A ticket's key.
    Ticket(String),
    /// An operation, as `application@version`.
    Operation(String, u64),
    /// A record.
    Record(Cite),
    /// A change's id.
    Id(String),
}

impl Selector {
    /// Reads `pr:N`, `operation:app@version`, a ticket's key, a commit or a change's id.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(number) = text.strip_prefix("pr:").and_then(|n| n.parse().ok()) {
            return Some(Self::Proposal(number));
        }
        if text.starts_with("pr:") || text.starts_with("push:") {
            return Some(Self::Id(text.to_owned()));
        }
        if let Some((app, version)) =
            text.strip_prefix("operation:").and_then(|o| o.split_once('@'))
        {
            return version.parse().ok().map(|v| Self::Operation(app.to_owned(), v));
        }
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        if (7..=40).contains(&text.len()) && hex {
            return Some(Self::Commit(text.to_ascii_lowercase()));
        }
        let key = text
            .split_once('-')
            .is_some_and(|(project, number)| !project.is_empty() && number.parse::<u64>().is_ok());
        key.then(|| Self::Ticket(text.to_owned()))
    }

    fn fits(&self, change: &Change) -> bool {
        match self {
            Self::Proposal(number) => change.number == Some(*number),
            Self::Id(id) => change.id == *id,
            Self::Ticket(key) => change.tickets.iter().any(|t| t.key == *key),
            Self::Commit(commit) => {
                let merged = change.merge.as_ref().and_then(|m| m.commit.as_deref());
                let heads = change.heads.iter().map(|h| h.commit.as_str());
                let deployed = change.operations.iter().filter_map(|d| d.revision.as_deref());
                heads.chain(merged).chain(deployed).any(|c| c.starts_with(commit.as_str()))
            }
            Self::Operation(app, version) => {
                let is = |name: &str, at: u64| name == app && at == *version;
                change.operations.iter().any(|d| is(&d.app.name, d.version.0))
                    || change
                        .pins
                        .iter()
                        .any(|p| p.by.as_ref().is_some_and(|(name, at)| is(name, at.0)))
            }
            Self::Record(cite) => cites(change).any(|c| c == cite),
        }
    }
}

/// Every record that a change cites.
pub(crate) fn cites(change: &Change) -> impl Iterator<Item = &Cite> {
    let heads = change.heads.iter().map(|h| &h.cites);
    let reviews = change.reviews.iter().map(|r| &r.cites);
    let tickets = change.tickets.iter().flat_map(|t| t.history.iter().map(|s| &s.cites));
    let operations = change.operations.iter().map(|d| &d.cites);
    let pins = change.pins.iter().map(|p| &p.cites);
    let steps = change.rollouts.iter().chain(&change.alerts).map(|s| &s.act.cites);
    let own = [&change.cites].into_iter().chain(change.merge.as_ref().map(|m| &m.cites));
    let all = own.chain(heads).chain(reviews).chain(tickets).chain(operations);
    all.chain(pins).chain(steps).flat_map(Cites::iter)
}

/// The changes that a selector names, in order of time.
pub fn find<'s>(story: &'s Story, selector: &Selector) -> Vec<&'s Change> {
    story.changes.iter().filter(|c| selector.fits(c)).collect()
}

/// The transition that a selector names and that belongs to no change.
pub fn outside<'s>(story: &'s Story, selector: &Selector) -> Option<&'s Transition> {
    let revision_of = |transition: &Transition| {
        let named =
            |o: &&Operation| transition.what == format!("{}@{}", o.app.name, o.set.version());
        story.operations.iter().find(named).and_then(|o| o.revision.as_deref())
    };
    story.population.iter().find(|transition| match selector {
        Selector::Operation(app, version) => transition.what == format!("{app}@{version}"),
        Selector::Record(cite) => transition.cites.iter().any(|c| c == cite),
        Selector::Commit(commit) => {
            revision_of(transition).is_some_and(|r| r.starts_with(commit.as_str()))
        }
        _ => false,
    })
}

/// A transition that belongs to no change, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TransitionView {
    /// The version of this shape: [`VERSION`].
    pub transition_view: u32,
    /// The transition.
    pub transition: Transition,
}

impl From<&Transition> for TransitionView {
    fn from(transition: &Transition) -> Self {
        Self { transition_view: VERSION, transition: transition.clone() }
    }
}

/// Shows one change, judged without a policy: by default settings.
pub fn show(story: &Story, change: &Change) -> ChangeView {
    show_under(Inputs::new(story, &Settings::default()), change)
}

/// Shows one change, judged by what a policy and other sources say.
pub fn show_under(inputs: Inputs<'_>, change: &Change) -> ChangeView {
    let story = inputs.story;
    let deployed: BTreeSet<(&str, u64)> =
        change.operations.iter().map(|d| (d.app.name.as_str(), d.version.0)).collect();
    let pinned: BTreeSet<(&str, u64)> = change
        .pins
        .iter()
        .filter_map(|p| p.by.as_ref().map(|(name, version)| (name.as_str(), version.0)))
        .collect();
    let of = |o: &&Operation| {
        let key = (o.app.name.as_str(), o.set.version().0);
        deployed.contains(&key) || pinned.contains(&key)
    };
    let operations: Vec<Operation> = story.operations.iter().filter(of).cloned().collect();
    let duties = duty::parts(change, &operations, &pinned);
    let conditions = control::of_change(inputs, change)
        .into_iter()
        .map(|(control, answer)| Condition {
            condition: control.condition,
            control: control.id,
            verdict: answer.verdict,
            reason: answer.reason,
        })
        .collect();
    let commits = commits(story, change);
    let noted = noted(change, &duties, &commits);
    let own = |e: &&Effect| {
        change.operations.iter().any(|d| d.app.uid == e.uid && d.version == e.version)
    };
    let effects = story.effects.iter().filter(own).cloned().collect();
    ChangeView {
        change_view: VERSION,
        change: change.clone(),
        operations,
        duties,
        conditions,
        commits,
        effects,
        noted,
    }
}

fn commits(story: &Story, change: &Change) -> Vec<CommitSeen> {
    let heads = change.heads.iter().map(|h| h.commit.as_str());
    let merged = change.merge.iter().filter_map(|m| m.commit.as_deref());
    let deployed = change.operations.iter().filter_map(|d| d.revision.as_deref());
    let ids: BTreeSet<&str> = heads.chain(merged).chain(deployed).collect();
    story.commits.iter().filter(|c| ids.contains(c.id.as_str())).cloned().collect()
}

fn noted(change: &Change, duties: &[Part], commits: &[CommitSeen]) -> Vec<String> {
    let mut noted = Vec::new();
    for part in duties.iter().filter(|p| p.duties.len() > 1) {
        let words: Vec<&str> = part.duties.iter().copied().map(Duty::word).collect();
        noted.push(format!("{} had several parts: {}", part.who, words.join(", ")));
    }
    let unmapped = duties.iter().filter(|p| p.person.is_none()).count();
    if unmapped > 0 {
        noted.push(format!(
            "{unmapped} of the accounts belong to nobody in the people map: how many people took \
             part is undetermined"
        ));
    }
    let dismissed = change.reviews.iter().filter(|r| r.state == "dismissed").count();
    if dismissed > 0 {
        noted.push(format!("{dismissed} reviews were dismissed"));
    }
    let told = || commits.iter().filter_map(|c| c.signature.as_deref());
    let unsigned = told().filter(|s| *s == "none").count();
    match (told().count(), unsigned) {
        (0, _) => noted.push("whether commits are signed is not in the records".to_owned()),
        (_, 0) => noted.push("commits signed; the signatures were not verified here".to_owned()),
        (all, none) if all == none => noted.push("commits unsigned".to_owned()),
        (all, none) => noted.push(format!("{none} of {all} commits unsigned")),
    }
    noted
}

/// Changes and transitions, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeList {
    /// The version of this shape: [`VERSION`].
    pub change_list: u32,
    /// The changes, in order of time.
    pub changes: Vec<Change>,
    /// How many transitions there are, by class.
    pub population: BTreeMap<&'static str, usize>,
    /// How many that makes: the sum of the classes.
    pub transitions: usize,
    /// Transitions outside git, counted by reason.
    pub outside_git: BTreeMap<String, usize>,
    /// Changes that were merged and of which no operation was seen.
    pub merged_not_deployed: Vec<String>,
    /// Tickets that changed their status and that no change cites.
    pub tickets_unused: Vec<String>,
}

/// Lists changes of an environment, or of all.
pub fn list(story: &Story, environment: Option<&str>) -> ChangeList {
    use crate::story::change::population::Class;
    let wanted = |of: Option<&str>| environment.is_none() || of == environment;
    let mut population = BTreeMap::new();
    let mut outside_git = BTreeMap::new();
    let transitions: Vec<_> =
        story.population.iter().filter(|t| wanted(t.environment.as_deref())).collect();
    for transition in &transitions {
        *population.entry(transition.class.word()).or_insert(0) += 1;
        if let Class::OutsideGit { reason } = &transition.class {
            *outside_git.entry(reason.clone()).or_insert(0) += 1;
        }
    }
    let touches = |c: &&Change| {
        environment.is_none()
            || c.operations.iter().any(|d| d.app.environment.as_deref() == environment)
    };
    let changes: Vec<Change> = story.changes.iter().filter(touches).cloned().collect();
    let merged = story.changes.iter().filter(|c| c.merge.is_some() || c.is_push());
    let idle = merged.filter(|c| c.operations.is_empty()).map(|c| c.id.clone()).collect();
    let cited: BTreeSet<&str> =
        story.changes.iter().flat_map(|c| c.tickets.iter().map(|t| t.key.as_str())).collect();
    let tickets: BTreeSet<&str> = story
        .acts
        .iter()
        .filter_map(|act| match &act.what {
            What::TicketStatus { key, .. } => Some(key.as_str()),
            _ => None,
        })
        .collect();
    ChangeList {
        change_list: VERSION,
        changes,
        population,
        transitions: transitions.len(),
        outside_git,
        merged_not_deployed: idle,
        tickets_unused: tickets.difference(&cited).map(|k| (*k).to_owned()).collect(),
    }
}

impl ChangeView {
    /// How many conditions have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.conditions.iter().filter(|c| c.verdict == verdict).count()
    }
}

#[cfg(test)]
mod tests {
    use super::Selector;

    #[test]
    fn selectors_are_told_apart() {
        let commit = Selector::Commit("f885d773".to_owned());
        let table = [
            ("pr:103", Some(Selector::Proposal(103))),
            ("pr:a/b#3", Some(Selector::Id("pr:a/b#3".to_owned()))),
            ("F885D773", Some(commit)),
            ("CHG-2041", Some(Selector::Ticket("CHG-2041".to_owned()))),
            ("operation:web@17", Some(Selector::Operation("web".to_owned(), 17))),
            ("operation:web", None),
            ("nonsense", None),
        ];
        for (text, expected) in table {
            assert_eq!(Selector::parse(text), expected, "{text}");
        }
    }
}
