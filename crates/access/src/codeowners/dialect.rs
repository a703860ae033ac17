//! Dialects: where each forge looks for the file, how large it may be, and what it does with it.

use serde::{Deserialize, Serialize};

/// A forge's way of reading CODEOWNERS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// GitHub, and GitHub Enterprise Server of today.
    GitHub,
    /// GitLab, Premium and Ultimate.
    GitLab,
    /// Bitbucket Cloud's own code owners.
    Bitbucket,
    /// Gitea.
    Gitea,
    /// Forgejo, which reads as Gitea does and looks in one more place.
    Forgejo,
}

/// What a forge does with owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// Their approval is required where the branch's protection says so.
    ByProtection,
    /// They are asked, and nothing waits for them.
    RequestsOnly,
}

/// How a file's size counts.
pub(super) enum Size {
    Unlimited,
    /// Not loaded from `surely` bytes; between `perhaps` and that, the documentation leaves it open.
    NotLoadedFrom {
        perhaps: usize,
        surely: usize,
    },
    /// The rest is not read.
    ReadUpTo(usize),
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 5] =
        [Self::GitHub, Self::GitLab, Self::Bitbucket, Self::Gitea, Self::Forgejo];

    /// Where the forge looks, in order: the first file found is the one, and others have no effect.
    ///
    /// It looks on the branch that a change is to be merged into: each branch has its own.
    pub const fn locations(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &[".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"],
            Self::GitLab => &["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"],
            Self::Bitbucket => &[".bitbucket/CODEOWNERS"],
            Self::Gitea => &["CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS"],
            Self::Forgejo => {
                &["CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS", ".forgejo/CODEOWNERS"]
            }
        }
    }

    /// The one of these paths that the forge reads, if any.
    pub fn locate<'p>(self, paths: impl IntoIterator<Item = &'p str>) -> Option<&'static str> {
        let rank = |path: &str| self.locations().iter().position(|place| *place == path);
        let first = paths.into_iter().filter_map(rank).min()?;
        self.locations().get(first).copied()
    }

    /// What the forge does with owners.
    pub const fn force(self) -> Force {
        match self {
            Self::GitHub | Self::GitLab => Force::ByProtection,
            // Bitbucket suggests reviewers, and merge checks count approvals of anybody. Gitea has
            // `block_on_official_review_requests`, which waits for reviews but not for approvals.
            Self::Bitbucket | Self::Gitea | Self::Forgejo => Force::RequestsOnly,
        }
    }

    /// GitHub: "under 3 MB", which may be 3,000,000 bytes or 3 MiB. Gitea: what its web interface
    /// shows of a file, `MAX_DISPLAY_FILE_SIZE`, 8 MiB unless set otherwise.
    pub(super) const fn size(self) -> Size {
        match self {
            Self::GitHub => Size::NotLoadedFrom { perhaps: 3_000_000, surely: 3 * 1024 * 1024 },
            Self::GitLab | Self::Bitbucket => Size::Unlimited,
            Self::Gitea | Self::Forgejo => Size::ReadUpTo(8 * 1024 * 1024),
        }
    }
}
