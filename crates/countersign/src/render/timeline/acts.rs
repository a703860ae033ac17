//! The words of acts: a step and a line for each kind.

use evidence::story::act::{Act, Cause, DriftClass, Rollout, What};

use crate::render::{printable, short};

/// The step, at most eight letters, and the words of an act.
pub(crate) fn told(act: &Act) -> (&'static str, String) {
    let (step, text) = in_forge(act).or_else(|| in_cluster(act)).unwrap_or_else(|| around(act));
    (step, printable(&text))
}

/// The account that did it, for acts whose writer is not told in a line of its own.
fn by(act: &Act) -> String {
    match &act.who {
        Some(who) => who.account.clone(),
        None => "account not known".to_owned(),
    }
}

fn in_forge(act: &Act) -> Option<(&'static str, String)> {
    let by = by(act);
    Some(match &act.what {
        What::ProposalOpened { number, head, title, .. } => {
            let title = title.as_deref().unwrap_or_default();
            ("request", format!("PR {number} opened by {by}, head {}: {title}", short(head)))
        }
        What::ProposalUpdated { number, head, .. } => {
            ("request", format!("PR {number} updated by {by}, head {}", short(head)))
        }
        What::ProposalClosed { number, .. } => {
            ("request", format!("PR {number} closed by {by} without a merge"))
        }
        What::Review { number, commit, state, .. } => {
            let on = commit.as_deref().map_or_else(|| "no commit named".to_owned(), short);
            let step = if state == "approved" { "approve" } else { "review" };
            (step, format!("PR {number} {state} by {by}, on {on}"))
        }
        What::Merge { number, commit, .. } => {
            let as_commit =
                commit.as_deref().map_or_else(String::new, |c| format!(" → {}", short(c)));
            ("merge", format!("PR {number} by {by}{as_commit}"))
        }
        What::DirectPush { branch, commit } => {
            ("push", format!("{} to {branch} by {by}, without a proposal", short(commit)))
        }
        What::BranchPushWithoutProposal { branch, commit } => (
            "push",
            format!("branch {branch}, {} by {by}; no proposal has this head", short(commit)),
        ),
        What::TicketStatus { key, before, status } => {
            let before = before.as_deref().map_or_else(String::new, |b| format!("{b} → "));
            ("ticket", format!("{key} {before}{status}, by {by}"))
        }
        _ => return None,
    })
}

fn in_cluster(act: &Act) -> Option<(&'static str, String)> {
    let place = act.namespace.as_deref().map_or_else(String::new, |n| format!(" in {n}"));
    Some(match &act.what {
        What::Rollout(rollout) => ("pods", rolled(rollout)),
        What::ContainerRestarts { pod, reason, count } => {
            let reason = reason.as_deref().unwrap_or("reason not recorded");
            let times = if *count == 1 { "restart" } else { "restarts" };
            ("restart", format!("{pod}: {count} {times}, {reason}"))
        }
        What::WorkloadEdit { object_kind, name, verb, changed, images, restart } => {
            let what = if *restart {
                "restart".to_owned()
            } else if images.is_empty() {
                changed.join(", ")
            } else {
                format!("image {}", images.join(", "))
            };
            ("edit", format!("{object_kind}/{name}{place}, {verb}: {what}"))
        }
        What::PodDeleted { pod } => ("edit", format!("Pod/{pod}{place} deleted")),
        What::ConfigEdit { name, values } => {
            ("edit", format!("ConfigMap/{name}{place}: {}", values.join(", ")))
        }
        What::HelmRelease { release, revision } => {
            ("helm", format!("release {release}{place}, revision {revision}"))
        }
        What::KubernetesSecretWrite { verb, name } => {
            ("secret", format!("Secret/{name}{place}, {verb}"))
        }
        What::SecretSynced { name } => {
            ("secret", format!("Secret/{name}{place} rewritten from the store"))
        }
        What::ExternalSecretRefresh { name } => {
            ("secret", format!("ExternalSecret/{name}{place} made to refresh"))
        }
        What::SecretList {} => ("secret", format!("Secrets{place} listed")),
        What::ServiceAccountTokenCreated { name } => {
            ("token", format!("token of ServiceAccount/{name}{place} made"))
        }
        What::KubernetesRbacEdit { verb, object_kind, name, role, subjects } => {
            let role = role.as_deref().map_or_else(String::new, |r| format!(": {r}"));
            let to = if subjects.is_empty() {
                String::new()
            } else {
                format!(" → {}", subjects.join(", "))
            };
            ("rights", format!("{object_kind}/{name}{place}, {verb}{role}{to}"))
        }
        _ => return None,
    })
}

fn rolled(rollout: &Rollout) -> String {
    let pods = match rollout.pods.len() {
        0 => "no new pod seen".to_owned(),
        1 => "1 new pod".to_owned(),
        n => format!("{n} new pods"),
    };
    let cause = match &rollout.cause {
        Cause::Argocd { .. } => "written by Argo CD's controller".to_owned(),
        Cause::Hand {} => "after a write by hand".to_owned(),
        Cause::Undetermined { reason } => format!("cause undetermined: {reason}"),
    };
    let images = rollout.images.join(", ");
    format!("{} revision {}, {images}; {pods}; {cause}", rollout.name, rollout.deployment_revision)
}

fn around(act: &Act) -> (&'static str, String) {
    let by = by(act);
    match &act.what {
        What::Alert { name, severity, resolved } => {
            let severity = severity.as_deref().map_or_else(String::new, |s| format!(", {s}"));
            let end = if *resolved { "resolved later" } else { "not seen to resolve" };
            ("alert", format!("{name}{severity}, fires; {end}"))
        }
        What::Drift { class, objects, actors, ended, .. } => {
            ("drift", drifted(*class, objects, actors.iter().map(|a| a.account.as_str()), *ended))
        }
        What::SyncRefused { reason } => ("refused", format!("sync asked for by {by}: {reason}")),
        What::CallRefused { method, reason } => {
            ("refused", format!("{method} asked for by {by}: {reason}"))
        }
        What::ApplicationSpecEdit { changed } => ("edit", format!("spec: {}", changed.join(", "))),
        What::ApplicationsCreated {} => ("edit", "Application created".to_owned()),
        What::ApplicationsDeleted {} => ("edit", "Application deleted".to_owned()),
        What::ProjectCreated { project } => ("project", format!("AppProject/{project} created")),
        What::ProjectEdit { project, changed } => {
            ("project", format!("AppProject/{project}: {}", changed.join(", ")))
        }
        What::ProjectTokenCreated { role, .. } => {
            ("token", format!("token of {role} made by {by}"))
        }
        What::SyncWindowEdit { project, added, removed } => {
            ("window", format!("AppProject/{project}{}", difference(added, removed)))
        }
        What::ArgocdRbacEdit { name, granted, removed } => {
            ("rights", format!("ConfigMap/{name}{}", difference(granted, removed)))
        }
        What::ArgocdConfigEdit { name, changed } => {
            ("config", format!("ConfigMap/{name}: {}", changed.join(", ")))
        }
        What::OpenbaoAdmin { path, operation } => ("bao", format!("{operation} {path} by {by}")),
        What::SecretRead { path } => ("secret", format!("{path} read by {by}")),
        What::SecretWrite { path, operation, version } => {
            let version = version.map_or_else(String::new, |v| format!(", version {v}"));
            ("secret", format!("{operation} {path} by {by}{version}"))
        }
        _ => ("act", by),
    }
}

fn difference(added: &[String], removed: &[String]) -> String {
    let list = |word: &str, lines: &[String]| {
        if lines.is_empty() { String::new() } else { format!(", {word} {}", lines.join(" · ")) }
    };
    list("added", added) + &list("removed", removed)
}

fn drifted<'a>(
    class: DriftClass,
    objects: &[String],
    actors: impl Iterator<Item = &'a str>,
    ended: bool,
) -> String {
    let what = match class {
        DriftClass::LiveEdit => "edited past Argo CD",
        DriftClass::OtherRevision => "another revision was synced than the one compared with",
        DriftClass::Invisible => "changed by hand, and Argo CD shows no difference",
        DriftClass::Undetermined => "cause undetermined",
    };
    let actors: Vec<&str> = actors.collect();
    let by = if actors.is_empty() { String::new() } else { format!(", by {}", actors.join(", ")) };
    let end = if ended { "" } else { "; not seen to end" };
    format!("{}: {what}{by}{end}", objects.join(", "))
}
