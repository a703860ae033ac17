//! Gitea and Forgejo: branch protection, teams, collaborators.
//!
//! Shapes: API v1 (`modules/structs/repo_branch.go`). The first rule that matches a branch is the
//! one: a plain name before a pattern (`GetFirstMatchProtectedBranchRule`).

use serde_json::Value;

use super::answers::Answers;
use super::github::members;
use super::names::{branch_matches, flag, flag_or, number, step, texts};
use super::{Account, Gate, Grant, Grantee, JsonPath, Known, Level, Protection, Team, Unknown};

const NOBODY: &str = "pushing is off";
const PUSHERS: &str = "only some may push";
const MERGERS: &str = "only some may merge";

/// Accounts that were added by name, with the right that the forge answers for each.
pub(super) fn accounts(answers: &Answers) -> Known<Vec<Account>> {
    let items = match answers.all("/collaborators") {
        Ok(items) => items,
        Err(why) => return Known::Unknown(why),
    };
    let one = |(item, _): (&Value, JsonPath)| -> Option<Result<Account, Unknown>> {
        let login = item.get("login")?.as_str()?.to_owned();
        let id = item.get("id").and_then(Value::as_u64);
        let (body, at) = match answers.one(&format!("/collaborators/{login}/permission")) {
            Ok(answer) => answer,
            Err(why) => return Some(Err(why)),
        };
        let level = level_of(body.get("permission")?.as_str()?)?;
        Some(Ok(Account { login, id, machine: false, level, at: step(&at, "permission") }))
    };
    match items.into_iter().filter_map(one).collect() {
        Ok(accounts) => Known::at(accounts, "$"),
        Err(why) => Known::Unknown(why),
    }
}

fn level_of(name: &str) -> Option<Level> {
    Some(match name {
        "owner" | "admin" => Level::Admin,
        "write" => Level::Write,
        "read" => Level::Read,
        _ => return None,
    })
}

pub(super) fn teams(answers: &Answers) -> Known<Vec<Team>> {
    let one = |(item, at): (&Value, JsonPath)| {
        let id = item.get("id")?.as_u64()?;
        Some(Team {
            name: item.get("name")?.as_str()?.to_owned(),
            id: Some(id),
            level: team_level(item)?,
            members: members(answers, &format!("/teams/{id}/members"), "login"),
            at,
        })
    };
    match answers.all("/teams") {
        Ok(items) => Known::at(items.into_iter().filter_map(one).collect(), "$"),
        Err(why) => Known::Unknown(why),
    }
}

/// A team's right to code: of the unit where units differ, else of the whole.
fn team_level(item: &Value) -> Option<Level> {
    let code = item.pointer("/units_map/repo.code").and_then(Value::as_str).and_then(level_of);
    let whole = item.get("permission").and_then(Value::as_str).and_then(level_of);
    if whole == Some(Level::Admin) { whole } else { code.or(whole) }
}

pub(super) fn protections(answers: &Answers, branch: &str) -> (Vec<Protection>, Vec<Unknown>) {
    let items = match answers.all("/branch_protections") {
        Ok(items) => items,
        Err(why) => return (Vec::new(), vec![why]),
    };
    let name = |item: &Value| {
        let named = item.get("rule_name").and_then(Value::as_str).filter(|n| !n.is_empty());
        named.or_else(|| item.get("branch_name")?.as_str()).map(str::to_owned)
    };
    let exact = items.iter().find(|(item, _)| name(item).as_deref() == Some(branch));
    let pattern = || {
        items.iter().find(|(item, _)| name(item).is_some_and(|n| branch_matches(&n, branch, false)))
    };
    let Some((item, at)) = exact.or_else(pattern) else { return (Vec::new(), Vec::new()) };
    (vec![protection(name(item).unwrap_or_default(), item, at)], Vec::new())
}

fn protection(name: String, item: &Value, at: &str) -> Protection {
    let on = |member: &str| flag_or(item, member, at, false).value() == Some(&true);
    let binds = flag_or(item, "block_admin_merge_override", at, false);
    let binds_admins = if binds.value() == Some(&true) {
        binds
    } else {
        flag_or(item, "apply_to_admins", at, false)
    };
    let admins = match binds_admins.value() {
        Some(true) => Vec::new(),
        _ => vec![Grant { to: Grantee::Level(Level::Admin), at: at.to_owned() }],
    };
    let mut push = Vec::new();
    if !on("enable_push") {
        push.push(Gate { what: NOBODY, only: Known::at(Vec::new(), step(at, "enable_push")) });
    } else if on("enable_push_whitelist") {
        let mut only = named(item, "push_whitelist", "usernames", at);
        if on("push_whitelist_deploy_keys") {
            let at = step(at, "push_whitelist_deploy_keys");
            only.push(Grant { to: Grantee::Machine("deploy keys".to_owned()), at });
        }
        push.push(Gate { what: PUSHERS, only: Known::at(only, step(at, "enable_push_whitelist")) });
    }
    let mut merge = Vec::new();
    if on("enable_merge_whitelist") {
        let only = named(item, "merge_whitelist", "usernames", at);
        merge.push(Gate {
            what: MERGERS,
            only: Known::at(only, step(at, "enable_merge_whitelist")),
        });
    }
    Protection {
        name,
        at: at.to_owned(),
        enforced: true,
        evaluated: false,
        approvals: number(item, "required_approvals", at),
        // Reviews that CODEOWNERS asks for can hold a merge up; their approval is not required.
        code_owners: Known::at(false, at),
        dismisses_stale: flag(item, "dismiss_stale_approvals", at),
        last_push_approval: Known::at(false, at),
        author_may_approve: Known::at(false, at),
        binds_admins,
        force_push: flag_or(item, "enable_force_push", at, false),
        deletion: Known::at(false, at),
        status_checks: Known::at(checks(item, at), step(at, "status_check_contexts")),
        checks_of_anybody: Vec::new(),
        checks_on_newest: Some(flag_or(item, "block_on_outdated_branch", at, false)),
        dismissal_limited: None,
        approvers_overridden: None,
        signatures: flag_or(item, "require_signed_commits", at, false),
        unprotected_files: patterns(item, "unprotected_file_patterns"),
        push,
        merge,
        skips_review: Known::at(admins, at),
    }
}

fn named(item: &Value, list: &str, accounts: &str, at: &str) -> Vec<Grant> {
    let names = texts(item, &format!("{list}_{accounts}"), at).into_iter();
    let teams = texts(item, &format!("{list}_teams"), at).into_iter();
    let names = names.map(|(name, at)| Grant { to: Grantee::Account(name), at });
    names.chain(teams.map(|(name, at)| Grant { to: Grantee::Team(name), at })).collect()
}

fn checks(item: &Value, at: &str) -> Vec<String> {
    let needed = flag_or(item, "enable_status_check", at, false).value() == Some(&true);
    let names = texts(item, "status_check_contexts", at).into_iter().map(|(name, _)| name);
    if needed { names.collect() } else { Vec::new() }
}

/// Patterns of files, separated by semicolons.
fn patterns(item: &Value, member: &str) -> Vec<String> {
    let text = item.get(member).and_then(Value::as_str).unwrap_or_default();
    text.split(';').map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect()
}
