//! Gitea and Forgejo: branch protection, teams, collaborators.

use access::forge::{Protected, Snapshot};
use serde_json::{Value, json};

use super::{Row, logins, snapshot, unknown};

fn with(rules: Value) -> Snapshot {
    snapshot(
        "gitea",
        &[
            ("/api/v1/repos/o/r", 200, json!({"default_branch": "main"})),
            (
                "/api/v1/repos/o/r/collaborators",
                200,
                json!([{"login": "adm", "id": 1}, {"login": "dev", "id": 2}]),
            ),
            ("/api/v1/repos/o/r/collaborators/adm/permission", 200, json!({"permission": "admin"})),
            ("/api/v1/repos/o/r/collaborators/dev/permission", 200, json!({"permission": "write"})),
            (
                "/api/v1/repos/o/r/teams",
                200,
                json!([{"id": 4, "name": "sre", "permission": "read",
                "units_map": {"repo.code": "write"}}, {"id": 5, "name": "seers", "permission": "read"}]),
            ),
            ("/api/v1/teams/4/members", 200, json!([{"login": "tom"}])),
            ("/api/v1/teams/5/members", 200, json!([{"login": "sue"}])),
            ("/api/v1/repos/o/r/branch_protections", 200, rules),
        ],
    )
}

#[test]
fn who_can_under_each_switch() {
    let all: &[&str] = &["adm", "dev", "tom"];
    // A rule, who can push, who can merge, who of these past the rule.
    let table: Vec<Row> = vec![
        (json!({"rule_name": "other"}), all, all, &[]),
        (json!({"rule_name": "main", "enable_push": false}), &[], all, &["adm"]),
        (json!({"rule_name": "m*", "enable_push": true}), all, all, &["adm"]),
        (
            json!({"rule_name": "main", "enable_push": true, "enable_push_whitelist": true, "push_whitelist_teams": ["sre"],
            "push_whitelist_deploy_keys": true}),
            &["deploy keys", "tom"],
            all,
            &["adm"],
        ),
        (
            json!({"rule_name": "main", "enable_merge_whitelist": true, "merge_whitelist_usernames": ["dev"]}),
            &[],
            &["dev"],
            &[],
        ),
        (json!({"rule_name": "main", "block_admin_merge_override": true}), &[], all, &[]),
        (json!({"branch_name": "main", "apply_to_admins": true}), &[], all, &[]),
    ];
    for (rule, push, merge, skip) in table {
        let snapshot = with(json!([rule]));
        let main = snapshot.branch("main");
        assert_eq!(logins(&snapshot.who_can_push(&main)), push, "push: {rule}");
        let who = snapshot.who_can_merge(&main);
        assert_eq!(logins(&who), merge, "merge: {rule}");
        let skips = who.accounts.iter().filter(|r| r.ways.iter().any(|w| w.skips_review));
        assert_eq!(skips.map(|r| r.login.as_str()).collect::<Vec<_>>(), skip, "skip: {rule}");
    }
    assert_eq!(logins(&with(json!([])).administrators()), ["adm"]);
}

#[test]
fn a_plain_name_goes_before_a_pattern_and_holes_are_told() {
    let rules = json!([{"rule_name": "m*", "required_approvals": 1},
        {"rule_name": "main", "required_approvals": 2, "dismiss_stale_approvals": true,
         "enable_status_check": true, "status_check_contexts": ["ci"], "unprotected_file_patterns": "*.md; docs/**"}]);
    let main = with(rules).branch("main");
    assert_eq!((main.approvals().value(), main.dismisses_stale().value()), (Some(&2), Some(&true)));
    assert_eq!(main.protections[0].unprotected_files, ["*.md", "docs/**"]);
    assert_eq!(main.protections[0].status_checks.value(), Some(&vec!["ci".to_owned()]));
}

#[test]
fn a_list_that_was_refused_is_no_empty_list() {
    let snapshot = snapshot(
        "gitea",
        &[
            ("/repos/o/r/branch_protections", 403, Value::Null),
            ("/repos/o/r/teams", 404, Value::Null),
        ],
    );
    let main = snapshot.branch("main");
    assert_eq!(main.protected(), Protected::Unknown);
    let who = snapshot.who_can_push(&main);
    assert_eq!(logins(&who), Vec::<&str>::new());
    assert_eq!(unknown(&who).len(), 3, "protection, collaborators and teams: {:?}", unknown(&who));
}
