//! `forge-snapshot`: the settings of a forge, as its API answered them at one time.
//!
//! Read here is what a story needs: which repository, when, and what was asked. Who could merge or
//! push by it is evaluated by the crate `access` from the same bytes. The format is ours:
//! `docs/formats/forge-snapshot.md`.

use serde::Deserialize;

use super::{NotUnderstood, object_only, text};
use crate::time::Moment;

/// What a snapshot says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgeSnapshot {
    /// The forge: `github`, `gitlab` or `gitea`.
    pub forge: String,
    /// The repository's path on the forge; `None` if it was erased.
    pub repository: Option<String>,
    /// When it was taken, by the collector's clock.
    pub taken_at: Option<Moment>,
    /// Answers that the forge gave.
    pub answered: usize,
    /// Requests that the forge refused: what they would have shown is unknown.
    pub refused: usize,
}

#[derive(Deserialize)]
struct Raw {
    forge_snapshot: u64,
    forge: String,
    repository: String,
    #[serde(default)]
    taken_at: Option<String>,
    answers: Vec<RawAnswer>,
}

#[derive(Deserialize)]
struct RawAnswer {
    status: u16,
}

/// Reads a record. A snapshot of a later version of the format is not understood.
pub fn parse(record: &[u8]) -> Result<ForgeSnapshot, NotUnderstood> {
    let raw: Raw = serde_json::from_slice(object_only(record)?)?;
    if raw.forge_snapshot != 1 {
        return Err(NotUnderstood::Kind);
    }
    let answered = raw.answers.iter().filter(|a| (200..300).contains(&a.status)).count();
    Ok(ForgeSnapshot {
        forge: raw.forge,
        repository: text(Some(raw.repository)).filter(|r| r != crate::record::REDACTED),
        taken_at: raw.taken_at.and_then(|at| Moment::parse(&at).ok()),
        answered,
        refused: raw.answers.len() - answered,
    })
}
