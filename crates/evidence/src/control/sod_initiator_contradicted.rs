//! Whether the record of a write agrees with the initiator that an operation names.

use super::asked::{Asked, name};
use super::framework::{ISO_5_3, NIST_AU_10, PCI_8_2_1, RTS_21_C};
use super::inputs::Inputs;
use super::model::{Answer, Control, Outcome, Severity, met, not_met, open};
use crate::story::initiator::Initiator;
use crate::story::operation::Operation;

/// The initiator is not contradicted.
pub const CONTROL: Control = Control {
    id: "sod-initiator-contradicted",
    condition: "initiator not contradicted",
    statement: "No operation names an initiator whom the API server's record of the write contradicts.",
    asks: "Argo CD says who started this. Does any record that the person could not write say the same?",
    fix: "Take back the right to write Applications past Argo CD's API server (patch on applications.argoproj.io), and look into who held the credential.",
    example: "An Application's .operation is patched with kubectl, and names a colleague as initiator; Argo CD copies the name into its history.",
    limits: "Shows the account and the credential that wrote; who held it is in no record. Without the audit log or without a mapped account the initiator is undetermined.",
    inputs: &[
        "argocd-application-watch",
        "kubernetes-audit",
        "kubernetes-event-watch",
        "people map",
    ],
    relates: &[NIST_AU_10, PCI_8_2_1, ISO_5_3, RTS_21_C],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    let contradicted: Vec<&Operation> =
        asked.operations().filter(|o| o.initiator.is_contradicted()).collect();
    let undetermined = asked.operations().filter(|o| o.initiator.is_undetermined()).count();
    match contradicted.first() {
        Some(first) => {
            not_met(format!("contradicted for {} of its operations", contradicted.len()))
                .at(&first.cites)
        }
        None if undetermined > 0 => {
            open(format!("undetermined for {undetermined} of its operations"))
        }
        None if asked.operations().next().is_none() => open("no operation of it is in the records"),
        None => met("every initiator agrees with the record of the write"),
    }
}

/// Operations of no change.
pub(super) fn beside(inputs: &Inputs<'_>) -> Vec<Outcome> {
    let of_none = super::outside_changes(inputs.story);
    let judged = of_none.filter_map(|o| Some((o, judge(o)?)));
    judged.map(|(o, answer)| Outcome::of(&CONTROL, super::subject_of(o), answer)).collect()
}

fn judge(operation: &Operation) -> Option<Answer> {
    let app = &operation.app.name;
    match &operation.initiator {
        Initiator::Contradicted { claimed, writer } => {
            let claimed = claimed.as_ref().map_or("nobody, as if automated", name);
            let who = writer.acting();
            let reason = format!(
                "the operation of {app} names {claimed}; the account {} wrote it",
                who.account
            );
            Some(not_met(reason).at(&operation.cites))
        }
        Initiator::Undetermined { reason } => {
            Some(open(format!("who started it is undetermined: {reason}")))
        }
        _ => None,
    }
}
