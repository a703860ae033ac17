//! Which environments there are, in which order, and what belongs to each.

use std::collections::{BTreeMap, BTreeSet};

use super::applications::{Rule, rules};
use super::{Found, Guess, Told, folder_of};
use crate::place::{Located, Place};
use crate::repository::{Application, Deployment, ExternalSecret, Repository};

/// Names of environments in the usual order of promotion.
const ORDER: [&[&str]; 10] = [
    &["local", "sandbox", "playground"],
    &["dev", "develop", "development"],
    &["ci", "int", "integration"],
    &["test", "testing", "tst"],
    &["qa"],
    &["stage", "staging", "stg"],
    &["uat", "acceptance"],
    &["preprod", "preproduction", "pre"],
    &["canary"],
    &["live", "prd", "prod", "production"],
];

/// Labels that name an environment.
const LABELS: [&str; 4] = ["env", "environment", "app.kubernetes.io/environment", "stage"];

/// Folders whose folders are environments.
const FOLDERS: [&str; 8] =
    ["clusters", "envs", "environments", "env", "overlays", "stages", "targets", "tenants"];

/// Labels that say how critical something is.
const CRITICALITY: [&str; 2] = ["criticality", "tier"];

/// The level of what says none.
pub(super) const STANDARD: &str = "standard";

/// An environment of the draft.
pub(super) struct Environment {
    pub(super) guess: Guess,
    pub(super) is_production: bool,
    pub(super) rules: Vec<Rule>,
    pub(super) paths: Vec<Guess>,
    pub(super) stores: Vec<Store>,
    /// Applications whose syncs people start, and those that sync themselves; each the first.
    pub(super) manual: (usize, Option<Place>),
    pub(super) automated: (usize, Option<Place>),
}

/// A secret store that is in use.
pub(super) struct Store {
    pub(super) kind: String,
    pub(super) name: String,
    /// Globs; none where a search decides which keys are taken.
    pub(super) keys: BTreeSet<String>,
    pub(super) at: Place,
}

/// An Application with what was told of it.
pub(super) struct Member {
    pub(super) name: String,
    /// The label that says it, and what.
    pub(super) criticality: Option<(&'static str, Located<String>)>,
    pub(super) at: Place,
}

struct Seen<'r> {
    application: &'r Application,
    deployment: &'r Deployment,
    evidence: Option<Guess>,
}

/// Finds the environments of a repository.
pub(super) fn find(repository: &Repository, told: &Told, found: &mut Found) {
    let mut seen: Vec<Seen<'_>> = repository
        .deployments()
        .map(|(application, deployment)| {
            let evidence = evidence(application, &told.environments);
            Seen { application, deployment, evidence }
        })
        .collect();
    seen.sort_by(|a, b| {
        (&a.application.name.value, a.application.place())
            .cmp(&(&b.application.name.value, b.application.place()))
    });
    if seen.iter().all(|s| s.evidence.is_none()) && told.environments.is_empty() {
        for one in &mut seen {
            let why = "nothing tells environments apart, so everything counts as production";
            let at = Some(one.application.place());
            one.evidence = Some(Guess::new("environment", "prod", why.to_owned(), at));
        }
    }
    let names = ordered(&seen, told);
    // An Application that stands twice belongs where it stands first.
    let mut homes: BTreeMap<String, String> = BTreeMap::new();
    for one in &seen {
        if let Some(guess) = &one.evidence {
            let name = one.application.name.value.clone();
            homes.entry(name).or_insert_with(|| guess.value.clone());
        }
    }
    note_homeless(&seen, found);
    note_unordered(&names, told, found);
    for (at, name) in names.iter().enumerate() {
        let is_production =
            at + 1 == names.len() || (rank(name) == Some(9) && told.environments.is_empty());
        let own: Vec<&Seen<'_>> = seen
            .iter()
            .filter(|s| homes.get(&s.application.name.value) == Some(name) && s.evidence.is_some())
            .collect();
        let mut environment = one(name, &own, told);
        environment.is_production = is_production;
        let others = seen.iter().map(|s| s.application.name.value.as_str());
        let others: Vec<&str> = others.filter(|other| homes.get(*other) != Some(name)).collect();
        environment.rules = rules(name, &members(&own), &others);
        if is_production {
            environment.paths.extend(of_rules(repository, found.owners.as_deref()));
        }
        found.environments.push(environment);
    }
}

/// In the usual order, as far as there is one; unknown ones between the first known and production.
fn ordered(seen: &[Seen<'_>], told: &Told) -> Vec<String> {
    if !told.environments.is_empty() {
        return told.environments.clone();
    }
    let names = seen.iter().filter_map(|s| Some(s.evidence.as_ref()?.value.clone()));
    let names: BTreeSet<String> = names.collect();
    let mut names: Vec<String> = names.into_iter().collect();
    // What is not known stands right before production: nobody is told that it is first.
    names.sort_by_key(|name| rank(name).map_or((8, 1), |rank| (rank, 0)));
    names
}

/// The place of a name in the usual order, by its first part that has one: `prod-eu`, `eu-prod`.
fn rank(name: &str) -> Option<usize> {
    let lower = name.to_ascii_lowercase();
    let whole = lower.replace(['-', '_'], "");
    let of = |part: &str| ORDER.iter().position(|names| names.contains(&part));
    of(&whole).or_else(|| lower.split(['-', '_', '.']).find_map(of))
}

fn note_homeless(seen: &[Seen<'_>], found: &mut Found) {
    let homeless: Vec<String> = seen
        .iter()
        .filter(|s| s.evidence.is_none())
        .map(|s| format!("{} ({})", s.application.name.value, s.application.place()))
        .collect();
    if !homeless.is_empty() {
        let what = "to which environment these belong, so that they belong to none";
        found.not_told.push(format!("{what}: {}", homeless.join(", ")));
    }
}

fn note_unordered(names: &[String], told: &Told, found: &mut Found) {
    let unknown = names.iter().filter(|n| rank(n).is_none() && told.environments.is_empty());
    let unknown: Vec<&str> = unknown.map(String::as_str).collect();
    if !unknown.is_empty() {
        let what = "when a change reaches these, which are no usual names";
        found.not_told.push(format!("{what}: {}; check the order", unknown.join(", ")));
    }
}

/// What says to which environment an Application belongs, the plainest first.
fn evidence(application: &Application, told: &[String]) -> Option<Guess> {
    let is_one = |part: &str| {
        if told.is_empty() { rank(part).is_some() } else { told.iter().any(|t| t == part) }
    };
    let guess = |value: &str, why: String, at: &Place| {
        Some(Guess::new("environment", value, why, Some(at)))
    };
    let label = LABELS.iter().find_map(|key| Some((*key, application.object.label(key)?)));
    if let Some((key, label)) = label.filter(|(_, l)| told.is_empty() || is_one(&l.value)) {
        return guess(&label.value, format!("the label {key}"), &label.place);
    }
    for path in application.sources.iter().filter_map(|s| s.path.as_ref()) {
        let parts: Vec<&str> =
            path.value.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
        let below = parts.windows(2).find(|two| FOLDERS.contains(&two[0])).map(|two| two[1]);
        let below = below.filter(|part| told.is_empty() || is_one(part));
        if let Some(part) = below.or_else(|| parts.iter().rev().find(|p| is_one(p)).copied()) {
            return guess(part, "a folder of its source".to_owned(), &path.place);
        }
    }
    let name = &application.name;
    let ends = [
        name.value.rsplit_once('-').map(|(_, end)| end),
        name.value.split_once('-').map(|(s, _)| s),
    ];
    if let Some(part) = ends.into_iter().flatten().find(|part| is_one(part)) {
        return guess(part, "a part of its name".to_owned(), &name.place);
    }
    let project = &application.project;
    if project.value != "default" && is_one(&project.value) {
        return guess(&project.value, "its project".to_owned(), &project.place);
    }
    let folder = folder_of(application).unwrap_or_default();
    if let Some(part) = folder.split('/').rev().find(|part| is_one(part)) {
        return guess(part, "a folder that it stands in".to_owned(), application.place());
    }
    let to = &application.destination;
    for (value, why) in [(&to.namespace, "its namespace"), (&to.name, "its cluster")] {
        let Some(value) = value else { continue };
        let mut parts = value.value.split(['-', '_']).rev();
        if let Some(part) = parts.find(|part| is_one(part)) {
            return guess(part, why.to_owned(), &value.place);
        }
    }
    None
}

fn one(name: &str, own: &[&Seen<'_>], told: &Told) -> Environment {
    let first = own.iter().find_map(|s| s.evidence.as_ref().filter(|g| g.value == name));
    let guess = match first {
        _ if !told.environments.is_empty() => {
            Guess::new("environment", name, "as told".to_owned(), None)
        }
        Some(guess) if own.len() > 1 => {
            let why = format!("{}, as of {} Applications", guess.why, own.len());
            Guess::new("environment", name, why, guess.at.as_ref())
        }
        Some(guess) => guess.clone(),
        None => Guess::new("environment", name, "as told".to_owned(), None),
    };
    let mut environment = Environment {
        guess,
        is_production: false,
        rules: Vec::new(),
        paths: paths(name, own),
        stores: stores(own),
        manual: (0, None),
        automated: (0, None),
    };
    for seen in own {
        let sync = &seen.application.sync;
        let (side, at) = match &sync.automated {
            Some(automated) => (&mut environment.automated, &automated.place),
            None => (&mut environment.manual, seen.application.place()),
        };
        side.0 += 1;
        side.1.get_or_insert_with(|| at.clone());
    }
    environment
}

fn members(own: &[&Seen<'_>]) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for seen in own {
        let name = &seen.application.name.value;
        if members.iter().all(|m| m.name != *name) {
            let criticality = CRITICALITY
                .iter()
                .find_map(|key| Some((*key, seen.application.object.label(key)?)));
            let at = seen.application.place().clone();
            members.push(Member { name: name.clone(), criticality, at });
        }
    }
    members
}

/// Folders of the environment in which its Applications themselves stand.
fn paths(name: &str, own: &[&Seen<'_>]) -> Vec<Guess> {
    let mut paths: BTreeMap<String, Guess> = BTreeMap::new();
    for seen in own {
        let Some(folder) = folder_of(seen.application) else { continue };
        let parts: Vec<&str> = folder.split('/').collect();
        let Some(at) = parts.iter().position(|part| *part == name) else { continue };
        let path = format!("{}/**", parts[..=at].join("/"));
        let why = "its Applications stand there".to_owned();
        let guess = Guess::new("path", &path, why, Some(seen.application.place()));
        paths.entry(path).or_insert(guess);
    }
    paths.into_values().collect()
}

/// Files that decide who may do what: production, wherever they stand.
fn of_rules(repository: &Repository, owners: Option<&str>) -> Vec<Guess> {
    let mut paths: BTreeMap<String, Guess> = BTreeMap::new();
    let maps = ["argocd-cm", "argocd-rbac-cm"];
    let settings = maps.into_iter().flat_map(|name| repository.config_maps(name));
    let settings = settings.map(|o| (o, "settings of Argo CD"));
    let projects = repository.projects().iter().map(|p| (&p.object, "projects of Argo CD"));
    let roles = repository.kubernetes_rbac().filter(|o| o.kind.starts_with("Cluster"));
    let roles = roles.map(|o| (o, "roles of the cluster"));
    for (object, why) in settings.chain(projects).chain(roles) {
        let Some(path) = object.place.path() else { continue };
        // A folder by its name, and never the whole repository.
        let path = match path.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/**"),
            None => path.to_owned(),
        };
        let guess = Guess::new("path", &path, (*why).to_owned(), Some(&object.place));
        paths.entry(path).or_insert(guess);
    }
    let mut paths: Vec<Guess> = paths.into_values().collect();
    if let Some(owners) = owners {
        let why = "who has to approve".to_owned();
        paths.push(Guess::new("path", owners, why, Some(&Place::file(owners))));
    }
    paths.push(Guess::new("path", crate::policy::FILE, "this file".to_owned(), None));
    paths
}

fn stores(own: &[&Seen<'_>]) -> Vec<Store> {
    let mut stores: BTreeMap<(String, String), Store> = BTreeMap::new();
    let mut searched = BTreeSet::new();
    let objects = own.iter().flat_map(|s| &s.deployment.objects);
    for secret in objects.filter_map(|deployed| ExternalSecret::of(&deployed.object)) {
        for store in &secret.stores {
            let key = (store.kind.clone(), store.name.value.clone());
            let entry = stores.entry(key.clone()).or_insert_with(|| Store {
                kind: store.kind.clone(),
                name: store.name.value.clone(),
                keys: BTreeSet::new(),
                at: store.name.place.clone(),
            });
            for taken in &secret.keys {
                if taken.is_search {
                    searched.insert(key.clone());
                }
                let first = taken.key.value.split_once('/').map(|(first, _)| format!("{first}/**"));
                entry.keys.insert(first.unwrap_or_else(|| taken.key.value.clone()));
            }
        }
    }
    for key in searched {
        stores.entry(key).and_modify(|store| store.keys.clear());
    }
    stores.into_values().collect()
}
