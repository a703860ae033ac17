//! The integration tests of the evidence crate, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its own input has to fail")]

mod alertmanager_webhook;
mod argocd_application_watch;
mod argocd_controller_log;
mod argocd_notification;
mod argocd_server_log;
mod argocd_stream;
mod assess;
mod captures;
mod cloudevent;
mod control;
mod expected;
mod forge;
mod forge_snapshot;
mod git_commit;
mod github_webhook;
mod gitlab_webhook;
mod initiator;
mod jira_webhook;
mod kubernetes_audit;
mod kubernetes_event_watch;
mod kubernetes_object_watch;
mod ledger_assessment;
mod ledger_redaction;
mod malformed;
mod openbao_audit;
mod operations;
mod past;
mod people;
mod prometheus_range;
mod scenes;
mod story;
mod timeline;
