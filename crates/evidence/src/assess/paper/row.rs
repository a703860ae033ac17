//! One row of the population: the attributes that an auditor tests.

use super::{Cell, Papers, known, text, time};
use crate::ask::change::{self, ChangeView, Verdict};
use crate::assess::population::Listed;
use crate::story::act::Act;
use crate::story::change::population::Class;
use crate::story::change::{Change, Content, Ticket};
use crate::story::claim::Identity;
use crate::story::initiator::Initiator;
use crate::story::operation::Operation;
use crate::time::{Moment, Sequence};

/// The columns: title, and width in characters.
pub(super) const COLUMNS: [(&str, u16); 28] = [
    ("row", 6),
    ("class", 13),
    ("stratum", 12),
    ("application", 20),
    ("environment", 13),
    ("transition", 26),
    ("began (UTC)", 21),
    ("ended (UTC)", 21),
    ("clock", 10),
    ("change", 28),
    ("title", 36),
    ("author", 32),
    ("approvers", 40),
    ("merger", 32),
    ("sync account", 40),
    ("initiator", 16),
    ("ticket", 14),
    ("ticket status before it", 34),
    ("content", 40),
    ("conditions met", 9),
    ("conditions not met", 9),
    ("conditions undetermined", 9),
    ("not met", 60),
    ("undetermined", 60),
    ("detail", 40),
    ("link", 30),
    ("entries", 24),
    ("drawn in entries", 16),
];

const IN_NO_CHANGE: &str = "in no change";

/// What stands behind a row.
struct Behind<'a> {
    operation: Option<&'a Operation>,
    act: Option<&'a Act>,
    change: Option<&'a Change>,
    view: Option<ChangeView>,
    /// What the cells of a change say where there is none.
    without: String,
    at: Option<Moment>,
    content: Option<&'a Content>,
}

/// The cells of a row, in the order of [`COLUMNS`].
pub(super) fn cells(papers: &Papers<'_>, listed: &Listed<'_>) -> Vec<Cell> {
    let row = &listed.row;
    let behind = Behind::of(papers, listed);
    let (link, drawn) = (link(papers, listed, &behind), drawn(papers, row.row));
    let mut cells = vec![
        Cell::Number(row.row),
        text(row.class),
        text(row.stratum.word()),
        known(row.app.as_deref()),
        known(row.environment.as_deref()),
        text(&row.what),
        time(behind.at.map(|at| at.earliest())),
        time(behind.at.map(|at| at.latest())),
        known(row.resolution),
    ];
    cells.extend(behind.of_change());
    let (account, initiator) = behind.started();
    cells.extend([text(&account), text(initiator)]);
    cells.extend(behind.of_ticket());
    cells.push(text(&behind.content()));
    cells.extend(behind.conditions());
    cells.push(text(row.detail.as_deref().unwrap_or("-")));
    cells.extend([text(&link), text(&entries(papers, listed)), text(&drawn)]);
    cells
}

/// The entries of the row's records.
pub(super) fn entries(papers: &Papers<'_>, listed: &Listed<'_>) -> String {
    let mut numbers: Vec<u64> =
        listed.transition.cites.iter().filter_map(papers.entry_of).collect();
    numbers.sort_unstable();
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// What to give to `change show`.
fn link(papers: &Papers<'_>, listed: &Listed<'_>, behind: &Behind<'_>) -> String {
    if behind.operation.is_some() {
        return format!("operation:{}", listed.row.what);
    }
    let entry = listed.transition.cites.iter().find_map(papers.entry_of);
    entry.map_or_else(|| "undetermined".to_owned(), |entry| format!("entry:{entry}"))
}

/// The draws that took the row.
fn drawn(papers: &Papers<'_>, row: u64) -> String {
    let of = papers.population.0.entry;
    let took = papers.kept.iter().filter(|kept| {
        let sample = kept.sample().filter(|sample| sample.population == of);
        sample.is_some_and(|sample| sample.rows.contains(&row))
    });
    let took: Vec<String> = took.map(|kept| kept.entry.to_string()).collect();
    if took.is_empty() { "not drawn".to_owned() } else { took.join(", ") }
}

impl<'a> Behind<'a> {
    fn of(papers: &Papers<'a>, listed: &Listed<'a>) -> Self {
        let (story, transition) = (papers.story, listed.transition);
        let is = |o: &&Operation| transition.what == format!("{}@{}", o.app.name, o.set.version());
        let operation = story.operations.iter().find(is);
        let same = |a: &&Act| a.cites == transition.cites && a.at == transition.at;
        let act = if operation.is_none() { story.acts.iter().find(same) } else { None };
        let (change, without) = match &transition.class {
            Class::Change { id } => {
                (story.changes.iter().find(|c| c.id == *id), "undetermined".to_owned())
            }
            Class::Undetermined { reason } => (None, format!("undetermined: {reason}")),
            _ => (None, IN_NO_CHANGE.to_owned()),
        };
        let deployed = change.into_iter().flat_map(|c| &c.operations);
        let content = deployed
            .filter(|d| transition.what == format!("{}@{}", d.app.name, d.version))
            .map(|d| &d.content)
            .next();
        let view = change.map(|c| change::show(story, c));
        Self { operation, act, change, view, without, at: transition.at, content }
    }

    /// Change, title, author, approvers, merger.
    fn of_change(&self) -> [Cell; 5] {
        let Some(change) = self.change else {
            return std::array::from_fn(|_| text(&self.without));
        };
        let who =
            |who: Option<&Identity>| text(&who.map_or_else(|| "undetermined".to_owned(), identity));
        let approvers: Vec<String> = change
            .approved()
            .map(|r| r.who.as_ref().map_or_else(|| "undetermined".to_owned(), identity))
            .collect();
        let approvers =
            if approvers.is_empty() { "none recorded".to_owned() } else { approvers.join("; ") };
        let merger = match &change.merge {
            Some(merge) => who(merge.who.as_ref()),
            None if change.is_push() => text("pushed without a proposal"),
            None => text("undetermined"),
        };
        let title = change.title.as_deref();
        [text(&change.id), known(title), who(change.author.as_ref()), text(&approvers), merger]
    }

    /// Who started it, and how well that is shown.
    fn started(&self) -> (String, &'static str) {
        let Some(operation) = self.operation else {
            let who = self.act.and_then(|act| act.who.as_ref());
            return match who {
                Some(who) => (identity(who), "determined"),
                None => ("undetermined".to_owned(), "undetermined"),
            };
        };
        match &operation.initiator {
            Initiator::Determined { who, .. } => (identity(who), "determined"),
            Initiator::Machine { who, .. } => (format!("{} (software)", who.account), "machine"),
            Initiator::Automated { .. } => ("Argo CD by itself".to_owned(), "automated"),
            Initiator::Contradicted { claimed, writer } => {
                let claimed = claimed.as_ref().map_or_else(|| "Argo CD".to_owned(), identity);
                let writer = identity(writer.acting());
                (format!("claimed {claimed}; written by {writer}"), "CONTRADICTED")
            }
            Initiator::Undetermined { reason } => {
                (format!("undetermined: {reason}"), "undetermined")
            }
        }
    }

    /// Ticket and its status before the transition.
    fn of_ticket(&self) -> [Cell; 2] {
        let Some(change) = self.change else {
            return [text(&self.without), text(&self.without)];
        };
        if change.tickets.is_empty() {
            return [text("none cited"), text("none cited")];
        }
        let joined = |words: Vec<String>| text(&words.join("; "));
        let keys = change.tickets.iter().map(|t| t.key.clone()).collect();
        let status = change.tickets.iter().map(|t| self.status(t)).collect();
        [joined(keys), joined(status)]
    }

    fn status(&self, ticket: &Ticket) -> String {
        if ticket.history.is_empty() {
            return format!("undetermined: no record of {}", ticket.key);
        }
        let before = |step: Option<Moment>| {
            step.zip(self.at).is_some_and(|(step, at)| step.sequence(&at) == Sequence::Before)
        };
        let step = ticket.history.iter().rev().find(|s| before(s.at));
        let Some(step) = step else {
            return format!("undetermined: no status of {} before it is recorded", ticket.key);
        };
        let who = step.who.as_ref().map(|w| format!(" by {}", identity(w))).unwrap_or_default();
        format!("{}{who}", step.status)
    }

    fn content(&self) -> String {
        match self.content {
            Some(Content::Undetermined { reason }) => format!("undetermined: {reason}"),
            Some(content) => content.word().to_owned(),
            None if self.change.is_some() => "undetermined".to_owned(),
            None => self.without.clone(),
        }
    }

    /// Counts of the change's conditions, and which are not met and which undetermined.
    fn conditions(&self) -> [Cell; 5] {
        let Some(view) = &self.view else {
            return std::array::from_fn(|_| text(&self.without));
        };
        let count = |verdict| Cell::Number(view.count(verdict) as u64);
        let which = |verdict| {
            let of = view.conditions.iter().filter(|c| c.verdict == verdict);
            let of: Vec<String> = of.map(|c| format!("{}: {}", c.condition, c.reason)).collect();
            text(&if of.is_empty() { "none".to_owned() } else { of.join("; ") })
        };
        [
            count(Verdict::Met),
            count(Verdict::NotMet),
            count(Verdict::Undetermined),
            which(Verdict::NotMet),
            which(Verdict::Undetermined),
        ]
    }
}

/// The person where the people map knows one, and always the account.
fn identity(who: &Identity) -> String {
    match &who.person {
        Some(person) => format!("{person} ({})", who.account),
        None => who.account.clone(),
    }
}
