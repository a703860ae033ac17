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
//! Semantics as of Argo CD 3.6 (`util/rbac`, `server/rbacpolicy`, `util/glob`, and the `AppProject`
//! type of argoproj/argo-cd), including what surprises: a deny binds only within one subject.

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

pub use enforce::{Grant, Trial};
pub use policy::{Effect, Line, MatchMode, Policy, Problem, Statement};
pub use project::Project;
pub use rbac::{Acting, Caller, Decision, Holder, IneffectiveDeny, Rbac, Request};
pub use right::{AppName, Right};
pub use settings::Settings;
