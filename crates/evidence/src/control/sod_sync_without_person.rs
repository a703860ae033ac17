//! Whether a person stands behind a sync that Argo CD did not start by itself.

use super::framework::{NIST_AU_10, PCI_8_2_1, PCI_8_6_1, RTS_21_C};
use super::inputs::Inputs;
use super::model::{Control, Outcome, Severity, met, not_met};
use crate::story::act::What;
use crate::story::claim::Identity;
use crate::story::initiator::Initiator;
use crate::story::operation::{Kind, Operation};

/// A person behind every sync.
pub const CONTROL: Control = Control {
    id: "sod-sync-without-person",
    condition: "a person behind every sync",
    statement: "A sync that Argo CD did not start by itself was started by a person's account, not by a project token or another account of software.",
    asks: "No human stands in the record of this sync. Who did it?",
    fix: "Give tokens to pipelines only, one each, short-lived, and note who may use them; let people sync under their own accounts.",
    example: "An administrator makes a token for a project role and syncs under it.",
    limits: "Who made the token is told where the API server's log has it; that is not who used it.",
    inputs: &["argocd-application-watch", "kubernetes-event-watch", "argocd-server-log"],
    relates: &[PCI_8_2_1, PCI_8_6_1, NIST_AU_10, RTS_21_C],
    severity: Severity::Warning,
};

pub(super) fn beside(inputs: &Inputs<'_>) -> Vec<Outcome> {
    let syncs = inputs.story.operations.iter().filter(|o| o.kind != Kind::DryRun);
    let judged = syncs.filter_map(|o| {
        let answer = match &o.initiator {
            Initiator::Machine { who, .. } => machine(inputs, o, who),
            Initiator::Determined { .. } => met("a person's account"),
            _ => return None,
        };
        Some(Outcome::of(&CONTROL, super::subject_of(o), answer))
    });
    judged.collect()
}

fn machine(inputs: &Inputs<'_>, operation: &Operation, who: &Identity) -> super::model::Answer {
    let app = &operation.app.name;
    let mut reason = format!("{} synced {app}: no human stands in the record", who.account);
    let mut cites = operation.cites.clone();
    let made = inputs.story.acts.iter().find(
        |act| matches!(&act.what, What::ProjectTokenCreated { role, .. } if *role == who.account),
    );
    if let Some(made) = made {
        cites.extend(&made.cites);
        if let Some(by) = &made.who {
            let by = super::asked::name(by);
            reason += "; a token of it was made by ";
            reason += by;
            reason += ", which is not who used it";
        }
    }
    not_met(reason).at(&cites)
}
