//! The forge's rules of the branch of record, in the form that the forge takes them in.

use super::{Names, fill};
use crate::policy::Forge;

/// Path, text, and what it is for.
pub(super) fn file(names: &Names) -> (String, String, &'static str) {
    let encoded = |text: &str| text.replace('/', "%2F");
    let (id, branch) = (encoded(names.repository.as_str()), encoded(names.branch.as_str()));
    let reviewers = names.owners.iter().chain([&names.platform, &names.developers]);
    let reviewers: Vec<String> = reviewers.map(|team| format!("\"{team}\"")).collect();
    let more = [("id", &*id), ("branch_id", &*branch), ("reviewers", &*reviewers.join(", "))];
    let (path, template, says) = match names.forge {
        Forge::Gitlab => (
            ".gitlab/branch-rules.json",
            include_str!("template/gitlab.json"),
            "rules of the branch, as calls of GitLab's API",
        ),
        Forge::Gitea => (
            ".gitea/branch-rules.json",
            include_str!("template/gitea.json"),
            "rules of the branch, as a call of Gitea's API",
        ),
        Forge::Github | Forge::Bitbucket => (
            ".github/rulesets/branch-of-record.json",
            include_str!("template/github.json"),
            "rules of the branch, for GitHub to import",
        ),
    };
    (path.to_owned(), fill(template, names, &more), says)
}

/// What to do with the file, for the README.
pub(super) fn apply(names: &Names) -> &'static str {
    match names.forge {
        Forge::Gitlab => {
            "send the calls of `.gitlab/branch-rules.json` to the forge, in their order: `curl -X METHOD -H \"PRIVATE-TOKEN: …\" -H 'Content-Type: application/json' -d BODY https://HOST/PATH`. Approval of code owners is a matter of GitLab Premium."
        }
        Forge::Gitea => {
            "send the call of `.gitea/branch-rules.json` to the forge: `curl -X POST -H \"Authorization: token …\" -H 'Content-Type: application/json' -d BODY https://HOST/PATH`. Gitea asks code owners and waits for them, but does not need their approval: `sod-branch-rules` says so, and nothing here can change it."
        }
        Forge::Github | Forge::Bitbucket => {
            "import `.github/rulesets/branch-of-record.json` on the forge: Settings, Rules, Rulesets, New ruleset, Import."
        }
    }
}
