//! Whether the rules of the branches of production have holes.

use std::collections::BTreeSet;

use evidence::control::framework::{ISO_8_32, NIST_CM_5, PCI_6_2_3_1, SOC2_CC8_1};
use evidence::control::model::{met, not_met, open};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, missing, outcome, setting, several, snapshot};
use crate::forge::{Branch, Grant, Grantee, Known, Level, Protected, Protection};
use crate::glob;

/// No hole in the rules of the branch.
pub const CONTROL: Control = Control {
    id: "sod-branch-rules",
    condition: "the branch of record has no hole in its rules",
    statement: "The branches that production follows ask for as many approvals as the policy does, a code owner's among them and none of the author or the last pusher; they drop approvals when the content changes, bind administrators, exempt nobody, and let nobody push past review, rewrite or delete them.",
    asks: "By which of these could one person change production without a second pair of eyes?",
    fix: "Close the hole in the forge's settings of the branch: the place names the setting.",
    example: "The rules of main do not bind administrators, and two developers are administrators.",
    limits: "What the token of the snapshot may not see is undetermined, and never taken for unprotected. A branch that is not the one of record is asked about once a rule protects it; whether one does is sod-unprotected-revision's question.",
    inputs: &["forge snapshot", "policy: repository and rules", "Applications"],
    relates: &[PCI_6_2_3_1, SOC2_CC8_1, ISO_8_32, NIST_CM_5],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(forge) = asked.joined.sources.forge else {
        return missing(&CONTROL, "a snapshot of the forge");
    };
    let Some(record) = asked.branch_of_record() else {
        return missing(&CONTROL, "the name of the branch of record");
    };
    let followed = asked.scope.targets.iter().flat_map(|target| &target.follows);
    let followed = followed.filter(|follow| follow.pinned.is_none() && follow.revision != "HEAD");
    let mut names: BTreeSet<&str> = followed.map(|follow| follow.revision.as_str()).collect();
    names.insert(&record);
    let mut all = Vec::new();
    for name in names {
        let branch = forge.branch(name);
        match branch.protected() {
            Protected::No if name == record => {
                let answer = not_met(format!("no rule protects {name}"));
                all.push(outcome(&CONTROL, name, answer, &[snapshot("$")]));
            }
            Protected::Unknown if name != record => {}
            Protected::No => {}
            Protected::Yes | Protected::Unknown => all.extend(holes(asked, &branch)),
        }
    }
    all
}

fn holes(asked: &Asked<'_>, branch: &Branch) -> Vec<Outcome> {
    let name = &branch.name;
    let one = |part: &str, known: &Known<bool>, good: bool, bad: &str| {
        setting(&CONTROL, &format!("{name}:{part}"), known, good, &format!("on {name}, {bad}"))
    };
    let owner = "a merge needs no approval of a code owner";
    let stale = "approvals stay when the content changes";
    let last = "whoever pushed last may give the approval";
    let author = "the author's own approval counts";
    let mut all = vec![
        approvals(asked, branch),
        one("code-owner", &branch.code_owners(), true, owner),
        one("stale", &branch.dismisses_stale(), true, stale),
        one("last-push", &branch.last_push_approval(), true, last),
        one("author", &branch.author_may_approve(), false, author),
        one("force-push", &branch.force_push(), false, "history can be rewritten"),
        one("deletion", &branch.deletion(), false, "it can be deleted"),
        bypass(branch),
    ];
    if let Some(known) = branch.setting(|rule| Some(&rule.binds_admins), false) {
        all.push(one("administrators", &known, true, "its rules do not bind administrators"));
    }
    if let Some(known) = branch.setting(|rule| rule.approvers_overridden.as_ref(), true) {
        all.push(one("overridden", &known, false, "a proposal may change who has to approve it"));
    }
    for rule in &branch.protections {
        all.extend(evaluated(branch, rule));
    }
    all.extend(direct_push(branch));
    all.extend(unprotected_files(asked, branch));
    all
}

/// As many approvals as the policy asks for; one where it says nothing.
fn approvals(asked: &Asked<'_>, branch: &Branch) -> Outcome {
    let name = &branch.name;
    let asks =
        asked.applications().map(|t| asked.rule_for(&t.name).map_or(1, |rule| rule.approvals));
    let wanted = asks.max().unwrap_or(1);
    let subject = format!("{name}:approval");
    match branch.approvals() {
        Known::Known { value, at } => {
            let value = u64::from(value);
            let answer = match value {
                enough if enough >= wanted => met("it does"),
                0 => not_met(format!("on {name}, a merge needs no approval")),
                n => not_met(format!(
                    "on {name}, a merge needs {n} where the policy asks for {wanted} approvals"
                )),
            };
            outcome(&CONTROL, &subject, answer, &[snapshot(&at)])
        }
        Known::Unknown(why) => outcome(&CONTROL, &subject, open(why.to_string()), &[]),
    }
}

/// Who merges without review, administrators apart.
fn bypass(branch: &Branch) -> Outcome {
    let subject = format!("{}:bypass", branch.name);
    let mut grants: Vec<&Grant> = Vec::new();
    let mut unknown = branch.unknown.first();
    for rule in branch.in_force() {
        match &rule.skips_review {
            Known::Known { value, .. } => grants.extend(value.iter().filter(|g| !is_admin(g))),
            Known::Unknown(why) => unknown = unknown.or(Some(why)),
        }
    }
    if let Some(first) = grants.first() {
        let names: Vec<String> = grants.iter().map(|grant| named(&grant.to)).collect();
        let names = several(names.iter().map(String::as_str));
        let answer = not_met(format!("on {}, {names} may merge without review", branch.name));
        return outcome(&CONTROL, &subject, answer, &[snapshot(&first.at)]);
    }
    match unknown {
        Some(why) => outcome(&CONTROL, &subject, open(why.to_string()), &[]),
        None => outcome(&CONTROL, &subject, met("nobody may"), &[]),
    }
}

fn is_admin(grant: &Grant) -> bool {
    grant.to == Grantee::Level(Level::Admin)
}

fn named(grantee: &Grantee) -> String {
    match grantee {
        Grantee::Account(login) => login.clone(),
        Grantee::AccountId(id) => format!("account {id}"),
        Grantee::Team(name) => format!("team {name}"),
        Grantee::TeamId(id) => format!("team {id}"),
        Grantee::Level(level) => format!("everybody with the right {level}"),
        Grantee::Machine(name) | Grantee::Other(name) => name.clone(),
    }
}

/// A rule that looks like one.
fn evaluated(branch: &Branch, rule: &Protection) -> Option<Outcome> {
    if !rule.evaluated {
        return None;
    }
    let subject = format!("{}:ruleset {}", branch.name, rule.name);
    let why =
        format!("on {}, the ruleset {} is evaluated and not enforced", branch.name, rule.name);
    Some(outcome(&CONTROL, &subject, not_met(why), &[snapshot(&rule.at)]))
}

/// Where a forge has a list of who may push: whoever is on it needs no review for that.
fn direct_push(branch: &Branch) -> Option<Outcome> {
    let gates: Vec<_> = branch.in_force().flat_map(|rule| &rule.push).collect();
    // GitHub's gate is the review itself, and who is exempt from it is told above.
    if gates.iter().any(|gate| gate.is_review()) {
        return None;
    }
    let subject = format!("{}:direct-push", branch.name);
    if gates.is_empty() {
        let rule = branch.in_force().next()?;
        let why = format!("on {}, a right to write is a right to push", branch.name);
        return Some(outcome(&CONTROL, &subject, not_met(why), &[snapshot(&rule.at)]));
    }
    let nobody = gates.iter().any(|gate| gate.only.value().is_some_and(Vec::is_empty));
    let unknown = gates.iter().find_map(|gate| gate.only.unknown());
    let answer = match (nobody, unknown) {
        (true, _) => met("nobody may"),
        (false, Some(why)) => open(why.to_string()),
        (false, None) => {
            let grants = gates.iter().flat_map(|gate| gate.only.value().into_iter().flatten());
            let names: Vec<String> = grants.map(|grant| named(&grant.to)).collect();
            let names = several(names.iter().map(String::as_str));
            not_met(format!("on {}, {names} may push without review", branch.name))
        }
    };
    let at = gates.iter().find_map(|gate| match &gate.only {
        Known::Known { at, .. } => Some(snapshot(at)),
        Known::Unknown(_) => None,
    });
    Some(outcome(&CONTROL, &subject, answer, at.as_slice()))
}

/// Files of production that may be pushed past the rule.
fn unprotected_files(asked: &Asked<'_>, branch: &Branch) -> Option<Outcome> {
    let rule = branch.in_force().find(|rule| !rule.unprotected_files.is_empty())?;
    let files = asked.scope.targets.iter().flat_map(|target| &target.files);
    let is_open =
        |file: &&String| rule.unprotected_files.iter().any(|pattern| glob::matches(pattern, file));
    let open: BTreeSet<&str> = files.filter(is_open).map(String::as_str).collect();
    let answer = if open.is_empty() {
        met("none of them is of production")
    } else {
        not_met(format!("on {}, {} may be pushed without review", branch.name, several(open)))
    };
    let subject = format!("{}:unprotected-files", branch.name);
    Some(outcome(&CONTROL, &subject, answer, &[snapshot(&rule.at)]))
}
