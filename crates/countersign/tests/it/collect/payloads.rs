//! What the forges document that they answer, and the requests that follow.

use serde_json::{Value, json};

/// Answers by the path of the request.
pub(crate) type Answers = Vec<(&'static str, Value)>;

pub(crate) const GITHUB: &[&str] = &[
    "/api/v3/repos/acme/gitops",
    "/api/v3/repos/acme/gitops/branches/main/protection",
    "/api/v3/repos/acme/gitops/branches/next%23%2B1/protection",
    "/api/v3/repos/acme/gitops/branches?protected=true&per_page=100&page=1",
    "/api/v3/repos/acme/gitops/rulesets?includes_parents=true&per_page=100&page=1",
    "/api/v3/repos/acme/gitops/actions/permissions/workflow",
    "/api/v3/repos/acme/gitops/collaborators?affiliation=all&per_page=100&page=1",
    "/api/v3/repos/acme/gitops/teams?per_page=100&page=1",
    "/api/v3/repos/acme/gitops/branches/release%2F1/protection",
    "/api/v3/repos/acme/gitops/rulesets/7?includes_parents=true",
    "/api/v3/orgs/acme/teams/ops/members?per_page=100&page=1",
];

pub(crate) const GITLAB: &[&str] = &[
    "/api/v4/projects/acme%2Fgitops",
    "/api/v4/projects/acme%2Fgitops/protected_branches?per_page=100&page=1",
    "/api/v4/projects/acme%2Fgitops/protected_tags?per_page=100&page=1",
    "/api/v4/projects/acme%2Fgitops/approval_rules?per_page=100&page=1",
    "/api/v4/projects/acme%2Fgitops/members/all?per_page=100&page=1",
    "/api/v4/projects/acme%2Fgitops/approvals",
    "/api/v4/projects/acme%2Fgitops/push_rule",
    "/api/v4/groups/8/members/all?per_page=100&page=1",
    "/api/v4/groups/9/members/all?per_page=100&page=1",
];

pub(crate) const GITEA: &[&str] = &[
    "/api/v1/repos/acme/gitops",
    "/api/v1/repos/acme/gitops/branch_protections?limit=50&page=1",
    "/api/v1/repos/acme/gitops/tag_protections?limit=50&page=1",
    "/api/v1/repos/acme/gitops/collaborators?limit=50&page=1",
    "/api/v1/repos/acme/gitops/teams?limit=50&page=1",
    "/api/v1/repos/acme/gitops/collaborators/carl/permission",
    "/api/v1/teams/2/members?limit=50&page=1",
];

pub(crate) fn github() -> Answers {
    vec![
        (
            "/api/v3/repos/acme/gitops",
            json!({"id": 1, "full_name": "acme/gitops", "default_branch": "main", "private": true,
                "temp_clone_token": "CLONETOKEN", "html_url": "https://x", "owner": {"login": "acme",
                "type": "Organization", "avatar_url": "https://x"}}),
        ),
        (
            "/api/v3/repos/acme/gitops/branches/main/protection",
            json!({"url": "https://x", "enforce_admins": {"enabled": true, "url": "https://x"},
                "required_pull_request_reviews": {"required_approving_review_count": 2,
                "require_code_owner_reviews": true, "dismiss_stale_reviews": true}}),
        ),
        (
            "/api/v3/repos/acme/gitops/branches",
            json!([{"name": "main", "protected": true}, {"name": "release/1", "protected": true}]),
        ),
        ("/api/v3/repos/acme/gitops/rulesets", json!([{"id": 7, "target": "branch"}])),
        (
            "/api/v3/repos/acme/gitops/rulesets/7",
            json!({"id": 7, "target": "branch", "enforcement": "active", "bypass_actors": [],
                "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}},
                "rules": [{"type": "deletion"}]}),
        ),
        (
            "/api/v3/repos/acme/gitops/actions/permissions/workflow",
            json!({"default_workflow_permissions": "read", "can_approve_pull_request_reviews": false}),
        ),
        (
            "/api/v3/repos/acme/gitops/collaborators",
            json!([{"login": "ann", "id": 2, "type": "User", "site_admin": false, "starred_url": "x", "role_name": "admin",
                "permissions": {"admin": true, "push": true, "pull": true}}]),
        ),
        (
            "/api/v3/repos/acme/gitops/teams",
            json!([{"id": 3, "slug": "ops", "permission": "push"}]),
        ),
        ("/api/v3/orgs/acme/teams/ops/members", json!([{"login": "ann", "id": 2, "type": "User"}])),
    ]
}

pub(crate) fn gitlab() -> Answers {
    vec![
        (
            "/api/v4/projects/acme%2Fgitops",
            json!({"id": 7, "path_with_namespace": "acme/gitops", "default_branch": "main",
                "runners_token": "RUNNERTOKEN", "only_allow_merge_if_pipeline_succeeds": true, "import_url": "https://u:PASSWORD@x/y.git",
                "shared_with_groups": [{"group_id": 8, "group_full_path": "acme/ops",
                    "group_access_level": 30}]}),
        ),
        (
            "/api/v4/projects/acme%2Fgitops/protected_branches",
            json!([{"id": 1, "name": "main", "push_access_levels": [{"access_level": 40, "group_id": 9}],
                "merge_access_levels": [{"access_level": 30}], "allow_force_push": false}]),
        ),
        (
            "/api/v4/projects/acme%2Fgitops/push_rule",
            json!({"prevent_secrets": true, "reject_unsigned_commits": true, "mirror_token": "PASSWORD"}),
        ),
        (
            "/api/v4/projects/acme%2Fgitops/members/all",
            json!([{"id": 2, "username": "ann",
            "state": "active", "access_level": 40, "web_url": "https://x"}]),
        ),
        ("/api/v4/groups/8/members/all", json!([{"id": 2, "username": "ann", "access_level": 30}])),
        (
            "/api/v4/projects/acme%2Fgitops/approvals",
            json!({"reset_approvals_on_push": true, "merge_requests_author_approval": false,
                "merge_requests_disable_committers_approval": true,
                "disable_overriding_approvers_per_merge_request": true}),
        ),
        (
            "/api/v4/projects/acme%2Fgitops/approval_rules",
            json!([{"id": 1, "rule_type": "regular", "approvals_required": 2,
                "eligible_approvers": [{"id": 2, "username": "ann"}],
                "protected_branches": [{"id": 1, "name": "main"}]}]),
        ),
        ("/api/v4/projects/acme%2Fgitops/protected_tags", json!([{"name": "v*"}])),
        ("/api/v4/groups/9/members/all", json!([])),
    ]
}

pub(crate) fn gitea() -> Answers {
    vec![
        (
            "/api/v1/repos/acme/gitops",
            json!({"full_name": "acme/gitops", "default_branch": "main"}),
        ),
        ("/api/v1/repos/acme/gitops/collaborators", json!([{"id": 4, "login": "carl"}])),
        (
            "/api/v1/repos/acme/gitops/collaborators/carl/permission",
            json!({"permission": "admin", "user": {"login": "carl"}}),
        ),
        (
            "/api/v1/repos/acme/gitops/teams",
            json!([{"id": 2, "name": "ops", "permission": "write",
            "units_map": {"repo.code": "read"}}]),
        ),
        ("/api/v1/repos/acme/gitops/tag_protections", json!([{"id": 1, "name_pattern": "v*"}])),
        ("/api/v1/teams/2/members", json!([{"id": 2, "login": "ann"}])),
        (
            "/api/v1/repos/acme/gitops/branch_protections",
            json!([{"rule_name": "main",
            "required_approvals": 1, "dismiss_stale_approvals": true, "enable_push": false}]),
        ),
    ]
}
