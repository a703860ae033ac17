//! Whether an owner of every changed path approved, where CODEOWNERS asks for it.

use std::collections::{BTreeMap, BTreeSet};

use super::asked::{Among, Asked, NOBODYS, among, names};
use super::framework::{ISO_5_3, PCI_6_5_4, RTS_17_1_B, SOC2_CC8_1};
use super::inputs::Owned;
use super::model::{Answer, Control, Severity, met, open};
use super::sod_author_approves::{counted, no_approval};
use crate::story::claim::Identity;

/// Paths told one by one; the rest is counted.
const PATHS_TOLD_MAX: usize = 3;

/// Approval of an owner.
pub const CONTROL: Control = Control {
    id: "change-owner-approval",
    condition: "approval by an owner of every changed path",
    statement: "For every file of the change that has owners, one of them approved who wrote none of it.",
    asks: "Your CODEOWNERS names who has to approve this path. Did one of them, other than the author?",
    fix: "Ask for code-owner reviews on the branch, for administrators too, and give every production path at least two owners.",
    example: "The only owner of a path changes it; somebody approves who owns nothing of it.",
    limits: "Owners are those of the base branch before the merge. An owner's approval of their own change does not count. Without CODEOWNERS, the members of teams, or all commits of the change, undetermined.",
    inputs: &[
        "github-webhook",
        "gitlab-webhook",
        "git-commit",
        "people map",
        "CODEOWNERS with the members of its teams",
    ],
    relates: &[PCI_6_5_4, SOC2_CC8_1, ISO_5_3, RTS_17_1_B],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    let Some(owners) = asked.inputs.owners else { return open("CODEOWNERS was not read") };
    if asked.change.is_push() {
        return super::sod_author_approves::assess(asked);
    }
    let Some(commit) = asked.change.merge.as_ref().and_then(|m| m.commit.as_deref()) else {
        return open("the merge commit is not in the records");
    };
    if !asked.change.commits_whole {
        return open("not all commits of it are in the records with the files that they change");
    }
    if asked.approvals().next().is_none() {
        return no_approval(asked);
    }
    let files: BTreeSet<&str> = asked
        .change
        .commits
        .iter()
        .flat_map(|c| c.files.iter().flatten())
        .map(String::as_str)
        .collect();
    let mut lacking: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let (mut owned, mut unknown) = (0_usize, None);
    for path in files {
        match owners.owners_of(path, commit) {
            Owned::Nobody => {}
            Owned::Unknown(reason) => unknown = Some(reason),
            Owned::By(of_path) => match approved(asked, &of_path) {
                Among::Yes => owned += 1,
                Among::Open => unknown = Some(NOBODYS.to_owned()),
                Among::No => lacking.entry(names(&of_path)).or_default().push(path),
            },
        }
    }
    if !lacking.is_empty() {
        return counted(asked, said(asked, &lacking));
    }
    match unknown {
        Some(reason) => open(reason),
        None if owned == 0 => met("no changed path has an owner"),
        None => met(format!("an owner approved, for {owned} paths that have one")),
    }
}

/// Whether an owner approved who wrote none of it.
fn approved(asked: &Asked<'_>, owners: &BTreeSet<Identity>) -> Among {
    let (requesters, named) = (asked.requesters(), asked.named());
    let mut answer = Among::No;
    for approver in asked.approvers() {
        let owns = among(approver, owners);
        let wrote = among(approver, requesters.iter().copied());
        let by_word = among(approver, named.iter().copied());
        match (owns, wrote, by_word) {
            (Among::Yes, Among::No, Among::No) => return Among::Yes,
            (Among::No, ..) | (_, Among::Yes, _) => {}
            _ => answer = Among::Open,
        }
    }
    if asked.approvals().any(|r| r.who.is_none()) { Among::Open } else { answer }
}

fn said(asked: &Asked<'_>, lacking: &BTreeMap<String, Vec<&str>>) -> String {
    let parts: Vec<String> = lacking
        .iter()
        .map(|(owners, paths)| {
            let told: Vec<&str> = paths.iter().copied().take(PATHS_TOLD_MAX).collect();
            let more = paths.len() - told.len();
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("{}{more} ({owners})", told.join(", "))
        })
        .collect();
    let approvers = names(asked.approvers());
    format!("{approvers} approved; no owner other than its authors did for {}", parts.join("; "))
}
