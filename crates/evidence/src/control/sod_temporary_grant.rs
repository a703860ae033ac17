//! Whether rights were granted for a time, used, and taken back.

use std::collections::BTreeSet;

use super::asked::{name, names, starter};
use super::framework::{ISO_8_2, NIST_AC_6, NIST_CM_5, RTS_17_1_F, RTS_21_C, SOC2_CC6_3};
use super::inputs::Inputs;
use super::model::{Control, Outcome, Severity, not_met};
use crate::story::act::{Act, What};
use crate::story::claim::Identity;
use crate::time::Moment;

/// No right for a time.
pub const CONTROL: Control = Control {
    id: "sod-temporary-grant",
    condition: "no right granted for a time around a sync",
    statement: "No right was granted past git and taken back again while operations ran in between.",
    asks: "Rights were widened and narrowed again, and something was deployed in between. Who decided that?",
    fix: "Grant rights through git, with a review; keep a path for emergencies that is named in the policy and reviewed afterwards.",
    example: "An administrator edits argocd-rbac-cm with kubectl, a developer syncs, the administrator puts the ConfigMap back.",
    limits: "Says that the right was there while the operations ran, not that they needed it. Policy lines and bindings are compared as text; what they allow is for `who-can --as-of`.",
    inputs: &[
        "kubernetes-object-watch",
        "kubernetes-audit",
        "argocd-application-watch",
        "policy: how soon is temporary",
    ],
    relates: &[RTS_17_1_F, RTS_21_C, SOC2_CC6_3, ISO_8_2, NIST_AC_6, NIST_CM_5],
    severity: Severity::Error,
};

/// A right that came and went.
struct Grant<'a> {
    act: &'a Act,
    rights: BTreeSet<String>,
}

pub(super) fn beside(inputs: &Inputs<'_>) -> Vec<Outcome> {
    let acts = &inputs.story.acts;
    let grants = acts.iter().filter_map(|act| Some(Grant { act, rights: granted(act)? }));
    grants.filter_map(|grant| judge(inputs, &grant)).collect()
}

fn granted(act: &Act) -> Option<BTreeSet<String>> {
    match &act.what {
        What::ArgocdRbacEdit { granted, .. } if !granted.is_empty() => {
            Some(granted.iter().cloned().collect())
        }
        What::KubernetesRbacEdit { verb, object_kind, name, .. }
            if verb == "create" && object_kind.ends_with("Binding") =>
        {
            Some(BTreeSet::from([binding(object_kind, name, act)]))
        }
        _ => None,
    }
}

fn taken(act: &Act) -> BTreeSet<String> {
    match &act.what {
        What::ArgocdRbacEdit { removed, .. } => removed.iter().cloned().collect(),
        What::KubernetesRbacEdit { verb, object_kind, name, .. } if verb == "delete" => {
            BTreeSet::from([binding(object_kind, name, act)])
        }
        _ => BTreeSet::new(),
    }
}

fn binding(kind: &str, name: &str, act: &Act) -> String {
    let namespace = act.namespace.as_deref().map_or_else(String::new, |n| format!(" in {n}"));
    format!("{kind} {name}{namespace}")
}

fn judge(inputs: &Inputs<'_>, grant: &Grant<'_>) -> Option<Outcome> {
    let from = grant.act.at?;
    let max = inputs.settings.temporary_seconds_max;
    let soon = |to: &Moment| {
        let seconds = to.earliest().duration_since(from.earliest()).as_secs();
        from.latest() <= to.earliest() && seconds <= max
    };
    let back = inputs.story.acts.iter().find(|act| {
        act.namespace == grant.act.namespace
            && act.at.as_ref().is_some_and(soon)
            && !taken(act).is_disjoint(&grant.rights)
    })?;
    let to = back.at?;
    let within = |at: &Moment| from.earliest() <= at.earliest() && at.latest() <= to.latest();
    let used = inputs
        .story
        .operations
        .iter()
        .filter(|o| !o.automated && o.from().as_ref().is_some_and(within));
    let (mut cites, mut said, mut by) = (grant.act.cites.clone(), BTreeSet::new(), BTreeSet::new());
    cites.extend(&back.cites);
    for operation in used {
        cites.extend(&operation.cites);
        said.insert(operation.app.name.as_str());
        by.extend(starter(operation));
    }
    if said.is_empty() {
        return None;
    }
    let rights: Vec<&str> = grant.rights.iter().map(String::as_str).collect();
    let reason = format!(
        "{} granted {} and {} took it back {} s later; in between {} synced {}",
        who(grant.act),
        rights.join(", "),
        who(back),
        to.earliest().duration_since(from.earliest()).as_secs(),
        if by.is_empty() {
            "an undetermined account".to_owned()
        } else {
            names(by.iter().copied())
        },
        said.into_iter().collect::<Vec<_>>().join(", ")
    );
    let answer = not_met(reason).at(&cites);
    Some(Outcome::of(&CONTROL, super::subject_of_act(grant.act), answer))
}

fn who(act: &Act) -> &str {
    act.who.as_ref().map_or("an undetermined account", |w: &Identity| name(w))
}
