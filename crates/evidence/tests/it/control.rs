//! Controls, each on its fixture: a change by the book, with one thing changed in every case.

use std::collections::BTreeSet;

use evidence::control::{
    Act, Entitled, Entitlements, Independent, Inputs, Owned, Owners, Settings, Verdict, assess,
    of_change,
};
use evidence::story::claim::Identity;
use evidence::time::Moment;
use serde::Deserialize;

use self::scene::{Scene, identity};

mod change_alerts;
mod change_applied;
mod change_deployed_before_merge;
mod change_direct_push;
mod change_fall_back_recorded;
mod change_local_manifests;
mod change_merged_before_approval;
mod change_owner_approval;
mod change_restarts;
mod change_skips_environment;
mod change_stale_approval;
mod change_tests_recorded;
mod change_ticket_approved;
mod change_ticket_cited;
mod change_unapproved_content;
mod change_window_recorded;
mod emergency_freeze_hole;
mod emergency_hand_edit;
mod scene;
mod sod_approver_independent;
mod sod_author_approves;
mod sod_disjoint_teams;
mod sod_entitled;
mod sod_initiator_contradicted;
mod sod_merged_by_author;
mod sod_right_used;
mod sod_sync_without_person;
mod sod_temporary_grant;
mod sod_three_people;
mod sod_two_people;

/// A fixture: what a control says in each case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What is different.
    name: String,
    #[serde(default)]
    with: Scene,
    #[serde(default)]
    policy: Policy,
    /// What the control says; `nothing` where it has nothing to say.
    expect: String,
    /// A part of the reason.
    #[serde(default)]
    reason: String,
}

/// Settings and other inputs of a case.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Policy {
    at_least_one: bool,
    author_may_merge: bool,
    any_ticket_approval: bool,
    promotion: Vec<String>,
    merge_team: BTreeSet<String>,
    sync_team: BTreeSet<String>,
    bots: BTreeSet<String>,
    emergency_bindings: Option<BTreeSet<String>>,
    temporary_seconds_max: Option<i64>,
    /// The owners of everything; `-` for nobody, `?` for not known.
    owners: Option<Vec<String>>,
    /// Who may do everything; `?` for not known.
    entitled: Option<Vec<String>>,
}

impl Policy {
    fn settings(&self) -> Settings {
        let team = |members: &BTreeSet<String>, name: &str| {
            let some = Some((name.to_owned(), members.clone()));
            some.into_iter().filter(|_| !members.is_empty()).collect()
        };
        let defaults = Settings::default();
        let independent =
            if self.at_least_one { Independent::AtLeastOne } else { Independent::Every };
        Settings {
            promotion: self.promotion.clone(),
            independent,
            author_may_merge: self.author_may_merge,
            ticket_of_content: !self.any_ticket_approval,
            merge_teams: team(&self.merge_team, "owners"),
            sync_teams: team(&self.sync_team, "operators"),
            bots: self.bots.clone(),
            emergency_bindings: self.emergency_bindings.clone(),
            temporary_seconds_max: self
                .temporary_seconds_max
                .unwrap_or(defaults.temporary_seconds_max),
            ..defaults
        }
    }
}

struct Everything<'a>(&'a [String]);

impl Owners for Everything<'_> {
    fn owners_of(&self, _: &str, _: &str) -> Owned {
        match self.0.first().map(String::as_str) {
            Some("-") => Owned::Nobody,
            Some("?") => Owned::Unknown("the team's members are not known".to_owned()),
            _ => Owned::By(self.0.iter().map(|name| identity(name)).collect()),
        }
    }
}

impl Entitlements for Everything<'_> {
    fn entitled(&self, who: &Identity, _: &Act<'_>, _: &Moment) -> Entitled {
        let listed = self.0.iter().any(|name| identity(name) == *who);
        if self.0.iter().any(|name| name == "?") {
            Entitled::Unknown("no snapshot of that day".to_owned())
        } else if listed {
            Entitled::Yes("by the test".to_owned())
        } else {
            Entitled::No("no rule allows it".to_owned())
        }
    }
}

/// Runs every case of a control's fixture. A fixture has a case that is met or says nothing, and
/// one that is not, unless the control can only be undetermined.
pub(crate) fn check(id: &str, fixture: &str) {
    let fixture: Fixture = serde_json::from_str(fixture).unwrap_or_else(|e| panic!("{id}: {e}"));
    for case in &fixture.cases {
        let (verdict, reason) = said(id, case);
        let name = &case.name;
        assert_eq!(verdict, case.expect, "{id}: {name}: {reason}");
        assert!(reason.contains(&case.reason), "{id}: {name}: {:?} not in {reason:?}", case.reason);
    }
    let all: BTreeSet<&str> = fixture.cases.iter().map(|c| c.expect.as_str()).collect();
    let only_open = all == BTreeSet::from(["undetermined"]);
    assert!(only_open || (all.contains("not met") && all.len() > 1), "{id}: {all:?}");
}

fn said(id: &str, case: &Case) -> (String, String) {
    let (story, settings) = (case.with.story(), case.policy.settings());
    let owners = case.policy.owners.as_deref().map(Everything);
    let entitled = case.policy.entitled.as_deref().map(Everything);
    let inputs = Inputs {
        owners: owners.as_ref().map(|o| o as &dyn Owners),
        entitlements: entitled.as_ref().map(|e| e as &dyn Entitlements),
        ..Inputs::new(&story, &settings)
    };
    let of_change = of_change(inputs, &story.changes[0]);
    let found = of_change.into_iter().find(|(control, _)| control.id == id);
    let found = found.map(|(_, answer)| (answer.verdict, answer.reason)).or_else(|| {
        let all = assess(inputs).into_iter().filter(|o| o.control == id);
        let found = all.min_by_key(|o| (o.verdict != Verdict::NotMet, o.subject.clone()));
        found.map(|o| (o.verdict, o.reason))
    });
    found.map_or_else(
        || ("nothing".to_owned(), String::new()),
        |(verdict, reason)| (verdict.word().to_owned(), reason),
    )
}
