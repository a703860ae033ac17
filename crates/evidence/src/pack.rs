//! A pack: evidence in one file that verifies offline, on somebody else's machine.
//!
//! ```text
//! README.txt  manifest.json  checkpoint  proofs.json  people.json  entries  story.json
//! ```
//!
//! Seven members in this order, each in its one form. Two verdicts, the first without the second:
//! *integrity* (every envelope of the covered range is the one that the checkpoint signs, every
//! payload the one that its envelope commits to) and *story* (what is told follows from the
//! records, byte for byte). Format: `docs/formats/pack.md`.
//!
//! | module | holds | counts for integrity |
//! |---|---|---|
//! | `packed` | the one packed form of bytes | yes |
//! | `container` | members, their order and sizes | yes |
//! | `manifest`, `readme`, `proofs`, `entries` | the members' forms | yes |
//! | `trust` | which keys and how many witnesses the reader asks for | yes |
//! | `check` | integrity | yes |
//! | `verdict` | what was found | yes |
//! | `report` | how it is said | no |
//! | `tell` | the second verdict | no |
//! | `write`, `select` | making a pack | no |

pub mod container;
pub mod entries;
pub mod manifest;
pub mod packed;
pub mod proofs;
pub mod select;
pub mod trust;
pub mod write;

mod check;
mod readme;
mod report;
mod tell;
mod verdict;

pub use self::manifest::{Manifest, Selection};
pub use self::readme::readme;
pub use self::trust::Trust;
pub use self::verdict::{Fault, Kept, StoryVerdict, Verdict};

/// The version of the format.
pub const VERSION: u32 = 1;

/// What the reader brings: keys got by another way than the pack, and what they kept from before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terms<'a> {
    /// Which logs and witnesses the reader trusts; without it the key in the pack is used, which
    /// shows only that the pack agrees with itself.
    pub trust: Option<&'a Trust>,
    /// A checkpoint of the same ledger that the reader kept, as the bytes of its signed note.
    pub kept: Option<&'a [u8]>,
}

/// Verifies a pack: integrity first, and only if it holds the story.
///
/// Never fails and never panics, whatever the bytes are: what is wrong with them is the verdict.
pub fn verify(pack: &[u8], terms: &Terms<'_>) -> Verdict {
    let (mut verdict, sound) = check::integrity(pack, terms);
    if let Some(sound) = sound.filter(|_| verdict.faults.is_empty()) {
        tell::judge(sound, &mut verdict);
    }
    verdict
}
