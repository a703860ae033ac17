//! The rows of a timeline, and their order.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::Scope;
use crate::parse::ResourceVersion;
use crate::record::Cite;
use crate::story::act::{self, Act};
use crate::story::commit::CommitSeen;
use crate::story::operation::{AppRef, Operation};
use crate::story::state::StateChange;
use crate::story::wire::Cites;
use crate::story::write::Write;
use crate::story::{Story, UnmatchedStart};
use crate::time::{Moment, Sequence};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// When it was or began, as far as the records say.
    pub at: Option<Moment>,
    /// Whether the records leave open if it came before or after the row above.
    pub same_time: bool,
    /// What it was.
    pub what: What,
}

/// What a row tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", content = "of", rename_all = "kebab-case")]
pub enum What {
    /// A write straight to the Kubernetes API.
    Write(Box<Write>),
    /// Such a write that was refused.
    Refused(Box<Write>),
    /// An operation of an Application.
    Operation(Box<Operation>),
    /// A start recorded by Argo CD's API server whose operation no version shows.
    UnmatchedStart(Box<UnmatchedStart>),
    /// A change of sync status or health.
    State(Box<StateChange>),
    /// A commit, by its own word.
    Commit(Box<CommitSeen>),
    /// Anything else that somebody or something did.
    Act(Box<Act>),
}

impl Row {
    /// The operation, if the row tells one.
    pub fn operation(&self) -> Option<&Operation> {
        match &self.what {
            What::Operation(operation) => Some(operation),
            _ => None,
        }
    }

    pub(super) fn operation_mut(&mut self) -> Option<&mut Operation> {
        match &mut self.what {
            What::Operation(operation) => Some(operation),
            _ => None,
        }
    }

    /// The Application, if the row is about one of which a version was seen.
    pub fn app(&self) -> Option<&AppRef> {
        match &self.what {
            What::Operation(operation) => Some(&operation.app),
            What::State(change) => Some(&change.app),
            _ => None,
        }
    }

    /// The records that the row rests on.
    pub fn cites(&self) -> &Cites {
        match &self.what {
            What::Write(w) | What::Refused(w) => &w.cites,
            What::Operation(o) => &o.cites,
            What::UnmatchedStart(s) => &s.cites,
            What::State(s) => &s.cites,
            What::Commit(c) => &c.cites,
            What::Act(a) => &a.cites,
        }
    }

    fn new(at: Option<Moment>, what: What) -> Self {
        Self { at, same_time: false, what }
    }

    /// The object and the version of it, for rows that are ordered by version among themselves.
    fn place(&self) -> Option<(&str, ResourceVersion)> {
        match &self.what {
            What::Operation(o) => Some((&o.app.uid, o.set.version())),
            What::State(s) => Some((&s.app.uid, s.version)),
            What::UnmatchedStart(s) => Some((&s.uid, s.version)),
            What::Write(w) => Some((w.object.uid.as_deref()?, w.writer.resulting_version?)),
            What::Refused(_) | What::Commit(_) | What::Act(_) => None,
        }
    }

    const fn rank(&self) -> u8 {
        match self.what {
            What::Commit(_) => 0,
            What::Write(_) => 1,
            What::Refused(_) => 2,
            What::Operation(_) => 3,
            What::UnmatchedStart(_) => 4,
            What::State(_) => 5,
            What::Act(_) => 6,
        }
    }
}

/// The rows of the window, in order.
pub(super) fn rows(story: &Story, scope: &Scope<'_>) -> Vec<Row> {
    let operations = story.operations.iter().filter(|o| scope.has_app(&o.app));
    let operations = operations.map(|o| (o.moment(), o.from(), What::Operation(o.clone().into())));
    let states = story.state_changes.iter().filter(|s| scope.has_app(&s.app));
    let states = states.map(|s| (s.at, s.at, What::State(s.clone().into())));
    let told: BTreeSet<&Cite> = story.acts.iter().filter_map(as_write).flatten().collect();
    let is_told = |w: &&Write| w.cites.iter().all(|cite| told.contains(cite));
    let writes = story.writes.iter().filter(|w| scope.has_write(w) && !is_told(w));
    let writes = writes.map(|w| (Some(w.at), Some(w.at), What::Write(w.clone().into())));
    let refused = story.refused.iter().filter(|w| scope.has_write(w));
    let refused = refused.map(|w| (Some(w.at), Some(w.at), What::Refused(w.clone().into())));
    let starts = story.unmatched_starts.iter().filter(|s| scope.has_name(&s.namespace, &s.name));
    let starts = starts.map(|s| (s.at, s.at, What::UnmatchedStart(s.clone().into())));
    let acts = story.acts.iter().filter(|a| !is_state(a) && scope.has_act(a));
    let acts = acts.map(|a| (a.at, began(a), What::Act(a.clone().into())));
    // A commit without a time is in no window: its pushes and proposals tell of it.
    let commits = story.commits.iter().filter(|c| c.at.is_some() && scope.has_commit(&c.id));
    let commits = commits.map(|c| (c.at, c.at, What::Commit(c.clone().into())));
    let all = operations
        .chain(states)
        .chain(writes)
        .chain(refused)
        .chain(starts)
        .chain(acts)
        .chain(commits);
    let inside = all.filter(|(during, _, _)| scope.has_time(during.as_ref()));
    in_order(inside.map(|(_, at, what)| Row::new(at, what)).collect())
}

/// The records of an act that tells an audited write: the same write needs no row of its own.
fn as_write(act: &Act) -> Option<impl Iterator<Item = &Cite>> {
    act.writer.as_ref().map(|_| act.cites.iter())
}

/// What lasts stands where it began.
fn began(act: &Act) -> Option<Moment> {
    let lasts = matches!(
        act.what,
        act::What::Alert { .. } | act::What::Drift { .. } | act::What::ContainerRestarts { .. }
    );
    act.at.map(|at| if lasts { Moment::window(at.earliest(), at.earliest()) } else { at })
}

/// A drift in sight is told by the change of state that begins it.
fn is_state(act: &Act) -> bool {
    matches!(act.what, act::What::Drift { version: Some(_), .. })
}

/// Orders by time, and the rows of one object by its versions whatever their clocks say.
///
/// Intervals count by their end: a stamp of a whole second is mostly that of a consequence, and
/// then stands below the finer stamp of its cause. Where they overlap the row says "same time".
fn in_order(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by(|a, b| (a.place(), a.rank()).cmp(&(b.place(), b.rank())));
    let mut latest: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut keyed: Vec<(Timestamp, Row)> = Vec::with_capacity(rows.len());
    for row in rows {
        let end = row.at.map_or(Timestamp::MAX, |at| at.latest());
        let key = row.place().map(|(uid, _)| uid.to_owned());
        let key = key.filter(|_| row.at.is_some()).map_or(end, |uid| {
            let reached = latest.entry(uid).or_insert(end);
            *reached = end.max(*reached);
            *reached
        });
        keyed.push((key, row));
    }
    // The sort is stable: rows of one object keep the order of their versions.
    keyed.sort_by_key(|(key, _)| *key);
    let mut rows: Vec<Row> = keyed.into_iter().map(|(_, row)| row).collect();
    for at in 1..rows.len() {
        rows[at].same_time = is_same_time(&rows[at - 1], &rows[at]);
    }
    rows
}

fn is_same_time(above: &Row, row: &Row) -> bool {
    let (Some(first), Some(second)) = (&above.at, &row.at) else {
        return false;
    };
    let one_object = matches!(
        (above.place(), row.place()),
        (Some((a, _)), Some((b, _))) if a == b
    );
    !one_object && first.sequence(second) == Sequence::SameTime
}
