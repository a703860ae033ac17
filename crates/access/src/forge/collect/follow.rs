//! What an answer names that has to be asked for.
//!
//! Requests: GitHub REST API 2022-11-28 ("Protected branches", "Rules", "Collaborators", "Teams",
//! "Actions permissions"), GitLab REST API v4 ("Protected branches", "Protected tags", "Merge request
//! approvals", "Members", "Projects"), Gitea API v1 (`routers/api/v1/api.go`).

use serde_json::Value;

use super::{BRANCHES_MAX, Collection, RepositoryPath, Request};
use crate::forge::Forge;
use crate::forge::names::percent_encoded;

/// The request for the repository itself; all others about it begin so.
pub(super) fn root(forge: Forge, repository: &RepositoryPath) -> String {
    match forge {
        Forge::GitHub | Forge::Gitea => format!("/repos/{}", repository.as_str()),
        Forge::GitLab => format!("/projects/{}", percent_encoded(repository.as_str())),
    }
}

/// The requests that follow from an answer, those left out that were asked before.
pub(super) fn named(of: &mut Collection, request: &Request, body: &Value) -> Vec<Request> {
    let root = of.root();
    let what = request.path.strip_prefix(&root).unwrap_or(&request.path);
    let requests = match of.forge {
        Forge::GitHub => github(of, &root, what, body),
        Forge::GitLab => gitlab(&root, what, body),
        Forge::Gitea => gitea(&root, what, body),
    };
    requests.into_iter().filter_map(|request| of.once(request)).collect()
}

fn github(of: &mut Collection, root: &str, what: &str, body: &Value) -> Vec<Request> {
    let protection = |branch: &str| {
        Request::one(format!("{root}/branches/{}/protection", percent_encoded(branch)))
    };
    match what {
        "" => {
            let default = body.get("default_branch").and_then(Value::as_str);
            let branches = default.into_iter().chain(of.branches.iter().map(String::as_str));
            let mut requests: Vec<Request> = branches.map(protection).collect();
            requests.extend([
                Request::list(format!("{root}/branches"), "protected=true"),
                Request::list(format!("{root}/rulesets"), "includes_parents=true"),
                Request::one(format!("{root}/actions/permissions/workflow")),
                Request::list(format!("{root}/collaborators"), "affiliation=all"),
                Request::list(format!("{root}/teams"), ""),
            ]);
            requests
        }
        "/branches" => {
            let names: Vec<&str> = texts(body, "name").collect();
            let before = of.known.iter().filter(|path| path.ends_with("/protection")).count();
            let taken = names.len().min(BRANCHES_MAX.saturating_sub(before));
            of.passed_over += names.len() - taken;
            names[..taken].iter().map(|name| protection(name)).collect()
        }
        "/rulesets" => numbers(body, "id")
            .map(|id| Request {
                query: "includes_parents=true",
                ..Request::one(format!("{root}/rulesets/{id}"))
            })
            .collect(),
        "/teams" => {
            let owner = of.repository.owner();
            let members = |slug| format!("/orgs/{owner}/teams/{}/members", percent_encoded(slug));
            texts(body, "slug").map(|slug| Request::list(members(slug), "")).collect()
        }
        _ => Vec::new(),
    }
}

fn gitlab(root: &str, what: &str, body: &Value) -> Vec<Request> {
    let members = |id: u64| Request::list(format!("/groups/{id}/members/all"), "");
    match what {
        "" => {
            let lists = ["protected_branches", "protected_tags", "approval_rules", "members/all"];
            let ones = ["approvals", "push_rule"];
            let lists = lists.map(|name| Request::list(format!("{root}/{name}"), ""));
            let ones = ones.map(|name| Request::one(format!("{root}/{name}")));
            let shared = body.get("shared_with_groups").into_iter();
            let shared = shared.flat_map(|groups| numbers(groups, "group_id")).map(members);
            lists.into_iter().chain(ones).chain(shared).collect()
        }
        "/protected_branches" => {
            let levels = ["push_access_levels", "merge_access_levels", "unprotect_access_levels"];
            let lists = items(body).flat_map(|branch| levels.map(|name| branch.get(name)));
            lists.flatten().flat_map(|list| numbers(list, "group_id")).map(members).collect()
        }
        _ => Vec::new(),
    }
}

fn gitea(root: &str, what: &str, body: &Value) -> Vec<Request> {
    match what {
        "" => ["branch_protections", "tag_protections", "collaborators", "teams"]
            .map(|name| Request::list(format!("{root}/{name}"), ""))
            .into(),
        "/collaborators" => {
            let path =
                |login| format!("{root}/collaborators/{}/permission", percent_encoded(login));
            texts(body, "login").map(|login| Request::one(path(login))).collect()
        }
        "/teams" => numbers(body, "id")
            .map(|id| Request::list(format!("/teams/{id}/members"), ""))
            .collect(),
        _ => Vec::new(),
    }
}

fn items(body: &Value) -> impl Iterator<Item = &Value> {
    body.as_array().into_iter().flatten()
}

fn texts<'b>(body: &'b Value, member: &'static str) -> impl Iterator<Item = &'b str> {
    items(body).filter_map(move |item| item.get(member)?.as_str())
}

fn numbers<'b>(body: &'b Value, member: &'static str) -> impl Iterator<Item = u64> + use<'b> {
    items(body).filter_map(move |item| item.get(member)?.as_u64())
}
