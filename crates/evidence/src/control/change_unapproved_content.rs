//! Whether what was deployed is what was approved.

use super::asked::{Asked, short};
use super::framework::{ISO_8_32, NIST_CM_3, PCI_6_5_4, SOC2_CC8_1};
use super::model::{Answer, Control, Severity, met, not_met, open};
use super::sod_author_approves::counted;
use crate::story::change::Content;

/// Deployed content is approved content.
pub const CONTROL: Control = Control {
    id: "change-unapproved-content",
    condition: "deployed content is approved content",
    statement: "Every revision of the change that was applied is the approved head, one of the commits that it consists of, or what its merge left; where they differ, they do outside of the deployed folder.",
    asks: "Show me that what runs is what was approved, not something that was added afterwards.",
    fix: "Pin production to the approved head, and let approvals lapse when commits are pushed.",
    example: "A commit is pushed after the approval, and production is pinned to it.",
    limits: "Needs the repository's commits. The deployed folder is the Application's path; what Kustomize or Helm take from elsewhere is not looked at.",
    inputs: &["github-webhook", "gitlab-webhook", "git-commit", "argocd-application-watch"],
    relates: &[PCI_6_5_4, SOC2_CC8_1, ISO_8_32, NIST_CM_3],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    let (mut unknown, mut differs, mut same) = (None, None, false);
    for deployed in asked.applied() {
        match &deployed.content {
            Content::NotApproved { .. } => {
                let revision = short(deployed.revision.as_deref().unwrap_or_default());
                let reason = format!(
                    "{} deployed {revision}, which no approved head holds",
                    deployed.app.name
                );
                return shown(asked, reason).at(&deployed.cites);
            }
            Content::Approved { in_deployed_path: true, .. } => {
                let reason = "the approved head differs from it in the deployed folder";
                return not_met(reason).at(&deployed.cites);
            }
            Content::Undetermined { reason } => unknown = Some(reason.clone()),
            Content::Approved { differs_in, .. } if !differs_in.is_empty() => {
                differs = Some(differs_in.join(", "));
            }
            Content::Approved { .. } | Content::Merged { .. } => same = true,
        }
    }
    match (unknown, differs, same) {
        (Some(reason), ..) => open(reason),
        (None, Some(files), _) => {
            met(format!("they differ only in {files}, outside the deployed folder"))
        }
        (None, None, true) => met("the approved head, or what its merge left"),
        (None, None, false) => open("no operation applied a revision of it"),
    }
}

fn shown(asked: &Asked<'_>, reason: String) -> Answer {
    if asked.change.is_push() {
        return match asked.push_doubt() {
            Some(doubt) => open(doubt),
            None => not_met(reason),
        };
    }
    counted(asked, reason)
}
