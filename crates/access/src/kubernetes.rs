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
//! Rules only ever add. Read in stored copies of single files of kubernetes/kubernetes, named here by the
//! commit they were stored under; which releases those belong to was not looked up:
//! `plugin/pkg/auth/authorizer/rbac/rbac.go` (`01aa0f3f6052`), `pkg/registry/rbac/validation/rule.go`
//! (`05c351a9037b`), `pkg/apis/rbac/v1/evaluation_helpers.go` (`03bf11a309fd`).
//!
//! Out of scope: other authorizers (webhook, node, ABAC), admission, and whatever an API server's flags
//! add, except that the group `system:masters` is let through before RBAC is asked
//! (`pkg/kubeapiserver/authorizer/reload.go`, `008b3652959c`). Also out of scope: the verbs of constrained
//! impersonation (`impersonate:…`), in the copy read an alpha of 1.35 that is off unless turned on.

pub mod escalate;
pub mod identity;
pub mod model;
pub mod predicate;
pub mod reach;
pub mod rule;

pub use escalate::{Closure, Gain, Hop, Via};
pub use identity::{Identity, Subject};
pub use model::{Cluster, ObjectRef};
pub use predicate::{Bound, Means, Predicate, Scope};
pub use reach::{Decision, Grant, Path};
pub use rule::{Names, Request, Rule};
