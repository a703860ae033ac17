//! What of an answer is kept. Secrets and links are left out; of accounts and of the repository
//! what says who may do what, so that a snapshot stays small and holds no more about people than it
//! has to.

use serde_json::{Map, Value};

/// Members of an account: who it is, and what it may do.
const ACCOUNT: [&str; 21] = [
    "access_level",
    "active",
    "bot",
    "email",
    "expires_at",
    "full_name",
    "id",
    "is_admin",
    "login",
    "membership_state",
    "name",
    "permission",
    "permissions",
    "prohibit_login",
    "restricted",
    "role_name",
    "site_admin",
    "slug",
    "state",
    "type",
    "username",
];

/// Members of a repository. GitHub adds a token to clone with, GitLab one for runners and the address
/// that it was imported from, which may hold a password.
const REPOSITORY: [&str; 31] = [
    "allow_auto_merge",
    "allow_forking",
    "allow_manual_merge",
    "allow_merge_commit",
    "allow_merge_on_skipped_pipeline",
    "allow_rebase",
    "allow_rebase_merge",
    "allow_squash_merge",
    "approvals_before_merge",
    "archived",
    "default_branch",
    "delete_branch_on_merge",
    "disabled",
    "fork",
    "full_name",
    "id",
    "internal",
    "merge_method",
    "mirror",
    "name",
    "namespace",
    "only_allow_merge_if_all_discussions_are_resolved",
    "only_allow_merge_if_pipeline_succeeds",
    "path_with_namespace",
    "permissions",
    "private",
    "request_access_enabled",
    "shared_with_groups",
    "squash_option",
    "visibility",
    "web_commit_signoff_required",
];

/// An answer without what a snapshot need not hold.
pub(super) fn trimmed(is_repository: bool, mut body: Value) -> Value {
    if let (true, Some(members)) = (is_repository, body.as_object_mut()) {
        members.retain(|name, _| REPOSITORY.contains(&name.as_str()));
    }
    trim(&mut body);
    body
}

fn trim(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(trim),
        Value::Object(members) => {
            let account = is_account(members);
            members.retain(|name, value| {
                !is_link(name)
                    && !is_secret(name, value)
                    && (!account || ACCOUNT.contains(&name.as_str()))
            });
            members.values_mut().for_each(trim);
        }
        _ => {}
    }
}

fn is_account(members: &Map<String, Value>) -> bool {
    ["login", "username"].iter().any(|name| members.get(*name).is_some_and(Value::is_string))
}

fn is_link(name: &str) -> bool {
    matches!(name, "url" | "_links" | "node_id" | "gravatar_id") || name.ends_with("_url")
}

/// Settings are named so too: `prevent_secrets`, `require_password_to_approve` are true or false.
fn is_secret(name: &str, value: &Value) -> bool {
    let setting = matches!(value, Value::Bool(_) | Value::Number(_) | Value::Null);
    !setting && ["token", "secret", "password"].iter().any(|word| name.contains(word))
}
