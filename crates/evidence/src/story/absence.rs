//! Absences: what one would expect about an operation and is not there.
//!
//! Only where a channel's coverage is complete does its silence say something; elsewhere the
//! absence is told with the reason why it says nothing.

use super::claim::Absence;
use super::coverage;
use super::episode::Episode;
use super::initiator::Evidence;
use super::operation::SetAt;
use super::telling::{Teller, exact_set};
use crate::channel::Channel;
use crate::time::Moment;

impl Teller<'_> {
    /// What one would expect about the start of this operation and is not there.
    pub(super) fn absences(
        &self,
        episode: &Episode<'_>,
        evidence: &Evidence<'_>,
        when: Option<Moment>,
    ) -> Vec<Absence> {
        let mut absences = Vec::new();
        let by_itself = evidence.request.automated && evidence.setters.is_empty();
        if evidence.server.is_empty() && !by_itself {
            absences.push(self.absence(
                "OperationStarted of argocd-server at that version",
                Channel::KubernetesEventWatch,
                when,
            ));
        }
        if evidence.controller.is_empty() && evidence.request.automated {
            absences.push(self.absence(
                "OperationStarted of argocd-application-controller at the version before",
                Channel::KubernetesEventWatch,
                when,
            ));
        }
        if evidence.setters.is_empty() {
            let what = "audit record of the write that resulted in that version";
            let mut absence = self.absence(what, Channel::KubernetesAudit, when);
            if absence.reason.is_none() && self.writes.has_silent(&episode.first.fact) {
                let reason = "some audited writes of this Application name no resulting version";
                absence.reason = Some(reason.to_owned());
            }
            absences.push(absence);
        }
        // Records about the version at which it was set cannot be missed where that is not known.
        if !matches!(exact_set(episode, evidence), SetAt::Exactly(_)) {
            let reason = "the version at which it was set is not in the records";
            let unknown = absences.iter_mut().filter(|absence| absence.reason.is_none());
            unknown.for_each(|absence| absence.reason = Some(reason.to_owned()));
        }
        absences
    }

    fn absence(&self, what: &str, channel: Channel, when: Option<Moment>) -> Absence {
        let coverage = coverage::of(self.coverage, channel);
        let covered = coverage.map_or_else(
            || Err("no record of this channel".to_owned()),
            |coverage| coverage.at(when.as_ref()),
        );
        Absence { what: what.to_owned(), channel: channel.id(), reason: covered.err() }
    }
}
