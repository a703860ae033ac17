//! How a verdict is said, to people and to machines. What it is, is decided before.

use std::fmt;

use super::verdict::{Kept, StoryVerdict, Verdict};

/// Faults told to people; all of them are in [`Verdict::faults`].
const FAULTS_TOLD: usize = 20;

impl Verdict {
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
