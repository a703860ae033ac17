//! GitHub: classic branch protection and rulesets, which bind together.
//!
//! Shapes: REST API "Protected branches", "Repository rules", "Teams", "Collaborators". A bypass of
//! one rule is none of another. `enforce_admins` ends the exemption from review, not that of
//! administrators and maintainers from the list of who may push (`SpecterOps/GitHound`).

use serde_json::Value;

use super::answers::Answers;
use super::names::{branch_matches, flag, flag_or, member_text, number, step};
use super::{
    Account, Gate, Grant, Grantee, JsonPath, Known, Level, Protection, Team, Unknown, Workflows,
};

pub(super) const REVIEW: &str = "review is required";
/// What administrators alone are told of a branch without classic protection.
pub(super) const NOT_PROTECTED: &str = "Branch not protected";
const PUSHERS: &str = "only some may push";
const LOCKED: &str = "the branch is locked";
const UPDATES: &str = "updates are restricted";
/// Whom a bypass may name beside roles.
const OWNERS: &str = "owners of the organisation";

/// Everybody with access, teams' members and owners of the organisation included.
pub(super) fn accounts(answers: &Answers) -> Known<Vec<Account>> {
    match answers.all("/collaborators") {
        Ok(items) => {
            Known::at(items.into_iter().filter_map(|(item, at)| account(item, &at)).collect(), "$")
        }
        Err(why) => Known::Unknown(why),
    }
}

fn account(item: &Value, at: &str) -> Option<Account> {
    let permissions = item.get("permissions");
    let may = |name: &str| permissions.and_then(|p| p.get(name)) == Some(&Value::Bool(true));
    let level = [("admin", Level::Admin), ("maintain", Level::Maintain), ("push", Level::Write)]
        .into_iter()
        .chain([("triage", Level::Triage), ("pull", Level::Read)])
        .find(|(name, _)| may(name));
    let named = item.get("role_name").and_then(Value::as_str).and_then(level_of);
    Some(Account {
        login: item.get("login")?.as_str()?.to_owned(),
        id: item.get("id").and_then(Value::as_u64),
        machine: item.get("type").and_then(Value::as_str) == Some("Bot"),
        level: level.map(|(_, level)| level).or(named)?,
        at: step(at, if level.is_some() { "permissions" } else { "role_name" }),
    })
}

/// The names of GitHub's roles, old and new.
fn level_of(name: &str) -> Option<Level> {
    Some(match name {
        "admin" => Level::Admin,
        "maintain" => Level::Maintain,
        "push" | "write" => Level::Write,
        "triage" => Level::Triage,
        "pull" | "read" => Level::Read,
        _ => return None,
    })
}

pub(super) fn teams(answers: &Answers) -> Known<Vec<Team>> {
    match answers.all("/teams") {
        Ok(items) => Known::at(
            items.into_iter().filter_map(|(item, at)| team(answers, item, at)).collect(),
            "$",
        ),
        Err(why) => Known::Unknown(why),
    }
}

fn team(answers: &Answers, item: &Value, at: JsonPath) -> Option<Team> {
    let slug = item.get("slug")?.as_str()?.to_owned();
    Some(Team {
        id: item.get("id").and_then(Value::as_u64),
        level: item.get("permission").and_then(Value::as_str).and_then(level_of)?,
        members: members(answers, &format!("/teams/{slug}/members"), "login"),
        name: slug,
        at,
    })
}

/// The logins of a list of members.
pub(super) fn members(
    answers: &Answers,
    request: &str,
    member: &str,
) -> Known<Vec<(String, JsonPath)>> {
    let login = |(item, at): (&Value, JsonPath)| {
        Some((item.get(member)?.as_str()?.to_owned(), step(&at, member)))
    };
    match answers.all(request) {
        Ok(items) => Known::at(items.into_iter().filter_map(login).collect(), "$"),
        Err(why) => Known::Unknown(why),
    }
}

/// What workflows may do by default.
pub(super) fn workflows(answers: &Answers) -> Workflows {
    match answers.one("/actions/permissions/workflow") {
        Ok((body, at)) => Workflows {
            approve: flag(body, "can_approve_pull_request_reviews", &at),
            write: member_text(body, "default_workflow_permissions", &at).map(|w| w == "write"),
        },
        Err(why) => Workflows { approve: Known::Unknown(why.clone()), write: Known::Unknown(why) },
    }
}

/// The rules that cover a branch, and what may hide more.
pub(super) fn protections(
    answers: &Answers,
    branch: &str,
    default_branch: &Known<String>,
) -> (Vec<Protection>, Vec<Unknown>) {
    let (mut rules, mut unknown) = (Vec::new(), Vec::new());
    let request = format!("/branches/{branch}/protection");
    match answers.one(&request) {
        Ok((body, at)) if body.is_object() => rules.push(classic(branch, body, &at)),
        // Something else answered in the forge's place: that is not *none*.
        Ok((_, at)) => {
            unknown.push(Unknown::Missing { member: "the protection".to_owned(), at });
        }
        Err(_) if answers.refusal(&request) == Some((404, NOT_PROTECTED)) => {}
        // A reader without administration rights gets a 404 as well, "Not Found".
        Err(why) => unknown.push(why),
    }
    match answers.all("/rulesets") {
        Ok(items) => {
            for (item, _) in items {
                ruleset_of(answers, item, branch, default_branch, &mut rules, &mut unknown);
            }
        }
        Err(why) => unknown.push(why),
    }
    (rules, unknown)
}

fn ruleset_of(
    answers: &Answers,
    item: &Value,
    branch: &str,
    default_branch: &Known<String>,
    rules: &mut Vec<Protection>,
    unknown: &mut Vec<Unknown>,
) {
    let Some(id) = item.get("id").and_then(Value::as_u64) else { return };
    if item.get("target").and_then(Value::as_str).is_some_and(|target| target != "branch") {
        return;
    }
    match answers.one(&format!("/rulesets/{id}")) {
        Ok((body, at)) => {
            match covers(body, &at, &format!("refs/heads/{branch}"), default_branch) {
                Ok(true) => rules.push(ruleset(body, &at)),
                Ok(false) => {}
                Err(why) => unknown.push(why),
            }
        }
        Err(why) => unknown.push(why),
    }
}

/// Whether a ruleset's conditions name a branch or a tag: included and not excluded.
pub(super) fn covers(
    body: &Value,
    at: &str,
    reference: &str,
    default_branch: &Known<String>,
) -> Result<bool, Unknown> {
    let names = body.pointer("/conditions/ref_name");
    let missing =
        || Unknown::Missing { member: "conditions.ref_name".to_owned(), at: at.to_owned() };
    let names = names.ok_or_else(missing)?;
    let one = |pattern: &str| match pattern {
        "~ALL" => Ok(true),
        "~DEFAULT_BRANCH" => match default_branch {
            Known::Known { value, .. } => Ok(reference.strip_prefix("refs/heads/") == Some(value)),
            Known::Unknown(why) => Err(why.clone()),
        },
        pattern => Ok(branch_matches(pattern, reference, false)),
    };
    let any = |member: &str| {
        let list = names.get(member).and_then(Value::as_array).into_iter().flatten();
        let told: Result<Vec<bool>, Unknown> = list.filter_map(Value::as_str).map(one).collect();
        told.map(|told| told.contains(&true))
    };
    Ok(any("include")? && !any("exclude")?)
}

fn classic(branch: &str, body: &Value, at: &str) -> Protection {
    let review = body.get("required_pull_request_reviews").filter(|v| v.is_object());
    let review_at = step(at, "required_pull_request_reviews");
    let of_review = |member: &str| match review {
        Some(review) => flag_or(review, member, &review_at, false),
        None => Known::at(false, at),
    };
    let binds_admins = flag(body, "enforce_admins", at);
    let exempt = exempt(&binds_admins, review, &review_at);
    let mut push = Vec::new();
    let mut merge = Vec::new();
    if review.is_some() {
        push.push(Gate { what: REVIEW, only: exempt.clone() });
    }
    if let Some(list) = body.get("restrictions").filter(|v| v.is_object()) {
        let mut only = actors(list, &step(at, "restrictions"));
        only.push(Grant { to: Grantee::Level(Level::Maintain), at: step(at, "restrictions") });
        let gate = Gate { what: PUSHERS, only: Known::at(only, step(at, "restrictions")) };
        push.push(gate.clone());
        merge.push(gate);
    }
    if flag_or(body, "lock_branch", at, false).value() == Some(&true) {
        let only = admins_unless(&binds_admins);
        push.push(Gate { what: LOCKED, only: only.clone() });
        merge.push(Gate { what: LOCKED, only });
    }
    Protection {
        name: branch.to_owned(),
        at: at.to_owned(),
        enforced: true,
        evaluated: false,
        approvals: match review {
            Some(review) => number(review, "required_approving_review_count", &review_at),
            None => Known::at(0, at),
        },
        code_owners: of_review("require_code_owner_reviews"),
        dismisses_stale: of_review("dismiss_stale_reviews"),
        last_push_approval: of_review("require_last_push_approval"),
        author_may_approve: Known::at(false, at),
        binds_admins,
        force_push: flag_or(body, "allow_force_pushes", at, false),
        deletion: flag_or(body, "allow_deletions", at, false),
        status_checks: Known::at(contexts(body), step(at, "required_status_checks")),
        checks_of_anybody: of_anybody(
            body.pointer("/required_status_checks/checks"),
            &format!("{at}.required_status_checks.checks"),
            "app_id",
        ),
        checks_on_newest: body
            .get("required_status_checks")
            .filter(|v| v.is_object())
            .map(|checks| flag_or(checks, "strict", &step(at, "required_status_checks"), false)),
        dismissal_limited: review.map(|review| {
            let limited = review.get("dismissal_restrictions").is_some_and(Value::is_object);
            Known::at(limited, step(&review_at, "dismissal_restrictions"))
        }),
        approvers_overridden: None,
        signatures: flag_or(body, "required_signatures", at, false),
        unprotected_files: Vec::new(),
        push,
        merge,
        skips_review: if review.is_some() { exempt } else { Known::at(Vec::new(), at) },
    }
}

/// Administrators, unless the rule binds them.
fn admins_unless(binds: &Known<bool>) -> Known<Vec<Grant>> {
    match binds {
        Known::Known { value, at } => {
            let grant = Grant { to: Grantee::Level(Level::Admin), at: at.clone() };
            Known::at(if *value { Vec::new() } else { vec![grant] }, at.clone())
        }
        Known::Unknown(why) => Known::Unknown(why.clone()),
    }
}

/// Who is exempt from review: administrators and those allowed by name, unless administrators are
/// bound, which binds the others as well.
fn exempt(
    binds_admins: &Known<bool>,
    review: Option<&Value>,
    review_at: &str,
) -> Known<Vec<Grant>> {
    let allowances = review.and_then(|r| r.get("bypass_pull_request_allowances"));
    let at = step(review_at, "bypass_pull_request_allowances");
    let binds = binds_admins.value().copied().unwrap_or(true);
    admins_unless(binds_admins).map(|mut grants| {
        if !binds {
            grants.extend(allowances.into_iter().flat_map(|list| actors(list, &at)));
        }
        grants
    })
}

/// `{users: [{login}], teams: [{slug}], apps: [{slug}]}`.
fn actors(list: &Value, at: &str) -> Vec<Grant> {
    let each = |group: &str, member: &str, to: fn(String) -> Grantee| -> Vec<Grant> {
        let at = step(at, group);
        let items = list.get(group).and_then(Value::as_array).into_iter().flatten().enumerate();
        let grant = |(index, item): (usize, &Value)| {
            let name = item.get(member)?.as_str()?.to_owned();
            Some(Grant { to: to(name), at: step(&format!("{at}[{index}]"), member) })
        };
        items.filter_map(grant).collect()
    };
    let mut grants = each("users", "login", Grantee::Account);
    grants.extend(each("teams", "slug", Grantee::Team));
    grants.extend(each("apps", "slug", Grantee::Machine));
    grants
}

fn contexts(body: &Value) -> Vec<String> {
    let checks = body.pointer("/required_status_checks/checks").and_then(Value::as_array);
    let named = checks.into_iter().flatten().filter_map(|c| c.get("context")?.as_str());
    let named: Vec<String> = named.map(str::to_owned).collect();
    if !named.is_empty() {
        return named;
    }
    let old = body.pointer("/required_status_checks/contexts").and_then(Value::as_array);
    old.into_iter().flatten().filter_map(|c| Some(c.as_str()?.to_owned())).collect()
}

fn ruleset(body: &Value, at: &str) -> Protection {
    let rules: Vec<(usize, &Value)> =
        body.get("rules").and_then(Value::as_array).into_iter().flatten().enumerate().collect();
    let rule = |kind: &str| {
        let own = rules.iter().find(|(_, r)| r.get("type").and_then(Value::as_str) == Some(kind));
        own.map(|(index, rule)| (*rule, format!("{at}.rules[{index}]")))
    };
    let review = rule("pull_request");
    let parameters =
        review.as_ref().map(|(rule, at)| (&rule["parameters"], step(at, "parameters")));
    let of_review = |member: &str| match &parameters {
        Some((body, at)) => flag_or(body, member, at, false),
        None => Known::at(false, at),
    };
    let (always, any) = bypass(body, at);
    let mut push = Vec::new();
    let mut merge = Vec::new();
    if review.is_some() {
        push.push(Gate { what: REVIEW, only: always.clone() });
    }
    if rule("update").is_some() {
        push.push(Gate { what: UPDATES, only: always.clone() });
        merge.push(Gate { what: UPDATES, only: any.clone() });
    }
    let demands = |kind: &str| match rule(kind) {
        Some((_, at)) => Known::at(true, at),
        None => Known::at(false, at),
    };
    let forbids = |kind: &str| demands(kind).map(|demanded| !demanded);
    let checks = rule("required_status_checks");
    Protection {
        name: member_text(body, "name", at).value().cloned().unwrap_or_default(),
        at: at.to_owned(),
        enforced: body.get("enforcement").and_then(Value::as_str) == Some("active"),
        evaluated: body.get("enforcement").and_then(Value::as_str) == Some("evaluate"),
        approvals: match &parameters {
            Some((body, at)) => number(body, "required_approving_review_count", at),
            None => Known::at(0, at),
        },
        code_owners: of_review("require_code_owner_review"),
        dismisses_stale: of_review("dismiss_stale_reviews_on_push"),
        last_push_approval: of_review("require_last_push_approval"),
        author_may_approve: Known::at(false, at),
        binds_admins: any.clone().map(|grants| !grants.iter().any(exempts_admins)),
        force_push: forbids("non_fast_forward"),
        deletion: forbids("deletion"),
        status_checks: Known::at(ruleset_checks(checks.as_ref()), at),
        checks_of_anybody: checks.as_ref().map_or_else(Vec::new, |(rule, at)| {
            of_anybody(
                rule.pointer("/parameters/required_status_checks"),
                &format!("{at}.parameters.required_status_checks"),
                "integration_id",
            )
        }),
        checks_on_newest: checks.as_ref().map(|(rule, at)| {
            let member = "strict_required_status_checks_policy";
            flag_or(&rule["parameters"], member, &step(at, "parameters"), false)
        }),
        dismissal_limited: None,
        approvers_overridden: None,
        signatures: demands("required_signatures"),
        unprotected_files: Vec::new(),
        push,
        merge,
        skips_review: if review.is_some() { any } else { Known::at(Vec::new(), at) },
    }
}

/// Checks that name no app; -1 is any.
fn of_anybody(list: Option<&Value>, at: &str, member: &str) -> Vec<(String, JsonPath)> {
    let list = list.and_then(Value::as_array).into_iter().flatten().enumerate();
    let open = list.filter(|(_, c)| c.get(member).and_then(Value::as_u64).is_none());
    open.filter_map(|(i, c)| Some((c.get("context")?.as_str()?.to_owned(), format!("{at}[{i}]"))))
        .collect()
}

fn ruleset_checks(rule: Option<&(&Value, JsonPath)>) -> Vec<String> {
    let list = rule.and_then(|(rule, _)| rule.pointer("/parameters/required_status_checks"));
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|check| Some(check.get("context")?.as_str()?.to_owned())).collect()
}

/// Who bypasses a ruleset: on a direct push too, and on a pull request. The list is shown to those
/// alone who may change the ruleset.
fn bypass(body: &Value, at: &str) -> (Known<Vec<Grant>>, Known<Vec<Grant>>) {
    let at = step(at, "bypass_actors");
    let Some(actors) = body.get("bypass_actors").and_then(Value::as_array) else {
        let why = Unknown::Missing { member: "bypass_actors".to_owned(), at };
        return (Known::Unknown(why.clone()), Known::Unknown(why));
    };
    let (mut always, mut any) = (Vec::new(), Vec::new());
    for (index, actor) in actors.iter().enumerate() {
        let grant = Grant { to: bypasser(actor), at: format!("{at}[{index}]") };
        if actor.get("bypass_mode").and_then(Value::as_str) != Some("pull_request") {
            always.push(grant.clone());
        }
        any.push(grant);
    }
    (Known::at(always, at.clone()), Known::at(any, at))
}

/// Whether administrators are among those whom a bypass names. A team, an app or a key is none of them.
fn exempts_admins(grant: &Grant) -> bool {
    matches!(&grant.to, Grantee::Level(_)) || grant.to == Grantee::Other(OWNERS.to_owned())
}

fn bypasser(actor: &Value) -> Grantee {
    let id = actor.get("actor_id").and_then(Value::as_u64).unwrap_or_default();
    match (actor.get("actor_type").and_then(Value::as_str).unwrap_or_default(), id) {
        // Built-in roles have fixed numbers; custom ones are the organisation's.
        ("RepositoryRole", 2) => Grantee::Level(Level::Maintain),
        ("RepositoryRole", 4) => Grantee::Level(Level::Write),
        ("RepositoryRole", 5) => Grantee::Level(Level::Admin),
        ("RepositoryRole", id) => Grantee::Other(format!("the custom role {id}")),
        ("Team", id) => Grantee::TeamId(id),
        ("User", id) => Grantee::AccountId(id),
        ("Integration", id) => Grantee::Machine(format!("app {id}")),
        ("DeployKey", _) => Grantee::Machine("deploy keys".to_owned()),
        ("OrganizationAdmin", _) => Grantee::Other(OWNERS.to_owned()),
        (other, id) => Grantee::Other(format!("{other} {id}")),
    }
}
