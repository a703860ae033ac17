//! The rows of a timeline, and their order.

use std::collections::{BTreeMap, HashSet};

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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// The rows of the window, in order. Time is asked first: it leaves most of a long story out, and
/// nothing of that is looked at again.
pub(super) fn rows(story: &Story, scope: &Scope<'_>) -> Vec<Row> {
    let within = |at: Option<Moment>| scope.has_time(at.as_ref());
    let operations =
        story.operations.iter().filter(|o| within(o.moment()) && scope.has_app(&o.app));
    let operations = operations.map(|o| (o.from(), What::Operation(o.clone().into())));
    let states = story.state_changes.iter().filter(|s| within(s.at) && scope.has_app(&s.app));
    let states = states.map(|s| (s.at, What::State(s.clone().into())));
    let of_scope = |w: &&Write| within(Some(w.at)) && scope.has_write(w);
    let writes: Vec<&Write> = story.writes.iter().filter(of_scope).collect();
    let told = told(story, &writes);
    let writes = writes.into_iter().filter(|w| !w.cites.iter().all(|cite| told.contains(cite)));
    let writes = writes.map(|w| (Some(w.at), What::Write(w.clone().into())));
    let refused = story.refused.iter().filter(of_scope);
    let refused = refused.map(|w| (Some(w.at), What::Refused(w.clone().into())));
    let starts = story.unmatched_starts.iter();
    let starts = starts.filter(|s| within(s.at) && scope.has_name(&s.namespace, &s.name));
    let starts = starts.map(|s| (s.at, What::UnmatchedStart(s.clone().into())));
    let acts = story.acts.iter().filter(|a| within(a.at) && !is_state(a) && scope.has_act(a));
    let acts = acts.map(|a| (began(a), What::Act(a.clone().into())));
    // A commit without a time is in no window: its pushes and proposals tell of it.
    let dated = |c: &&CommitSeen| c.at.is_some() && within(c.at) && scope.has_commit(&c.id);
    let commits = story.commits.iter().filter(dated);
    let commits = commits.map(|c| (c.at, What::Commit(c.clone().into())));
    let all = operations.chain(states).chain(writes).chain(refused).chain(starts);
    let all = all.chain(acts).chain(commits);
    in_order(all.map(|(at, what)| Row::new(at, what)).collect())
}

/// Records of these writes that an act tells: the same write needs no row of its own.
fn told<'s>(story: &Story, writes: &[&'s Write]) -> HashSet<&'s Cite> {
    let asked: HashSet<&Cite> = writes.iter().flat_map(|w| w.cites.iter()).collect();
    let acts = story.acts.iter().filter(|act| act.writer.is_some());
    acts.flat_map(|act| act.cites.iter()).filter_map(|cite| asked.get(cite).copied()).collect()
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
