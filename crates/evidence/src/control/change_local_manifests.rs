//! Whether something was applied that no commit holds.

use super::asked::{names, starter};
use super::framework::{ISO_8_32, NIST_CM_3, PCI_6_5_1, SOC2_CC8_1};
use super::inputs::Inputs;
use super::model::{Control, Outcome, Severity, not_met};
use crate::story::operation::{Applied, Kind, Operation};

/// Nothing from local manifests.
pub const CONTROL: Control = Control {
    id: "change-local-manifests",
    condition: "applied from git",
    statement: "No sync applied manifests that came with the request instead of a commit.",
    asks: "No commit holds what was applied here. What was it, and who approved it?",
    fix: "Forbid `argocd app sync --local` for production (no right `override`), and bring the content by a pull request.",
    example: "An administrator syncs from the manifests of a laptop.",
    limits: "What was applied is told by the resources that Argo CD lists, not by its content.",
    inputs: &["argocd-application-watch", "kubernetes-audit"],
    relates: &[PCI_6_5_1, SOC2_CC8_1, ISO_8_32, NIST_CM_3],
    severity: Severity::Error,
};

pub(super) fn beside(inputs: &Inputs<'_>) -> Vec<Outcome> {
    let local = |o: &&Operation| {
        o.kind == Kind::LocalManifests && !matches!(o.applied, Applied::Nothing | Applied::Tried(_))
    };
    let found = inputs.story.operations.iter().filter(local).map(|o| {
        let by = starter(o).map_or_else(|| "an undetermined account".to_owned(), |w| names([w]));
        let reason =
            format!("{by} synced {} from local manifests: no commit holds them", o.app.name);
        Outcome::of(&CONTROL, super::subject_of(o), not_met(reason).at(&o.cites))
    });
    found.collect()
}
