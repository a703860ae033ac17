//! Who can change production, from what git, the forge, Argo CD and Kubernetes say.
//!
//! ```text
//! files at a commit ──► repository ──┐
//! forge snapshot ───────► forge ─────┼──► reach: who can deploy, and by which path
//! ConfigMaps, AppProjects ► argocd ──┤
//! roles, bindings ──────► kubernetes ┘──► control: what an auditor will ask about it
//! ```
//!
//! **In scope**: reading these worlds from bytes, with file and line for everything, and evaluating
//! their rules as the systems themselves do. **Out of scope**: where the bytes come from; nothing
//! here reads a file, a network, a clock or randomness.

pub mod argocd;
pub mod codeowners;
pub mod control;
pub mod draft;
pub mod fix;
pub mod forge;
pub mod glob;
pub mod kubernetes;
pub mod layout;
pub mod origin;
pub mod place;
pub mod policy;
pub mod reach;
pub mod repository;
pub mod yaml;
