//! Telling: from an episode and everything recorded about it to an operation of the story.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Claim, ClaimSource, Identity, Voice, Writer, is_machine};
use super::coverage::Coverage;
use super::episode::{Episode, episodes};
use super::fold::{Cited, Facts};
use super::initiator::{Evidence, Initiator, Whose};
use super::operation::{AppRef, Kind, Operation, SetAt};
use super::wire::Cites;
use crate::parse::ResourceVersion;
use crate::parse::argocd_application_watch::ApplicationVersion;
use crate::parse::kubernetes_audit::{AuditWrite, RequestedOperation};
use crate::parse::kubernetes_event_watch::{
    ArgoAct, ArgoEvent, CONTROLLER_COMPONENT, SERVER_COMPONENT, Start,
};
use crate::people::People;
use crate::time::Moment;

mod writes;

use self::writes::{Planted, Writes};

/// Everything an operation is told from, found by the Application it is about.
pub(crate) struct Teller<'a> {
    facts: &'a Facts,
    people: &'a People,
    pub(super) coverage: &'a [Coverage],
    starts: BTreeMap<(&'a str, ResourceVersion), Vec<&'a Cited<ArgoEvent>>>,
    pub(super) writes: Writes<'a>,
    planted: Planted<'a>,
}

/// Seconds within which two records may be of one act: Events are stamped to the second.
const NEAR_SECONDS: i64 = 2;

fn is_near(a: &Moment, b: &Moment) -> bool {
    let apart = |x: &Moment, y: &Moment| x.earliest().duration_since(y.latest()).as_secs();
    apart(a, b) <= NEAR_SECONDS && apart(b, a) <= NEAR_SECONDS
}

impl<'a> Teller<'a> {
    pub(crate) fn new(facts: &'a Facts, people: &'a People, coverage: &'a [Coverage]) -> Self {
        let mut starts: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for event in facts.events.values() {
            if matches!(event.fact.act, ArgoAct::Started(_)) {
                let key = (event.fact.application_uid.as_str(), event.fact.application_version);
                starts.entry(key).or_default().push(event);
            }
        }
        let (writes, planted) = (Writes::of(facts), Planted::of(facts));
        Self { facts, people, coverage, starts, writes, planted }
    }

    /// All operations, ordered by Application and version.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for versions in self.facts.applications.values() {
            operations.extend(episodes(versions).iter().map(|e| self.operation(e)));
        }
        operations
    }

    /// Starts recorded by Argo CD's API server whose operation was not seen in any version.
    pub(crate) fn unmatched(&self, operations: &[Operation]) -> Vec<&'a Cited<ArgoEvent>> {
        let seen: BTreeSet<(&str, ResourceVersion)> =
            operations.iter().map(|o| (o.app.uid.as_str(), o.set.version())).collect();
        let starts = self.starts.iter().filter(|(key, _)| !seen.contains(key));
        let events = starts.flat_map(|(_, events)| events.iter().copied());
        events.filter(|e| e.fact.component == SERVER_COMPONENT).collect()
    }

    fn starts_at(
        &self,
        uid: &str,
        version: ResourceVersion,
        by: &str,
    ) -> Vec<&'a Cited<ArgoEvent>> {
        let events = self.starts.get(&(uid, version)).into_iter().flatten().copied();
        events.filter(|e| e.fact.component == by).collect()
    }

    /// The writes that were answered with the version at which the operation appeared.
    ///
    /// Each must have asked for an operation: a write that only touched an annotation may result in
    /// the first version *seen* with the operation. An update based on another version than the
    /// one before shows that versions are missing in between, so it is not taken either. One that
    /// is based on the version before did the change, whatever else was answered with it: a patch
    /// that changes nothing is answered with the version that it found.
    fn setters(&self, episode: &Episode<'_>) -> Vec<&'a Cited<AuditWrite>> {
        if !episode.requested {
            return Vec::new();
        }
        let set = episode.first.fact.resource_version;
        let before = episode.before.map(|v| v.fact.resource_version);
        let mut answered = self.writes.resulting(&episode.first.fact, set);
        answered.retain(|w| {
            let asks = matches!(
                w.fact.operation,
                RequestedOperation::Present(_) | RequestedOperation::Part
            );
            let fresh = w.fact.version_before.is_none_or(|v| Some(v) == before);
            asks && fresh
        });
        match answered.iter().find(|w| w.fact.version_before.is_some()) {
            Some(based) => vec![*based],
            None => answered,
        }
    }

    fn evidence<'e>(&'e self, episode: &Episode<'e>) -> Evidence<'e> {
        let app = &episode.first.fact;
        let direct = episode.before.filter(|_| episode.follows_before());
        let before = direct.map(|v| v.fact.resource_version);
        let controller =
            before.map_or_else(Vec::new, |v| self.starts_at(&app.uid, v, CONTROLLER_COMPONENT));
        let based_on_before = before.into_iter().flat_map(|v| self.writes.based_on(app, v));
        let based_on_before = based_on_before.filter(|w| {
            w.fact.impersonated.is_none()
                && Whose::of(&w.fact.account, &app.namespace) == Whose::Controller
        });
        let server = if episode.requested {
            self.starts_at(&app.uid, app.resource_version, SERVER_COMPONENT)
        } else {
            Vec::new()
        };
        let near = server.iter().filter_map(|e| e.fact.time).collect::<Vec<_>>();
        let mut blind = self.writes.silent_near(app, &near);
        blind.retain(|w| {
            let account = w.fact.impersonated.as_deref().unwrap_or(&w.fact.account);
            w.fact.operation != RequestedOperation::Absent && !is_machine(account)
        });
        Evidence {
            request: episode.request,
            namespace: &app.namespace,
            planted: server.iter().any(|e| self.is_planted(e)),
            controller,
            setters: self.setters(episode),
            before: based_on_before.collect(),
            blind,
            server,
        }
    }

    /// Whether an Event was written by an account that is not Argo CD's: Events are objects like
    /// any other, and name their component themselves.
    fn is_planted(&self, event: &Cited<ArgoEvent>) -> bool {
        let time = event.fact.time;
        time.is_some_and(|at| self.planted.any(&event.fact.namespace, &at))
    }

    fn operation(&self, episode: &Episode<'a>) -> Operation {
        let evidence = self.evidence(episode);
        let initiator = evidence.initiator(self.people);
        let claims = self.claims(episode, &evidence);
        let state = episode.state();
        let request = episode.request;
        let set_at = claims.iter().find_map(|c| c.time);
        let started_at = state.and_then(|s| s.started_at);
        let (kind, kind_note) = kind(episode, &evidence);
        let mut cites = episode.first.cites.clone();
        if let Some((ended, _)) = episode.ended {
            cites.extend(&ended.cites);
        }
        let absences = self.absences(episode, &evidence, set_at.or(started_at));
        let (not_found, cannot_tell) = absences.into_iter().partition(|a| a.reason.is_none());
        Operation {
            app: app_ref(&episode.first.fact),
            set: exact_set(episode, &evidence),
            end: episode.end(),
            kind,
            kind_note,
            automated: request.automated,
            phase: state.and_then(|s| s.phase.clone()),
            message: state.and_then(|s| s.message.clone()),
            requested_revision: request.revision.clone(),
            revision: episode.revision(),
            revisions: episode.revisions(),
            limited_to: request.resources.clone(),
            applied: episode.applied(),
            info: request.info.clone(),
            history_id: episode.history_row().map(|row| row.id),
            set_at,
            started_at,
            finished_at: state.and_then(|s| s.finished_at),
            claimed_by: request.username.clone(),
            initiator,
            claims,
            not_found,
            cannot_tell,
            cites,
        }
    }

    /// All claims, strongest first.
    fn claims(&self, episode: &Episode<'_>, evidence: &Evidence<'_>) -> Vec<Claim> {
        let mut claims = vec![self.asserted(
            ClaimSource::Resource,
            (evidence.request.username.as_deref(), evidence.request.automated),
            &episode.first.cites,
        )];
        if let (Some(row), Some((cleared, _))) = (episode.history_row(), &episode.ended) {
            let says = (row.username.as_deref(), row.automated);
            claims.push(self.asserted(ClaimSource::History, says, &cleared.cites));
        }
        let events = evidence.server.iter().map(|e| self.recorded(ClaimSource::ServerEvent, e));
        claims.extend(events);
        let events =
            evidence.controller.iter().map(|e| self.recorded(ClaimSource::ControllerEvent, e));
        claims.extend(events);
        let writes = evidence.before.iter().copied();
        claims.extend(writes.map(|w| self.audited(ClaimSource::AuditWriteBefore, w)));
        let setters = evidence.setters.iter().copied();
        claims.extend(setters.map(|w| self.audited(ClaimSource::AuditWrite, w)));
        claims.sort_by(|a, b| b.cmp(a));
        claims
    }

    fn asserted(&self, source: ClaimSource, says: (Option<&str>, bool), cites: &Cites) -> Claim {
        Claim {
            voice: Voice::Asserted,
            source,
            who: says.0.map(|name| Identity::of(name, self.people)),
            automated: says.1,
            writer: None,
            time: None,
            cites: cites.clone(),
        }
    }

    fn recorded(&self, source: ClaimSource, event: &Cited<ArgoEvent>) -> Claim {
        let user = event.fact.user.as_deref();
        Claim {
            voice: Voice::Recorded,
            source,
            who: user.map(|name| Identity::of(name, self.people)),
            automated: source == ClaimSource::ControllerEvent,
            writer: None,
            time: event.fact.time,
            cites: event.cites.clone(),
        }
    }

    fn audited(&self, source: ClaimSource, write: &Cited<AuditWrite>) -> Claim {
        let writer = Writer::of(&write.fact, self.people);
        Claim {
            voice: Voice::Authenticated,
            source,
            who: Some(writer.who.clone()),
            automated: false,
            writer: Some(writer),
            time: Some(write.fact.time),
            cites: write.cites.clone(),
        }
    }
}

/// An Application as of one version.
pub(crate) fn app_ref(version: &ApplicationVersion) -> AppRef {
    AppRef {
        uid: version.uid.clone(),
        namespace: version.namespace.clone(),
        name: version.name.clone(),
        project: version.project.clone(),
        destination_namespace: version.destination_namespace.clone(),
        environment: version.environment.clone(),
        criticality: version.criticality.clone(),
        path: version.path.clone(),
    }
}

/// A start by the API server names the very version, and a patch that asks for the operation sets
/// it, even if no version before was seen.
pub(super) fn exact_set(episode: &Episode<'_>, evidence: &Evidence<'_>) -> SetAt {
    if !evidence.server.is_empty() || !evidence.setters.is_empty() {
        SetAt::Exactly(episode.first.fact.resource_version)
    } else {
        episode.set()
    }
}

/// Only the API server's Event tells a rollback from a full sync with an explicit revision.
fn kind(episode: &Episode<'_>, evidence: &Evidence<'_>) -> (Kind, Option<String>) {
    let kind = episode.kind();
    if kind != Kind::Full {
        return (kind, None);
    }
    let rolls_back = |e: &&Cited<ArgoEvent>| e.fact.act == ArgoAct::Started(Start::Rollback);
    let is_server =
        |w: &Cited<AuditWrite>| Whose::of(&w.fact.account, evidence.namespace) == Whose::Server;
    let by_server = evidence.setters.is_empty() || evidence.setter().is_some_and(is_server);
    if by_server && evidence.server.iter().any(rolls_back) {
        return (Kind::Rollback, None);
    }
    let open = evidence.server.is_empty()
        && by_server
        && !evidence.request.automated
        && (evidence.request.revision.is_some() || !evidence.request.revisions.is_empty());
    let note = "undetermined between full and rollback: only the OperationStarted event of \
                argocd-server at that version would tell, and it is not in the records";
    (kind, open.then(|| note.to_owned()))
}

/// The ids of all persons that an operation names.
pub(crate) fn persons(operation: &Operation) -> impl Iterator<Item = &str> {
    let claimed = operation.claims.iter().filter_map(|c| c.who.as_ref());
    let acting = operation.claims.iter().filter_map(|c| c.writer.as_ref()?.impersonating.as_ref());
    let contradicted = match &operation.initiator {
        Initiator::Contradicted { writer, .. } => writer.acting().person.as_deref(),
        _ => None,
    };
    claimed.chain(acting).filter_map(|i| i.person.as_deref()).chain(contradicted)
}
