//! Whether those who merge and those who sync are of different teams.

use std::collections::{BTreeMap, BTreeSet};

use super::asked::{Asked, NOBODYS, name};
use super::framework::{ISO_5_3, NIST_AC_5, RTS_21_B, SOC2_CC6_3};
use super::model::{Answer, Control, Severity, met, not_met, open};
use crate::story::claim::Identity;

/// Disjoint teams for merge and sync.
pub const CONTROL: Control = Control {
    id: "sod-disjoint-teams",
    condition: "disjoint teams for merge and sync",
    statement: "Who merged the change is in no team that syncs, and who synced it is in no team that merges.",
    asks: "Are merging and deploying in the hands of different teams, with nobody in both?",
    fix: "Take people out of one of both teams, or split the team's rights.",
    example: "An on-call engineer is a code owner too: they merge, and could sync.",
    limits: "Teams come from the policy; without them nothing is said. An automated sync has no initiator, then only who merged is looked at.",
    inputs: &[
        "github-webhook",
        "gitlab-webhook",
        "kubernetes-audit",
        "kubernetes-event-watch",
        "argocd-application-watch",
        "people map",
        "policy: teams that merge, teams that sync",
    ],
    relates: &[RTS_21_B, SOC2_CC6_3, ISO_5_3, NIST_AC_5],
    severity: Severity::Warning,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    let settings = asked.settings();
    if settings.merge_teams.is_empty() || settings.sync_teams.is_empty() {
        return open("no policy names the teams that merge and those that sync");
    }
    let (mergers, syncers) = (asked.mergers(), asked.syncers().collect::<Vec<_>>());
    let mut both = Vec::new();
    for (whom, did, teams, could) in [
        (&mergers, "merged", &settings.sync_teams, "sync"),
        (&syncers, "synced", &settings.merge_teams, "merge"),
    ] {
        for who in whom.iter().collect::<BTreeSet<_>>() {
            both.extend(
                team_of(who, teams)
                    .map(|team| format!("{} {did} and is in {team}, which may {could}", name(who))),
            );
        }
    }
    let mut all = mergers.iter().chain(&syncers);
    if !both.is_empty() {
        not_met(both.join("; ")).at(&asked.change.cites)
    } else if mergers.is_empty() && syncers.is_empty() {
        open("who merged and synced it is not in the records")
    } else if all.any(|who| who.person.is_none()) {
        open(NOBODYS)
    } else if asked.has_open_initiator() {
        open("who started a sync of it is undetermined")
    } else {
        met("nobody who merged may sync, and nobody who synced may merge")
    }
}

fn team_of<'t>(who: &Identity, teams: &'t BTreeMap<String, BTreeSet<String>>) -> Option<&'t str> {
    let person = who.person.as_deref()?;
    teams.iter().find(|(_, members)| members.contains(person)).map(|(team, _)| team.as_str())
}
