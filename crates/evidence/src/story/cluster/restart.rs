//! Containers that were started again: one act for a pod and a spell of restarts.

use jiff::SignedDuration;

use super::index::Index;
use super::{ObjectKey, ObjectVersions};
use crate::parse::kubernetes_object_watch::{Container, Detail, ObjectVersion};
use crate::story::act::{Act, What};
use crate::story::claim::Voice;
use crate::story::wire::Cites;
use crate::time::Moment;

/// A container that ran this long starts afresh: the kubelet forgets its back-off
/// (`kubernetes/kubernetes` `pkg/kubelet/kubelet.go`, `backOffPeriod` and `MaxContainerBackOff`;
/// Kubernetes documentation, "Pod Lifecycle").
const SPELL: SignedDuration = SignedDuration::from_mins(10);

/// The acts.
pub(super) fn acts(index: &Index<'_>) -> Vec<Act> {
    index.kind("", "Pod").flat_map(|(key, versions)| of_pod(index, key, versions)).collect()
}

/// Restarts that lie close together.
struct Spell {
    count: u64,
    reason: Option<String>,
    at: Option<Moment>,
    cites: Cites,
}

/// Only an increase that was seen counts: what a pod had behind it when the watch began did not
/// happen within the records.
fn of_pod(index: &Index<'_>, key: &ObjectKey, versions: &ObjectVersions) -> Vec<Act> {
    let mut spells: Vec<Spell> = Vec::new();
    let mut known: Option<u64> = None;
    for version in versions.values() {
        let Detail::Pod(pod) = &version.fact.detail else { continue };
        let count = pod.containers.iter().map(|c| c.restarts).sum();
        // A pod without a status yet has not restarted.
        if known.replace(count).is_some_and(|known| count > known) {
            let (at, reason) = last_restart(&pod.containers);
            match spells.last_mut().filter(|spell| spell.goes_on(at)) {
                Some(spell) => spell.add(count, at, reason, &version.cites),
                None => spells.push(Spell { count, reason, at, cites: version.cites.clone() }),
            }
        }
    }
    let last = versions.last_key_value().map(|(_, v)| &v.fact);
    spells.into_iter().filter_map(|spell| Some(spell.into_act(index, key, last?))).collect()
}

/// When the container that was last started again began to run, and why it had ended.
fn last_restart(containers: &[Container]) -> (Option<Moment>, Option<String>) {
    let restarted = containers.iter().filter(|c| c.restarts > 0);
    let at = |c: &Container| c.running.or(c.ended_at);
    let last = restarted.max_by_key(|c| at(c));
    (last.and_then(at), last.and_then(|c| c.ended.clone()))
}

impl Spell {
    fn goes_on(&self, at: Option<Moment>) -> bool {
        let apart = at.zip(self.at).map(|(at, last)| at.earliest().duration_since(last.latest()));
        apart.is_none_or(|apart| apart <= SPELL)
    }

    fn add(&mut self, count: u64, at: Option<Moment>, reason: Option<String>, cites: &Cites) {
        self.count = count;
        self.reason = reason.or_else(|| self.reason.take());
        self.at = match (self.at, at) {
            (Some(first), Some(last)) => Some(Moment::between(first, last)),
            (first, last) => first.or(last),
        };
        self.cites.extend(cites);
    }

    fn into_act(self, index: &Index<'_>, key: &ObjectKey, pod: &ObjectVersion) -> Act {
        let Self { count, reason, at, cites } = self;
        let what = What::ContainerRestarts { pod: key.name.clone(), reason, count };
        let mut act = Act::new(what, at, Voice::Recorded, cites);
        act.namespace = Some(key.namespace.clone());
        act.app = index.app_of_version(pod);
        act
    }
}
