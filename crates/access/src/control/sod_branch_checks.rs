//! Whether what stands beside the branch's rules holds: checks, signatures, who may do what to the rules.

use std::collections::BTreeSet;

use evidence::control::framework::{ISO_8_2, ISO_8_32, NIST_CM_3_2, NIST_CM_5, SOC2_CC8_1};
use evidence::control::model::{met, not_met, open};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, missing, outcome, setting, several, snapshot};
use crate::forge::{Branch, Protected, Snapshot};

/// Checks that hold what they promise.
pub const CONTROL: Control = Control {
    id: "sod-branch-checks",
    condition: "checks, signatures and reviews of the branch hold",
    statement: "The branch of record asks for checks of a known app on its newest commit and for signed commits, lets only some dismiss reviews, and few people and no workflow may change or approve what is merged.",
    asks: "A check was green, a review was there. Could somebody have made them so, or taken them away?",
    fix: "Require checks that are bound to their app, require signed commits, limit who dismisses reviews, take workflows the right to approve and to write, and keep administrators few.",
    example: "Any workflow may approve pull requests, and any developer may write a workflow.",
    limits: "What the snapshot does not hold is undetermined. What a forge has no setting for is not asked: the app of a check and workflows are GitHub's alone. More than three administrators are many by this program's own measure, not by a framework's. A branch without rules is a finding of sod-branch-rules.",
    inputs: &["forge snapshot", "policy: repository"],
    relates: &[SOC2_CC8_1, ISO_8_32, ISO_8_2, NIST_CM_3_2, NIST_CM_5],
    severity: Severity::Warning,
};

/// Administrators that a repository may have: one, one who stands in, and one who is away.
const ADMINISTRATORS_MAX: usize = 3;

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(forge) = asked.joined.sources.forge else {
        return missing(&CONTROL, "a snapshot of the forge");
    };
    let Some(record) = asked.branch_of_record() else {
        return missing(&CONTROL, "the name of the branch of record");
    };
    let branch = forge.branch(&record);
    let mut all = Vec::new();
    if branch.protected() != Protected::No {
        all.extend(checks(&branch));
    }
    if let Some(workflows) = forge.workflows() {
        let approve = "a workflow's approval counts as one";
        let write = "the tokens of workflows may write to the repository unless told otherwise";
        all.push(setting(&CONTROL, "workflows:approve", &workflows.approve, false, approve));
        all.push(setting(&CONTROL, "workflows:write", &workflows.write, false, write));
    }
    all.push(administrators(asked, forge));
    all
}

fn checks(branch: &Branch) -> Vec<Outcome> {
    let name = &branch.name;
    let one = |part: &str, known: &_, good: bool, bad: &str| {
        setting(&CONTROL, &format!("{name}:{part}"), known, good, &format!("on {name}, {bad}"))
    };
    let mut all = vec![
        one("checks", &branch.status_checks(), true, "no check has to pass"),
        one("signatures", &branch.signatures(), true, "commits need no signature"),
    ];
    if let Some(known) = branch.setting(|rule| rule.checks_on_newest.as_ref(), true) {
        let bad = "checks may be older than the newest commit of the branch";
        all.push(one("newest", &known, true, bad));
    }
    if let Some(known) = branch.setting(|rule| rule.dismissal_limited.as_ref(), true) {
        all.push(one("dismissal", &known, true, "everybody who may write may dismiss a review"));
    }
    let open: Vec<_> = branch.in_force().flat_map(|rule| &rule.checks_of_anybody).collect();
    if let Some((_, at)) = open.first() {
        let names: BTreeSet<&str> = open.iter().map(|(name, _)| name.as_str()).collect();
        let why = format!("on {name}, any app may report the check {}", several(names));
        all.push(outcome(&CONTROL, &format!("{name}:app"), not_met(why), &[snapshot(at)]));
    }
    all
}

/// People count; an account of nobody counts as one of its own.
fn administrators(asked: &Asked<'_>, forge: &Snapshot) -> Outcome {
    let who = forge.administrators();
    let people = who.accounts.iter().filter(|reach| !reach.machine);
    let people: BTreeSet<&str> =
        people.map(|reach| asked.names().by_login(&reach.login).unwrap_or(&reach.login)).collect();
    let answer = match (people.len(), who.unknown.first()) {
        (n, _) if n > ADMINISTRATORS_MAX => not_met(format!("{n} people may change its rules")),
        (_, Some(why)) => open(why.to_string()),
        (n, None) => met(format!("{n} may change its rules")),
    };
    let at = who.accounts.iter().flat_map(|reach| &reach.ways).flat_map(|way| &way.at).next();
    outcome(&CONTROL, "administrators", answer, &[snapshot(at.map_or("$", String::as_str))])
}
