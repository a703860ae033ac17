//! Assessments: what is set down about the records, as an entry under a checkpoint.

use evidence::assess::Kept;
use evidence::channel::Channel;
use evidence::intake::PendingEntry;
use evidence::intake::seal::{Salts, seal};
use evidence::parse::ledger_assessment::{Assessment, parse};
use evidence::record::envelope::Auth;
use evidence::record::{Cite, RecordId};
use jiff::Timestamp;
use tlog::{Hash, LeafIndex, TreeSize};

use super::append::Batch;
use super::dir::LedgerDir;
use super::read::Reader;
use super::{EmbeddedLedger, LedgerError, recover};
use crate::store::StoreError;

/// Where an assessment was set down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The index of its entry.
    pub entry: LeafIndex,
    /// The leaf hash of its entry.
    pub leaf: Hash,
    /// The size of the checkpoint that covers it.
    pub size: TreeSize,
}

/// Appends the assessment that `make` gives.
///
/// The writer's lock is taken first, so nothing is appended between what `make` reads and the
/// assessment: the entries under the newest checkpoint are those before it.
pub fn record<T, E: From<LedgerError>>(
    dir: &LedgerDir,
    now: Timestamp,
    salts: &mut dyn Salts,
    make: impl FnOnce() -> Result<(Assessment, T), E>,
) -> Result<(Recorded, T), E> {
    let mut ledger = recover::open(dir)?;
    let recorded = match make() {
        Ok((assessment, more)) => {
            append(&mut ledger, &assessment, now, salts).map(|at| (at, more)).map_err(E::from)
        }
        Err(e) => Err(e),
    };
    recover::close(ledger, dir)?;
    recorded
}

fn append(
    ledger: &mut EmbeddedLedger,
    assessment: &Assessment,
    now: Timestamp,
    salts: &mut dyn Salts,
) -> Result<Recorded, LedgerError> {
    let broken = |e: String| LedgerError::Store(StoreError::Database(e));
    let json = serde_json::to_vec(assessment).map_err(|e| broken(e.to_string()))?;
    let index = ledger.size().next_index();
    let id = RecordId::new(format!("assessment/{index}")).map_err(|e| broken(e.to_string()))?;
    let cite = Cite { channel: Channel::LedgerAssessment, id };
    let entry = PendingEntry::new(cite, &seal(&json, &[], salts), Auth::Ledger, now)
        .map_err(|e| broken(e.to_string()))?;
    let leaf = entry.leaf;
    ledger.append(&[Batch { entries: vec![entry], reading: None }])?;
    Ok(Recorded { entry: index, leaf, size: ledger.size() })
}

/// Reads the assessments among some entries, each with the leaf hash of its entry.
///
/// Entries that hold no assessment of a known version are left out.
pub fn kept(reader: &Reader, entries: &[LeafIndex]) -> Result<Vec<Kept>, LedgerError> {
    let mut all = Vec::new();
    for index in entries {
        let Some(stored) = reader.entry(*index)? else { continue };
        let Ok((_, record)) = stored.record() else { continue };
        if let Ok(assessment) = parse(&record.payload) {
            let leaf = tlog::leaf_hash(&stored.leaf);
            all.push(Kept { entry: index.get(), leaf, assessment });
        }
    }
    Ok(all)
}
