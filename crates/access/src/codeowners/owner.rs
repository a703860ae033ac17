//! Owners, as a CODEOWNERS file names them.

use std::fmt;

/// Somebody whom a rule names. Names are as written; forges compare them without case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// `@login`.
    User(String),
    /// `@organisation/team`.
    Team {
        /// The organisation, or Bitbucket's workspace.
        organisation: String,
        /// The team's slug or name.
        team: String,
    },
    /// GitLab's `@name`: an account or a top-level group, which the file does not tell apart.
    UserOrGroup(String),
    /// GitLab's `@group/subgroup`: its direct members.
    Group(String),
    /// GitLab's `@@role`: the project's direct members with exactly that role.
    Role(Role),
    /// An e-mail address of an account.
    Email(String),
}

/// A role that GitLab lets be an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Access level 30.
    Developer,
    /// Access level 40.
    Maintainer,
    /// Access level 50.
    Owner,
}

/// An owner and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerAt {
    /// The owner.
    pub owner: Owner,
    /// The column, from 1, in the rule's line or in the header that it was inherited from.
    pub column: u32,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) | Self::UserOrGroup(name) | Self::Group(name) => write!(f, "@{name}"),
            Self::Team { organisation, team } => write!(f, "@{organisation}/{team}"),
            Self::Role(role) => write!(f, "@@{role}"),
            Self::Email(address) => f.write_str(address),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Developer => "developer",
            Self::Maintainer => "maintainer",
            Self::Owner => "owner",
        })
    }
}

impl Role {
    /// Reads a role as GitLab does: any case, one or several.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        match text.strip_suffix('s').unwrap_or(&text) {
            "developer" => Some(Self::Developer),
            "maintainer" => Some(Self::Maintainer),
            "owner" => Some(Self::Owner),
            _ => None,
        }
    }

    /// GitLab's number of the role.
    pub const fn access_level(self) -> u32 {
        match self {
            Self::Developer => 30,
            Self::Maintainer => 40,
            Self::Owner => 50,
        }
    }
}

impl OwnerAt {
    pub(super) fn new(owner: Owner, column: usize) -> Self {
        Self { owner, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }
}

/// Whether a text has the form of an e-mail address: one `@`, a name before and a domain with a dot
/// behind it.
pub(super) fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else { return false };
    let of_name = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    let of_domain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let ends = domain.rsplit_once('.').is_some_and(|(host, end)| !host.is_empty() && end.len() > 1);
    !name.is_empty() && name.chars().all(of_name) && domain.chars().all(of_domain) && ends
}
