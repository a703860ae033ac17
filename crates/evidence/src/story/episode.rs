//! Episodes: from version to version, where an operation appeared and where it ceased.
//!
//! A watch sends every version. Argo CD's stream loses some without a sign, and notifications are
//! sent now and then: what happened between two such versions is not known. So a change between
//! them is told as lying between them; what is alike in both may still have changed and changed
//! back; and an operation may show only in the state that it left behind.

use super::fold::{Cited, Versions};
use super::operation::{Applied, End, Kind, SetAt};
use crate::channel::Channel;
use crate::parse::argocd_application_watch::{ApplicationVersion, HistoryRow, OperationState};
use crate::parse::operation_request::OperationRequest;
use crate::time::Moment;

type Version = Cited<ApplicationVersion>;

/// One appearance of `.operation` in the versions of one Application, or what it left behind.
pub(crate) struct Episode<'a> {
    pub(crate) request: &'a OperationRequest,
    /// The version before, when one was seen.
    pub(crate) before: Option<&'a Version>,
    /// The first version that has the request, or only its outcome.
    pub(crate) first: &'a Version,
    /// The last version that has the request, or only its outcome.
    last: &'a Version,
    /// The version that ended it.
    pub(crate) ended: Option<(&'a Version, Ending)>,
    /// Whether a version has the request, and not only its outcome.
    pub(crate) requested: bool,
}

/// How an episode ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Cleared,
    Replaced,
    Deleted,
}

/// All episodes in the versions of one Application, in order.
pub(crate) fn episodes(versions: &Versions) -> Vec<Episode<'_>> {
    let mut closed: Vec<Episode<'_>> = Vec::new();
    let mut open: Option<Episode<'_>> = None;
    let mut before = None;
    for version in versions.values() {
        let request = version.fact.operation.as_ref().filter(|_| !version.fact.deleted);
        if let Some(mut episode) = open.take() {
            match request {
                Some(request) if episode.goes_on(request, version) => {
                    episode.last = version;
                    open = Some(episode);
                }
                _ => {
                    episode.ended = Some((version, ending(&version.fact)));
                    closed.push(episode);
                }
            }
        }
        if let (None, Some(request)) = (&open, request) {
            open = Some(Episode::new(request, before, version));
        }
        let told = closed.last().filter(|e| e.ended.is_some_and(|(v, _)| std::ptr::eq(v, version)));
        let state = version.fact.operation_state.as_ref();
        let told =
            told.and_then(Episode::state).zip(state).is_some_and(|(a, b)| std::ptr::eq(a, b));
        closed.extend(left_behind(before, version).filter(|_| open.is_none() && !told));
        before = Some(version);
    }
    closed.extend(open);
    closed
}

fn ending(version: &ApplicationVersion) -> Ending {
    match (version.deleted, &version.operation) {
        (true, _) => Ending::Deleted,
        (false, Some(_)) => Ending::Replaced,
        (false, None) => Ending::Cleared,
    }
}

/// Whether nothing was between two versions that follow each other in the records: both came
/// through the watch.
fn follows(before: &Version, after: &Version) -> bool {
    let watched =
        |v: &Version| v.cites.iter().any(|c| c.channel == Channel::ArgocdApplicationWatch);
    watched(before) && watched(after)
}

/// When the operation that runs in a version began.
fn running_since(version: &Version) -> Option<Moment> {
    let running = version.fact.operation_state.as_ref().filter(|s| s.finished_at.is_none());
    running.and_then(|state| state.started_at)
}

/// Whether a version was only sent because something had happened, not as the state found when a
/// watch or a stream began.
fn is_notified(version: &Version) -> bool {
    let sent = |c: Channel| matches!(c, Channel::ArgocdNotification | Channel::Cloudevent);
    version.cites.iter().all(|c| sent(c.channel))
}

/// An operation that no version shows, only the state that it left.
fn left_behind<'a>(before: Option<&'a Version>, version: &'a Version) -> Option<Episode<'a>> {
    let state = version.fact.operation_state.as_ref()?;
    let known = before.and_then(|b| b.fact.operation_state.as_ref());
    let new = match before {
        None => is_notified(version),
        Some(before) if follows(before, version) => false,
        Some(_) => known.is_none_or(|known| known.started_at < state.started_at),
    };
    let ended = state.finished_at.is_some() && version.fact.operation.is_none();
    let request = state.operation.as_ref().filter(|_| new && ended && !version.fact.deleted)?;
    let ended = Some((version, Ending::Cleared));
    Some(Episode { ended, requested: false, ..Episode::new(request, before, version) })
}

impl<'a> Episode<'a> {
    fn new(
        request: &'a OperationRequest,
        before: Option<&'a Version>,
        version: &'a Version,
    ) -> Self {
        Self { request, before, first: version, last: version, ended: None, requested: true }
    }

    /// Whether a later version shows the same operation. The same request in two versions that do
    /// not follow each other is two operations when it was running in both, since different times.
    fn goes_on(&self, request: &OperationRequest, version: &Version) -> bool {
        let another = match (running_since(self.last), running_since(version)) {
            (Some(was), Some(is)) => was != is && !follows(self.last, version),
            _ => false,
        };
        request.same_as(self.request) && !another
    }

    /// Whether the version before is known, and nothing was in between.
    pub(crate) fn follows_before(&self) -> bool {
        self.before.is_some_and(|before| follows(before, self.first))
    }

    /// Whether the version that ended it is known, and nothing was in between.
    fn end_follows(&self) -> bool {
        self.requested && self.ended.is_some_and(|(ended, _)| follows(self.last, ended))
    }

    pub(crate) fn set(&self) -> SetAt {
        let version = self.first.fact.resource_version;
        match self.before {
            Some(_) if self.follows_before() => SetAt::Exactly(version),
            Some(before) => SetAt::Between { after: before.fact.resource_version, until: version },
            None => SetAt::AtOrBefore(version),
        }
    }

    pub(crate) fn end(&self) -> End {
        let Some((version, ending)) = self.ended else {
            return End::NotSeen;
        };
        let version = version.fact.resource_version;
        if !self.end_follows() {
            let last = if self.requested { Some(self.last) } else { self.before };
            return last.map_or(End::AtOrBefore(version), |last| End::Between {
                after: last.fact.resource_version,
                until: version,
            });
        }
        match ending {
            Ending::Cleared => End::Cleared(version),
            Ending::Replaced => End::Replaced(version),
            Ending::Deleted => End::Deleted(version),
        }
    }

    /// How the operation stands, never another operation's state.
    ///
    /// `kubectl` leaves the previous state in place when it sets an operation, so a state that is
    /// equal to the one at the set version, or whose own copy of the request is another, is not
    /// this operation's (`argoproj/argo-cd` `util/argo/argo.go` `SetAppOperation` clears it).
    pub(crate) fn state(&self) -> Option<&'a OperationState> {
        let cleared = self.ended.filter(|(_, ending)| *ending == Ending::Cleared);
        let last = || self.own_state(self.last, false);
        match cleared {
            Some((version, _)) if self.end_follows() => self.own_state(version, true),
            Some((version, _)) => self.own_state(version, false).or_else(last),
            None => last(),
        }
    }

    /// The state in a version, if it is this operation's; `surely` says that the state is the one
    /// which it ended in.
    fn own_state(&self, version: &'a Version, surely: bool) -> Option<&'a OperationState> {
        let state = version.fact.operation_state.as_ref()?;
        if !self.requested {
            return Some(state);
        }
        let unchanged = self.first.fact.operation_state.as_ref() == Some(state);
        let is_previous = unchanged && (self.follows_before() || state.finished_at.is_some());
        let own = surely || state.operation.as_ref().is_none_or(|o| o.same_as(self.request));
        let began = running_since(self.last);
        let is_later = !surely && began.is_some() && began != state.started_at;
        (own && !is_previous && !is_later).then_some(state)
    }

    /// The row that the operation left in the history: new between set and cleared. Of several
    /// rows that are new between versions which do not follow each other, none is known to be its.
    pub(crate) fn history_row(&self) -> Option<&'a HistoryRow> {
        let (cleared, Ending::Cleared) = self.ended? else {
            return None;
        };
        let known = if self.requested { Some(self.first) } else { self.before };
        let known = known.map_or(&[][..], |version| &version.fact.history);
        let mut rows = cleared.fact.history.iter();
        let is_new = |row: &&HistoryRow| known.iter().all(|old| old.id < row.id);
        if self.end_follows() {
            return rows.rfind(is_new);
        }
        let mut new = rows.filter(is_new);
        let (row, another) = (new.next()?, new.next());
        let its = another.is_none() && self.before.is_some() && self.may_have_left(row);
        its.then_some(row)
    }

    /// Whether a row is of this request. Only a full sync that succeeded leaves one
    /// (`argoproj/argo-cd` `controller/sync.go` `SyncAppState`).
    fn may_have_left(&self, row: &HistoryRow) -> bool {
        let request = self.request;
        let full = !request.dry_run && request.resources.is_empty();
        let succeeded = self.state().and_then(|s| s.phase.as_deref()) == Some("Succeeded");
        full && succeeded
            && row.username == request.username
            && row.automated == request.automated
            && (request.local_manifests || row.revision == self.revision())
    }

    /// What kind the request itself shows; a rollback only shows in the API server's Event.
    pub(crate) fn kind(&self) -> Kind {
        let request = self.request;
        if request.dry_run {
            Kind::DryRun
        } else if request.local_manifests {
            Kind::LocalManifests
        } else if request.automated && request.heal_attempts >= 1 {
            self.self_heal()
        } else if request.resources.is_empty() {
            Kind::Full
        } else {
            Kind::Partial
        }
    }

    fn self_heal(&self) -> Kind {
        let succeeded = self.state().and_then(|s| s.phase.as_deref()) == Some("Succeeded");
        if succeeded && self.applied() == Applied::Nothing {
            Kind::SelfHealEmpty
        } else {
            Kind::SelfHeal
        }
    }

    pub(crate) fn applied(&self) -> Applied {
        let state = self.state().filter(|state| state.finished_at.is_some());
        let Some(result) = state.and_then(|state| state.result.as_ref()) else {
            return Applied::Undetermined;
        };
        let resources = result.resources.clone();
        if self.request.dry_run {
            Applied::Tried(resources)
        } else if resources.is_empty() {
            Applied::Nothing
        } else {
            Applied::Resources(resources)
        }
    }

    /// The commit synced: the result names it once the operation has finished.
    ///
    /// While an operation runs, the result may name a branch or a tag
    /// (`argoproj/argo-cd` `controller/sync.go` `newSyncOperationResult`).
    pub(crate) fn revision(&self) -> Option<String> {
        if self.request.local_manifests {
            return None;
        }
        let state = self.state().filter(|state| state.finished_at.is_some());
        let result = state.and_then(|s| s.result.as_ref()).and_then(|r| r.revision.as_ref());
        let candidates = [result, self.request.revision.as_ref()];
        candidates.into_iter().flatten().find(|r| is_commit(r)).cloned()
    }

    pub(crate) fn revisions(&self) -> Vec<String> {
        let result = self.state().and_then(|s| s.result.as_ref());
        let revisions = result.map_or(&self.request.revisions, |r| &r.revisions);
        revisions.clone()
    }
}

fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit())
}
