//! The forge's rules of the branch of record, in the form that the forge takes them in.

use super::{Names, fill};
use crate::policy::Forge;

/// Path, text, and what it is for.
pub(super) fn file(names: &Names) -> (String, String, &'static str) {
    let encoded = |text: &str| text.replace('/', "%2F");
    let (id, branch) = (encoded(names.repository.as_str()), encoded(names.branch.as_str()));
    let reviewers = names.owners.iter();
    let reviewers = reviewers.chain([&names.platform, &names.developers, &names.auditors]);
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

/// The check that the rules ask for: path, text, and what it is for.
pub(super) fn check(names: &Names) -> (String, String, &'static str) {
    let folder = super::owners::settings(names);
    let workflow = include_str!("template/workflow.yaml");
    let (path, text) = match names.forge {
        Forge::Gitlab => ("ci.yml", include_str!("template/gitlab-ci.yml").to_owned()),
        Forge::Gitea => {
            let kustomize = include_str!("template/workflow-kustomize.yaml");
            ("workflows/check.yaml", fill(workflow, names, &[("kustomize", kustomize)]))
        }
        Forge::Github | Forge::Bitbucket => {
            ("workflows/check.yaml", workflow.replace("@kustomize@\n", ""))
        }
    };
    (format!("{folder}/{path}"), text, "the check without which nothing is merged")
}

/// What makes an owner one, for the README.
pub(super) const fn invite(names: &Names) -> &'static str {
    match names.forge {
        Forge::Gitlab => {
            "They are groups beside this project: invite each to it, owners as Developers at least, or the forge passes over them."
        }
        _ => "Owners need the right to write, or the forge passes over them.",
    }
}

/// What to do with the file, for the README.
pub(super) fn apply(names: &Names) -> &'static str {
    match names.forge {
        Forge::Gitlab => {
            "send the calls of `.gitlab/branch-rules.json` to the forge, in their order: `curl -X METHOD -H \"PRIVATE-TOKEN: …\" -H 'Content-Type: application/json' -d BODY https://HOST/PATH`. Approval of code owners and signed commits are matters of GitLab Premium."
        }
        Forge::Gitea => {
            "send the call of `.gitea/branch-rules.json` to the forge: `curl -X POST -H \"Authorization: token …\" -H 'Content-Type: application/json' -d BODY https://HOST/PATH`. It asks for signed commits, so Gitea needs a key of its own to merge (`[repository.signing]`). Gitea asks code owners and waits for them, but does not need their approval, and takes that of whoever pushed last: `sod-branch-rules` says so, and nothing here can change it."
        }
        Forge::Github | Forge::Bitbucket => {
            "import `.github/rulesets/branch-of-record.json` on the forge: Settings, Rules, Rulesets, New ruleset, Import. Under Settings, Actions, General, let workflows read only, and not approve pull requests."
        }
    }
}
