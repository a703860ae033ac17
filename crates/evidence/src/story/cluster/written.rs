//! The writes to one object, and which of them made a version of it.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::parse::ResourceVersion;
use crate::parse::kubernetes_audit::AuditWrite;
use crate::parse::kubernetes_object_watch::ObjectVersion;
use crate::story::claim::acting;
use crate::story::fold::Cited;
use crate::time::Moment;

/// The successful writes to one object.
pub(super) struct Writes<'a> {
    /// In order of time.
    all: Vec<&'a Cited<AuditWrite>>,
    /// By the version that each made.
    makers: BTreeMap<ResourceVersion, &'a Cited<AuditWrite>>,
}

/// Who made a version, as far as the audit log says.
#[derive(Clone, Copy)]
pub(super) enum Made<'a> {
    /// The write that was answered with that version, or the only one in question.
    By(&'a Cited<AuditWrite>),
    /// Writes by several accounts are in question.
    Several,
    /// None is known.
    Unknown,
}

impl<'a> Writes<'a> {
    pub(super) fn of(mut all: Vec<&'a Cited<AuditWrite>>) -> Self {
        all.sort_by(|a, b| {
            let at = |w: &Cited<AuditWrite>| (w.fact.time.earliest(), w.fact.time.latest());
            at(a).cmp(&at(b)).then_with(|| a.fact.audit_id.cmp(&b.fact.audit_id))
        });
        let mut makers = BTreeMap::new();
        // A write that changes nothing is answered with the version that it found: the first made it.
        for write in all.iter().filter(|w| w.fact.version_before != w.fact.resulting_version) {
            if let Some(version) = write.fact.resulting_version {
                makers.entry(version).or_insert(*write);
            }
        }
        Self { all, makers }
    }

    /// In order of time.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'a Cited<AuditWrite>> {
        self.all.iter().copied()
    }

    /// Those that changed something, as far as is known.
    pub(super) fn changing(&self) -> impl Iterator<Item = &'a Cited<AuditWrite>> {
        self.iter().filter(|write| !self.is_idle(write))
    }

    /// The write that made a version.
    pub(super) fn maker(&self, version: ResourceVersion) -> Option<&'a Cited<AuditWrite>> {
        self.makers.get(&version).copied()
    }

    /// Whether a write is known to have changed nothing.
    pub(super) fn is_idle(&self, write: &Cited<AuditWrite>) -> bool {
        let Some(version) = write.fact.resulting_version else { return false };
        let same = |made: &Cited<AuditWrite>| {
            made.fact.audit_id == write.fact.audit_id && made.fact.time == write.fact.time
        };
        self.maker(version).is_none_or(|made| !same(made))
    }

    /// The writes that made the versions in between.
    pub(super) fn between(
        &self,
        before: ResourceVersion,
        after: ResourceVersion,
    ) -> impl Iterator<Item = &'a Cited<AuditWrite>> {
        let range = (Bound::Excluded(before), Bound::Excluded(after));
        let found = (before < after).then(|| self.makers.range(range));
        found.into_iter().flatten().map(|(_, write)| *write)
    }

    /// Who made a version: by its number, or as the only one between the version before and the
    /// first time that anything stands in after it.
    pub(super) fn made(
        &self,
        before: Option<&ObjectVersion>,
        version: &ObjectVersion,
        later: Option<Moment>,
        fits: impl Fn(&AuditWrite) -> bool,
    ) -> Made<'a> {
        let number = version.resource_version;
        if let Some(exact) = self.maker(number) {
            // Versions that were not seen lie in between: the change is not this write's alone.
            let known = before.map_or(number, |v| v.resource_version);
            let of_another = |w: &Cited<AuditWrite>| acting(&w.fact) != acting(&exact.fact);
            let several = self.between(known, number).any(of_another);
            return if several { Made::Several } else { Made::By(exact) };
        }
        let low = before.and_then(ObjectVersion::not_before).or(version.created);
        match low.zip(later) {
            Some((low, high)) => self.near(low, high, fits),
            None => Made::Unknown,
        }
    }

    fn near(&self, low: Moment, high: Moment, fits: impl Fn(&AuditWrite) -> bool) -> Made<'a> {
        let first = self.all.partition_point(|w| w.fact.time.earliest() < low.earliest());
        let near: Vec<_> = self.all[first.saturating_sub(1)..]
            .iter()
            .take_while(|w| w.fact.time.earliest() < high.latest())
            .filter(|w| w.fact.resulting_version.is_none())
            .filter(|w| w.fact.time.overlaps(low.earliest(), high.latest()) && fits(&w.fact))
            .copied()
            .collect();
        // A write that changes nothing leaves no stamp, so one within the stamp's second comes first.
        let within = |w: &&Cited<AuditWrite>| w.fact.time.overlaps(high.earliest(), high.latest());
        let stamped: Vec<_> = near.iter().copied().filter(within).collect();
        let (found, chosen) = match stamped.first() {
            Some(first) => (&stamped, Some(*first)),
            None => (&near, near.last().copied()),
        };
        match chosen {
            None => Made::Unknown,
            Some(write) if found.iter().all(|w| acting(&w.fact) == acting(&write.fact)) => {
                Made::By(write)
            }
            Some(_) => Made::Several,
        }
    }
}

/// The first time after the version before that stands in this version or a later one.
pub(super) fn stamp_after<'v>(
    before: Option<&ObjectVersion>,
    versions: impl Iterator<Item = &'v ObjectVersion>,
) -> Option<Moment> {
    let known = before.and_then(ObjectVersion::not_before);
    let new = |moment: &Moment| known.is_none_or(|known| *moment > known);
    for version in versions {
        let stamps = version.managers.iter().filter_map(|m| m.time);
        if let Some(first) = stamps.chain(version.created).filter(new).min() {
            return Some(first);
        }
    }
    None
}
