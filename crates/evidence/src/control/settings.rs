//! Settings: what a policy says of how controls judge. Without one, the defaults stand.

use std::collections::{BTreeMap, BTreeSet};

/// What a policy says. People are ids of the people map, environments labels of Applications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Environments in the order of promotion, production last; empty when no policy tells it.
    pub promotion: Vec<String>,
    /// Environments whose changes are judged by `check`; empty means all.
    pub judged: BTreeSet<String>,
    /// Which approvers have to be independent of those who ask and those who carry out.
    pub independent: Independent,
    /// Whether an author may merge what somebody else approved.
    pub author_may_merge: bool,
    /// The statuses of a ticket that mean its approval.
    pub ticket_approved: BTreeSet<String>,
    /// Whether a ticket has to be approved after the content that is deployed was there: an earlier
    /// approval cannot have been of it.
    pub ticket_of_content: bool,
    /// People who merge, by the name of their team.
    pub merge_teams: BTreeMap<String, BTreeSet<String>>,
    /// People who sync, by the name of their team.
    pub sync_teams: BTreeMap<String, BTreeSet<String>>,
    /// Accounts that are no human's, beside those that say so by their form.
    pub bots: BTreeSet<String>,
    /// Bindings by which people may write past Argo CD, in an emergency; `None` when no policy
    /// names them.
    pub emergency_bindings: Option<BTreeSet<String>>,
    /// How soon, in seconds, a right that is taken back again counts as granted for a time.
    pub temporary_seconds_max: i64,
}

/// Which approvers have to be independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Independent {
    /// Every approver.
    Every,
    /// At least one.
    AtLeastOne,
}

impl Independent {
    /// The words for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Every => "every approver",
            Self::AtLeastOne => "at least one approver",
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            promotion: Vec::new(),
            judged: BTreeSet::new(),
            independent: Independent::Every,
            author_may_merge: false,
            // The status that ends an approval in Jira's change-management template.
            ticket_approved: BTreeSet::from(["Approved".to_owned()]),
            ticket_of_content: true,
            merge_teams: BTreeMap::new(),
            sync_teams: BTreeMap::new(),
            bots: BTreeSet::new(),
            emergency_bindings: None,
            temporary_seconds_max: 24 * 60 * 60,
        }
    }
}
