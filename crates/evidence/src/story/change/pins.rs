//! Pins: a parent Application's sync that made a revision the one to be deployed.

use std::collections::{BTreeMap, BTreeSet};

use super::link::name_of;
use super::{Change, Pin, Strength};
use crate::parse::ResourceVersion;
use crate::story::Around;
use crate::story::fold::Versions;
use crate::story::operation::Operation;
use crate::story::telling::app_ref;

/// Pins that moved to a commit of a change, and the parent's operation that ran meanwhile.
pub(super) fn pins(
    around: Around<'_>,
    operations: &[Operation],
    owners: &BTreeMap<String, usize>,
    changes: &mut [Change],
) {
    let parents = Parents::of(operations);
    for versions in around.facts.applications.values() {
        // Whose pin it was, the last of them too: one that comes back after another is told as such.
        let (mut pinned, mut last) = (BTreeSet::new(), None);
        for (was, is) in versions.values().zip(versions.values().skip(1)) {
            let Some(revision) = &is.fact.target_revision else { continue };
            if was.fact.target_revision == is.fact.target_revision {
                continue;
            }
            let Some(owner) = owners.get(revision).copied() else { continue };
            let (known, before) = (!pinned.insert(owner), last.replace(owner));
            let again = known && before != Some(owner);
            let by = parents.mover(versions, is.fact.resource_version);
            let change = &mut changes[owner];
            if let Some(by) = by {
                let from = name_of(by);
                let to = format!("{} pinned to {revision}", is.fact.name);
                let rule = "the pin moved while the parent's operation ran";
                change.edge(&from, &to, rule, Strength::Time);
            }
            change.pins.push(Pin {
                app: app_ref(&is.fact),
                version: is.fact.resource_version,
                revision: revision.clone(),
                by: by.map(|o| (o.app.name.clone(), o.set.version())),
                at: by.and_then(Operation::from),
                again,
                cites: is.cites.clone(),
            });
        }
    }
}

/// Operations that ceased, by the namespace that they deploy to and in the order of versions.
struct Parents<'o>(BTreeMap<&'o str, Vec<Ran<'o>>>);

/// From which version to which an operation was there.
struct Ran<'o> {
    set: ResourceVersion,
    end: ResourceVersion,
    /// The highest end of this and of all before it: what ends the search backwards.
    reach: ResourceVersion,
    operation: &'o Operation,
}

impl<'o> Parents<'o> {
    fn of(operations: &'o [Operation]) -> Self {
        let mut by_namespace: BTreeMap<&str, Vec<Ran<'o>>> = BTreeMap::new();
        for operation in operations {
            let namespace = operation.app.destination_namespace.as_deref();
            if let Some((namespace, end)) = namespace.zip(operation.end.version()) {
                let ran = Ran { set: operation.set.version(), end, reach: end, operation };
                by_namespace.entry(namespace).or_default().push(ran);
            }
        }
        for all in by_namespace.values_mut() {
            all.sort_by_key(|ran| ran.set);
            let mut reach = ResourceVersion(0);
            for ran in all {
                reach = reach.max(ran.reach);
                ran.reach = reach;
            }
        }
        Self(by_namespace)
    }

    /// The operation of another Application that was set before the pin's version and ceased after
    /// it: versions of one resource type are of one order (KEP-5504).
    fn mover(&self, versions: &Versions, at: ResourceVersion) -> Option<&'o Operation> {
        let child = &versions.values().next()?.fact;
        let all = self.0.get(child.namespace.as_str())?;
        let until = all.partition_point(|ran| ran.set < at);
        let reaching = all[..until].iter().rev().take_while(|ran| ran.reach > at);
        let mut around = reaching.filter(|ran| ran.end > at && ran.operation.app.uid != child.uid);
        let only = around.next()?;
        around.next().is_none().then_some(only.operation)
    }
}
