//! Controls: what an auditor asks, answered from the story.
//!
//! ```text
//! story, settings, owners, rights ──► control ──► outcome: met, not met, undetermined
//!                                                    │
//!                                     report: findings, what could not be said
//! ```
//!
//! A control is a pure function with its own description. Some are asked of every change, some of
//! what happened beside them. A condition that the records do not decide is *undetermined*, with
//! the reason; that something is missing counts only where its source was complete, and an account
//! is a person only by the people map.
//!
//! Controls over the repository and over rights are in crate `access`, of the same types; whoever
//! reports puts both catalogues together ([`catalogue`] and that crate's own).

mod asked;
pub mod baseline;
pub mod exception;
pub mod framework;
pub mod inputs;
pub mod model;
pub mod settings;

pub mod change_alerts;
pub mod change_applied;
pub mod change_deployed_before_merge;
pub mod change_direct_push;
pub mod change_fall_back_recorded;
pub mod change_local_manifests;
pub mod change_merged_before_approval;
pub mod change_owner_approval;
pub mod change_restarts;
pub mod change_skips_environment;
pub mod change_stale_approval;
pub mod change_tests_recorded;
pub mod change_ticket_approved;
pub mod change_ticket_cited;
pub mod change_unapproved_content;
pub mod change_window_recorded;
pub mod emergency_freeze_hole;
pub mod emergency_hand_edit;
pub mod sod_approver_independent;
pub mod sod_author_approves;
pub mod sod_disjoint_teams;
pub mod sod_entitled;
pub mod sod_initiator_contradicted;
pub mod sod_merged_by_author;
pub mod sod_right_used;
pub mod sod_sync_without_person;
pub mod sod_temporary_grant;
pub mod sod_three_people;
pub mod sod_two_people;

use std::collections::BTreeSet;

pub use self::asked::Asked;
pub(crate) use self::asked::starter;
pub use self::framework::Relation;
pub use self::inputs::{Act, Entitled, Entitlements, Inputs, Owned, Owners};
pub use self::model::{
    Answer, Control, Finding, NotAssessed, Outcome, Place, Report, Severity, Verdict,
};
pub use self::settings::{Independent, Settings};
use crate::story::act;
use crate::story::operation::Operation;
use crate::story::{Story, change::Change};

/// Why a condition is undetermined that no channel can state yet.
const NOT_STATED: &str = "no source of these records states it in a form that can be checked";

/// A control, and what it is asked of.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The control.
    pub control: &'static Control,
    of: Of,
}

/// What a control is asked of.
#[derive(Clone, Copy)]
enum Of {
    /// Every change.
    Changes(fn(&Asked<'_>) -> Answer),
    /// Every change to which it applies.
    SomeChanges(fn(&Asked<'_>) -> Option<Answer>),
    /// Every change, and operations that belong to none.
    ChangesAndOthers(fn(&Asked<'_>) -> Answer, fn(&Inputs<'_>) -> Vec<Outcome>),
    /// Operations and acts, whichever change they belong to.
    Others(fn(&Inputs<'_>) -> Vec<Outcome>),
}

macro_rules! entry {
    ($module:ident, $of:ident($($function:ident),+)) => {
        Entry { control: &$module::CONTROL, of: Of::$of($($module::$function),+) }
    };
}

/// Every control over the story: those of changes in the order in which a change is told.
pub const ALL: [Entry; 29] = [
    entry!(change_direct_push, Changes(assess)),
    entry!(sod_author_approves, Changes(assess)),
    entry!(change_stale_approval, Changes(assess)),
    entry!(change_owner_approval, Changes(assess)),
    entry!(change_skips_environment, SomeChanges(assess)),
    entry!(change_unapproved_content, Changes(assess)),
    entry!(change_merged_before_approval, Changes(assess)),
    entry!(change_deployed_before_merge, Changes(assess)),
    entry!(sod_approver_independent, Changes(assess)),
    entry!(sod_merged_by_author, Changes(assess)),
    entry!(sod_two_people, Changes(assess)),
    entry!(sod_three_people, Changes(assess)),
    entry!(sod_disjoint_teams, Changes(assess)),
    entry!(sod_entitled, Changes(assess)),
    entry!(change_ticket_cited, Changes(assess)),
    entry!(change_ticket_approved, Changes(assess)),
    entry!(sod_initiator_contradicted, ChangesAndOthers(assess, beside)),
    entry!(change_applied, Changes(assess)),
    entry!(change_restarts, Changes(assess)),
    entry!(change_alerts, Changes(assess)),
    entry!(change_tests_recorded, Changes(assess)),
    entry!(change_fall_back_recorded, Changes(assess)),
    entry!(change_window_recorded, Changes(assess)),
    entry!(sod_right_used, Others(beside)),
    entry!(sod_sync_without_person, Others(beside)),
    entry!(sod_temporary_grant, Others(beside)),
    entry!(change_local_manifests, Others(beside)),
    entry!(emergency_hand_edit, Others(beside)),
    entry!(emergency_freeze_hole, Others(beside)),
];

/// The descriptions of all controls over the story.
pub fn catalogue() -> impl Iterator<Item = &'static Control> {
    ALL.iter().map(|entry| entry.control)
}

/// What every control says of one change, in the order in which a change is told.
pub fn of_change(inputs: Inputs<'_>, change: &Change) -> Vec<(&'static Control, Answer)> {
    let asked = Asked::of(inputs, change);
    let answers = ALL.iter().filter_map(|entry| {
        let answer = match entry.of {
            Of::Changes(assess) | Of::ChangesAndOthers(assess, _) => assess(&asked),
            Of::SomeChanges(assess) => assess(&asked)?,
            Of::Others(_) => return None,
        };
        Some((entry.control, answer))
    });
    answers.collect()
}

/// What every control says of the story: of every change that the settings judge, and beside them.
pub fn assess(inputs: Inputs<'_>) -> Vec<Outcome> {
    let story = inputs.story;
    let mut outcomes = Vec::new();
    for change in story.changes.iter().filter(|c| is_judged(inputs.settings, c)) {
        let answers = of_change(inputs, change).into_iter();
        outcomes.extend(answers.map(|(control, a)| Outcome::of(control, change.id.clone(), a)));
    }
    for entry in &ALL {
        if let Of::Others(beside) | Of::ChangesAndOthers(_, beside) = entry.of {
            outcomes.extend(beside(&inputs));
        }
    }
    outcomes
}

/// A change is judged if it got into an environment that is; without a list, if it got anywhere.
fn is_judged(settings: &Settings, change: &Change) -> bool {
    let mut environments = change.operations.iter().filter_map(|d| d.app.environment.as_deref());
    if settings.judged.is_empty() {
        return change.merge.is_some() || change.is_push();
    }
    environments.any(|e| settings.judged.contains(e))
}

/// Operations that belong to no change and moved no pin of one.
fn outside_changes(story: &Story) -> impl Iterator<Item = &Operation> {
    let own: BTreeSet<(&str, u64)> = story
        .changes
        .iter()
        .flat_map(|c| {
            let deployed = c.operations.iter().map(|d| (d.app.name.as_str(), d.version.0));
            let pins = c.pins.iter().filter_map(|p| p.by.as_ref());
            deployed.chain(pins.map(|(name, version)| (name.as_str(), version.0)))
        })
        .collect();
    story
        .operations
        .iter()
        .filter(move |o| !own.contains(&(o.app.name.as_str(), o.set.version().0)))
}

/// The subject of an operation.
fn subject_of(operation: &Operation) -> String {
    format!("operation:{}@{}", operation.app.name, operation.set.version())
}

/// The subject of an act: its kind, and the request behind it or else the first record that shows
/// it. Further records of the same request change nothing.
fn subject_of_act(act: &act::Act) -> String {
    let json = serde_json::to_value(&act.what).unwrap_or_default();
    let kind = json["kind"].as_str().unwrap_or("act");
    if let Some(writer) = &act.writer {
        return format!("{kind}:{}", writer.audit_id);
    }
    let cite = act.cites.first().map(ToString::to_string).unwrap_or_default();
    format!("{kind}:{cite}")
}
