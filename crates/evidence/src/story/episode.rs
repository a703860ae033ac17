//! Episodes: from version to version, where an operation appeared and where it ceased.

use super::fold::{Cited, Versions};
use super::operation::{Applied, End, Kind, SetAt};
use crate::parse::argocd_application_watch::{ApplicationVersion, HistoryRow, OperationState};
use crate::parse::operation_request::OperationRequest;

type Version = Cited<ApplicationVersion>;

/// One appearance of `.operation` in the versions of one Application.
pub(crate) struct Episode<'a> {
    pub(crate) request: &'a OperationRequest,
    /// The version before, when one was seen.
    pub(crate) before: Option<&'a Version>,
    /// The first version that has the request.
    pub(crate) first: &'a Version,
    /// The last version that has the request.
    last: &'a Version,
    /// The version that ended it.
    pub(crate) ended: Option<(&'a Version, Ending)>,
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
    let mut closed = Vec::new();
    let mut open: Option<Episode<'_>> = None;
    let mut before = None;
    for version in versions.values() {
        let request = version.fact.operation.as_ref().filter(|_| !version.fact.deleted);
        if let Some(mut episode) = open.take() {
            match request {
                Some(request) if request.same_as(episode.request) => {
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
            open = Some(Episode { request, before, first: version, last: version, ended: None });
        }
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

impl<'a> Episode<'a> {
    pub(crate) fn set(&self) -> SetAt {
        let version = self.first.fact.resource_version;
        match self.before {
            Some(_) => SetAt::Exactly(version),
            None => SetAt::AtOrBefore(version),
        }
    }

    pub(crate) fn end(&self) -> End {
        let Some((version, ending)) = self.ended else {
            return End::NotSeen;
        };
        let version = version.fact.resource_version;
        match ending {
            Ending::Cleared => End::Cleared(version),
            Ending::Replaced => End::Replaced(version),
            Ending::Deleted => End::Deleted(version),
        }
    }

    /// How the operation stands, never the previous operation's state.
    ///
    /// `kubectl` leaves the previous state in place when it sets an operation, so a state that is
    /// equal to the one at the set version, or whose own copy of the request is another, is not
    /// this operation's (`argoproj/argo-cd` `util/argo/argo.go` `SetAppOperation` clears it).
    pub(crate) fn state(&self) -> Option<&'a OperationState> {
        let known = match self.ended {
            Some((version, Ending::Cleared)) => version,
            _ => self.last,
        };
        let state = known.fact.operation_state.as_ref()?;
        let unchanged = self.first.fact.operation_state.as_ref() == Some(state);
        let is_previous = unchanged && (self.before.is_some() || state.finished_at.is_some());
        let cleared = matches!(self.ended, Some((_, Ending::Cleared)));
        let own = cleared || state.operation.as_ref().is_none_or(|o| o.same_as(self.request));
        (own && !is_previous).then_some(state)
    }

    /// The row that the operation left in the history: new between set and cleared.
    pub(crate) fn history_row(&self) -> Option<&'a HistoryRow> {
        let (cleared, Ending::Cleared) = self.ended? else {
            return None;
        };
        let known = &self.first.fact.history;
        let mut rows = cleared.fact.history.iter();
        rows.rfind(|row| known.iter().all(|old| old.id < row.id))
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
