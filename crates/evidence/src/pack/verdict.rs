//! What a verification found. How it is said: `report`.

use std::fmt;

use serde::Serialize;
use tlog::Checkpoint;

use super::container::Member;
use super::manifest::Manifest;

/// What is wrong with a pack, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The entry, the member, or what the reader brought.
    pub place: String,
    /// What is wrong.
    pub problem: String,
}

/// What a checkpoint that the reader kept says about the pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kept", rename_all = "kebab-case")]
pub enum Kept {
    /// The ledger of then is the beginning of the ledger of the pack.
    Consistent {
        /// The size of the kept checkpoint.
        size: u64,
    },
    /// The pack does not hold what is needed to tell.
    CannotTell {
        /// What is needed.
        reason: String,
    },
}

/// Whether the story follows from the records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "story", rename_all = "kebab-case")]
pub enum StoryVerdict {
    /// Byte for byte.
    Follows,
    /// The records give another story.
    DoesNotFollow {
        /// What is wrong.
        problem: String,
    },
    /// It was derived by rules that this program does not have.
    OtherRules {
        /// The rules of the pack.
        pack: u32,
        /// The rules of this program.
        program: u32,
    },
    /// The record is not intact, so nothing is derived from it.
    NotDerived,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Everything that breaks integrity.
    pub faults: Vec<Fault>,
    /// Whether the story follows.
    pub story: StoryVerdict,
    /// The manifest, if it could be read.
    pub manifest: Option<Manifest>,
    /// The checkpoint, if it verified.
    pub checkpoint: Option<Checkpoint>,
    /// Names of the witnesses that cosigned it and that the reader trusts.
    pub cosigners: Vec<String>,
    /// Whether the reader brought the key.
    pub key_given: bool,
    /// What a kept checkpoint says, if the reader brought one and it is not contradicted.
    pub kept: Option<Kept>,
    /// Entries with erased personal segments.
    pub redacted: u64,
    /// Entries with personal segments behind pseudonyms.
    pub pseudonymised: u64,
    /// How far each channel reaches, in words, once the story was derived.
    pub coverage: Vec<String>,
}

impl Verdict {
    pub(super) const fn new(key_given: bool) -> Self {
        Self {
            faults: Vec::new(),
            story: StoryVerdict::NotDerived,
            manifest: None,
            checkpoint: None,
            cosigners: Vec::new(),
            key_given,
            kept: None,
            redacted: 0,
            pseudonymised: 0,
            coverage: Vec::new(),
        }
    }

    pub(super) fn fault(&mut self, place: impl fmt::Display, problem: impl Into<String>) {
        self.faults.push(Fault { place: place.to_string(), problem: problem.into() });
    }

    /// Whether the record is intact.
    pub fn is_intact(&self) -> bool {
        self.faults.is_empty()
    }

    /// The exit code: 0 both verdicts good, 3 intact and something cannot be told by this program
    /// or from this pack, 4 not intact, contradicted, or the story does not follow.
    pub fn code(&self) -> u8 {
        match (&self.story, &self.kept) {
            _ if !self.is_intact() => 4,
            (StoryVerdict::DoesNotFollow { .. } | StoryVerdict::NotDerived, _) => 4,
            (StoryVerdict::OtherRules { .. }, _) | (_, Some(Kept::CannotTell { .. })) => 3,
            (StoryVerdict::Follows, _) => 0,
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}
