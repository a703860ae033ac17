//! The keeper: a thread that holds the newest story and derives the next one beside the requests.
//!
//! One derivation at a time. After one that took so long the next begins no sooner than that long
//! later: however fast records come, deriving takes at most half of one core, and answers say at
//! which n they stand.

use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use evidence::people::People;
use tokio::sync::watch;

use super::{Folded, Read, Told};
use crate::ledger::LedgerError;
use crate::ledger::dir::LedgerDir;
use crate::ledger::read::Reader;

/// How soon a derivation that failed is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What is held.
#[derive(Clone, Debug)]
pub enum Held {
    /// No story yet: the first is being derived.
    Deriving,
    /// The newest story.
    Told(Arc<Told>),
    /// The ledger does not verify: there is no answer.
    Failed,
}

impl Held {
    /// Up to which entry the story goes; 0 without one.
    pub fn entries(&self) -> u64 {
        match self {
            Self::Told(told) => told.derived.entries,
            Self::Deriving | Self::Failed => 0,
        }
    }
}

/// What the keeper says to the operator and to the counters.
pub trait Observer: Send + 'static {
    /// A story was derived, up to so many entries.
    fn derived(&self, entries: u64, took: Duration);
    /// A derivation failed.
    fn failed(&self, error: &LedgerError);
}

/// A handle to the keeper.
#[derive(Debug)]
pub struct Keeper {
    shared: Arc<Shared>,
    held: watch::Receiver<Held>,
}

#[derive(Debug, Default)]
struct Shared {
    wanted: Mutex<Wanted>,
    wake: Condvar,
    /// Held while the database is open for reading.
    reading: Mutex<()>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Wanted {
    /// Entries under the newest checkpoint that the writer told of.
    published: u64,
    /// Something was appended or refused since it was last looked at.
    poked: bool,
    stop: bool,
}

impl Shared {
    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.wanted().stop
    }
}

impl Keeper {
    /// Starts the thread; it derives the first story at once.
    pub fn start(
        dir: LedgerDir,
        people: People,
        observer: impl Observer,
    ) -> Result<Self, LedgerError> {
        let shared = Arc::new(Shared::default());
        let (told, held) = watch::channel(Held::Deriving);
        let work = Work {
            dir,
            people,
            observer,
            told,
            shared: Arc::clone(&shared),
            folded: Folded::default(),
        };
        let thread = std::thread::Builder::new().name("story-keeper".to_owned());
        thread.spawn(move || work.run()).map_err(|e| LedgerError::Stopped(e.to_string()))?;
        Ok(Self { shared, held })
    }

    /// Something was appended or refused; so many entries are under the newest checkpoint.
    pub fn poke(&self, published: u64) {
        let mut wanted = self.shared.wanted();
        wanted.published = wanted.published.max(published);
        wanted.poked = true;
        self.shared.wake.notify_one();
    }

    /// How many entries the writer told of.
    pub fn published(&self) -> u64 {
        self.shared.wanted().published
    }

    /// What is held, now and from now on.
    pub fn held(&self) -> watch::Receiver<Held> {
        self.held.clone()
    }

    /// Ends the keeper. Afterwards it has no reader open; a story that it is still concluding is
    /// dropped when it is done.
    pub fn stop(&self) {
        self.shared.wanted().stop = true;
        self.shared.wake.notify_one();
        drop(self.shared.reading.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

struct Work<O> {
    dir: LedgerDir,
    people: People,
    observer: O,
    told: watch::Sender<Held>,
    shared: Arc<Shared>,
    folded: Folded,
}

impl<O: Observer> Work<O> {
    fn run(mut self) {
        loop {
            let begun = Instant::now();
            self.shared.wanted().poked = false;
            let rest = match self.once() {
                Ok(true) => begun.elapsed(),
                Ok(false) if self.shared.is_stopped() => return,
                // An erasure: begin anew, at once.
                Ok(false) => Duration::ZERO,
                Err(e) => {
                    self.fail(&e);
                    AGAIN_AFTER
                }
            };
            if !self.wait(rest) {
                return;
            }
        }
    }

    /// Brings what is held up to date. `false` if it was broken off.
    fn once(&mut self) -> Result<bool, LedgerError> {
        let begun = Instant::now();
        let read = self.read()?;
        let Some(Read::Up(derived, refused)) = read else {
            self.folded = Folded::default();
            if read == Some(Read::Redacted) {
                // What is held may say what was erased.
                self.told.send_replace(Held::Deriving);
            }
            return Ok(false);
        };
        let known = match &*self.told.borrow() {
            Held::Told(told) if told.derived.entries == derived.entries => Some(Arc::clone(told)),
            _ => None,
        };
        let told = match known {
            Some(known) if known.refused == refused && known.derived == derived => return Ok(true),
            // Nothing but the refusals is new.
            Some(known) => Told { derived, refused, ..Told::clone(&known) },
            None => {
                let told = self.folded.told(&self.people, derived, refused);
                self.observer.derived(told.derived.entries, begun.elapsed());
                told
            }
        };
        self.told.send_replace(Held::Told(Arc::new(told)));
        Ok(true)
    }

    fn read(&mut self) -> Result<Option<Read>, LedgerError> {
        let shared = Arc::clone(&self.shared);
        let _open = shared.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.is_stopped() {
            return Ok(None);
        }
        let goes_on = |index: tlog::LeafIndex| {
            // Not for each record: the lock is the writer's too.
            let looked = index.get().is_multiple_of(1024) && shared.is_stopped();
            if looked { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        self.folded.read(&self.dir, |index, _| goes_on(index)).map(Some)
    }

    /// A ledger that does not verify gives no answers; one that cannot be read now leaves the last.
    fn fail(&mut self, error: &LedgerError) {
        self.folded = Folded::default();
        self.observer.failed(error);
        if error.is_verification_failure() {
            self.told.send_replace(Held::Failed);
        }
    }

    /// Rests, and then waits until there is something new. `false` when it is to stop.
    fn wait(&self, rest: Duration) -> bool {
        let rested = Instant::now() + rest;
        let mut wanted = self.shared.wanted();
        loop {
            if wanted.stop {
                return false;
            }
            let left = rested.saturating_duration_since(Instant::now());
            let complete = matches!(&*self.told.borrow(), Held::Told(_));
            wanted = if left > Duration::ZERO {
                let woken = self.shared.wake.wait_timeout(wanted, left);
                woken.unwrap_or_else(PoisonError::into_inner).0
            } else if wanted.poked || !complete || self.folded_is_empty() {
                return true;
            } else {
                let woken = self.shared.wake.wait(wanted);
                woken.unwrap_or_else(PoisonError::into_inner)
            };
        }
    }

    /// After a failure or an erasure there is something to do though nothing came.
    fn folded_is_empty(&self) -> bool {
        self.folded.tree.size().is_empty() && self.told.borrow().entries() > 0
    }
}

/// The record that an entry under a checkpoint holds.
pub fn cite_of(
    dir: &LedgerDir,
    entry: u64,
    entries: u64,
) -> Result<Option<evidence::record::Cite>, LedgerError> {
    if entry >= entries {
        return Ok(None);
    }
    let index = tlog::LeafIndex::new(entry);
    let stored = Reader::open(dir)?.entry(index)?;
    let record = stored.map(|stored| stored.record()).transpose();
    let problem = |e: crate::ledger::read::Unreadable| LedgerError::NotAsRecorded {
        index,
        problem: e.problem,
    };
    Ok(record.map_err(problem)?.map(|(_, record)| record.cite))
}
