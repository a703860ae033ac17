//! Whether a project lets its Applications take from anywhere, go anywhere, or change the cluster.

use std::collections::BTreeSet;

use evidence::control::framework::{ISO_8_31, NIST_AC_6, SOC2_CC6_3};
use evidence::control::model::{self, not_met};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, missing, outcome};
use crate::argocd::Project;
use crate::place::Place;

/// No project without bounds.
pub const CONTROL: Control = Control {
    id: "sod-open-project",
    condition: "projects have bounds",
    statement: "The projects of production name their repositories, their destinations and the kinds of the whole cluster that they may deploy.",
    asks: "What could somebody deploy who may only write an Application of this project?",
    fix: "Name repositories, clusters and namespaces in the project, and only those kinds of the cluster that it needs. Leave the project default empty.",
    example: "The root Application is in the project default, which allows every source, destination and kind.",
    limits: "A pattern that is no bare star is taken for a bound, however wide it is. A project that is not among the sources is undetermined, the project default too, which Argo CD makes by itself.",
    inputs: &["AppProjects", "Applications"],
    relates: &[SOC2_CC6_3, ISO_8_31, NIST_AC_6],
    severity: Severity::Warning,
};

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(argo) = &asked.joined.argo else {
        return missing(&CONTROL, "argocd-rbac-cm with its projects");
    };
    let used: BTreeSet<&str> =
        asked.scope.targets.iter().map(|t| t.rights.project.as_str()).collect();
    let known: BTreeSet<&str> = argo.rbac.projects().map(|p| p.name.as_str()).collect();
    let own = argo.rbac.projects().filter(|project| used.contains(project.name.as_str()));
    let mut all: Vec<Outcome> = own.map(|project| judge(asked, project)).collect();
    for name in used.difference(&known) {
        let why = "the project is not among the sources";
        all.push(outcome(&CONTROL, name, model::open(why), &[]));
    }
    all
}

fn is_star(pattern: &str) -> bool {
    matches!(pattern, "*" | "**")
}

fn judge(asked: &Asked<'_>, project: &Project) -> Outcome {
    let at = |path: &str| asked.joined.places.part(&project.origin, path);
    let mut open: Vec<(&str, Place)> = Vec::new();
    if project.source_repos.iter().any(|repository| is_star(repository)) {
        open.push(("any repository", at("spec.sourceRepos")));
    }
    let everywhere = project
        .destinations
        .iter()
        .any(|d| is_star(&d.namespace) && (is_star(&d.server) || is_star(&d.name)));
    if everywhere {
        open.push(("any destination", at("spec.destinations")));
    }
    if project.cluster_allowed.iter().any(|kind| kind.group == "*" && kind.kind == "*") {
        open.push(("every kind of the cluster", at("spec.clusterResourceWhitelist")));
    }
    if open.is_empty() {
        let answer = model::met("it has bounds");
        return outcome(&CONTROL, &project.name, answer, &[]);
    }
    let (words, places): (Vec<&str>, Vec<Place>) = open.into_iter().unzip();
    let answer = not_met(format!("the project {} allows {}", project.name, words.join(", ")));
    outcome(&CONTROL, &project.name, answer, &places)
}
