//! Changes: from a commit to what ran, each step with the rule that links it and how far it carries.
//!
//! ```text
//! commits ─► proposal ─► reviews ─► ticket ─► merge ─► promotion ─► operation ─► rollout ─► alerts
//! ```
//!
//! A change is a proposal, or a push without one, and what followed from it. An operation belongs
//! to the change whose commits hold the deployed revision; it belongs to one change or to none. A
//! ticket is cited by changes and never makes two of them one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Around;
use super::act::{Act, What};
use super::claim::Identity;
use super::operation::{AppRef, Operation};
use super::wire::Cites;
use crate::parse::ResourceVersion;
use crate::time::Moment;

pub mod commits;
pub mod content;
mod followed;
mod link;
mod pins;
pub mod population;

pub use self::commits::CommitBy;
pub use self::content::Content;
pub(crate) use self::link::ALERT_WINDOW_SECONDS;

/// The version of the linking rules: an edge names it, so that a later answer can differ openly.
pub const RULES: u32 = 1;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// `pr:<repository>#<number>` or `push:<commit>`.
    pub id: String,
    /// The repository, when the forge named it.
    pub repository: Option<String>,
    /// The proposal's number.
    pub number: Option<u64>,
    /// The proposal's title, or the first line of the commit's message.
    pub title: Option<String>,
    /// Who asked for it: the proposal's author, or who pushed.
    pub author: Option<Identity>,
    /// When it was opened or pushed.
    pub at: Option<Moment>,
    /// The heads that the proposal had, oldest first.
    pub heads: Vec<Head>,
    /// Its commits, as far as records tell of them, by their ids.
    pub commits: Vec<CommitBy>,
    /// Whether these are all of its commits, each with the files that it changes.
    pub commits_whole: bool,
    /// Reviews, in order of time.
    pub reviews: Vec<Review>,
    /// Tickets that it cites.
    pub tickets: Vec<Ticket>,
    /// How it got onto the branch.
    pub merge: Option<Merge>,
    /// Operations that deployed a revision of it.
    pub operations: Vec<Deployed>,
    /// Operations that made a revision of it the one to be deployed: syncs of the parent
    /// Application that moved a pin.
    pub pins: Vec<Pin>,
    /// Rollouts of the same images of the same workload elsewhere, the last before each of its own.
    pub elsewhere: Vec<Step>,
    /// Rollouts that its operations brought about.
    pub rollouts: Vec<Step>,
    /// Alerts about its Applications that fired within the window after it.
    pub alerts: Vec<Step>,
    /// What links these, each with its rule.
    pub edges: Vec<Edge>,
    /// The records that show the change itself.
    pub cites: Cites,
}

/// A head of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Head {
    /// The commit.
    pub commit: String,
    /// When the proposal got it.
    pub at: Option<Moment>,
    /// Who pushed it.
    pub who: Option<Identity>,
    /// The records that show it.
    pub cites: Cites,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Review {
    /// Who reviewed.
    pub who: Option<Identity>,
    /// `approved`, `changes_requested`, `commented` or `dismissed`.
    pub state: String,
    /// The head that was reviewed.
    pub commit: Option<String>,
    /// Whether that was the head that was merged; `None` when one of both is not known.
    pub on_merged_head: Option<bool>,
    /// When it was.
    pub at: Option<Moment>,
    /// The records that show it.
    pub cites: Cites,
}

/// A ticket that a change cites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ticket {
    /// Its key.
    pub key: String,
    /// Where it is cited: `proposal`, `operation`.
    pub cited_in: BTreeSet<String>,
    /// Its changes of status, in order of time; empty when no record of the ticket is known.
    pub history: Vec<TicketStep>,
}

/// A change of status of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TicketStep {
    /// The status before.
    pub before: Option<String>,
    /// The status after.
    pub status: String,
    /// Who set it.
    pub who: Option<Identity>,
    /// When.
    pub at: Option<Moment>,
    /// The records that show it.
    pub cites: Cites,
}

/// How a change got onto its branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Merge {
    /// Who merged.
    pub who: Option<Identity>,
    /// The commit that the branch got.
    pub commit: Option<String>,
    /// The head that was merged.
    pub head: Option<String>,
    /// When.
    pub at: Option<Moment>,
    /// The records that show it.
    pub cites: Cites,
}

/// An operation that deployed a revision of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Deployed {
    /// The Application.
    pub app: AppRef,
    /// The version at which the operation was set: its identity.
    pub version: ResourceVersion,
    /// The revision.
    pub revision: Option<String>,
    /// When it was.
    pub at: Option<Moment>,
    /// Whether what it deployed was approved.
    pub content: Content,
    /// Whether it applied anything.
    pub applied: bool,
    /// Whether another change had been deployed in between: then this one brought it back.
    pub again: bool,
    /// The records that show it.
    pub cites: Cites,
}

/// A sync that made a revision the one to be deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pin {
    /// The Application whose pin moved.
    pub app: AppRef,
    /// The version that shows the new pin first.
    pub version: ResourceVersion,
    /// The revision that it is pinned to.
    pub revision: String,
    /// The operation of the parent that moved it, as `name` and version, when one fits.
    pub by: Option<(String, ResourceVersion)>,
    /// When.
    pub at: Option<Moment>,
    /// Whether another change had been pinned in between: then this one brought it back.
    pub again: bool,
    /// The records that show it.
    pub cites: Cites,
}

/// Something that followed, with its words as they stand in the list of acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// The act.
    #[serde(flatten)]
    pub act: Act,
    /// Whether it followed from an operation that brought the change back.
    pub again: bool,
}

/// A link between two steps of a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Edge {
    /// From which step.
    pub from: String,
    /// To which step.
    pub to: String,
    /// The rule that links them.
    pub rule: &'static str,
    /// The version of the rule.
    pub rules: u32,
    /// How far it carries.
    pub strength: Strength,
}

/// How far a link carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Only the time agrees.
    Time,
    /// A text of the subject says so.
    Text,
    /// An identity that both sides name: commit, version, uid.
    Exact,
}

/// Whether a text names a ticket.
pub(crate) fn cites_ticket(text: &str) -> bool {
    !link::keys(text).is_empty()
}

/// All changes, in order of time and id.
pub(crate) fn changes(around: Around<'_>, operations: &[Operation], acts: &[Act]) -> Vec<Change> {
    let mut changes: BTreeMap<String, Change> = BTreeMap::new();
    for act in acts {
        gather(&mut changes, act);
    }
    let mut changes: Vec<Change> = changes.into_values().collect();
    for change in &mut changes {
        settle(change);
    }
    link::link(around, operations, acts, &mut changes);
    changes.sort_by(|a, b| {
        let at = |c: &Change| c.at.map(|at| (at.earliest(), at.latest()));
        at(a).cmp(&at(b)).then_with(|| a.id.cmp(&b.id))
    });
    changes
}

fn gather(changes: &mut BTreeMap<String, Change>, act: &Act) {
    match &act.what {
        What::ProposalOpened { number, repository, head, title, .. } => {
            let change = proposal(changes, repository, *number);
            change.title.clone_from(title);
            change.author.clone_from(&act.who);
            change.at = act.at;
            change.heads.push(Head::of(head, act));
            change.cites.extend(&act.cites);
        }
        What::ProposalUpdated { number, repository, head } => {
            proposal(changes, repository, *number).heads.push(Head::of(head, act));
        }
        What::Review { number, repository, commit, state } => {
            proposal(changes, repository, *number).reviews.push(Review {
                who: act.who.clone(),
                state: state.clone(),
                commit: commit.clone(),
                on_merged_head: None,
                at: act.at,
                cites: act.cites.clone(),
            });
        }
        What::Merge { number, repository, commit, head } => {
            proposal(changes, repository, *number).merge = Some(Merge {
                who: act.who.clone(),
                commit: commit.clone(),
                head: Some(head.clone()).filter(|h| !h.is_empty()),
                at: act.at,
                cites: act.cites.clone(),
            });
        }
        What::DirectPush { commit, .. } => {
            let id = format!("push:{commit}");
            let change = changes.entry(id.clone()).or_insert_with(|| Change::new(id));
            change.author.clone_from(&act.who);
            change.at = act.at;
            change.heads.push(Head::of(commit, act));
            change.cites.extend(&act.cites);
        }
        _ => {}
    }
}

fn proposal<'c>(
    changes: &'c mut BTreeMap<String, Change>,
    repository: &str,
    number: u64,
) -> &'c mut Change {
    let id = format!("pr:{repository}#{number}");
    let change = changes.entry(id.clone()).or_insert_with(|| Change::new(id));
    change.repository = Some(repository.to_owned());
    change.number = Some(number);
    change
}

/// What can be said once everything is gathered.
fn settle(change: &mut Change) {
    change.at = change.at.or_else(|| change.merge.as_ref().and_then(|m| m.at));
    let merged = change.merge.as_ref().and_then(|m| m.head.clone());
    for review in &mut change.reviews {
        review.on_merged_head = review.commit.as_ref().zip(merged.as_ref()).map(|(a, b)| a == b);
        change.edges.push(Edge {
            from: review.commit.clone().unwrap_or_default(),
            to: format!("{} review", review.state),
            rule: "the forge names the reviewed head",
            rules: RULES,
            strength: Strength::Exact,
        });
    }
}

impl Head {
    fn of(commit: &str, act: &Act) -> Self {
        let (who, cites) = (act.who.clone(), act.cites.clone());
        Self { commit: commit.to_owned(), at: act.at, who, cites }
    }
}

impl Change {
    fn new(id: String) -> Self {
        Self {
            id,
            repository: None,
            number: None,
            title: None,
            author: None,
            at: None,
            heads: Vec::new(),
            commits: Vec::new(),
            commits_whole: false,
            reviews: Vec::new(),
            tickets: Vec::new(),
            merge: None,
            operations: Vec::new(),
            pins: Vec::new(),
            elsewhere: Vec::new(),
            rollouts: Vec::new(),
            alerts: Vec::new(),
            edges: Vec::new(),
            cites: Cites::default(),
        }
    }

    /// Whether the change went to the branch without a proposal.
    pub fn is_push(&self) -> bool {
        self.number.is_none()
    }

    /// The heads that were approved and whose approval was not taken back.
    pub fn approved(&self) -> impl Iterator<Item = &Review> {
        self.reviews.iter().filter(|r| r.state == "approved")
    }
}
