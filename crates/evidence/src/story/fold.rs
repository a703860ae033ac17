//! The fold: records into facts, each under its own key, whatever the order of arrival.
//!
//! Merging is set union. When two records tell the same key in different words (one of them with
//! an erased part), the words that show more are kept, else the smaller ones, so that the outcome
//! does not depend on which came first; both records stay cited.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Debug;

use jiff::Timestamp;

use super::coverage::Seen;
use super::wire::Cites;
use crate::channel::Channel;
use crate::parse::argocd_application_watch::{self as applications, ApplicationVersion};
use crate::parse::kubernetes_audit::{self as audit, AuditWrite};
use crate::parse::kubernetes_event_watch::{self as events, ArgoEvent, EventVersion};
use crate::parse::{NotUnderstood, ResourceVersion, WatchLine};
use crate::parse::{argocd_notification, argocd_stream, cloudevent, forge_snapshot};
use crate::record::{CUT, Cite, REDACTED, Record};
use crate::time::Moment;

/// A fact and the records that tell it.
#[derive(Clone, Debug)]
pub(crate) struct Cited<T> {
    pub(crate) fact: T,
    pub(crate) cites: Cites,
}

/// What a record says of its channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    /// It was alive then, if the record states a time.
    At(Option<Moment>),
    /// It tells of all of that time.
    During(Moment),
    /// It was alive.
    Bookmark,
    /// It broke off.
    Gap(String),
}

/// All versions seen of one Application, in the order of their resourceVersions.
pub(crate) type Versions = BTreeMap<ResourceVersion, Cited<ApplicationVersion>>;

/// Everything that the records show, before anything is concluded from it.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// By the Application's uid.
    pub(crate) applications: BTreeMap<String, Versions>,
    /// By the Event's uid and version.
    pub(crate) events: BTreeMap<(String, ResourceVersion), Cited<ArgoEvent>>,
    /// By audit id and stage.
    /// By audit id, stage and the time of the stage: a caller may choose the id, and two requests
    /// under one id are two writes.
    pub(crate) writes: BTreeMap<(String, String, Timestamp), Cited<AuditWrite>>,
    /// What Argo CD's logs say.
    pub(crate) argocd: super::argocd::ArgocdFacts,
    /// Objects of the cluster, version by version.
    pub(crate) cluster: super::cluster::ClusterFacts,
    /// Proposals, reviews, pushes, commits and tickets.
    pub(crate) forge: super::forge::ForgeFacts,
    /// Alerts and series.
    pub(crate) metrics: super::metrics::MetricFacts,
    /// Requests to secret stores.
    pub(crate) secrets: super::secrets::SecretFacts,
    /// What was seen of each channel.
    pub(crate) seen: BTreeMap<Channel, Seen>,
}

impl Facts {
    pub(crate) fn add(&mut self, record: &Record) {
        let cite = &record.cite;
        self.seen.entry(cite.channel).or_default().record(&cite.id);
        let added = match cite.channel {
            Channel::ArgocdApplicationWatch => self.add_application(cite, &record.payload),
            Channel::KubernetesEventWatch => self.add_event(cite, &record.payload),
            Channel::KubernetesAudit => self.add_audit(cite, &record.payload),
            Channel::KubernetesObjectWatch => {
                let noted = self.cluster.add(cite, &record.payload);
                self.noted(cite, noted)
            }
            Channel::GithubWebhook
            | Channel::GitlabWebhook
            | Channel::JiraWebhook
            | Channel::GitCommit => {
                let noted = self.forge.add(cite, &record.payload);
                self.noted(cite, noted)
            }
            Channel::ArgocdServerLog | Channel::ArgocdControllerLog => {
                let noted = self.argocd.add(cite, &record.payload);
                self.noted(cite, noted)
            }
            Channel::ArgocdStream => self.add_stream(cite, &record.payload),
            Channel::ArgocdNotification => self.add_notification(cite, &record.payload),
            Channel::Cloudevent => self.add_cloudevent(cite, &record.payload),
            Channel::AlertmanagerWebhook | Channel::PrometheusRange => {
                let noted = self.metrics.add(cite, &record.payload);
                self.noted(cite, noted)
            }
            Channel::OpenbaoAudit => {
                let noted = self.secrets.add(cite, &record.payload);
                self.noted(cite, noted)
            }
            // Who could do what is asked of the snapshots themselves; the story knows when each was.
            Channel::ForgeSnapshot => forge_snapshot::parse(&record.payload)
                .map(|snapshot| self.time(cite, snapshot.taken_at)),
            // These say something about the ledger, nothing about the world.
            Channel::LedgerAssessment | Channel::LedgerRedaction => Ok(()),
        };
        if let Err(reason) = added {
            self.seen.entry(cite.channel).or_default().not_understood(&cite.id, reason);
        }
    }

    /// Notes what a watch line says of the channel; gives the object that it carries.
    fn line<T>(&mut self, cite: &Cite, line: WatchLine<T>) -> Option<T> {
        let seen = self.seen.entry(cite.channel).or_default();
        match line {
            WatchLine::Version(object) | WatchLine::Deleted(object) => return Some(object),
            WatchLine::Bookmark => seen.bookmark(&cite.id),
            WatchLine::Gap(reason) => seen.gap(&cite.id, reason),
        }
        None
    }

    /// Notes what a family of facts took from a record.
    fn noted(
        &mut self,
        cite: &Cite,
        noted: Result<Noted, NotUnderstood>,
    ) -> Result<(), NotUnderstood> {
        match noted? {
            Noted::At(time) => self.time(cite, time),
            Noted::During(span) => {
                for end in [span.earliest(), span.latest()] {
                    self.time(cite, Some(Moment::window(end, end)));
                }
            }
            Noted::Bookmark => self.seen.entry(cite.channel).or_default().bookmark(&cite.id),
            Noted::Gap(reason) => self.seen.entry(cite.channel).or_default().gap(&cite.id, reason),
        }
        Ok(())
    }

    fn time(&mut self, cite: &Cite, time: Option<Moment>) {
        if let Some(time) = time {
            self.seen.entry(cite.channel).or_default().time(time);
        }
    }

    fn add_application(&mut self, cite: &Cite, payload: &[u8]) -> Result<(), NotUnderstood> {
        if let Some(version) = self.line(cite, applications::parse(payload)?) {
            self.time(cite, version.not_before);
            self.add_version(cite, version);
        }
        Ok(())
    }

    fn add_stream(&mut self, cite: &Cite, payload: &[u8]) -> Result<(), NotUnderstood> {
        if let Some(version) = self.line(cite, argocd_stream::parse(payload)?) {
            self.time(cite, version.not_before);
            self.add_version(cite, version);
        }
        Ok(())
    }

    fn add_notification(&mut self, cite: &Cite, payload: &[u8]) -> Result<(), NotUnderstood> {
        let notification = argocd_notification::parse(payload)?;
        self.time(cite, notification.received_at.or(notification.version.not_before));
        self.add_version(cite, notification.version);
        Ok(())
    }

    fn add_cloudevent(&mut self, cite: &Cite, payload: &[u8]) -> Result<(), NotUnderstood> {
        let event = cloudevent::parse(payload)?;
        self.time(cite, event.time);
        if let Some(version) = event.application {
            self.add_version(cite, version);
        }
        Ok(())
    }

    /// Channels tell the same version in different words: what they mean alike is one fact.
    fn add_version(&mut self, cite: &Cite, mut version: ApplicationVersion) {
        let versions = self.applications.entry(version.uid.clone()).or_default();
        if let Some(known) = versions.get_mut(&version.resource_version) {
            let deleted = known.fact.deleted || version.deleted;
            known.fact.deleted = deleted;
            version.deleted = deleted;
        }
        merge(versions, version.resource_version, version, cite);
    }

    fn add_event(&mut self, cite: &Cite, payload: &[u8]) -> Result<(), NotUnderstood> {
        let Some(event) = self.line(cite, events::parse(payload)?) else {
            return Ok(());
        };
        self.time(cite, event.time);
        let EventVersion { uid, resource_version, argo, project, .. } = event;
        if let Some(project) = project {
            self.cluster.add_project_event((uid.clone(), resource_version), project, cite);
        }
        if let Some(argo) = argo {
            merge(&mut self.events, (uid, resource_version), argo, cite);
        }
        Ok(())
    }

    fn add_audit(&mut self, cite: &Cite, payload: &[u8]) -> Result<(), NotUnderstood> {
        let event = audit::parse(payload)?;
        self.time(cite, Some(event.time));
        if let Some(write) = event.write {
            let key = (write.audit_id.clone(), write.stage.clone(), event.time.latest());
            merge(&mut self.writes, key, write, cite);
        }
        if let Some(read) = event.secret_read {
            self.cluster.add_secret_read(event.time, read, cite);
        }
        Ok(())
    }
}

/// Adds a fact under its key, or its record to the fact that is known under it.
pub(crate) fn merge<K: Ord, T: Debug + PartialEq>(
    facts: &mut BTreeMap<K, Cited<T>>,
    key: K,
    fact: T,
    cite: &Cite,
) {
    match facts.entry(key) {
        Entry::Vacant(slot) => {
            slot.insert(Cited { fact, cites: cite.clone().into() });
        }
        Entry::Occupied(mut slot) => {
            let known = slot.get_mut();
            known.cites.0.insert(cite.clone());
            if known.fact != fact && rank(&fact) < rank(&known.fact) {
                known.fact = fact;
            }
        }
    }
}

/// Fewer erased parts first, then a total order that is the same on every machine.
fn rank<T: Debug>(fact: &T) -> (usize, String) {
    let words = format!("{fact:?}");
    let marks = words.matches(REDACTED).count() + words.matches(CUT).count();
    (marks, words)
}
