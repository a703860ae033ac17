//! Controls over the repository and over rights, of the types of [`evidence::control`].
//!
//! Each is one module here with a `pub const CONTROL: Control`, one test under `tests/it/control/`,
//! one fixture under `tests/fixtures/control/` and one page under `docs/controls/`, all of the
//! control's id; `cargo xtask tidy` checks it. They give [`evidence::control::Outcome`]s, so that the shell can put
//! them together with those of the story.

use evidence::control::Control;

/// The descriptions of all controls of this crate, in the order of their ids.
pub const CATALOGUE: &[&Control] = &[];
