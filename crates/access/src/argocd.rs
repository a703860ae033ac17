//! Argo CD: who may do what, and when a sync may run.
//!
//! ```text
//! argocd-rbac-cm ─► policy ─┐
//! AppProjects ────► project ┼─► rbac: decide, holders, ineffective denies
//! argocd-cm ──────► settings┘     ▲
//!                     right ──────┘   what an operation asks of RBAC
//! AppProject.syncWindows ──► window: may a sync run, and when does that change
//! ```
//!
//! Semantics as of argoproj/argo-cd at `37ee0097cf85` (its `VERSION` says 3.6.0), including what
//! surprises: a deny binds only within one subject. Each file names what of it was read, and what was
//! not at hand.

pub mod cron;
pub mod glob;
pub mod policy;
pub mod project;
pub mod rbac;
pub mod right;
pub mod settings;
pub mod window;

mod builtin;
mod enforce;
mod expression;

pub(crate) use enforce::Pattern;
pub use enforce::{Grant, Trial};
pub use policy::{Effect, Line, MatchMode, Policy, Problem, Statement};
pub use project::Project;
pub use rbac::{
    Acting, Caller, Decision, Holder, Holders, IneffectiveDeny, Rbac, Request, Undetermined,
};
pub use right::{AppName, Right};
pub use settings::Settings;
