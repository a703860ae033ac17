//! Whether a way back is recorded in a form that can be checked.

use super::asked::Asked;
use super::framework::{PCI_6_5_1, RTS_17_1_E, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, open};

/// Always undetermined, until a source states it.
pub const CONTROL: Control = Control {
    id: "change-fall-back-recorded",
    condition: "fall-back plan",
    statement: "A way back was written down before the change.",
    asks: "What was the way back, and was it written down before?",
    fix: "Write the way back into a field of the ticket that Countersign is told of.",
    example: "A ticket without a word on how to undo it.",
    limits: "Undetermined as long as no source of these records states it in a form that can be checked; free text in a ticket is none.",
    inputs: &["none yet"],
    relates: &[PCI_6_5_1, RTS_17_1_E, SOC2_CC8_1],
    severity: Severity::Note,
};

pub(super) fn assess(_asked: &Asked<'_>) -> Answer {
    open(super::NOT_STATED)
}
