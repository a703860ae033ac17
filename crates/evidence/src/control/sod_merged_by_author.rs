//! Whether its author merged it.

use super::asked::{Among, Asked, NOBODYS, among, names};
use super::framework::{ISO_5_3, NIST_AC_5, PCI_6_5_4, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, not_met, open};

/// Merged by another than the author.
pub const CONTROL: Control = Control {
    id: "sod-merged-by-author",
    condition: "merged by somebody else than the author",
    statement: "Who merged the change did not ask for it and pushed nothing to it, unless the policy lets authors merge what others approved.",
    asks: "Could the author alone decide the moment at which this went to production?",
    fix: "Let somebody else merge, a merge queue for instance; or allow it in the policy, where approval of the merged head by another is asked for.",
    example: "A developer merges their own pull request, and an Application follows the branch by itself.",
    limits: "Where a bot merges, no human is counted. Whom commits name counts for nothing here.",
    inputs: &["github-webhook", "gitlab-webhook", "people map", "policy: authors may merge"],
    relates: &[PCI_6_5_4, SOC2_CC8_1, ISO_5_3, NIST_AC_5],
    severity: Severity::Warning,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    if asked.change.is_push() {
        return super::sod_author_approves::assess(asked);
    }
    let Some(merge) = &asked.change.merge else { return open("no merge is in the records") };
    let mergers = asked.mergers();
    let Some(merger) = mergers.first() else {
        return match &merge.who {
            Some(bot) => met(format!("{} merged it, which is no human's account", bot.account)),
            None => open("who merged it is not in the records"),
        };
    };
    let requesters = asked.requesters();
    let whom = names([*merger]);
    match among(merger, requesters.iter().copied()) {
        Among::Yes if asked.settings().author_may_merge => {
            met(format!("{whom} merged their own; the policy allows it")).at(&merge.cites)
        }
        Among::Yes => not_met(format!("{whom} asked for it and merged it")).at(&merge.cites),
        Among::No if asked.change.author.is_some() => met(format!("{whom} merged it")),
        Among::No => open("the author is not in the records"),
        Among::Open => open(NOBODYS),
    }
}
