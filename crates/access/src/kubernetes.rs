//! Kubernetes RBAC: who may do what in a cluster, by which binding, and what follows from it.
//!
//! ```text
//! roles, bindings ─► model ─► decide: may this identity do this, by which rules
//!   (as objects)       │
//!                      ├────► who_can / what_can: the same question turned round
//!                      ├────► predicate: the ways to deploy around Argo CD, by name
//!                      └────► escalate: what an identity can make of itself, hop by hop
//! ```
//!
//! Semantics as of Kubernetes 1.36 (`pkg/apis/rbac/v1`, `pkg/registry/rbac/validation` and
//! `plugin/pkg/auth/authorizer/rbac` of kubernetes/kubernetes): rules only ever add.
//!
//! Out of scope: other authorizers (webhook, node, ABAC), admission, and whatever an API server's flags
//! add, except that the group `system:masters` is let through before RBAC is asked.

pub mod escalate;
pub mod identity;
pub mod model;
pub mod predicate;
pub mod reach;
pub mod rule;

pub use escalate::{Closure, Gain, Hop, Via};
pub use identity::{Identity, Subject};
pub use model::{Cluster, ObjectRef};
pub use predicate::{Predicate, Scope};
pub use reach::{Decision, Grant, Path};
pub use rule::{Names, Request, Rule};
