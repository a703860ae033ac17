//! GitHub: the recorded snapshot, and classic protection, rulesets and refusals in table form.

use access::forge::{Known, Protected, Snapshot};
use serde_json::{Value, json};

use super::{Row, logins, snapshot, told, unknown, unknown_of};

const RECORDED: &[u8] = include_bytes!("../../../../../captures/forge/github-snapshot.json");

/// What administrators are told of a branch without classic protection.
fn no_rule() -> (u16, Value) {
    (404, json!({"message": "Branch not protected"}))
}

#[test]
fn the_recorded_snapshot() {
    let recorded = Snapshot::parse(RECORDED).unwrap();
    assert_eq!((recorded.repository(), recorded.taken_at()), ("platform/gitops", None));
    assert_eq!(recorded.default_branch().value().map(String::as_str), Some("main"));
    let main = recorded.branch("main");
    assert_eq!((main.protected(), unknown_of(&main)), (Protected::Yes, vec![]));
    let at = |member: &str| format!("$.branch_protection.main.{member}");
    let review = |member: &str| at(&format!("required_pull_request_reviews.{member}"));
    assert_eq!(main.approvals(), known(1, &review("required_approving_review_count")));
    assert_eq!(main.code_owners(), known(true, &review("require_code_owner_reviews")));
    assert_eq!(main.dismisses_stale(), known(false, &review("dismiss_stale_reviews")));
    assert_eq!(main.last_push_approval(), known(false, &review("require_last_push_approval")));
    assert_eq!(main.protections[0].binds_admins, known(false, &at("enforce_admins.enabled")));
    assert_eq!(main.force_push(), known(false, &at("allow_force_pushes.enabled")));

    let push = recorded.who_can_push(&main);
    assert_eq!(
        told(&push),
        [
            "blarsen: named (may push directly: review is required)!, role admin (may push directly: review is required)!",
            "cnunez: role admin (may push directly: review is required)!",
        ]
    );
    let named = &push.accounts[0].ways[0];
    assert_eq!(named.at, [review("bypass_pull_request_allowances.users[0].login")]);
    let role = &push.accounts[1].ways[0];
    assert_eq!(
        role.at,
        [at("enforce_admins.enabled"), "$.collaborators[2].permissions".to_owned()]
    );

    let merge = recorded.who_can_merge(&main);
    assert_eq!(logins(&merge), ["aito", "blarsen", "cnunez", "dokafor", "fweiss"]);
    let skip: Vec<&str> = merge
        .accounts
        .iter()
        .filter(|r| r.ways.iter().any(|w| w.skips_review))
        .map(|r| r.login.as_str())
        .collect();
    assert_eq!(skip, ["blarsen", "cnunez"]);
    assert!(
        merge.accounts[0]
            .ways
            .iter()
            .any(|w| w.by == "team payments" && w.at == ["$.teams[1].members[0].login"])
    );
    assert_eq!(logins(&recorded.administrators()), ["blarsen", "cnunez"]);
    assert_eq!(unknown(&merge), Vec::<String>::new());

    // Only `main` was asked for: what holds for another branch is not known.
    let other = recorded.branch("release");
    assert_eq!(other.protected(), Protected::Unknown);
    assert_eq!(logins(&recorded.who_can_push(&other)), Vec::<&str>::new());
    assert_eq!(
        unknown(&recorded.who_can_push(&other)),
        ["the snapshot has no answer to /repos/platform/gitops/branches/release/protection"]
    );
}

fn known<T>(value: T, at: &str) -> Known<T> {
    Known::Known { value, at: at.to_owned() }
}

fn person(login: &str, id: u64, role: &str) -> Value {
    json!({"login": login, "id": id, "type": "User", "role_name": role})
}

fn people() -> Value {
    json!([person("adm", 1, "admin"), person("mnt", 2, "maintain"), person("dev", 3, "write"),
        person("see", 4, "read"), {"login": "ci[bot]", "id": 5, "type": "Bot", "role_name": "write"}])
}

/// A repository with this protection of `main` and these rulesets.
fn with(protection: (u16, Value), rulesets: &[Value]) -> Snapshot {
    let root = "/api/v3/repos/o/r";
    let list: Vec<Value> =
        rulesets.iter().map(|r| json!({"id": r["id"], "target": "branch"})).collect();
    let path = |rest: &str| format!("{root}{rest}");
    let mut answers = vec![
        (root.to_owned(), 200, json!({"default_branch": "main"})),
        (path("/branches/main/protection"), protection.0, protection.1),
        (path("/collaborators?per_page=100&page=1"), 200, people()),
        (path("/teams"), 200, json!([{"slug": "t", "id": 9, "permission": "push"}])),
        ("/api/v3/orgs/o/teams/t/members".to_owned(), 200, json!([{"login": "dev"}])),
        (path("/rulesets"), 200, json!(list)),
    ];
    answers
        .extend(rulesets.iter().map(|r| (path(&format!("/rulesets/{}", r["id"])), 200, r.clone())));
    let borrowed: Vec<(&str, u16, Value)> =
        answers.iter().map(|(p, s, b)| (p.as_str(), *s, b.clone())).collect();
    snapshot("github", &borrowed)
}

fn check((body, push, merge, skip): Row) {
    let snapshot = with((200, body.clone()), &[]);
    let main = snapshot.branch("main");
    assert_eq!(logins(&snapshot.who_can_push(&main)), push, "push: {body}");
    let who = snapshot.who_can_merge(&main);
    assert_eq!(logins(&who), merge, "merge: {body}");
    let skips = who.accounts.iter().filter(|r| r.ways.iter().any(|w| w.skips_review));
    assert_eq!(skips.map(|r| r.login.as_str()).collect::<Vec<_>>(), skip, "skip: {body}");
    assert_eq!(unknown(&who), Vec::<String>::new(), "{body}");
}

#[test]
fn classic_protection_has_two_gates() {
    let review = |more: Value| {
        let mut body = json!({"required_approving_review_count": 2});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let allow = json!({"bypass_pull_request_allowances":
        {"users": [], "teams": [{"slug": "t"}], "apps": [{"slug": "robot"}]}});
    let list = json!({"users": [{"login": "dev"}], "teams": [], "apps": []});
    // Protection, who can push directly, who can merge, who of these without review.
    let table: Vec<Row> = vec![
        (
            json!({"enforce_admins": {"enabled": true}}),
            &["adm", "ci[bot]", "dev", "mnt"],
            &["adm", "ci[bot]", "dev", "mnt"],
            &[],
        ),
        (
            json!({"enforce_admins": {"enabled": true}, "required_pull_request_reviews": review(json!({}))}),
            &[],
            &["adm", "ci[bot]", "dev", "mnt"],
            &[],
        ),
        (
            json!({"enforce_admins": {"enabled": false}, "required_pull_request_reviews": review(json!({}))}),
            &["adm"],
            &["adm", "ci[bot]", "dev", "mnt"],
            &["adm"],
        ),
        (
            json!({"enforce_admins": {"enabled": false}, "required_pull_request_reviews": review(allow.clone())}),
            &["adm", "dev", "robot"],
            &["adm", "ci[bot]", "dev", "mnt"],
            &["adm", "dev"],
        ),
        // Binding administrators ends the other exemptions from review too.
        (
            json!({"enforce_admins": {"enabled": true}, "required_pull_request_reviews": review(allow)}),
            &[],
            &["adm", "ci[bot]", "dev", "mnt"],
            &[],
        ),
        // It does not end that of administrators and maintainers from the list of pushers.
        (
            json!({"enforce_admins": {"enabled": true}, "restrictions": list}),
            &["adm", "dev", "mnt"],
            &["adm", "dev", "mnt"],
            &[],
        ),
        (
            json!({"enforce_admins": {"enabled": false}, "restrictions": list, "required_pull_request_reviews": review(json!({}))}),
            &["adm"],
            &["adm", "dev", "mnt"],
            &["adm"],
        ),
        (
            json!({"enforce_admins": {"enabled": true}, "lock_branch": {"enabled": true}}),
            &[],
            &[],
            &[],
        ),
    ];
    for row in table {
        check(row);
    }
}

fn ruleset(more: &Value) -> Value {
    let mut body = json!({"id": 7, "name": "prod", "target": "branch", "enforcement": "active",
        "bypass_actors": [], "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "pull_request", "parameters": {"required_approving_review_count": 1,
            "dismiss_stale_reviews_on_push": true, "require_code_owner_review": true,
            "require_last_push_approval": true}}, {"type": "deletion"}, {"type": "non_fast_forward"}]});
    for (member, value) in more.as_object().into_iter().flatten() {
        body[member] = value.clone();
    }
    body
}

#[test]
fn rulesets_and_their_bypasses() {
    let actor = |kind: &str, id: u64, mode: &str| json!({"bypass_actors": [{"actor_id": id, "actor_type": kind, "bypass_mode": mode}]});
    let open: &[&str] = &["adm", "ci[bot]", "dev", "mnt"];
    let refs = |include: &str, exclude: &str| json!({"conditions": {"ref_name": {"include": [include], "exclude": [exclude]}}});
    // A change of the ruleset, who can push to main, who can merge without review.
    let table: Vec<(Value, &[&str], &[&str])> = vec![
        (json!({}), &[], &[]),
        (actor("RepositoryRole", 5, "always"), &["adm"], &["adm"]),
        (actor("RepositoryRole", 5, "pull_request"), &[], &["adm"]),
        (actor("Team", 9, "always"), &["dev"], &["dev"]),
        (actor("User", 3, "exempt"), &["dev"], &["dev"]),
        (actor("Integration", 3, "always"), &["app 3"], &[]),
        (json!({"enforcement": "evaluate"}), open, &[]),
        (json!({"enforcement": "disabled"}), open, &[]),
        (refs("~ALL", "refs/heads/main"), open, &[]),
        (refs("refs/heads/m*", ""), &[], &[]),
        (refs("refs/heads/release/**", ""), open, &[]),
        (json!({"rules": [{"type": "update"}]}), &[], &[]),
        (json!({"rules": [{"type": "creation"}]}), open, &[]),
    ];
    for (change, push, skip) in table {
        let snapshot = with(no_rule(), &[ruleset(&change)]);
        let main = snapshot.branch("main");
        assert_eq!(logins(&snapshot.who_can_push(&main)), push, "{change}");
        let who = snapshot.who_can_merge(&main);
        let skips = who.accounts.iter().filter(|r| r.ways.iter().any(|w| w.skips_review));
        assert_eq!(skips.map(|r| r.login.as_str()).collect::<Vec<_>>(), skip, "{change}");
    }
    let main = with(no_rule(), &[ruleset(&json!({}))]).branch("main");
    assert_eq!((main.approvals().value(), main.code_owners().value()), (Some(&1), Some(&true)));
    assert_eq!(
        (main.dismisses_stale().value(), main.last_push_approval().value()),
        (Some(&true), Some(&true))
    );
    assert_eq!((main.force_push().value(), main.deletion().value()), (Some(&false), Some(&false)));
}

#[test]
fn a_bypass_of_one_rule_is_none_of_another() {
    let bound = json!({"enforce_admins": {"enabled": true}, "required_pull_request_reviews": {"required_approving_review_count": 2}});
    let bypass = json!({"bypass_actors": [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}]});
    let snapshot = with((200, bound), &[ruleset(&bypass)]);
    let main = snapshot.branch("main");
    assert_eq!(logins(&snapshot.who_can_push(&main)), Vec::<&str>::new());
    assert_eq!(main.approvals().value(), Some(&2), "the stricter counts");
}

#[test]
fn what_the_token_may_not_see_is_unknown() {
    let hidden = with((404, json!({"message": "Not Found"})), &[]);
    let main = hidden.branch("main");
    assert_eq!(main.protected(), Protected::Unknown);
    assert!(main.approvals().value().is_none() && main.force_push().value().is_none());
    let refusal = "the forge answered 404 to /repos/o/r/branches/main/protection: the token may not see it, or it does not exist";
    assert_eq!(unknown_of(&main), [refusal]);
    assert_eq!(logins(&hidden.who_can_push(&main)), Vec::<&str>::new());
    assert_eq!(unknown(&hidden.who_can_push(&main)), [refusal]);

    // A ruleset that is seen says what it demands, whatever the hidden rule says.
    let partly = with((403, Value::Null), &[ruleset(&json!({}))]);
    let main = partly.branch("main");
    assert_eq!((main.protected(), main.approvals().value()), (Protected::Yes, Some(&1)));

    // An administrator is told that there is no classic rule: rulesets are all that binds.
    let alone = with(no_rule(), &[]);
    let main = alone.branch("main");
    assert_eq!((main.protected(), unknown_of(&main)), (Protected::No, vec![]));
    let by_ruleset = with(no_rule(), &[ruleset(&json!({}))]);
    let main = by_ruleset.branch("main");
    assert_eq!((main.protected(), unknown_of(&main)), (Protected::Yes, vec![]));

    // Something that answered in the forge's place says nothing of the branch.
    let login_page = with((200, Value::Null), &[]).branch("main");
    assert_eq!(login_page.protected(), Protected::Unknown);

    // The list of those who bypass is shown to few.
    let mut secret = ruleset(&json!({}));
    secret.as_object_mut().unwrap().remove("bypass_actors");
    let secret = with(no_rule(), &[secret]);
    let who = secret.who_can_push(&secret.branch("main"));
    assert_eq!(
        unknown(&who),
        ["bypass_actors is missing at $.answers[6].body.bypass_actors: the token may not see it"]
    );

    let nobody = snapshot("github", &[("/repos/o/r/collaborators", 403, Value::Null)]);
    let reason = "the forge answered 403 to /repos/o/r/collaborators: the token may not see it, or it does not exist";
    assert_eq!(unknown(&nobody.administrators()), [reason]);
    let owners = json!({"bypass_actors": [{"actor_id": 1, "actor_type": "OrganizationAdmin", "bypass_mode": "always"}]});
    let owners = with(no_rule(), &[ruleset(&owners)]);
    let who = owners.who_can_push(&owners.branch("main"));
    assert_eq!(
        unknown(&who),
        [
            "owners of the organisation at $.answers[6].body.bypass_actors[0] is not resolved by the snapshot"
        ]
    );
}
