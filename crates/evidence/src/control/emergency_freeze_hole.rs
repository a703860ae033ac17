//! Whether a freeze was lifted for a moment, and something went through.

use std::collections::BTreeSet;

use super::asked::{name, names, starter};
use super::framework::{NIST_CM_5, RTS_17_1_F, RTS_17_1_G, SOC2_CC8_1};
use super::inputs::Inputs;
use super::model::{Control, Outcome, Severity, not_met};
use crate::story::act::{Act, What};
use crate::time::Moment;

/// No hole in a freeze.
pub const CONTROL: Control = Control {
    id: "emergency-freeze-hole",
    condition: "no freeze lifted around a sync",
    statement: "No sync window was removed and restored around an operation of its project.",
    asks: "Production was frozen. Who lifted the freeze, for what, and who judged it afterwards?",
    fix: "Give freezes an exemption that is granted in git, and let only Argo CD write AppProjects.",
    example: "An administrator removes a deny window with kubectl, a colleague syncs, the administrator puts it back: git never shows it.",
    limits: "Windows are compared as text. An operation that applied nothing counts too: it went through. That it would have been refused is not evaluated here.",
    inputs: &[
        "kubernetes-object-watch",
        "kubernetes-audit",
        "argocd-application-watch",
        "policy: how soon is temporary",
    ],
    relates: &[RTS_17_1_F, RTS_17_1_G, SOC2_CC8_1, NIST_CM_5],
    severity: Severity::Error,
};

pub(super) fn beside(inputs: &Inputs<'_>) -> Vec<Outcome> {
    inputs.story.acts.iter().filter_map(|act| judge(inputs, act)).collect()
}

fn judge(inputs: &Inputs<'_>, lifted: &Act) -> Option<Outcome> {
    let What::SyncWindowEdit { project, removed, .. } = &lifted.what else { return None };
    let removed: BTreeSet<&str> = removed.iter().map(String::as_str).collect();
    let from = lifted.at.filter(|_| !removed.is_empty())?;
    let max = inputs.settings.temporary_seconds_max;
    let soon = |to: &Moment| {
        let seconds = to.earliest().duration_since(from.earliest()).as_secs();
        from.latest() <= to.earliest() && seconds <= max
    };
    let puts_back = |act: &&Act| match &act.what {
        What::SyncWindowEdit { project: other, added, .. } => {
            other == project
                && added.iter().any(|w| removed.contains(w.as_str()))
                && act.namespace == lifted.namespace
                && act.at.as_ref().is_some_and(soon)
        }
        _ => false,
    };
    let restored = inputs.story.acts.iter().find(puts_back)?;
    let to = restored.at?;
    let (mut cites, mut apps, mut by) = (lifted.cites.clone(), BTreeSet::new(), BTreeSet::new());
    cites.extend(&restored.cites);
    for operation in &inputs.story.operations {
        let within = operation
            .from()
            .is_some_and(|at| from.earliest() <= at.earliest() && at.latest() <= to.latest());
        if within && operation.app.project.as_deref() == Some(project.as_str()) {
            cites.extend(&operation.cites);
            apps.insert(operation.app.name.as_str());
            by.extend(starter(operation));
        }
    }
    if apps.is_empty() {
        return None;
    }
    let reason = format!(
        "{} removed {} from project {project} and {} restored it {} s later; in between {} synced {}",
        who(lifted),
        removed.into_iter().collect::<Vec<_>>().join(", "),
        who(restored),
        to.earliest().duration_since(from.earliest()).as_secs(),
        if by.is_empty() { "Argo CD".to_owned() } else { names(by.iter().copied()) },
        apps.into_iter().collect::<Vec<_>>().join(", ")
    );
    Some(Outcome::of(&CONTROL, super::subject_of_act(lifted), not_met(reason).at(&cites)))
}

fn who(act: &Act) -> &str {
    act.who.as_ref().map_or("an undetermined account", name)
}
