//! What was in force at a time, read from the ledger: objects, forge snapshots, heads of branches.

use std::collections::BTreeMap;

use evidence::channel::Channel;
use evidence::past::{Gap, Past, Pushed, object_of};
use evidence::record::{Cite, Record};
use jiff::Timestamp;
use serde_json::Value;
use tlog::LeafIndex;

use crate::ask::Derived;
use crate::ledger::LedgerError;
use crate::ledger::dir::LedgerDir;
use crate::ledger::read::Reader;
use crate::store::StoreError;

/// Argo CD's rules and the forge's settings at any time that the ledger covers.
#[derive(Debug, Default)]
pub struct Rules {
    past: Past,
    /// What records of Argo CD's rules and of forges hold.
    payloads: BTreeMap<Cite, Vec<u8>>,
}

impl Rules {
    /// Adds a record.
    pub fn add(&mut self, record: &Record) {
        self.past.add(record);
        if is_rule(&record.cite) {
            self.payloads.insert(record.cite.clone(), record.payload.clone());
        }
    }

    /// The records that show Argo CD's rules at a time, and what is not known of them.
    pub fn argocd_at(&self, time: Timestamp) -> (Vec<Cite>, Vec<Gap>) {
        let at = self.past.argocd_at(time);
        (at.objects, at.gaps)
    }

    /// The objects that records show.
    pub fn objects(&self, cites: &[Cite]) -> Vec<Value> {
        cites.iter().filter_map(|cite| object_of(self.payloads.get(cite)?)).collect()
    }

    /// The newest snapshot of a repository's forge before a time.
    pub fn forge_at(&self, repository: &str, time: Timestamp) -> Option<(Timestamp, &[u8])> {
        let (taken, cite) = self.past.forges_at(time).remove(repository)?;
        Some((taken, self.payloads.get(&cite)?))
    }
}

/// Whether a record holds Argo CD's rules or a forge's settings; its key names the kind.
fn is_rule(cite: &Cite) -> bool {
    let id = cite.id.as_str();
    match cite.channel {
        Channel::ForgeSnapshot => true,
        Channel::KubernetesObjectWatch => id.contains("/AppProject/") || id.contains("/ConfigMap/"),
        _ => false,
    }
}

/// What was in force at a time.
#[derive(Clone, Debug)]
pub struct AsOf {
    /// The time.
    pub time: Timestamp,
    /// The objects of the cluster.
    pub objects: Vec<Value>,
    /// The newest snapshot of each repository's forge: when it was taken, and its bytes.
    pub forges: BTreeMap<String, (Timestamp, Vec<u8>)>,
    /// Where the branches were.
    pub heads: Vec<Pushed>,
    /// What is not known.
    pub gaps: Vec<Gap>,
    /// What it was derived from.
    pub derived: Derived,
}

/// Reads every record under the newest checkpoint, each held to its leaf and all of them to the
/// checkpoint's root, and then those again that show the time asked for.
pub fn as_of(dir: &LedgerDir, time: Timestamp) -> Result<AsOf, LedgerError> {
    let reader = Reader::open(dir)?;
    let mut past = Past::default();
    let mut places: BTreeMap<Cite, LeafIndex> = BTreeMap::new();
    let checkpoint = reader.records(dir, |index, record| {
        past.add(&record);
        if is_shown(record.cite.channel) {
            places.insert(record.cite, index);
        }
    })?;
    let at = past.at(time);
    let payload = |cite: &Cite| -> Result<Vec<u8>, LedgerError> {
        let index = places.get(cite).copied();
        let entry = index.map(|index| reader.entry(index)).transpose()?.flatten();
        let entry = entry.ok_or_else(|| LedgerError::Stopped(format!("{cite} is not there")))?;
        let read = entry.record().map_err(|e| StoreError::Damaged(e.to_string()))?;
        Ok(read.1.payload)
    };
    let mut objects = Vec::with_capacity(at.objects.len());
    for cite in &at.objects {
        objects.extend(object_of(&payload(cite)?));
    }
    let mut forges = BTreeMap::new();
    for (repository, (taken, cite)) in at.forges {
        forges.insert(repository, (taken, payload(&cite)?));
    }
    let derived =
        Derived { entries: checkpoint.size().get(), checkpoint: reader.checkpoint().to_owned() };
    Ok(AsOf { time, objects, forges, heads: at.heads, gaps: at.gaps, derived })
}

const fn is_shown(channel: Channel) -> bool {
    matches!(
        channel,
        Channel::KubernetesObjectWatch | Channel::ArgocdApplicationWatch | Channel::ForgeSnapshot
    )
}
