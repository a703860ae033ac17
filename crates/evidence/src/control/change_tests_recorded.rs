//! Whether tests are recorded in a form that can be checked.

use super::asked::Asked;
use super::framework::{NIST_CM_3_2, PCI_6_5_1, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, open};

/// Always undetermined, until a source states it.
pub const CONTROL: Control = Control {
    id: "change-tests-recorded",
    condition: "tests before approval",
    statement: "Tests of this very content ran and passed before it was approved.",
    asks: "Where does it say that this was tested before it was approved?",
    fix: "Let the pipeline record its result for the commit, where Countersign can receive it.",
    example: "A ticket says staging verified, and nothing else does.",
    limits: "Undetermined as long as no source of these records states it in a form that can be checked; free text in a ticket is none.",
    inputs: &["none yet"],
    relates: &[NIST_CM_3_2, PCI_6_5_1, SOC2_CC8_1],
    severity: Severity::Note,
};

pub(super) fn assess(_asked: &Asked<'_>) -> Answer {
    open(super::NOT_STATED)
}
