//! GitLab: protected branches, approvals, members.

use access::forge::{Level, Protected, Snapshot};
use serde_json::{Value, json};

use super::{logins, snapshot, told, unknown_of};

fn with(branches: Value, more: &[(&str, u16, Value)]) -> Snapshot {
    let member = |id: u64, name: &str, level: u64| json!({"id": id, "username": name, "state": "active", "access_level": level});
    let members = json!([member(1, "own", 50), member(2, "mnt", 40), member(3, "dev", 30), member(4, "rep", 20),
        member(5, "project_7_bot_ab12", 40), {"id": 6, "username": "gone", "state": "blocked", "access_level": 50}]);
    let mut answers = vec![
        (
            "/api/v4/projects/o%2Fr",
            200,
            json!({"default_branch": "main", "only_allow_merge_if_pipeline_succeeds": true}),
        ),
        ("/api/v4/projects/o%2Fr/members/all?page=1", 200, members),
        ("/api/v4/projects/o%2Fr/protected_branches", 200, branches),
    ];
    answers.extend(more.iter().cloned());
    snapshot("gitlab", &answers)
}

fn branch(name: &str, push: &Value, merge: &Value) -> Value {
    json!({"name": name, "push_access_levels": push, "merge_access_levels": merge, "allow_force_push": false})
}

#[test]
fn a_group_owns_by_its_share_of_the_project() {
    let shared = json!({"default_branch": "main", "shared_with_groups": [
        {"group_id": 8, "group_full_path": "o/sre", "group_access_level": 30},
        {"group_id": 9, "group_full_path": "o/risk", "group_access_level": 20}]});
    let members = ("/groups/8/members/all", 200, json!([{"username": "dev"}]));
    let forge = snapshot("gitlab", &[("/projects/7", 200, shared), members]);
    let sre = forge.shared_group("O/sre").unwrap();
    let logins = sre.members.value().unwrap().iter().map(|(login, _)| login.as_str());
    assert_eq!((sre.level, logins.collect::<Vec<_>>()), (Level::Write, vec!["dev"]));
    assert_eq!(sre.at, "$.answers[0].body.shared_with_groups[0]");
    let risk = forge.shared_group("o/risk").unwrap();
    assert!(risk.level < Level::Write && risk.members.value().is_none());
    assert!(forge.shared_group("o").is_none(), "one above, or one that the token may not see");
}

#[test]
fn levels_accounts_groups_and_keys() {
    let level = |n: u64| json!([{"access_level": n}]);
    let group = [("/api/v4/groups/8/members/all", 200, json!([{"username": "dev"}]))];
    let table: Vec<(Value, &[&str], &[&str])> = vec![
        (
            json!([]),
            &["dev", "mnt", "own", "project_7_bot_ab12"],
            &["dev", "mnt", "own", "project_7_bot_ab12"],
        ),
        (
            json!([branch("main", &level(40), &level(30))]),
            &["mnt", "own", "project_7_bot_ab12"],
            &["dev", "mnt", "own", "project_7_bot_ab12"],
        ),
        (
            json!([branch("main", &level(0), &level(40))]),
            &[],
            &["mnt", "own", "project_7_bot_ab12"],
        ),
        (
            json!([branch("main", &json!([{"access_level": 40, "user_id": 3}]), &level(40))]),
            &["dev"],
            &["mnt", "own", "project_7_bot_ab12"],
        ),
        (
            json!([branch("main", &json!([{"access_level": 40, "group_id": 8}]), &level(0))]),
            &["dev"],
            &[],
        ),
        (
            json!([branch("main", &json!([{"access_level": 40, "deploy_key_id": 5}]), &level(0))]),
            &["deploy key 5"],
            &[],
        ),
        // Of several rules the most permissive counts.
        (
            json!([branch("main", &level(0), &level(0)), branch("ma*", &level(50), &level(50))]),
            &["own"],
            &["own"],
        ),
        (
            json!([branch("release/*", &level(0), &level(0))]),
            &["dev", "mnt", "own", "project_7_bot_ab12"],
            &["dev", "mnt", "own", "project_7_bot_ab12"],
        ),
    ];
    for (branches, push, merge) in table {
        let snapshot = with(branches.clone(), &group);
        let main = snapshot.branch("main");
        assert_eq!(logins(&snapshot.who_can_push(&main)), push, "push: {branches}");
        assert_eq!(logins(&snapshot.who_can_merge(&main)), merge, "merge: {branches}");
    }
    let snapshot = with(json!([]), &[]);
    assert_eq!(snapshot.branch("main").protected(), Protected::No);
    let admins = told(&snapshot.administrators());
    assert_eq!(
        admins,
        [
            "mnt: role maintain (may change the rules)!",
            "own: role admin (may change the rules)!",
            "project_7_bot_ab12 [machine]: role maintain (may change the rules)!"
        ]
    );
}

#[test]
fn a_wildcard_runs_over_slashes() {
    let level = json!([{"access_level": 40}]);
    let snapshot = with(json!([branch("*-stable", &level, &level)]), &[]);
    assert_eq!(snapshot.branch("team/7/x-stable").protected(), Protected::Yes);
    assert_eq!(snapshot.branch("x-stable-2").protected(), Protected::No);
}

#[test]
fn approvals_are_settings_of_the_project() {
    let level = json!([{"access_level": 40}]);
    let mut rule = branch("main", &level, &level);
    rule["code_owner_approval_required"] = json!(true);
    let rules = json!([
        {"rule_type": "any_approver", "approvals_required": 1, "protected_branches": []},
        {"rule_type": "regular", "approvals_required": 2, "protected_branches": [{"name": "main"}]},
        {"rule_type": "regular", "approvals_required": 5, "protected_branches": [{"name": "other"}]},
        {"rule_type": "report_approver", "approvals_required": 9, "protected_branches": []}]);
    let settings = json!({"reset_approvals_on_push": false, "merge_requests_author_approval": true,
        "merge_requests_disable_committers_approval": true});
    let more =
        [("/projects/7/approvals", 200, settings), ("/projects/7/approval_rules", 200, rules)];
    let main = with(json!([rule.clone()]), &more).branch("main");
    assert_eq!((main.approvals().value(), main.code_owners().value()), (Some(&2), Some(&true)));
    assert_eq!(
        (main.dismisses_stale().value(), main.last_push_approval().value()),
        (Some(&false), Some(&true))
    );
    assert_eq!(main.protections[0].author_may_approve.value(), Some(&true));
    assert_eq!(main.protections[0].status_checks.value(), Some(&vec!["pipeline".to_owned()]));

    let free = with(json!([rule]), &[("/projects/7/approvals", 403, Value::Null)]).branch("main");
    assert!(free.dismisses_stale().value().is_none() && free.approvals().value().is_none());
    let hidden =
        snapshot("gitlab", &[("/projects/7/protected_branches", 401, Value::Null)]).branch("main");
    assert_eq!(hidden.protected(), Protected::Unknown);
    assert_eq!(
        unknown_of(&hidden),
        [
            "the forge answered 401 to /projects/:id/protected_branches: the token may not see it, or it does not exist"
        ]
    );
}
