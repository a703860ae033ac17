//! By which right people wrote past Argo CD.

use super::asked::{is_bot, name};
use super::framework::{ISO_8_2, NIST_AC_6, NIST_AU_10, NIST_CM_5, PCI_8_6_1};
use super::inputs::Inputs;
use super::model::{Answer, Control, Outcome, Severity, met, not_met, open};
use crate::parse::kubernetes_audit::Right;
use crate::story::act::{Act, What};
use crate::story::claim::Writer;
use crate::story::initiator::Initiator;

/// The right used.
pub const CONTROL: Control = Control {
    id: "sod-right-used",
    condition: "written past Argo CD by a right kept for that",
    statement: "Where a person wrote to what Argo CD deploys, or asked for an operation past its API server, the binding that allowed it is one that the policy keeps for emergencies.",
    asks: "By which right could this be changed past Argo CD, and who decided that this right exists?",
    fix: "Take back the binding, or name it in the policy as one for emergencies, with those who grant it.",
    example: "A ClusterRole for debugging, left over, lets a developer patch Applications in production.",
    limits: "The API server's audit log names the binding (authorization.k8s.io/reason), except for members of system:masters and for authorisers other than RBAC. Who held the credential is in no record.",
    inputs: &["kubernetes-audit", "people map", "policy: bindings for emergencies"],
    relates: &[NIST_CM_5, NIST_AC_6, NIST_AU_10, ISO_8_2, PCI_8_6_1],
    severity: Severity::Warning,
};

pub(super) fn beside(inputs: &Inputs<'_>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for operation in &inputs.story.operations {
        if let Initiator::Contradicted { writer, .. } = &operation.initiator {
            let subject = super::subject_of(operation);
            let answer = judge(inputs, writer).at(&operation.cites);
            outcomes.push(Outcome::of(&CONTROL, subject, answer));
        }
    }
    for act in inputs.story.acts.iter().filter(|a| is_past_argocd(a)) {
        let Some(writer) = &act.writer else { continue };
        if !is_bot(writer.acting(), inputs.settings) {
            let answer = judge(inputs, writer).at(&act.cites);
            outcomes.push(Outcome::of(&CONTROL, super::subject_of_act(act), answer));
        }
    }
    outcomes
}

const fn is_past_argocd(act: &Act) -> bool {
    matches!(
        act.what,
        What::WorkloadEdit { .. }
            | What::ConfigEdit { .. }
            | What::ApplicationSpecEdit { .. }
            | What::HelmRelease { .. }
            | What::PodDeleted { .. }
    )
}

fn judge(inputs: &Inputs<'_>, writer: &Writer) -> Answer {
    let who = name(writer.acting());
    let Some(right) = &writer.right else {
        return open(format!("the record of the write by {who} names no binding"));
    };
    let Right { binding_kind, binding, role_kind, role, .. } = right;
    let path = format!("{who} by {binding_kind} {binding} → {role_kind} {role}");
    match &inputs.settings.emergency_bindings {
        None => open(format!("{path}; no policy says which bindings are for emergencies")),
        Some(kept) if kept.contains(binding) => met(path),
        Some(_) => not_met(format!("{path}, which the policy does not keep for emergencies")),
    }
}
