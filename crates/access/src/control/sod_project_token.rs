//! Whether something changes production by a token, with no person behind it.

use std::collections::BTreeMap;

use evidence::control::framework::{NIST_AC_6, PCI_8_6_1, RTS_21_C, SOC2_CC6_3};
use evidence::control::model::{Answer, met, not_met, open};
use evidence::control::{Control, Outcome, Severity};

use super::{Asked, missing, outcome};
use crate::argocd::project::Role;
use crate::argocd::settings::Account;
use crate::argocd::{Acting, Caller, Project, Request, Right};
use crate::place::Place;
use crate::reach::scope::Target;
use crate::reach::world::Argo;

/// No token that changes production.
pub const CONTROL: Control = Control {
    id: "sod-project-token",
    condition: "no token changes production",
    statement: "No token of a project role and no API key of a local account may sync or change an Application of production.",
    asks: "The sync was made by a token. Who held it, and who may hold it next month?",
    fix: "Let people sync through single sign-on, and let software open pull requests. Where a token has to stay, let it expire within hours, limit its role to one Application, and except it by name.",
    example: "The role deployer of the project prod may sync, and a token of it was made for a pipeline that is gone.",
    limits: "Tokens stand in the project in the cluster. Where the project was read from git, whether there are any is undetermined; who holds one is not seen, and whether an expiry is past is not asked.",
    inputs: &["AppProjects", "argocd-rbac-cm", "argocd-cm", "people map"],
    relates: &[PCI_8_6_1, SOC2_CC6_3, NIST_AC_6, RTS_21_C],
    severity: Severity::Warning,
};

/// What changes production.
const RIGHTS: [(Right, &str); 3] =
    [(Right::Sync, "sync"), (Right::SyncLocal, "override"), (Right::Update, "change")];

pub(super) fn assess(asked: &Asked<'_>) -> Vec<Outcome> {
    let Some(argo) = &asked.joined.argo else {
        return missing(&CONTROL, "argocd-rbac-cm with its projects");
    };
    let mut by_project: BTreeMap<&str, Vec<&Target>> = BTreeMap::new();
    for target in &asked.scope.targets {
        by_project.entry(&target.rights.project).or_default().push(target);
    }
    let mut all = Vec::new();
    for project in argo.rbac.projects() {
        let Some(targets) = by_project.get(project.name.as_str()) else { continue };
        for (at, role) in project.roles.iter().enumerate() {
            let subject = format!("proj:{}:{}", project.name, role.name);
            let place = asked.joined.places.part(&project.origin, &format!("spec.roles[{at}]"));
            let may = may(argo, &subject, targets);
            let answer = of_role(asked, project, role, may.as_ref());
            all.push(outcome(&CONTROL, &subject, answer, &[place]));
        }
    }
    let targets: Vec<&Target> = asked.scope.targets.iter().collect();
    let accounts = argo.rbac.settings().accounts.iter();
    for (name, account) in accounts.filter(|(_, account)| account.enabled && account.api_key) {
        if asked.joined.person("argocd_username", name).is_none() {
            let answer = of_account(may(argo, name, &targets).as_ref());
            all.push(outcome(&CONTROL, &format!("account {name}"), answer, &[key(argo, account)]));
        }
    }
    if all.is_empty() {
        let answer = met("no project of production has a role, and no account has API keys");
        all.push(outcome(&CONTROL, "tokens", answer, std::slice::from_ref(&argo.rules.place)));
    }
    all
}

/// What a subject may by its own name, to the first Application that it reaches.
fn may<'t>(
    argo: &Argo,
    subject: &str,
    targets: &[&'t Target],
) -> Option<(&'static str, &'t Target)> {
    let of = |right: &Right, target: &Target| {
        right.ways(&target.rights, argo.rbac.settings()).iter().any(|way| {
            let mut by_name = false;
            let all = way.iter().all(|check| {
                let object = &check.object;
                let request = Request { resource: check.resource, action: &check.action, object };
                let decision = argo.rbac.decide(Caller::Subject { subject, groups: &[] }, &request);
                by_name = decision
                    .why
                    .iter()
                    .any(|(acting, _)| matches!(acting, Acting::Subject(name) if name == subject));
                decision.allowed
            });
            // The last check makes the difference; by the default role everybody passes it.
            all && by_name
        })
    };
    let each =
        RIGHTS.iter().flat_map(|(right, word)| targets.iter().map(move |t| (right, *word, *t)));
    let mut found = each.filter(|(right, _, target)| of(right, target));
    found.next().map(|(_, word, target)| (word, target))
}

fn of_role(
    asked: &Asked<'_>,
    project: &Project,
    role: &Role,
    may: Option<&(&str, &Target)>,
) -> Answer {
    let Some((word, target)) = may else { return met("it changes nothing of production") };
    let is_live = matches!(asked.joined.places.place(&project.origin), Place::Object(_));
    let forever = role.tokens.iter().filter(|token| token.expires_at.is_none()).count();
    match role.tokens.len() {
        0 if is_live => met("no token was made for it"),
        0 => open("whether tokens were made for it stands in the cluster alone"),
        n => {
            let ends = match forever {
                0 => "each of which ends",
                _ => "not all of which end",
            };
            let tokens = if n == 1 { "token" } else { "tokens" };
            not_met(format!(
                "{n} {tokens}, {ends}, may {word} {} and act without a person",
                target.name
            ))
        }
    }
}

fn of_account(may: Option<&(&str, &Target)>) -> Answer {
    match may {
        None => met("it changes nothing of production"),
        Some((word, target)) => {
            not_met(format!("its API keys may {word} {} and act without a person", target.name))
        }
    }
}

fn key(argo: &Argo, account: &Account) -> Place {
    let Some(map) = &argo.settings else { return argo.rules.place.clone() };
    let node = account.key.as_ref().and_then(|key| map.data(key));
    node.map_or_else(|| map.place.clone(), |node| node.place.clone())
}
