//! Tests of the crate, one module a subject.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its own input has to fail")]

mod argocd_decide;
mod argocd_glob;
mod argocd_oracle;
mod argocd_points;
mod argocd_project;
mod argocd_window;
mod captured;
mod codeowners;
mod control;
mod draft;
mod forge;
mod kubernetes_escalate;
mod kubernetes_oracle;
mod kubernetes_rules;
mod layout;
mod policy;
mod reach;
mod reach_cases;
mod reach_naive;
mod reach_oracle;
mod reach_worlds;
mod rendering;
mod rendering_oracle;
mod repository;
mod schema;
mod yaml;
