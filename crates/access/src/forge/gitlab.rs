//! GitLab: protected branches, approval rules, members with access levels.
//!
//! Shapes: REST API "Protected branches", "Merge request approvals", "Members". Of several rules
//! that cover a branch the most permissive counts for pushing and merging, so they are one rule
//! here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::answers::Answers;
use super::github::members;
use super::names::{branch_matches, flag, flag_or, step};
use super::{Account, Gate, Grant, Grantee, JsonPath, Known, Level, Protection, Team, Unknown};

const PUSHERS: &str = "only some may push";
const MERGERS: &str = "only some may merge";

/// Access levels: 10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner.
fn level_of(number: u64) -> Option<Level> {
    Some(match number {
        50.. => Level::Admin,
        40.. => Level::Maintain,
        30.. => Level::Write,
        20.. => Level::Triage,
        10.. => Level::Read,
        _ => return None,
    })
}

/// All members, those of groups above included.
pub(super) fn accounts(answers: &Answers) -> Known<Vec<Account>> {
    let one = |(item, at): (&Value, JsonPath)| {
        let login = item.get("username")?.as_str()?.to_owned();
        let active = item.get("state").and_then(Value::as_str).is_none_or(|s| s == "active");
        let level = level_of(item.get("access_level")?.as_u64()?)?;
        // Accounts of access tokens are named by the forge: `project_7_bot_…`, `group_7_bot_…`.
        let machine = login.split_once("_bot").is_some_and(|(start, _)| {
            start.rsplit('_').next().is_some_and(|n| n.parse::<u64>().is_ok())
        });
        let id = item.get("id").and_then(Value::as_u64);
        active.then(|| Account { login, id, machine, level, at: step(&at, "access_level") })
    };
    match answers.all("/members/all") {
        Ok(items) => Known::at(items.into_iter().filter_map(one).collect(), "$"),
        Err(why) => Known::Unknown(why),
    }
}

/// Groups whose members were asked for, because a protected branch names them. Their members have
/// their rights as members of the project; the group by itself adds none.
pub(super) fn groups(answers: &Answers) -> Known<Vec<Team>> {
    let ids = answers.requests("/groups/").filter_map(|request| {
        let id = request.strip_prefix("/groups/")?.split('/').next()?.parse::<u64>().ok()?;
        Some((id, request.to_owned()))
    });
    let group = |(id, request): (u64, String)| Team {
        name: id.to_string(),
        id: Some(id),
        level: Level::Read,
        members: members(answers, &request, "username"),
        at: "$".to_owned(),
    };
    // Pages of one list are one request.
    let ids: BTreeSet<(u64, String)> = ids.collect();
    Known::at(ids.into_iter().map(group).collect(), "$")
}

/// A group that the project was shared with, by its path. The forge leaves out those that the token
/// may not see, so one that is not found is not known.
pub(super) fn shared_group(answers: &Answers, path: &str) -> Option<Team> {
    let (project, at) = answers.one("").ok()?;
    let groups = project.get("shared_with_groups")?.as_array()?.iter().enumerate();
    let own = |group: &Value| {
        let name = group.get("group_full_path").and_then(Value::as_str);
        name.is_some_and(|name| name.eq_ignore_ascii_case(path))
    };
    let (index, group) = { groups }.find(|(_, group)| own(group))?;
    let id = group.get("group_id")?.as_u64()?;
    Some(Team {
        name: path.to_owned(),
        id: Some(id),
        level: level_of(group.get("group_access_level")?.as_u64()?)?,
        members: members(answers, &format!("/groups/{id}/members/all"), "username"),
        at: format!("{}[{index}]", step(&at, "shared_with_groups")),
    })
}

pub(super) fn protections(answers: &Answers, branch: &str) -> (Vec<Protection>, Vec<Unknown>) {
    let items = match answers.all("/protected_branches") {
        Ok(items) => items,
        Err(why) => return (Vec::new(), vec![why]),
    };
    let name = |item: &Value| item.get("name").and_then(Value::as_str).map(str::to_owned);
    let covering: Vec<(&Value, JsonPath)> = items
        .into_iter()
        .filter(|(item, _)| name(item).is_some_and(|n| branch_matches(&n, branch, true)))
        .collect();
    let Some((first, at)) = covering.first() else { return (Vec::new(), Vec::new()) };
    let name = name(first).unwrap_or_default();
    let project = answers.one("/approvals");
    let rule = Protection {
        name,
        at: at.clone(),
        enforced: true,
        evaluated: false,
        approvals: approvals(answers, branch),
        code_owners: any(&covering, "code_owner_approval_required"),
        dismisses_stale: of(&project, "reset_approvals_on_push"),
        last_push_approval: of(&project, "merge_requests_disable_committers_approval"),
        author_may_approve: of(&project, "merge_requests_author_approval"),
        binds_admins: Known::at(true, at.clone()),
        force_push: any(&covering, "allow_force_push"),
        deletion: Known::at(false, at.clone()),
        status_checks: pipeline(answers),
        checks_of_anybody: Vec::new(),
        checks_on_newest: None,
        dismissal_limited: None,
        approvers_overridden: Some(
            of(&project, "disable_overriding_approvers_per_merge_request").map(|off| !off),
        ),
        signatures: of(&answers.one("/push_rule"), "reject_unsigned_commits"),
        unprotected_files: Vec::new(),
        push: vec![Gate { what: PUSHERS, only: levels(&covering, "push_access_levels") }],
        merge: vec![Gate { what: MERGERS, only: levels(&covering, "merge_access_levels") }],
        skips_review: Known::at(Vec::new(), at.clone()),
    };
    (vec![rule], Vec::new())
}

fn of(answer: &Result<(&Value, JsonPath), Unknown>, member: &str) -> Known<bool> {
    match answer {
        Ok((body, at)) => flag(body, member, at),
        Err(why) => Known::Unknown(why.clone()),
    }
}

/// A flag of any of the rules. Free editions do not know some of them: there they do not hold.
fn any(covering: &[(&Value, JsonPath)], member: &str) -> Known<bool> {
    let flags = covering.iter().map(|(item, at)| flag_or(item, member, at, false));
    let mut flags: Vec<Known<bool>> = flags.collect();
    let yes = flags.iter().position(|flag| flag.value() == Some(&true)).unwrap_or(0);
    flags.swap_remove(yes)
}

/// The one name of GitLab's condition on checks.
fn pipeline(answers: &Answers) -> Known<Vec<String>> {
    let flag = of(&answers.one(""), "only_allow_merge_if_pipeline_succeeds");
    flag.map(|needed| if needed { vec!["pipeline".to_owned()] } else { Vec::new() })
}

/// The most approvals that a rule for the branch asks for. Rules of code owners are the file's.
fn approvals(answers: &Answers, branch: &str) -> Known<u32> {
    let items = match answers.all("/approval_rules") {
        Ok(items) => items,
        Err(why) => return Known::Unknown(why),
    };
    let mut most = Known::at(0, "$");
    for (item, at) in items {
        let kind = item.get("rule_type").and_then(Value::as_str).unwrap_or_default();
        if !matches!(kind, "any_approver" | "regular") || !applies(item, branch) {
            continue;
        }
        let own = super::names::number(item, "approvals_required", &at);
        if own.value() > most.value() {
            most = own;
        }
    }
    most
}

/// A rule without branches of its own is for all.
fn applies(item: &Value, branch: &str) -> bool {
    let branches = item.get("protected_branches").and_then(Value::as_array);
    let all = item.get("applies_to_all_protected_branches") == Some(&Value::Bool(true));
    let own = branches.into_iter().flatten().filter_map(|b| b.get("name")?.as_str());
    let names: Vec<&str> = own.collect();
    all || names.is_empty() || names.iter().any(|name| branch_matches(name, branch, true))
}

fn levels(covering: &[(&Value, JsonPath)], member: &str) -> Known<Vec<Grant>> {
    let mut grants = Vec::new();
    for (item, at) in covering {
        let at = step(at, member);
        let Some(list) = item.get(member).and_then(Value::as_array) else {
            return Known::Unknown(Unknown::Missing { member: member.to_owned(), at });
        };
        for (index, level) in list.iter().enumerate() {
            let to = grantee(level);
            grants.extend(to.map(|to| Grant { to, at: format!("{at}[{index}]") }));
        }
    }
    let at = covering.first().map_or_else(|| "$".to_owned(), |(_, at)| step(at, member));
    Known::at(grants, at)
}

/// `{access_level, user_id, group_id, deploy_key_id}`; level 0 is nobody, 60 who administers the
/// instance.
fn grantee(level: &Value) -> Option<Grantee> {
    let id = |member: &str| level.get(member).and_then(Value::as_u64);
    if let Some(user) = id("user_id") {
        return Some(Grantee::AccountId(user));
    }
    if let Some(group) = id("group_id") {
        return Some(Grantee::TeamId(group));
    }
    if let Some(key) = id("deploy_key_id") {
        return Some(Grantee::Machine(format!("deploy key {key}")));
    }
    match id("access_level")? {
        0 => None,
        60 => Some(Grantee::Other("administrators of the instance".to_owned())),
        number => level_of(number).map(Grantee::Level),
    }
}
