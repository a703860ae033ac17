//! All controls: those over the story and those over the repository and over rights.

use evidence::control::{Control, Severity};

/// The descriptions of all controls, by their ids.
pub fn catalogue() -> Vec<&'static Control> {
    let mut all: Vec<&Control> =
        evidence::control::catalogue().chain(access::control::CATALOGUE.iter().copied()).collect();
    all.sort_by_key(|control| control.id);
    all
}

/// One control, by its id.
pub fn by_id(id: &str) -> Option<&'static Control> {
    catalogue().into_iter().find(|control| control.id == id)
}

/// The word for a severity.
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// A control's page under `docs/controls/`, in Markdown.
pub fn page(control: &Control) -> String {
    let relates: String = control
        .relates
        .iter()
        .map(|r| format!("- {} {}: {}\n", r.framework, r.id, r.gist))
        .collect();
    format!(
        "# {}\n\n{}\n\n**Asked by auditors.** {}\n\n**Not met, for example.** {}\n\n**To mend it.** {}\n\n\
         **Limits.** {}\n\n**Reads** {}. A finding is {}.\n\n## Relates to\n\n{relates}",
        control.id,
        control.statement,
        control.asks,
        control.example,
        control.fix,
        control.limits,
        control.inputs.join(", "),
        article(control.severity),
    )
}

const fn article(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "a note",
        Severity::Warning => "a warning",
        Severity::Error => "an error",
    }
}
