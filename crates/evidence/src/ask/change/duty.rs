//! Duties: who had which part in a change.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::control::starter;
use crate::story::change::Change;
use crate::story::claim::Identity;
use crate::story::operation::Operation;

/// A part in a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// Asked for it, or pushed to it.
    Author,
    /// Approved it.
    Approver,
    /// Set the status of its ticket.
    Ticket,
    /// Merged it, or pushed it to the branch.
    Merge,
    /// Synced the parent Application, which moved the pin.
    RootSync,
    /// Synced it.
    Sync,
}

/// All duties, in the order of a change.
pub const DUTIES: [Duty; 6] =
    [Duty::Author, Duty::Approver, Duty::Ticket, Duty::Merge, Duty::RootSync, Duty::Sync];

impl Duty {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Approver => "approver",
            Self::Ticket => "ticket",
            Self::Merge => "merge",
            Self::RootSync => "root sync",
            Self::Sync => "sync",
        }
    }
}

/// Somebody's parts in a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Part {
    /// The person's id, or the account when nobody is known to own it.
    pub who: String,
    /// The person's id in the people map.
    pub person: Option<String>,
    /// The parts.
    pub duties: BTreeSet<Duty>,
}

/// Everybody's parts, in order of names.
pub(super) fn parts(
    change: &Change,
    operations: &[Operation],
    pinned: &BTreeSet<(&str, u64)>,
) -> Vec<Part> {
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    let mut add = |who: &Identity, duty: Duty| {
        let name = who.person.clone().unwrap_or_else(|| who.account.clone());
        let part = Part { who: name.clone(), person: who.person.clone(), duties: BTreeSet::new() };
        parts.entry(name).or_insert(part).duties.insert(duty);
    };
    for who in change.author.iter().chain(change.heads.iter().filter_map(|h| h.who.as_ref())) {
        add(who, Duty::Author);
    }
    for who in change.approved().filter_map(|r| r.who.as_ref()) {
        add(who, Duty::Approver);
    }
    for who in change.tickets.iter().flat_map(|t| &t.history).filter_map(|s| s.who.as_ref()) {
        add(who, Duty::Ticket);
    }
    for who in change.merge.iter().filter_map(|m| m.who.as_ref()) {
        add(who, Duty::Merge);
    }
    if change.is_push()
        && let Some(who) = &change.author
    {
        add(who, Duty::Merge);
    }
    for operation in operations {
        let key = (operation.app.name.as_str(), operation.set.version().0);
        let duty = if pinned.contains(&key) { Duty::RootSync } else { Duty::Sync };
        if let Some(who) = starter(operation) {
            add(who, duty);
        }
    }
    parts.into_values().collect()
}
