//! The sections of a policy file, from the tree to the types, with what they say of one another.

use std::collections::BTreeMap;

use super::fields::{Fields, problem, unknown};
use super::{
    ApplicationRule, Calendar, Criticality, DriftPolicy, Environment, Exception, Forge, Freeze,
    Independence, Policy, Problem, RepositoryName, Rule, Severity, StoreRule, SyncMode, Team,
    TicketPattern, TicketSystem, VERSION,
};
use crate::place::Located;
use crate::yaml::Node;

const SEVERITIES: [(&str, Severity); 5] = [
    ("off", Severity::Off),
    ("low", Severity::Low),
    ("medium", Severity::Medium),
    ("high", Severity::High),
    ("critical", Severity::Critical),
];

/// The families of controls.
const FAMILIES: [&str; 7] = ["sod", "trail", "secret", "drift", "change", "emergency", "adoption"];

/// Reads the whole; what came of it counts only when no problem was found.
pub(super) fn policy(node: &Node, problems: &mut Vec<Problem>) -> Option<Policy> {
    let mut fields = Fields::of(node, "the policy", problems)?;
    version(&mut fields);
    let repository = repository(&mut fields);
    let mut environments: Vec<_> = each(&mut fields, "environments", environment);
    if fields.take("environments").is_none() {
        let what = "the key \"environments\" is missing".to_owned();
        let help = "name them in the order in which a change is promoted";
        fields.problems.push(problem(&node.place, what, help));
    }
    if !environments.iter().any(|e| e.is_production)
        && let Some(last) = environments.last_mut()
    {
        last.is_production = true;
    }
    let policy = Policy {
        place: node.place.clone(),
        repository: repository?,
        environments,
        criticalities: each(&mut fields, "criticalities", criticality),
        teams: each(&mut fields, "teams", team),
        rules: each(&mut fields, "rules", rule),
        tickets: each(&mut fields, "tickets", tickets),
        calendar: calendar(&mut fields),
        controls: controls(&mut fields),
        exceptions: each(&mut fields, "exceptions", exception),
    };
    fields.finish();
    references(&policy, problems);
    Some(policy)
}

fn version(fields: &mut Fields<'_>) {
    let Some(node) = fields.need("version") else { return };
    if node.as_u64() != Some(VERSION) {
        let shown = node.scalar_text().unwrap_or(node.type_name());
        let what = format!("version {shown} of the policy file is not known");
        fields.problems.push(problem(&node.place, what, "this program reads version 1"));
    }
}

/// Reads every item of a list by one function.
fn each<T>(
    fields: &mut Fields<'_>,
    key: &'static str,
    one: fn(&mut Fields<'_>) -> Option<T>,
) -> Vec<T> {
    let mut all = Vec::new();
    for item in fields.items(key) {
        if let Some(mut item) = Fields::of(item, &format!("an item of {key}"), fields.problems) {
            all.extend(one(&mut item));
            item.finish();
        }
    }
    all
}

fn repository(fields: &mut Fields<'_>) -> Option<RepositoryName> {
    let node = fields.need("repository")?;
    let mut of = Fields::of(node, "repository", fields.problems)?;
    let forges = [
        ("github", Forge::Github),
        ("gitlab", Forge::Gitlab),
        ("gitea", Forge::Gitea),
        ("bitbucket", Forge::Bitbucket),
    ];
    let addresses = of.texts("addresses");
    let (forge, name) = (of.word("forge", &forges), of.text("name"));
    let branch = of.needed_text("branch");
    let place = of.place().clone();
    of.finish();
    Some(RepositoryName { place, addresses, forge, name, branch: branch? })
}

fn environment(of: &mut Fields<'_>) -> Option<Environment> {
    let name = of.needed_text("name");
    let is_production = of.truth("production", false);
    let applications = each(of, "applications", |of| {
        let (name, criticality) = (of.needed_text("name"), of.needed_text("criticality"));
        Some(ApplicationRule { name: name?, criticality: criticality? })
    });
    let (paths, namespaces) = (of.texts("paths"), of.texts("namespaces"));
    let has_stores = of.take("secretStores").is_some();
    let stores = each(of, "secretStores", store);
    let secret_stores = has_stores.then_some(stores);
    Some(Environment { name: name?, is_production, applications, paths, namespaces, secret_stores })
}

fn store(of: &mut Fields<'_>) -> Option<StoreRule> {
    let kinds = ["SecretStore", "ClusterSecretStore"].map(|kind| (kind, kind));
    let kind = of.word("kind", &kinds).map(|k| Located::new(k.value.to_owned(), &k.place));
    let (name, keys) = (of.needed_text("name"), of.texts("keys"));
    Some(StoreRule { kind, name: name?, keys })
}

fn criticality(of: &mut Fields<'_>) -> Option<Criticality> {
    let name = of.needed_text("name");
    let mut drift = DriftPolicy::default();
    if let Some(node) = of.take("drift")
        && let Some(mut of) = Fields::of(node, "drift", of.problems)
    {
        drift.grace = of.duration("grace");
        drift.resolve_within = of.duration("resolveWithin");
        let says = of.take("selfHeal").is_some();
        drift.self_heal = Some(of.truth("selfHeal", false)).filter(|_| says);
        of.finish();
    }
    Some(Criticality { name: name?, drift })
}

fn team(of: &mut Fields<'_>) -> Option<Team> {
    let name = of.needed_text("name");
    let (people, forge_teams) = (of.texts("people"), of.texts("forgeTeams"));
    let groups = of.texts("groups");
    Some(Team { name: name?, people, forge_teams, groups })
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of the functions that `each` takes")]
fn rule(of: &mut Fields<'_>) -> Option<Rule> {
    let independence = [("every", Independence::Every), ("at-least-one", Independence::AtLeastOne)];
    let sync = [("manual", SyncMode::Manual), ("automated", SyncMode::Automated)];
    Some(Rule {
        place: of.place().clone(),
        environments: of.texts("environments"),
        criticalities: of.texts("criticalities"),
        approvals: of.number("approvals", 20).unwrap_or(1),
        independent: of.word("independent", &independence).map(|w| w.value).unwrap_or_default(),
        owner_approval: of.truth("ownerApproval", false),
        merge_teams: of.texts("mergeTeams"),
        sync_teams: of.texts("syncTeams"),
        disjoint_teams: of.truth("disjointTeams", false),
        sync: of.word("sync", &sync).map(|word| word.value),
        ticket: of.truth("ticket", false),
        promotion: of.truth("promotion", false),
    })
}

fn tickets(of: &mut Fields<'_>) -> Option<TicketSystem> {
    let name = of.needed_text("name");
    let mut patterns = Vec::new();
    for text in of.texts("patterns") {
        match text.value.parse::<TicketPattern>() {
            Ok(pattern) => patterns.push(Located::new(pattern, &text.place)),
            Err(e) => {
                of.problems.push(problem(
                    &text.place,
                    format!("the pattern {:?} {e}", text.value),
                    "",
                ));
            }
        }
    }
    let (approved, is_emergency) = (of.texts("approved"), of.truth("emergency", false));
    Some(TicketSystem { name: name?, patterns, approved, is_emergency })
}

fn calendar(fields: &mut Fields<'_>) -> Calendar {
    let Some(node) = fields.take("calendar") else { return Calendar::default() };
    let Some(mut of) = Fields::of(node, "calendar", fields.problems) else {
        return Calendar::default();
    };
    let (time_zone, files) = (of.text("timeZone"), of.texts("files"));
    let freezes = each(&mut of, "freezes", freeze);
    of.finish();
    Calendar { time_zone, files, freezes }
}

fn freeze(of: &mut Fields<'_>) -> Option<Freeze> {
    let name = of.needed_text("name");
    let (from, to) = (of.date("from"), of.date("to"));
    let environments = of.texts("environments");
    let (from, to) = (from?, to?);
    if to.value < from.value {
        let what = "the freeze ends before it begins".to_owned();
        of.problems.push(problem(&to.place, what, ""));
    }
    Some(Freeze { name: name?, from: from.value, to: to.value, environments })
}

fn controls(fields: &mut Fields<'_>) -> BTreeMap<String, Located<Severity>> {
    let mut all = BTreeMap::new();
    let Some(node) = fields.take("controls") else { return all };
    let Some(mut of) = Fields::of(node, "controls", fields.problems) else { return all };
    for entry in node.entries() {
        let id = &*entry.key.text;
        check_id(id, &entry.key.place, of.problems);
        if let Some(severity) = of.as_word(&entry.value, "severity", &SEVERITIES) {
            all.insert(id.to_owned(), severity);
        }
    }
    all
}

/// Whether an id has the form of a control's: which controls there are is known elsewhere.
fn check_id(id: &str, place: &crate::place::Place, problems: &mut Vec<Problem>) {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let family = id.split_once('-').filter(|(_, rest)| !rest.is_empty()).map(|(family, _)| family);
    if !family.is_some_and(|family| FAMILIES.contains(&family)) || !id.chars().all(is_plain) {
        let help = "an id begins with its family: sod-, trail-, secret-, drift-, change-, emergency-, adoption-";
        problems.push(problem(place, format!("{id:?} is no id of a control"), help));
    }
}

fn exception(of: &mut Fields<'_>) -> Option<Exception> {
    let (control, subject) = (of.needed_text("control"), of.needed_text("subject"));
    let (reason, owner) = (of.needed_text("reason"), of.needed_text("owner"));
    let (approver, expires) = (of.needed_text("approver"), of.date("expires"));
    if let Some(control) = &control {
        check_id(&control.value, &control.place, of.problems);
    }
    let (owner, approver) = (owner?, approver?);
    if owner.value == approver.value {
        let what = format!("{} grants an exception to themselves", approver.value);
        of.problems.push(problem(&approver.place, what, "name an approver other than the owner"));
    }
    let place = of.place().clone();
    let (control, subject, reason) = (control?, subject?, reason?);
    Some(Exception { place, control, subject, reason, owner, approver, expires: expires? })
}

/// What sections say of one another: names that are used are defined, and defined once.
fn references(policy: &Policy, problems: &mut Vec<Problem>) {
    let environments: Vec<_> = policy.environments.iter().map(|e| &e.name).collect();
    let criticalities: Vec<_> = policy.criticalities.iter().map(|c| &c.name).collect();
    let teams: Vec<_> = policy.teams.iter().map(|t| &t.name).collect();
    let groups =
        [("environment", &environments), ("criticality", &criticalities), ("team", &teams)];
    for (kind, names) in groups {
        for (at, name) in names.iter().enumerate() {
            if names[..at].iter().any(|earlier| earlier.value == name.value) {
                let what = format!("the {kind} {:?} is defined twice", name.value);
                problems.push(problem(&name.place, what, ""));
            }
        }
    }
    let mut check = |kind: &str, used: &[Located<String>], defined: &[&Located<String>]| {
        let known: Vec<&str> = defined.iter().map(|d| d.value.as_str()).collect();
        for name in used.iter().filter(|name| !known.contains(&name.value.as_str())) {
            problems.push(unknown(kind, &name.value, &known, &name.place));
        }
    };
    for rule in policy.environments.iter().flat_map(|e| &e.applications) {
        check("criticality", std::slice::from_ref(&rule.criticality), &criticalities);
    }
    for rule in &policy.rules {
        check("environment", &rule.environments, &environments);
        check("criticality", &rule.criticalities, &criticalities);
        check("team", &rule.merge_teams, &teams);
        check("team", &rule.sync_teams, &teams);
    }
    for freeze in &policy.calendar.freezes {
        check("environment", &freeze.environments, &environments);
    }
}
