//! The writer: one thread that owns the ledger and commits what waits as one group.
//!
//! Whoever submits waits for its own receipt. While a group is being committed, the next one
//! gathers; so the cost of an `fsync` is shared by all that arrived in the meantime.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::append::{Batch, Receipt};
use super::dir::LedgerDir;
use super::{EmbeddedLedger, LedgerError, recover};

/// Entries that are committed together at the most: beyond this a transaction gains nothing more.
const GROUP_ENTRIES_MAX: usize = 4_096;
/// Submissions that may wait: more would only hide that the disk cannot keep up.
pub const WAITING_MAX: usize = 64;

struct Submission {
    batch: Batch,
    reply: SyncSender<Result<Receipt, LedgerError>>,
}

/// The writer's thread.
#[derive(Debug)]
pub struct Writer {
    submissions: SyncSender<Submission>,
    thread: JoinHandle<EmbeddedLedger>,
}

/// A receipt that is on its way.
#[derive(Debug)]
pub struct Waiting(Receiver<Result<Receipt, LedgerError>>);

impl Waiting {
    /// Waits until the batch is acknowledged or refused.
    pub fn wait(self) -> Result<Receipt, LedgerError> {
        self.0.recv().unwrap_or_else(|_| Err(gone()))
    }
}

impl Writer {
    /// Starts the thread.
    pub fn start(ledger: EmbeddedLedger) -> Result<Self, LedgerError> {
        let (submissions, received) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || run(ledger, &received))
            .map_err(|e| LedgerError::Stopped(e.to_string()))?;
        Ok(Self { submissions, thread })
    }

    /// Submits a batch; waits only while too many are waiting already.
    pub fn submit(&self, batch: Batch) -> Result<Waiting, LedgerError> {
        let (reply, receipt) = sync_channel(1);
        self.submissions.send(Submission { batch, reply }).map_err(|_| gone())?;
        Ok(Waiting(receipt))
    }

    /// Whether the thread still takes batches.
    pub fn is_running(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Commits what waits, closes the ledger and seals its pages.
    pub fn close(self, dir: &LedgerDir) -> Result<(), LedgerError> {
        drop(self.submissions);
        let ledger = self.thread.join().map_err(|_| gone())?;
        recover::close(ledger, dir)
    }
}

fn gone() -> LedgerError {
    LedgerError::Stopped("it ended early; see the message before this one".to_owned())
}

fn run(mut ledger: EmbeddedLedger, received: &Receiver<Submission>) -> EmbeddedLedger {
    while let Ok(first) = received.recv() {
        let (mut group, mut replies) = (vec![first.batch], vec![first.reply]);
        let mut entries = group[0].entries.len();
        while entries < GROUP_ENTRIES_MAX {
            let Ok(next) = received.try_recv() else { break };
            entries += next.batch.entries.len();
            group.push(next.batch);
            replies.push(next.reply);
        }
        answer(ledger.append(&group), replies);
    }
    ledger
}

/// Gives each submission its receipt. Somebody who no longer waits needs none.
fn answer(
    receipts: Result<Vec<Receipt>, LedgerError>,
    replies: Vec<SyncSender<Result<Receipt, LedgerError>>>,
) {
    match receipts {
        Ok(receipts) => {
            for (receipt, reply) in receipts.into_iter().zip(replies) {
                drop(reply.send(Ok(receipt)));
            }
        }
        Err(error) => {
            let text = error.to_string();
            let mut first = Some(error);
            for reply in replies {
                let error = first.take().unwrap_or_else(|| LedgerError::Stopped(text.clone()));
                drop(reply.send(Err(error)));
            }
        }
    }
}
