//! Whether somebody may change production in the cluster, around Argo CD.

use evidence::control::framework::{
    ISO_8_2, NIST_AC_6, NIST_CM_5, PCI_6_5_4, PCI_7_2_2, SOC2_CC6_3,
};
use evidence::control::model::{met, not_met, open};
use evidence::control::{Control, Outcome, Severity};

use super::rights::{Around, Way};
use super::{Asked, missing, outcome, several};
use crate::kubernetes::{Means, Predicate};
use crate::place::Place;

/// No way around Argo CD.
pub const CONTROL: Control = Control {
    id: "sod-cluster-bypass",
    condition: "nobody changes production around Argo CD",
    statement: "No person, no group and no account of other software may change what runs in the namespaces of production, or gain the right to, by rights in the cluster itself.",
    asks: "Who can change production without a commit?",
    fix: "Remove the binding, or limit its role to reading. For emergencies keep a group that is empty, and let membership expire.",
    example: "A role from an incident a year ago lets one developer patch Deployments everywhere.",
    limits: "Not asked about: accounts in kube-system and in Argo CD's namespace, users and groups of the cluster itself (system:…), and, of other software, rights to ConfigMaps and Secrets alone. A group for emergencies is found too: except it by name. Who holds a certificate of system:masters stands in no list. Roles that were read from git show what is wanted: without a finding they are undetermined, and so is a binding that no Application brings to the cluster that production runs in.",
    inputs: &["Kubernetes roles and bindings", "people map", "Applications: destinations"],
    relates: &[PCI_6_5_4, PCI_7_2_2, SOC2_CC6_3, ISO_8_2, NIST_AC_6, NIST_CM_5],
    severity: Severity::Error,
};

/// What changes production, or lets somebody gain it. Argo CD's own objects are
/// sod-application-write's.
const ASKED: [Predicate; 12] = [
    Predicate::WriteWorkloads,
    Predicate::WriteConfig,
    Predicate::WriteSecrets,
    Predicate::Exec,
    Predicate::BindOrEscalate,
    Predicate::Impersonate,
    Predicate::CreateTokens,
    Predicate::ApproveCertificates,
    Predicate::ProxyNodes,
    Predicate::WriteAdmission,
    Predicate::WriteDefinitions,
    Predicate::WriteVolumes,
];

/// What software that manages its own objects is expected to hold.
const OF_SOFTWARE: [Predicate; 5] = [
    Predicate::WriteConfig,
    Predicate::WriteSecrets,
    Predicate::WriteAdmission,
    Predicate::WriteDefinitions,
    Predicate::WriteVolumes,
];

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    around(asked, &CONTROL, &ASKED, "changes production around Argo CD")
}

/// Who may do something of what is asked for, by subject, and what could not be told.
pub(super) fn around(
    asked: &Asked<'_>,
    control: &'static Control,
    predicates: &[Predicate],
    does: &str,
) -> Vec<Outcome> {
    if asked.joined.cluster.is_none() {
        return missing(control, "roles and bindings of the cluster");
    }
    let found = asked.bypassed();
    let has_people = asked.joined.sources.people.is_some();
    let mut all = Vec::new();
    for (who, ways) in &found.by {
        let is_asked = |means: &&Means| {
            let expected =
                matches!(who, Around::Machine(_)) && OF_SOFTWARE.contains(&means.predicate);
            predicates.contains(&means.predicate) && !expected
        };
        let of = |is_known: bool| -> Vec<(&Way, Vec<&Means>)> {
            let own = ways.iter().map(|way| {
                let means = way.means.iter().filter(is_asked);
                (way, means.filter(|m| way.is_where(m.predicate) == is_known).collect())
            });
            own.filter(|(_, means): &(_, Vec<_>)| !means.is_empty()).collect()
        };
        let (here, elsewhere) = (of(true), of(false));
        let (ways, is_here) = if here.is_empty() { (elsewhere, false) } else { (here, true) };
        if ways.is_empty() {
            continue;
        }
        let subject = match who {
            Around::Person(id) => (*id).to_owned(),
            Around::Unmapped(account) | Around::Machine(account) => account.clone(),
        };
        let places: Vec<Place> = ways.iter().map(|(way, _)| way.place.clone()).collect();
        let says = format!("{subject} {}", told(&ways));
        let answer = if !is_here {
            open(format!("{says}, which no Application brings to that cluster"))
        } else if has_people || matches!(who, Around::Machine(_)) {
            not_met(says)
        } else {
            open(format!("{says}; who that is stands in no people map"))
        };
        all.push(outcome(control, &subject, answer, &places));
    }
    for (why, place) in &found.open {
        all.push(outcome(
            control,
            why,
            open("what that role lets them do is not known"),
            std::slice::from_ref(place),
        ));
    }
    if !found.is_live {
        let why = "roles were read from git; what was granted by hand is not in it";
        all.push(outcome(control, "cluster", open(why), &[]));
    } else if asked.scope.namespaces.is_empty()
        && predicates.iter().any(|p| p.scope() == crate::kubernetes::Scope::Target)
    {
        let why = "to which namespaces production is deployed is not known";
        all.push(outcome(control, "cluster", open(why), &[]));
    } else if all.is_empty() {
        all.push(outcome(control, "cluster", met(format!("nobody {does}")), &[]));
    }
    all
}

/// What the ways let somebody do, with one right and one binding of each.
fn told(ways: &[(&Way, Vec<&Means>)]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for means in ways.iter().flat_map(|(_, means)| means) {
        let (_, says) = means.predicate.words();
        if !words.contains(&says) {
            words.push(says);
        }
    }
    let (way, means) = &ways[0];
    let right = format!("{} {}", means[0].verb, means[0].resource);
    format!("may {} ({right}, by {})", several(words), way.binding)
}
