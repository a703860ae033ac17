//! A story held in memory, so that a question does not derive it again.
//!
//! ```text
//! append ──poke──► keeper (one thread) ──reads what is new──► Folded ──► Told ──► answers
//!                      │  never two at a time                  facts      the story, its n and
//!                      └─ rests as long as it worked           up to n    the checkpoint of n
//! ```
//!
//! What is held is a copy, droppable at any moment: it is made of the records under a signed
//! checkpoint and of nothing else, nothing of it is appended, and no answer rests on more than its
//! checkpoint signs. A restart derives it again; so does an erasure ([`Folded::read`]), because facts
//! could still hold what was erased. While `serve` writes, no erasure can run beside it: both need
//! the writer's lock.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use evidence::channel::Channel;
use evidence::people::People;
use evidence::record::Record;
use evidence::story::coverage::Coverage;
use evidence::story::{Derivation, Story};
use tlog::{Frontier, LeafIndex};

use crate::ask::Derived;
use crate::ledger::LedgerError;
use crate::ledger::dir::LedgerDir;
use crate::ledger::read::Reader;

pub mod keeper;
pub mod past;

/// A story, what it was derived from, and what of its channels was refused.
#[derive(Clone, Debug)]
pub struct Told {
    /// The story.
    pub story: Arc<Story>,
    /// Which kinds of objects the watches brought, with the number of records of each.
    pub kinds: BTreeMap<String, u64>,
    /// What it was derived from.
    pub derived: Derived,
    /// Lines that were refused at intake, by the channels of their sources.
    pub refused: BTreeMap<Channel, u64>,
}

/// Records folded so far, with the tree over them.
#[derive(Debug, Default)]
pub struct Folded {
    derivation: Derivation,
    kinds: BTreeMap<String, u64>,
    tree: Frontier,
}

/// What reading came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// Everything under this checkpoint is folded.
    Up(Derived, BTreeMap<Channel, u64>),
    /// A redaction is among the new records: what was folded before may hold what is erased.
    Redacted,
    /// The visitor broke it off.
    BrokenOff,
}

impl Folded {
    /// Folds every record under the newest checkpoint that is not folded yet, each held to its leaf
    /// and all of them to the checkpoint's root. After anything but [`Read::Up`] what is folded is
    /// incomplete and must be dropped.
    pub fn read(
        &mut self,
        dir: &LedgerDir,
        mut visit: impl FnMut(LeafIndex, &Record) -> ControlFlow<()>,
    ) -> Result<Read, LedgerError> {
        let reader = Reader::open(dir)?;
        let (derivation, kinds) = (&mut self.derivation, &mut self.kinds);
        let (before, mut redacted) = (self.tree.size().get(), false);
        let checkpoint = reader.records_after(dir, &mut self.tree, |index, record| {
            if before > 0 && record.cite.channel == Channel::LedgerRedaction {
                redacted = true;
                return ControlFlow::Break(());
            }
            if let Some(kind) = kind_of(&record) {
                count(kinds, kind);
            }
            derivation.add(&record);
            visit(index, &record)
        })?;
        Ok(match checkpoint {
            Some(checkpoint) => {
                let entries = checkpoint.size().get();
                let derived = Derived { entries, checkpoint: reader.checkpoint().to_owned() };
                Read::Up(derived, reader.refused_by_channel()?)
            }
            None if redacted => Read::Redacted,
            None => Read::BrokenOff,
        })
    }

    /// What was seen of each channel.
    pub fn coverage(&self) -> Vec<Coverage> {
        self.derivation.coverage()
    }

    /// Which kinds of objects the watches brought, with the number of records of each.
    pub const fn kinds(&self) -> &BTreeMap<String, u64> {
        &self.kinds
    }

    /// The story of what is folded.
    pub fn story(&self, people: &People) -> Story {
        self.derivation.story(people)
    }

    /// The same, to be held.
    pub fn told(&self, people: &People, derived: Derived, refused: BTreeMap<Channel, u64>) -> Told {
        let story = Arc::new(self.story(people));
        Told { story, kinds: self.kinds.clone(), derived, refused }
    }
}

fn count(kinds: &mut BTreeMap<String, u64>, kind: &str) {
    match kinds.get_mut(kind) {
        Some(n) => *n += 1,
        None => drop(kinds.insert(kind.to_owned(), 1)),
    }
}

/// The kind of a watched object, as the record's key has it: `<apiVersion>/<kind>/<uid>/<version>`,
/// with `/deleted` behind it or `bookmark/<kind>/<version>`.
fn kind_of(record: &Record) -> Option<&str> {
    if record.cite.channel != Channel::KubernetesObjectWatch {
        return None;
    }
    let id = record.cite.id.as_str();
    if let Some(bookmark) = id.strip_prefix("bookmark/") {
        return bookmark.split('/').next();
    }
    let object = id.strip_suffix("/deleted").unwrap_or(id);
    let mut parts = object.rsplit('/').skip(2);
    // Without an apiVersion before it, it is the key of a line without uid and version.
    parts.next().filter(|_| parts.next().is_some())
}

#[cfg(test)]
mod tests {
    use evidence::record::{Cite, RecordId};

    use super::*;

    #[test]
    fn kinds_of_watched_objects() {
        let table = [
            ("apps/v1/Deployment/u/7", Some("Deployment")),
            ("v1/Pod/u/7/deleted", Some("Pod")),
            ("bookmark/Pod/9", Some("Pod")),
            ("line/abcdef/1", None),
        ];
        for (id, expected) in table {
            let id = RecordId::new(id).expect("an id");
            let cite = Cite { channel: Channel::KubernetesObjectWatch, id };
            let record = Record { cite, payload: Vec::new() };
            assert_eq!(kind_of(&record), expected);
        }
    }
}
