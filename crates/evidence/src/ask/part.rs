//! The part of a story that a selection is about.
//!
//! Statements are kept or left out whole; coverage stays, because it says how far the part reaches.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::change::{self, Selector};
use super::timeline::{Query, Scope};
use crate::pack::Selection;
use crate::record::Cite;
use crate::story::Story;
use crate::story::change::Change;
use crate::story::operation::Operation;
use crate::story::wire::Cites;
use crate::time::Moment;

/// The part of a story that a selection is about, or why the selection cannot be understood.
pub fn part(story: &Story, selection: &Selection) -> Result<Story, String> {
    let mut part = match selection {
        Selection::Ledger => return Ok(story.clone()),
        Selection::Change { what } => {
            let selector = Selector::parse(what)
                .ok_or_else(|| format!("{what:?} is no proposal, commit, ticket or operation"))?;
            of_change(story, &selector)
        }
        Selection::Application { name } => within(story, &[everything_of(name)]),
        Selection::Environment { name } => {
            let apps = story.operations.iter().map(|o| &o.app);
            let apps = apps.chain(story.state_changes.iter().map(|s| &s.app));
            let apps = apps.filter(|app| app.environment.as_deref() == Some(name));
            let names: BTreeSet<String> =
                apps.map(|app| format!("{}/{}", app.namespace, app.name)).collect();
            let queries: Vec<Query> = names.iter().map(|name| everything_of(name)).collect();
            within(story, &queries)
        }
        Selection::Period { from, to } => {
            let time = |text: &str| text.parse().map_err(|_| format!("{text:?} is no time"));
            let (from, to) = (time(from)?, time(to)?);
            within(story, &[Query { from, to, app: None, namespace: None, environment: None }])
        }
    };
    part.people = part.persons();
    Ok(part)
}

fn everything_of(app: &str) -> Query {
    let (from, to) = (Timestamp::MIN, Timestamp::MAX);
    Query { from, to, app: Some(app.to_owned()), namespace: None, environment: None }
}

/// What timelines of these queries would tell, with the changes that it belongs to.
fn within(story: &Story, queries: &[Query]) -> Story {
    let scopes: Vec<Scope<'_>> = queries.iter().map(|query| Scope::new(story, query)).collect();
    let timed = |at: Option<Moment>| scopes.iter().any(|s| s.has_time(at.as_ref()));
    let mut part = story.clone();
    part.operations.retain(|o| timed(o.moment()) && scopes.iter().any(|s| s.has_app(&o.app)));
    part.unmatched_starts.retain(|start| {
        timed(start.at) && scopes.iter().any(|s| s.has_name(&start.namespace, &start.name))
    });
    part.state_changes.retain(|c| timed(c.at) && scopes.iter().any(|s| s.has_app(&c.app)));
    for writes in [&mut part.writes, &mut part.refused] {
        writes.retain(|w| timed(Some(w.at)) && scopes.iter().any(|s| s.has_write(w)));
    }
    part.acts.retain(|act| timed(act.at) && scopes.iter().any(|s| s.has_act(act)));
    let ids: BTreeSet<(&str, u64)> = part.operations.iter().map(id).collect();
    let all_apps = queries.iter().any(|q| q.app.is_none());
    let acts: BTreeSet<&Cite> = part.acts.iter().flat_map(|act| act.cites.iter()).collect();
    part.changes.retain(|c| {
        let mut steps = steps(c);
        steps.any(|step| ids.contains(&step))
            || (all_apps && change::cites(c).any(|c| acts.contains(c)))
    });
    let names: BTreeSet<String> = ids.iter().map(|(app, at)| format!("{app}@{at}")).collect();
    part.population.retain(|t| names.contains(&t.what) || t.cites.iter().any(|c| acts.contains(c)));
    part
}

/// The operations that a change consists of or that moved its pins: name and version.
fn steps(change: &Change) -> impl Iterator<Item = (&str, u64)> {
    let deployed = change.operations.iter().map(|d| (d.app.name.as_str(), d.version.0));
    let pins = change.pins.iter().filter_map(|p| p.by.as_ref());
    deployed.chain(pins.map(|(name, version)| (name.as_str(), version.0)))
}

fn id(operation: &Operation) -> (&str, u64) {
    (operation.app.name.as_str(), operation.set.version().0)
}

/// A change, its operations, and what shares a record with either.
fn of_change(story: &Story, selector: &Selector) -> Story {
    let changes = change::find(story, selector);
    let outside = change::outside(story, selector).filter(|_| changes.is_empty());
    let steps: BTreeSet<(&str, u64)> = changes.iter().flat_map(|c| steps(c)).collect();
    let is_outside = |o: &Operation| {
        outside.is_some_and(|t| t.what == format!("{}@{}", o.app.name, o.set.version()))
    };
    let mut part = story.clone();
    part.operations.retain(|o| steps.contains(&id(o)) || is_outside(o));
    let mut cites: BTreeSet<&Cite> = changes.iter().flat_map(|c| change::cites(c)).collect();
    cites.extend(outside.into_iter().flat_map(|t| t.cites.iter()));
    cites.extend(part.operations.iter().flat_map(|o| o.cites.iter()));
    cites.extend(part.operations.iter().flat_map(|o| &o.claims).flat_map(|c| c.cites.iter()));
    let shares = |of: &Cites| of.iter().any(|cite| cites.contains(cite));
    part.unmatched_starts.retain(|s| shares(&s.cites));
    part.state_changes.retain(|c| shares(&c.cites));
    part.writes.retain(|w| shares(&w.cites));
    part.refused.retain(|w| shares(&w.cites));
    part.acts.retain(|act| shares(&act.cites));
    let ids: BTreeSet<&str> = changes.iter().map(|c| c.id.as_str()).collect();
    part.changes.retain(|c| ids.contains(c.id.as_str()));
    let names: BTreeSet<String> =
        part.operations.iter().map(|o| format!("{}@{}", o.app.name, o.set.version())).collect();
    part.population.retain(|t| names.contains(&t.what) || outside == Some(t));
    part
}

/// Whether a part says nothing at all.
pub fn is_empty(part: &Story) -> bool {
    part.operations.is_empty()
        && part.unmatched_starts.is_empty()
        && part.state_changes.is_empty()
        && part.writes.is_empty()
        && part.refused.is_empty()
        && part.acts.is_empty()
        && part.changes.is_empty()
}
