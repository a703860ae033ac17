//! What a verification found, and how it is said.

use std::fmt;

use serde::Serialize;
use tlog::Checkpoint;

use super::container::Member;
use super::manifest::Manifest;

/// Faults told to people; all of them are in [`Verdict::faults`].
const FAULTS_TOLD: usize = 20;

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

    /// The verdict for machines.
    pub fn to_json(&self) -> Vec<u8> {
        let checkpoint = self.checkpoint.as_ref().map(ToString::to_string);
        let json = serde_json::json!({
            "verify": super::VERSION, "code": self.code(), "intact": self.is_intact(),
            "faults": self.faults, "story": self.story, "manifest": self.manifest,
            "checkpoint": checkpoint, "cosigners": self.cosigners, "key_given": self.key_given,
            "kept": self.kept, "redacted": self.redacted, "pseudonymised": self.pseudonymised,
            "coverage": self.coverage,
        });
        json.to_string().into_bytes()
    }

    /// The verdict for people: the answer first, then what it rests on and what it cannot say.
    pub fn report(&self) -> String {
        let mut lines: Vec<String> =
            self.faults.iter().take(FAULTS_TOLD).map(|f| format!("FAULT      {f}")).collect();
        if let Some(more @ 1..) = self.faults.len().checked_sub(FAULTS_TOLD) {
            lines.push(format!("           and {more} more"));
        }
        lines.push(format!("Integrity  {}", self.integrity()));
        lines.push(format!("Story      {}", self.story_words()));
        if let Some(manifest) = &self.manifest {
            let (payloads, entries) = manifest.counts();
            let last = manifest.end.saturating_sub(1);
            lines.push(format!(
                "Covers     entries {} to {last}; {}: {payloads} of {entries} records in full",
                manifest.start,
                manifest.selection.words()
            ));
        }
        lines.push(format!("Key        {}", self.key()));
        lines.extend(self.kept.as_ref().map(|kept| format!("Kept       {kept}")));
        lines.push(format!("Redacted   personal segments erased in {} entries", self.redacted));
        if self.pseudonymised > 0 {
            lines.push(format!(
                "Pseudonyms for personal values in {} entries; whom they stand for is the \
                 exporter's word",
                self.pseudonymised
            ));
        }
        for (n, line) in self.coverage.iter().enumerate() {
            lines.push(format!("{:<10} {line}", if n == 0 { "Coverage" } else { "" }));
        }
        lines.push("Not shown  what never reached the ledger; who held a credential".to_owned());
        lines.join("\n") + "\n"
    }

    fn integrity(&self) -> String {
        let word = if self.is_intact() { "intact" } else { "NOT INTACT" };
        match &self.checkpoint {
            Some(c) => format!("{word}: under checkpoint {} of {}", c.size(), c.origin()),
            None => format!("{word}: no checkpoint verified"),
        }
    }

    fn story_words(&self) -> String {
        match &self.story {
            StoryVerdict::Follows => "follows from the records, byte for byte".to_owned(),
            StoryVerdict::DoesNotFollow { problem } => {
                format!("DOES NOT FOLLOW from the records: {problem}")
            }
            StoryVerdict::OtherRules { pack, program } => {
                format!("undetermined: derived by rules {pack}, this program has rules {program}")
            }
            StoryVerdict::NotDerived => "not derived: the record is not intact".to_owned(),
        }
    }

    fn key(&self) -> String {
        if !self.key_given {
            let words = "from the pack itself: it agrees with itself; who made it is not shown";
            return words.to_owned();
        }
        match self.cosigners.as_slice() {
            [] => "given by the reader".to_owned(),
            names => format!("given by the reader; cosigned by {}", names.join(", ")),
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

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consistent { size } => {
                write!(
                    f,
                    "consistent: the ledger of checkpoint {size} is the beginning of this one"
                )
            }
            Self::CannotTell { reason } => write!(f, "cannot tell: {reason}"),
        }
    }
}
