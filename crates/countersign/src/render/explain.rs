//! Controls as text: one in full, or all by family.

use evidence::control::Control;

use super::{PLAIN, QUIET, RenderOptions, Sheet, TITLE};
use crate::controls::severity;

/// One control in full.
pub fn one(control: &Control, options: &RenderOptions<'_>) -> String {
    let mut sheet = Sheet::new(options);
    sheet.entry("", control.id, severity(control.severity), TITLE);
    sheet.entry("", control.statement, "", PLAIN);
    sheet.blank();
    for (label, text) in [
        ("Auditor asks  ", control.asks),
        ("For example   ", control.example),
        ("To mend it    ", control.fix),
        ("Limits        ", control.limits),
    ] {
        sheet.entry(label, text, "", PLAIN);
    }
    sheet.entry("Reads         ", &control.inputs.join(", "), "", PLAIN);
    let mut label = "Relates to    ";
    for relation in control.relates {
        let text = format!("{} {}: {}", relation.framework, relation.id, relation.gist);
        sheet.entry(label, &text, "", PLAIN);
        label = "              ";
    }
    sheet.text
}

/// All controls, by family.
pub fn all(catalogue: &[&Control], options: &RenderOptions<'_>) -> String {
    let mut sheet = Sheet::new(options);
    let room = catalogue.iter().map(|c| c.id.len()).max().unwrap_or(0);
    let mut family = "";
    for control in catalogue {
        if control.family() != family {
            if !family.is_empty() {
                sheet.blank();
            }
            family = control.family();
            sheet.entry("", family, "", TITLE);
        }
        let label = format!("  {:<room$}  ", control.id);
        sheet.entry(&label, control.condition, severity(control.severity), PLAIN);
    }
    sheet.blank();
    sheet.entry("", "One in full: countersign explain ID", "", QUIET);
    sheet.text
}
