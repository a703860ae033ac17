//! The writes to Applications, found by what an operation asks of them: by the version that a write
//! was answered with, by the one that it was based on, and by the time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{NEAR_SECONDS, is_near};
use crate::parse::ResourceVersion;
use crate::parse::argocd_application_watch::ApplicationVersion;
use crate::parse::kubernetes_audit::AuditWrite;
use crate::story::fold::{Cited, Facts};
use crate::story::initiator::Whose;
use crate::story::timed::Timed;
use crate::time::Moment;

type Write<'a> = &'a Cited<AuditWrite>;

/// Successful writes to Applications, by namespace and name.
pub(in crate::story) struct Writes<'a>(BTreeMap<(&'a str, &'a str), OfName<'a>>);

/// Those to the Applications of one name: one that was made again has another uid.
struct OfName<'a> {
    /// By the version that each resulted in.
    resulting: BTreeMap<ResourceVersion, Vec<Write<'a>>>,
    /// Those that name no resulting version, by the version that they were based on.
    based_on: BTreeMap<ResourceVersion, Vec<Write<'a>>>,
    /// Those that name no resulting version, numbered, by time.
    silent: Timed<(usize, Write<'a>)>,
    /// The uids that these name.
    silent_uids: BTreeSet<Option<&'a str>>,
}

impl<'a> Writes<'a> {
    pub(super) fn of(facts: &'a Facts) -> Self {
        let mut by_name: BTreeMap<_, Vec<Write<'a>>> = BTreeMap::new();
        for write in facts.writes.values() {
            if write.fact.succeeded() && write.fact.is_application() {
                let object = &write.fact.object;
                let key = (object.namespace.as_str(), object.name.as_str());
                by_name.entry(key).or_default().push(write);
            }
        }
        Self(by_name.into_iter().map(|(key, writes)| (key, OfName::of(&writes))).collect())
    }

    /// The writes that were answered with that version of an Application.
    pub(super) fn resulting(
        &self,
        app: &ApplicationVersion,
        version: ResourceVersion,
    ) -> Vec<Write<'a>> {
        let writes = self.of_name(app).and_then(|of| of.resulting.get(&version));
        writes.into_iter().flatten().copied().filter(|w| is_of(w, app)).collect()
    }

    /// The writes based on that version of an Application that name no resulting version.
    pub(super) fn based_on(
        &self,
        app: &ApplicationVersion,
        version: ResourceVersion,
    ) -> Vec<Write<'a>> {
        let writes = self.of_name(app).and_then(|of| of.based_on.get(&version));
        writes.into_iter().flatten().copied().filter(|w| is_of(w, app)).collect()
    }

    /// The writes to an Application near one of the moments that name no resulting version.
    pub(super) fn silent_near(&self, app: &ApplicationVersion, near: &[Moment]) -> Vec<Write<'a>> {
        let Some(of_name) = self.of_name(app) else { return Vec::new() };
        let found = near.iter().flat_map(|at| around(&of_name.silent, at));
        let near = |w: Write<'a>| near.iter().any(|at| is_near(at, &w.fact.time));
        let found = found.filter(|(_, w)| is_of(w, app) && near(w));
        found.collect::<BTreeMap<usize, Write<'a>>>().into_values().collect()
    }

    /// Whether any write to an Application names no resulting version.
    pub(in crate::story) fn has_silent(&self, app: &ApplicationVersion) -> bool {
        self.of_name(app).is_some_and(|of| {
            of.silent_uids.contains(&None) || of.silent_uids.contains(&Some(app.uid.as_str()))
        })
    }

    fn of_name<'s>(&'s self, app: &'s ApplicationVersion) -> Option<&'s OfName<'a>> {
        let writes: &BTreeMap<(&'s str, &'s str), OfName<'a>> = &self.0;
        writes.get(&(app.namespace.as_str(), app.name.as_str()))
    }
}

impl<'a> OfName<'a> {
    fn of(writes: &[Write<'a>]) -> Self {
        let mut resulting: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut based_on: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let (mut silent, mut silent_uids) = (Vec::new(), BTreeSet::new());
        for write in writes.iter().copied() {
            if let Some(version) = write.fact.resulting_version {
                resulting.entry(version).or_default().push(write);
                continue;
            }
            if let Some(version) = write.fact.version_before {
                based_on.entry(version).or_default().push(write);
            }
            silent.push((write.fact.time, (silent.len(), write)));
            silent_uids.insert(write.fact.object.uid.as_deref());
        }
        Self { resulting, based_on, silent: Timed::of(silent), silent_uids }
    }
}

/// A write that names no uid may be to any Application of that name.
fn is_of(write: Write<'_>, app: &ApplicationVersion) -> bool {
    write.fact.object.uid.as_ref().is_none_or(|uid| *uid == app.uid)
}

/// Successful writes of Event objects by accounts that are not Argo CD's, by namespace.
pub(super) struct Planted<'a>(BTreeMap<&'a str, Timed<&'a AuditWrite>>);

impl<'a> Planted<'a> {
    pub(super) fn of(facts: &'a Facts) -> Self {
        let mut by_namespace: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for write in facts.writes.values().map(|w| &w.fact) {
            let namespace = write.object.namespace.as_str();
            if write.object.resource == "events"
                && write.succeeded()
                && Whose::may_plant(&write.account, namespace)
            {
                by_namespace.entry(namespace).or_default().push((write.time, write));
            }
        }
        Self(by_namespace.into_iter().map(|(key, writes)| (key, Timed::of(writes))).collect())
    }

    /// Whether one was written in that namespace near that moment.
    pub(super) fn any(&self, namespace: &str, at: &Moment) -> bool {
        let writes = self.0.get(namespace);
        writes.is_some_and(|writes| around(writes, at).any(|w| is_near(at, &w.time)))
    }
}

/// What may be near a moment.
fn around<T: Copy>(timed: &Timed<T>, at: &Moment) -> impl Iterator<Item = T> {
    // A part of a second is none to [`is_near`].
    let near = SignedDuration::from_secs(NEAR_SECONDS + 1);
    let from = at.earliest().checked_sub(near).unwrap_or(Timestamp::MIN);
    let to = at.latest().checked_add(near).unwrap_or(Timestamp::MAX);
    timed.within(from, to)
}
