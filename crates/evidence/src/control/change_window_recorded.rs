//! Whether a window was planned in a form that can be checked.

use super::asked::Asked;
use super::framework::{ISO_8_32, RTS_17_1_D, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, open};

/// Always undetermined, until a source states it.
pub const CONTROL: Control = Control {
    id: "change-window-recorded",
    condition: "planned window",
    statement: "A window was planned for the change, and it was carried out within it.",
    asks: "When was this planned for, and did it happen then?",
    fix: "Keep planned start and end in fields of the ticket that Countersign is told of.",
    example: "A change outside of its maintenance window.",
    limits: "Undetermined as long as no source of these records states it in a form that can be checked; free text in a ticket is none.",
    inputs: &["none yet"],
    relates: &[ISO_8_32, RTS_17_1_D, SOC2_CC8_1],
    severity: Severity::Note,
};

pub(super) fn assess(_asked: &Asked<'_>) -> Answer {
    open(super::NOT_STATED)
}
