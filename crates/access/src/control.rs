//! Controls over the repository and over rights, of the types of [`evidence::control`].
//!
//! Each is one module here with a `pub const CONTROL: Control`, one test under `tests/it/control/`,
//! one fixture under `tests/fixtures/control/` and one page under `docs/controls/`, all of the
//! control's id; `cargo xtask tidy` checks it. They give [`evidence::control::Outcome`]s, so that the shell can put
//! them together with those of the story.

pub mod sod_branch_rules;
pub mod sod_default_role;
pub mod sod_ineffective_deny;
pub mod sod_local_admin;
pub mod sod_open_project;
pub mod sod_owners_unowned;
pub mod sod_revision_sync;
pub mod sod_unowned_path;

use evidence::control::model::{Answer, not_met, open};
use evidence::control::{self as model, Control, Outcome};

use crate::place::Place;
use crate::reach::scope::Scope;
use crate::reach::{Joined, Question, Verb};

/// The descriptions of all controls of this crate, in the order of their ids.
pub const CATALOGUE: &[&Control] = &[
    &sod_branch_rules::CONTROL,
    &sod_default_role::CONTROL,
    &sod_ineffective_deny::CONTROL,
    &sod_local_admin::CONTROL,
    &sod_open_project::CONTROL,
    &sod_owners_unowned::CONTROL,
    &sod_revision_sync::CONTROL,
    &sod_unowned_path::CONTROL,
];

/// What a control of this crate is asked of: the joined sources, and what is production in them.
pub struct Asked<'a> {
    joined: &'a Joined<'a>,
    scope: Scope,
}

/// What every control says of an environment; of production when none is named.
pub fn assess(joined: &Joined<'_>, environment: Option<&str>) -> Vec<Outcome> {
    let question = Question {
        verb: Verb::Deploy,
        environment: environment.map(str::to_owned),
        application: None,
    };
    let asked = Asked { joined, scope: Scope::of(joined, &question) };
    let all: [fn(&Asked<'_>) -> Vec<Outcome>; 8] = [
        sod_branch_rules::assess,
        sod_default_role::assess,
        sod_ineffective_deny::assess,
        sod_local_admin::assess,
        sod_open_project::assess,
        sod_owners_unowned::assess,
        sod_revision_sync::assess,
        sod_unowned_path::assess,
    ];
    all.into_iter().flat_map(|assess| assess(&asked)).collect()
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
