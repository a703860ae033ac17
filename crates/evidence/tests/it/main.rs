//! The integration tests of the evidence crate, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its own input has to fail")]

mod argocd_application_watch;
mod captures;
mod initiator;
mod kubernetes_audit;
mod kubernetes_event_watch;
mod kubernetes_object_watch;
mod ledger_redaction;
mod malformed;
mod operations;
mod people;
mod scenes;
mod story;
mod timeline;
