//! What may have followed from a change, found by what a change names: operations, tickets, images.

use std::collections::{BTreeMap, BTreeSet};

use super::link::keys;
use super::{Deployed, TicketStep};
use crate::parse::ResourceVersion;
use crate::story::act::{Act, Cause, Rollout, What};
use crate::story::operation::Operation;

/// Where acts stand, by their namespaces.
type ByNamespace<'a> = BTreeMap<Option<&'a str>, Vec<usize>>;

/// Where the acts stand that a change may be linked to. Acts are in order of time.
pub(super) struct Followed<'a> {
    pub(super) acts: &'a [Act],
    /// The tickets that an operation names, by uid and version.
    named: BTreeMap<(&'a str, ResourceVersion), BTreeSet<String>>,
    /// Changes of status, by the ticket's key.
    statuses: BTreeMap<&'a str, Vec<usize>>,
    /// Rollouts, by the name of the Application and the version of the operation that brought them.
    pub(super) brought: BTreeMap<(&'a str, u64), Vec<usize>>,
    /// Rollouts of the same images of a workload of the same name, by their namespaces.
    alike: BTreeMap<(&'a str, &'a [String]), ByNamespace<'a>>,
}

impl<'a> Followed<'a> {
    pub(super) fn of(operations: &'a [Operation], acts: &'a [Act]) -> Self {
        let mut followed = Self {
            acts,
            named: BTreeMap::new(),
            statuses: BTreeMap::new(),
            brought: BTreeMap::new(),
            alike: BTreeMap::new(),
        };
        for operation in operations.iter().filter(|o| !o.info.is_empty()) {
            let key = (operation.app.uid.as_str(), operation.set.version());
            let named = operation.info.iter().flat_map(|(_, value)| keys(value));
            followed.named.entry(key).or_default().extend(named);
        }
        for (place, act) in acts.iter().enumerate() {
            followed.add(place, act);
        }
        followed
    }

    fn add(&mut self, place: usize, act: &'a Act) {
        match &act.what {
            What::TicketStatus { key, .. } => self.statuses.entry(key).or_default().push(place),
            What::Rollout(rollout) => {
                let Rollout { name, images, cause, .. } = rollout;
                if let Cause::Argocd { app: Some(app), operation: Some(version) } = cause {
                    self.brought.entry((app, *version)).or_default().push(place);
                }
                let alike = self.alike.entry((name, images)).or_default();
                alike.entry(act.namespace.as_deref()).or_default().push(place);
            }
            _ => {}
        }
    }

    /// The tickets that an operation names.
    pub(super) fn named_by(&self, operation: &Deployed) -> Vec<String> {
        let named = self.named.get(&(operation.app.uid.as_str(), operation.version));
        named.into_iter().flatten().cloned().collect()
    }

    /// The changes of status of a ticket.
    pub(super) fn history_of(&self, ticket: &str) -> Vec<TicketStep> {
        let places = self.statuses.get(ticket).into_iter().flatten();
        places.filter_map(|place| step_of(&self.acts[*place])).collect()
    }

    /// The last rollout of the same images of a workload of the same name, in another namespace and
    /// before.
    pub(super) fn elsewhere(&self, own: &Act) -> Option<&'a Act> {
        let (What::Rollout(rollout), Some(at)) = (&own.what, own.at) else { return None };
        let alike = self.alike.get(&(rollout.name.as_str(), rollout.images.as_slice()))?;
        let others = alike.iter().filter(|(namespace, _)| **namespace != own.namespace.as_deref());
        // An act without a time stands before all that have one, and is before none.
        let began = |place: &usize| self.acts[*place].at.map(|at| at.earliest());
        let last = |places: &Vec<usize>| {
            let until = places.partition_point(|place| began(place) < Some(at.earliest()));
            places[..until].last().copied().filter(|place| began(place).is_some())
        };
        let place = others.filter_map(|(_, places)| last(places)).max()?;
        Some(&self.acts[place])
    }
}

fn step_of(act: &Act) -> Option<TicketStep> {
    match &act.what {
        What::TicketStatus { before, status, .. } => Some(TicketStep {
            before: before.clone(),
            status: status.clone(),
            who: act.who.clone(),
            at: act.at,
            cites: act.cites.clone(),
        }),
        _ => None,
    }
}
