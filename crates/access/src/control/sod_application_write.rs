//! Who may write the objects that tell Argo CD what to deploy: that right includes every other.

use std::collections::{BTreeMap, BTreeSet};

use evidence::control::framework::{ISO_5_3, ISO_8_2, NIST_AC_6, NIST_CM_5, PCI_7_2_2, SOC2_CC6_3};
use evidence::control::model::{met, not_met, open};
use evidence::control::{Control, Outcome, Severity, Verdict};

use super::sod_cluster_bypass::around;
use super::{Asked, missing, outcome, several};
use crate::argocd::Line;
use crate::kubernetes::Predicate;
use crate::place::Place;

/// Nobody but git.
pub const CONTROL: Control = Control {
    id: "sod-application-write",
    condition: "nobody writes Applications by hand",
    statement: "No person, no group and no account of other software may write Applications, ApplicationSets, AppProjects or Argo CD's own settings of production, in the cluster or through Argo CD.",
    asks: "Whoever writes an Application decides what runs, from where, and who is said to have started it. Who can?",
    fix: "Take the right to create, update or patch these away from everybody but Argo CD, and change them in git.",
    example: "A role for debugging includes `patch applications`: a patch of `.operation` deploys any commit in anybody's name.",
    limits: "The built-in local account admin is sod-local-admin's, tokens are sod-project-token's, and accounts in kube-system and in Argo CD's namespace are not asked about. Without the cluster's roles, or with roles read from git, what is not found is undetermined.",
    inputs: &["Kubernetes roles and bindings", "argocd-rbac-cm", "AppProjects", "people map"],
    relates: &[PCI_7_2_2, SOC2_CC6_3, ISO_5_3, ISO_8_2, NIST_AC_6, NIST_CM_5],
    severity: Severity::Error,
};

const ASKED: [Predicate; 7] = [
    Predicate::WriteApplications,
    Predicate::WriteApplicationSets,
    Predicate::WriteProjects,
    Predicate::WriteArgoConfig,
    Predicate::WriteArgoSecrets,
    Predicate::ReadArgoSecrets,
    Predicate::ControlArgo,
];

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let in_cluster = around(asked, &CONTROL, &ASKED, "writes Argo CD's objects");
    let mut all: Vec<Outcome> =
        in_cluster.into_iter().filter(|outcome| outcome.verdict != Verdict::Met).collect();
    all.extend(through_argo(asked));
    let mut all = joined(all);
    if all.is_empty() {
        all.push(outcome(&CONTROL, "applications", met("nobody but Argo CD writes them"), &[]));
    }
    all
}

/// One outcome a subject: who holds both is told once.
fn joined(all: Vec<Outcome>) -> Vec<Outcome> {
    let mut found: Vec<Outcome> = Vec::new();
    for one in all {
        let same = |o: &&mut Outcome| o.subject == one.subject && o.verdict == one.verdict;
        match found.iter_mut().find(same) {
            Some(known) => {
                known.reason = format!("{}; {}", known.reason, one.reason);
                known.places.extend(one.places);
            }
            None => found.push(one),
        }
    }
    found
}

/// Somebody, what they may do, and by which lines.
#[derive(Default)]
struct Rights<'t> {
    acts: BTreeSet<&'static str>,
    applications: BTreeSet<&'t str>,
    lines: Vec<Line>,
}

impl<'t> Rights<'t> {
    fn add(&mut self, act: &'static str, application: &'t str, lines: &[Line]) {
        self.acts.insert(act);
        self.applications.insert(application);
        for line in lines {
            if !self.lines.contains(line) {
                self.lines.push(line.clone());
            }
        }
    }
}

const CHECKS: [(&str, &str, &str); 5] = [
    ("applications", "create", "create Applications"),
    ("applications", "update", "change Applications"),
    ("applicationsets", "create", "create ApplicationSets"),
    ("applicationsets", "update", "change ApplicationSets"),
    ("projects", "update", "change projects"),
];

fn through_argo(asked: &Asked<'_>) -> Vec<Outcome> {
    if asked.joined.argo.is_none() {
        return missing(&CONTROL, "argocd-rbac-cm");
    }
    let mut people: BTreeMap<&str, Rights<'_>> = BTreeMap::new();
    let mut others: BTreeMap<String, Rights<'_>> = BTreeMap::new();
    let mut why = None;
    for target in &asked.scope.targets {
        let object = target.rights.object();
        for (resource, action, act) in CHECKS {
            let object = if resource == "projects" { &target.rights.project } else { &object };
            let held = asked.holders(resource, action, object);
            for (id, lines) in &held.people {
                people.entry(*id).or_default().add(act, &target.name, lines);
            }
            for (name, lines) in &held.unmapped {
                let rights = others.entry(format!("Argo CD group or subject {name}"));
                rights.or_default().add(act, &target.name, lines);
            }
            if held.anybody {
                let rights = others.entry("everybody who signs in to Argo CD".to_owned());
                rights.or_default().add(act, &target.name, &[]);
            }
            why = why.or_else(|| held.open.clone());
        }
    }
    let has_people = asked.joined.sources.people.is_some();
    let mut all = Vec::new();
    for (id, rights) in people {
        all.push(outcome(&CONTROL, id, not_met(told(id, &rights)), &places(asked, &rights)));
    }
    for (name, rights) in others {
        let says = told(&name, &rights);
        let answer = if has_people {
            not_met(says)
        } else {
            open(format!("{says}; who that is stands in no people map"))
        };
        all.push(outcome(&CONTROL, &name, answer, &places(asked, &rights)));
    }
    if let Some(why) = why {
        all.push(outcome(&CONTROL, "argocd-rbac-cm", open(why), &[]));
    }
    all
}

fn told(who: &str, rights: &Rights<'_>) -> String {
    let acts: Vec<&str> = rights.acts.iter().copied().collect();
    format!("{who} may {} of {}", acts.join(", "), several(rights.applications.iter().copied()))
}

fn places(asked: &Asked<'_>, rights: &Rights<'_>) -> Vec<Place> {
    rights.lines.iter().map(|line| asked.joined.places.place(&line.origin)).collect()
}
