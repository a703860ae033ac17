//! Whether those who merged and synced were allowed to, by the rules of that day.

use super::asked::{Asked, name, starter};
use super::framework::{ISO_8_2, NIST_AC_6, PCI_7_2_2, RTS_21_C, SOC2_CC6_3};
use super::inputs::{Act, Entitled};
use super::model::{Answer, Control, Severity, met, not_met, open};

/// Entitled on that day.
pub const CONTROL: Control = Control {
    id: "sod-entitled",
    condition: "entitled on that day",
    statement: "Who merged the change and who synced it was allowed to by the rules in force at that moment.",
    asks: "Was the person who deployed this allowed to on that day, and by which rule?",
    fix: "Grant the right in git, reviewed, before it is used; or take back the path by which it was done without.",
    example: "A right that was granted for an incident is used after it was to be taken back.",
    limits: "Needs the rules of that day: snapshots of the forge and of Argo CD's RBAC in the ledger. Today's rules say nothing about the past.",
    inputs: &[
        "github-webhook",
        "gitlab-webhook",
        "argocd-application-watch",
        "kubernetes-audit",
        "rules in force at that moment",
    ],
    relates: &[PCI_7_2_2, SOC2_CC6_3, ISO_8_2, NIST_AC_6, RTS_21_C],
    severity: Severity::Error,
};

pub(super) fn assess(asked: &Asked<'_>) -> Answer {
    let Some(rules) = asked.inputs.entitlements else {
        return open("the rules in force on that day were not read");
    };
    let merges = asked.change.merge.iter().filter_map(|m| {
        let repository = asked.change.repository.as_deref()?;
        Some((m.who.as_ref()?, Act::Merge { repository }, m.at?, &m.cites))
    });
    let syncs = asked.operations().filter(|o| !o.initiator.is_contradicted()).filter_map(|o| {
        let project = o.app.project.as_deref()?;
        Some((starter(o)?, Act::Sync { project, app: &o.app.name }, o.from()?, &o.cites))
    });
    let (mut yes, mut unknown) = (Vec::new(), None);
    for (who, act, at, cites) in merges.chain(syncs) {
        match rules.entitled(who, &act, &at) {
            Entitled::Yes(path) => yes.push(format!("{}: {path}", name(who))),
            Entitled::Unknown(reason) => unknown = Some(reason),
            Entitled::No(reason) => {
                let act = match act {
                    Act::Merge { repository } => format!("merge in {repository}"),
                    Act::Sync { app, .. } => format!("sync {app}"),
                };
                return not_met(format!("{} was not allowed to {act}: {reason}", name(who)))
                    .at(cites);
            }
        }
    }
    yes.sort();
    yes.dedup();
    match unknown {
        Some(reason) => open(reason),
        None if yes.is_empty() => open("who merged and synced it is not in the records"),
        None => met(yes.join("; ")),
    }
}
