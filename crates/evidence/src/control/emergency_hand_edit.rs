//! Whether something that Argo CD deploys was written by hand.

use super::asked::{is_bot, name};
use super::framework::{ISO_8_32, NIST_CM_5, PCI_6_5_1, RTS_17_1_F, RTS_17_1_G, SOC2_CC7_1};
use super::inputs::Inputs;
use super::model::{Control, Outcome, Severity, not_met};
use crate::story::act::{Act, What};

/// Nothing written by hand.
pub const CONTROL: Control = Control {
    id: "emergency-hand-edit",
    condition: "nothing written by hand",
    statement: "No person wrote to a workload, a ConfigMap, an Application or a Helm release of an environment past Argo CD.",
    asks: "This was changed by hand. What was the emergency, and who judged it afterwards?",
    fix: "Bring the content into git or undo it; write down reason, time and who judged it afterwards.",
    example: "An engineer sets an image with kubectl during an incident.",
    limits: "Told from the API server's audit log and from watches; without the audit log nobody is named. Whether there was an emergency is in no record.",
    inputs: &[
        "kubernetes-audit",
        "kubernetes-object-watch",
        "argocd-application-watch",
        "people map",
    ],
    relates: &[RTS_17_1_F, RTS_17_1_G, PCI_6_5_1, SOC2_CC7_1, ISO_8_32, NIST_CM_5],
    severity: Severity::Warning,
};

pub(super) fn beside(inputs: &Inputs<'_>) -> Vec<Outcome> {
    let by_hand = |act: &&Act| act.who.as_ref().is_some_and(|who| !is_bot(who, inputs.settings));
    let edits = inputs.story.acts.iter().filter(by_hand).filter_map(|act| {
        let what = what(&act.what)?;
        let place = act.app.as_deref().or(act.namespace.as_deref()).unwrap_or("the cluster");
        let who = act.who.as_ref().map_or("", name);
        let answer = not_met(format!("{who} {what} ({place})")).at(&act.cites);
        Some(Outcome::of(&CONTROL, super::subject_of_act(act), answer))
    });
    edits.collect()
}

fn what(what: &What) -> Option<String> {
    Some(match what {
        What::WorkloadEdit { object_kind, name, restart: true, .. } => {
            format!("restarted {object_kind}/{name} by hand")
        }
        What::WorkloadEdit { object_kind, name, verb, .. } => {
            format!("wrote {object_kind}/{name} by hand ({verb})")
        }
        What::ConfigEdit { name, .. } => format!("wrote ConfigMap/{name} by hand"),
        What::HelmRelease { release, revision } => {
            format!("made revision {revision} of the Helm release {release}")
        }
        What::ApplicationSpecEdit { .. } => "edited the Application by hand".to_owned(),
        What::PodDeleted { pod } => format!("deleted the pod {pod}"),
        _ => return None,
    })
}
