//! Whether a line of Argo CD's policy gives more than anybody could have meant.

use evidence::control::framework::{ISO_8_2, NIST_AC_6, PCI_7_2_2, SOC2_CC6_3};
use evidence::control::model::{met, not_met, open};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, missing, outcome};
use crate::argocd::{Effect, Line, MatchMode, Pattern, Statement};

/// No star that reaches production.
pub const CONTROL: Control = Control {
    id: "sod-wildcard-right",
    condition: "rights on production are named",
    statement: "Rights to change Applications, projects, clusters and repositories of production name what may be done and to what, the built-in role:admin apart.",
    asks: "This role may do everything to these. Which of it does the job need?",
    fix: "Write a line for each action that the role needs, and name the project: `applications, sync, prod/*` and not `applications, *, */*`.",
    example: "The role of a platform team has `applications, *, */*`, which includes deployments of manifests from a laptop.",
    limits: "Who has the role is not asked here. Only bare stars count; a right to read is none to change.",
    inputs: &["argocd-rbac-cm", "AppProjects"],
    relates: &[PCI_7_2_2, SOC2_CC6_3, ISO_8_2, NIST_AC_6],
    severity: Severity::Warning,
};

/// The resources asked about, with something that changes one.
const RESOURCES: [(&str, &str); 4] = [
    ("applications", "update"),
    ("projects", "update"),
    ("clusters", "update"),
    ("repositories", "update"),
];

/// Who is meant to have everything.
const BUILT_IN: [&str; 2] = ["role:admin", "admin"];

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(argo) = &asked.joined.argo else {
        return missing(&CONTROL, "argocd-rbac-cm");
    };
    if !argo.rbac.loads() {
        let why = "the policy does not load";
        return vec![outcome(&CONTROL, "argocd-rbac-cm", open(why), &[])];
    }
    let objects: Vec<String> = asked.scope.targets.iter().map(|t| t.rights.object()).collect();
    let mut all = Vec::new();
    for line in argo.rbac.permissions() {
        let Some(reach) = reach(asked, &objects, line, argo.rbac.mode()) else { continue };
        let answer = not_met(format!("{reach}: {}", line.text));
        all.push(outcome(&CONTROL, &line.text, answer, &[asked.joined.places.place(&line.origin)]));
    }
    if all.is_empty() {
        let answer = met("every right on production is named");
        all.push(outcome(
            &CONTROL,
            "argocd-rbac-cm",
            answer,
            std::slice::from_ref(&argo.rules.place),
        ));
    }
    all
}

/// What a line opens by a star, if it reaches production.
fn reach(asked: &Asked<'_>, objects: &[String], line: &Line, mode: MatchMode) -> Option<String> {
    let Statement::Permission { subject, resource, action, object, effect } =
        line.statement.as_ref()
    else {
        return None;
    };
    if *effect != Effect::Allow || BUILT_IN.contains(&subject.as_str()) {
        return None;
    }
    let open = [
        (is_star(resource, mode), "every resource"),
        (is_star(action, mode), "every action"),
        (is_star(object, mode), "every object"),
    ];
    let open: Vec<&str> = open.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
    if open.is_empty()
        || !changes(resource, action, mode)
        || !covers(asked, objects, resource, object, mode)
    {
        return None;
    }
    Some(format!("{subject} has {}", open.join(", ")))
}

fn is_star(pattern: &str, mode: MatchMode) -> bool {
    match mode {
        MatchMode::Glob => matches!(pattern, "*" | "**" | "*/*" | "*/*/*"),
        MatchMode::Regex => matches!(pattern, ".*" | "^.*$" | ".+" | "^.+$" | ".*/.*" | "^.*/.*$"),
    }
}

/// Whether a line lets anything be changed that is asked about.
fn changes(resource: &str, action: &str, mode: MatchMode) -> bool {
    let (resource, action) = (Pattern::new(resource, mode), Pattern::new(action, mode));
    let acts =
        ["create", "delete", "sync", "override", "rollback", "action/apps/Deployment/restart"];
    RESOURCES.iter().any(|(named, act)| {
        resource.fits(named) && (action.fits(act) || acts.iter().any(|act| action.fits(act)))
    })
}

fn covers(
    asked: &Asked<'_>,
    objects: &[String],
    resource: &str,
    object: &str,
    mode: MatchMode,
) -> bool {
    let (of, object) = (Pattern::new(resource, mode), Pattern::new(object, mode));
    let targets = &asked.scope.targets;
    let of_cluster = |named: &str| of.fits(named) && object.fits("*");
    (of.fits("applications") && objects.iter().any(|own| object.fits(own)))
        || (of.fits("projects") && targets.iter().any(|t| object.fits(&t.rights.project)))
        || ["clusters", "repositories"].into_iter().any(of_cluster)
}
