//! Content: whether what was deployed is what was approved.
//!
//! A revision is of a proposal when it can be reached from the proposal's head and not from its
//! base, or when it is what the merge or squash left on the branch. It is approved content when
//! an approved head reaches it; a commit pushed after the last approval is not.

use std::collections::BTreeSet;

use serde::Serialize;

/// Whether what was deployed is what was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "content", rename_all = "kebab-case")]
pub enum Content {
    /// The approved head, or one of the commits that it consists of.
    Approved {
        /// The approved head.
        head: String,
        /// Files in which the approved head differs from what was deployed; empty for the head
        /// itself.
        differs_in: Vec<String>,
        /// Whether one of them lies in the deployed folder.
        in_deployed_path: bool,
    },
    /// What the branch got when the approved head was merged.
    Merged {
        /// The approved head.
        head: String,
    },
    /// A commit that no approved head holds.
    NotApproved {
        /// The heads that were approved.
        approved: BTreeSet<String>,
    },
    /// The records do not say.
    Undetermined {
        /// Why.
        reason: String,
    },
}

impl Content {
    /// The answer in one word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Approved { .. } => "approved content",
            Self::Merged { .. } => "merge of approved content",
            Self::NotApproved { .. } => "content nobody approved",
            Self::Undetermined { .. } => "undetermined",
        }
    }
}
