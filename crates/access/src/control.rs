//! Controls over the repository and over rights, of the types of [`evidence::control`].
//!
//! Each is one module here with a `pub const CONTROL: Control`, one test under `tests/it/control/`,
//! one fixture under `tests/fixtures/control/` and one page under `docs/controls/`, all of the
//! control's id; `cargo xtask tidy` checks it. They give [`evidence::control::Outcome`]s, so that the shell can put
//! them together with those of the story.
//!
//! [`Asked`] holds what several of them need, each computed once: owners of files, owners as people,
//! who holds a right. A rule of the house: a source that is missing, or from which something may be
//! missing, is *undetermined*, and never counts as unprotected; what one control finds, another does
//! not find again.

mod asked;
mod owners;
mod rights;

pub mod sod_anonymous;
pub mod sod_app_of_apps;
pub mod sod_application_write;
pub mod sod_branch_checks;
pub mod sod_branch_rules;
pub mod sod_broad_owner;
pub mod sod_cluster_bypass;
pub mod sod_default_role;
pub mod sod_floating_version;
pub mod sod_ineffective_deny;
pub mod sod_local_admin;
pub mod sod_merge_and_sync;
pub mod sod_open_project;
pub mod sod_owners_unowned;
pub mod sod_policy_unowned;
pub mod sod_project_token;
pub mod sod_promotion_path;
pub mod sod_revision_sync;
pub mod sod_sole_owner;
pub mod sod_unowned_path;
pub mod sod_unprotected_revision;
pub mod sod_weak_owner;
pub mod sod_wildcard_right;

use evidence::control::model::{Answer, not_met, open};
use evidence::control::{self as model, Control, Outcome};

pub use self::asked::Asked;

use crate::forge::Known;
use crate::place::Place;
use crate::reach::Joined;
use crate::reach::answer::first;

/// The descriptions of all controls of this crate, in the order of their ids.
pub const CATALOGUE: &[&Control] = &[
    &sod_anonymous::CONTROL,
    &sod_app_of_apps::CONTROL,
    &sod_application_write::CONTROL,
    &sod_branch_checks::CONTROL,
    &sod_branch_rules::CONTROL,
    &sod_broad_owner::CONTROL,
    &sod_cluster_bypass::CONTROL,
    &sod_default_role::CONTROL,
    &sod_floating_version::CONTROL,
    &sod_ineffective_deny::CONTROL,
    &sod_local_admin::CONTROL,
    &sod_merge_and_sync::CONTROL,
    &sod_open_project::CONTROL,
    &sod_owners_unowned::CONTROL,
    &sod_policy_unowned::CONTROL,
    &sod_project_token::CONTROL,
    &sod_promotion_path::CONTROL,
    &sod_revision_sync::CONTROL,
    &sod_sole_owner::CONTROL,
    &sod_unowned_path::CONTROL,
    &sod_unprotected_revision::CONTROL,
    &sod_weak_owner::CONTROL,
    &sod_wildcard_right::CONTROL,
];

/// How a control is asked.
type Assess = fn(&Asked<'_>) -> Vec<Outcome>;

const ALL: &[Assess] = &[
    sod_anonymous::assess,
    sod_app_of_apps::assess,
    sod_application_write::assess,
    sod_branch_checks::assess,
    sod_branch_rules::assess,
    sod_broad_owner::assess,
    sod_cluster_bypass::assess,
    sod_default_role::assess,
    sod_floating_version::assess,
    sod_ineffective_deny::assess,
    sod_local_admin::assess,
    sod_merge_and_sync::assess,
    sod_open_project::assess,
    sod_owners_unowned::assess,
    sod_policy_unowned::assess,
    sod_project_token::assess,
    sod_promotion_path::assess,
    sod_revision_sync::assess,
    sod_sole_owner::assess,
    sod_unowned_path::assess,
    sod_unprotected_revision::assess,
    sod_weak_owner::assess,
    sod_wildcard_right::assess,
];

/// What every control says of an environment; of production when none is named.
pub fn assess(joined: &Joined<'_>, environment: Option<&str>) -> Vec<Outcome> {
    let asked = Asked::new(joined, environment);
    ALL.iter().flat_map(|assess| assess(&asked)).collect()
}

/// An outcome at places.
fn outcome(control: &Control, subject: &str, answer: Answer, places: &[Place]) -> Outcome {
    let mut outcome = Outcome::of(control, subject, answer);
    outcome.places.extend(places.iter().map(shown));
    outcome
}

/// A source that is missing leaves the control undetermined, once.
fn missing(control: &Control, source: &str) -> Vec<Outcome> {
    vec![Outcome::of(control, "sources", open(format!("{source} was not among the sources")))]
}

/// A condition with its answer either way.
fn holds(is_met: bool, good: &str, bad: impl FnOnce() -> String) -> Answer {
    if is_met { model::model::met(good) } else { not_met(bad()) }
}

/// A setting of the forge: what it should be, and what to say of it otherwise.
fn setting(
    control: &Control,
    subject: &str,
    known: &Known<bool>,
    good: bool,
    bad: &str,
) -> Outcome {
    match known {
        Known::Known { value, at } => {
            let answer = holds(*value == good, "it does", || bad.to_owned());
            outcome(control, subject, answer, &[snapshot(at)])
        }
        Known::Unknown(why) => outcome(control, subject, open(why.to_string()), &[]),
    }
}

/// A place in the forge's snapshot.
fn snapshot(at: &str) -> Place {
    Place::object("forge snapshot", at)
}

/// Several names as words: the first few, and how many more.
fn several<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    const SHOWN: usize = 3;
    first(&names.into_iter().collect::<Vec<_>>(), SHOWN)
}

/// A place, as findings name it.
fn shown(place: &Place) -> model::Place {
    match place {
        Place::File(file) => {
            model::Place::File { path: file.file.to_string(), line: place.line_number() }
        }
        Place::Object(object) => model::Place::Json {
            document: object.object.to_string(),
            pointer: pointer(&object.path),
        },
    }
}

/// A JSON pointer (RFC 6901) of a path such as `$.a[0].b`; a key of `data` may hold dots itself.
fn pointer(path: &str) -> String {
    let path = path.split(" line ").next().unwrap_or_default().trim_start_matches('$');
    let escaped = |step: &str| format!("/{}", step.replace('~', "~0").replace('/', "~1"));
    if let Some(key) = path.strip_prefix("data.") {
        return format!("/data{}", escaped(key));
    }
    let steps = path.split(['.', '[']).map(|step| step.trim_end_matches(']'));
    steps.filter(|step| !step.is_empty()).map(escaped).collect()
}
