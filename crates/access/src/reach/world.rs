//! The sources put together: what is live where the cluster was read, and else what git wants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evidence::people::People;
use serde_json::Value;

use super::answer::{Gap, Verb};
use super::places::Places;
use crate::argocd::{Project, Rbac, Settings};
use crate::codeowners::CodeOwners;
use crate::forge::Snapshot;
use crate::kubernetes::Cluster;
use crate::kubernetes::model::Builder;
use crate::origin::Origin;
use crate::policy::Policy;
use crate::repository::{self, Application, Object, Repository};

/// What is known. Everything may be missing, and then its part of the answer is undetermined.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'w> {
    /// The repository at a commit, read with [`applications_of`] the same objects.
    pub repository: Option<&'w Repository>,
    /// Its CODEOWNERS.
    pub code_owners: Option<&'w CodeOwners>,
    /// Objects and lists of the cluster's API.
    pub objects: &'w [Value],
    /// What the forge allows.
    pub forge: Option<&'w Snapshot>,
    /// Whose accounts are whose.
    pub people: Option<&'w People>,
    /// The environments.
    pub policy: Option<&'w Policy>,
}

/// The sources, joined.
#[derive(Debug)]
pub struct Joined<'w> {
    pub(crate) sources: Sources<'w>,
    pub(crate) places: Places,
    /// Applications as the API tells them.
    pub(crate) live: Vec<Application>,
    pub(crate) argo: Option<Argo>,
    pub(crate) cluster: Option<Cluster>,
    cluster_is_live: bool,
    gaps: Vec<(World, Gap)>,
}

/// Argo CD's rules and where they live.
#[derive(Debug)]
pub(crate) struct Argo {
    pub(crate) rbac: Rbac,
    /// Its namespace.
    pub(crate) namespace: String,
    /// `argocd-rbac-cm`.
    pub(crate) rules: Arc<Object>,
    /// `argocd-cm`, if it was read.
    pub(crate) settings: Option<Arc<Object>>,
}

/// Which verbs a gap concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum World {
    Merge,
    Argo,
    Cluster,
    All,
}

/// The Applications among objects and lists of an API, for [`repository::Options::applications`].
pub fn applications_of(objects: &[Value]) -> Vec<Application> {
    let objects = flat(objects);
    let objects = objects.iter().map(|o| Application::of(o, repository::Origin::Written));
    objects.flatten().collect()
}

impl<'w> Joined<'w> {
    /// Puts the sources together.
    pub fn new(sources: Sources<'w>) -> Self {
        let live = flat(sources.objects);
        let git: Vec<Arc<Object>> =
            sources.repository.map(|r| r.objects().to_vec()).unwrap_or_default();
        let mut joined = Self {
            sources,
            places: Places::default(),
            live: live
                .iter()
                .filter_map(|o| Application::of(o, repository::Origin::Written))
                .collect(),
            argo: None,
            cluster: None,
            cluster_is_live: false,
            gaps: Vec::new(),
        };
        joined.read_argo(&live, &git);
        joined.read_cluster(&live, &git);
        joined.note_missing();
        joined
    }

    fn read_argo(&mut self, live: &[Arc<Object>], git: &[Arc<Object>]) {
        let maps = |from: &[Arc<Object>], name: &str| -> Vec<Arc<Object>> {
            let own = from.iter().filter(|o| o.is("", "ConfigMap") && o.name() == name);
            own.cloned().collect()
        };
        let mut one = |name: &str| {
            let (in_cluster, in_git) = (maps(live, name), maps(git, name));
            let is_live = !in_cluster.is_empty();
            let mut all = if is_live { in_cluster } else { in_git };
            let why = match all.len() {
                1 if is_live => return all.pop(),
                0 => format!("there is no ConfigMap {name} among the sources"),
                1 => format!("{name} was read from git; what the cluster holds may differ"),
                n => format!("{n} ConfigMaps are called {name}: name the objects of one cluster"),
            };
            self.gaps.push((World::Argo, Gap::new("rights in Argo CD", why)));
            if all.len() == 1 { all.pop() } else { None }
        };
        let (rules, settings) = (one("argocd-rbac-cm"), one("argocd-cm"));
        let Some(rules) = rules else { return };
        let found = |from: &[Arc<Object>]| -> Vec<Arc<Object>> {
            from.iter()
                .filter(|o| o.is(repository::application::ARGO, "AppProject"))
                .cloned()
                .collect()
        };
        let mut projects = found(live);
        if projects.is_empty() {
            projects = found(git);
        }
        self.places.note(&rules);
        let projects = projects.iter().map(|object| {
            let origin = self.places.note(object);
            Project::read(&object.node.to_json(), origin)
        });
        let projects = projects.collect();
        let read = settings.as_ref().map(|s| Settings::read(&data_of(s))).unwrap_or_default();
        if let Some(settings) = &settings {
            self.places.note(settings);
        }
        let rbac = Rbac::new(&data_of(&rules), |key| Places::data(&rules, key), read, projects);
        let namespace = rules.namespace().unwrap_or("argocd").to_owned();
        self.argo = Some(Argo { rbac, namespace, rules, settings });
    }

    fn read_cluster(&mut self, live: &[Arc<Object>], git: &[Arc<Object>]) {
        let is_binding =
            |o: &&Arc<Object>| o.kind == "ClusterRoleBinding" || o.kind == "RoleBinding";
        let is_live = live.iter().any(|o| is_binding(&o));
        let from = if is_live { live } else { git };
        if !from.iter().any(|o| is_binding(&o)) {
            return;
        }
        let mut builder = Builder::default();
        let mut has_admin = false;
        for object in from {
            has_admin |= object.kind == "ClusterRole" && object.name() == "cluster-admin";
            let kinds = ["ServiceAccount", "Namespace"];
            if object.group == "rbac.authorization.k8s.io" || kinds.contains(&object.kind.as_str())
            {
                let origin = self.places.note(object);
                builder.add(&object.node.to_json(), &origin);
            }
        }
        if !has_admin {
            // Every cluster has it; what the other built-in roles hold depends on what is installed.
            let role = serde_json::json!({"kind": "ClusterRole", "metadata": {"name": "cluster-admin"},
                "rules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]});
            builder.add(&role, &Origin::whole("ClusterRole cluster-admin (built in)"));
        }
        let cluster = builder.build();
        self.cluster_is_live = is_live;
        if !is_live {
            let why =
                "roles and bindings were read from git; what was granted by hand is not in it";
            self.gaps.push((World::Cluster, Gap::new("rights in the cluster", why)));
            for binding in cluster.dangling() {
                let why = format!("{} gives {}, which no file defines", binding.id, binding.role);
                let at = Some(self.places.place(&binding.origin));
                let what = "rights in the cluster".to_owned();
                self.gaps.push((World::Cluster, Gap { what, why, at }));
            }
        }
        self.cluster = Some(cluster);
    }

    fn note_missing(&mut self) {
        let mut note = |world, what: &str, why: &str| self.gaps.push((world, Gap::new(what, why)));
        if self.sources.forge.is_none() {
            note(World::Merge, "who can merge and push", "no snapshot of the forge was given");
        }
        if self.sources.repository.is_none() {
            note(World::Merge, "which files are deployed", "no repository was given");
        }
        if self.argo.is_none() {
            note(World::Argo, "who can sync", "Argo CD's rules were not among the sources");
        }
        if self.cluster.is_none() {
            note(World::Cluster, "who can go around Argo CD", "no role bindings were given");
        } else {
            let why = "who holds a certificate of the group system:masters stands in no list";
            note(World::Cluster, "system:masters", why);
        }
        if self.sources.people.is_none() {
            note(World::All, "whose accounts these are", "no people map was given");
        }
    }

    /// The gaps that concern a verb.
    pub(crate) fn gaps(&self, verb: Verb) -> impl Iterator<Item = Gap> + '_ {
        let concerns = move |world: World| match world {
            World::All => true,
            World::Merge => matches!(verb, Verb::Deploy | Verb::Merge),
            World::Argo => !matches!(verb, Verb::Merge | Verb::ReadSecrets),
            World::Cluster => verb != Verb::Merge,
        };
        self.gaps.iter().filter(move |(world, _)| concerns(*world)).map(|(_, gap)| gap.clone())
    }

    /// Whether roles and bindings were read from the cluster, so that what is not there is not given.
    pub(crate) const fn cluster_is_live(&self) -> bool {
        self.cluster_is_live
    }

    /// The ids of all people of the map.
    pub(crate) fn ids(&self) -> Vec<&'w str> {
        self.sources.people.map(|people| people.ids().collect()).unwrap_or_default()
    }

    /// The person who has an account in a field of the map.
    pub(crate) fn person(&self, field: &str, account: &str) -> Option<&'w str> {
        let people = self.sources.people?;
        let same = |own: &str| match field {
            "github_login" => own.eq_ignore_ascii_case(account),
            _ => own == account,
        };
        people.ids().find(|id| people.accounts_in(id, field).any(same))
    }

    /// The people who are in a group, by the map.
    pub(crate) fn members(&self, group: &str) -> Vec<&'w str> {
        let Some(people) = self.sources.people else { return Vec::new() };
        people.ids().filter(|id| people.groups(id).is_some_and(|g| g.contains(group))).collect()
    }

    /// The people of whom the map does not say in which groups they are.
    pub(crate) fn without_groups(&self) -> BTreeSet<&'w str> {
        let Some(people) = self.sources.people else { return BTreeSet::new() };
        people.ids().filter(|id| people.groups(id).is_none()).collect()
    }
}

/// Every object of objects and lists; an item of a list may lack its own kind.
fn flat(values: &[Value]) -> Vec<Arc<Object>> {
    let mut all = Vec::new();
    for value in values {
        let Some(items) = value.get("items").and_then(Value::as_array) else {
            all.extend(Object::of_api(value));
            continue;
        };
        let kind = value["kind"].as_str().and_then(|k| k.strip_suffix("List")).unwrap_or_default();
        for item in items {
            let mut item = item.clone();
            if let Some(members) = item.as_object_mut().filter(|_| !kind.is_empty()) {
                members.entry("kind").or_insert_with(|| kind.into());
                members.entry("apiVersion").or_insert_with(|| value["apiVersion"].clone());
            }
            all.extend(Object::of_api(&item));
        }
    }
    all.into_iter().map(Arc::new).collect()
}

fn data_of(object: &Object) -> BTreeMap<String, String> {
    let data = object.node.get("data");
    let entries = data.map(crate::yaml::Node::entries).unwrap_or_default();
    let texts = entries.iter().map(|entry| {
        (entry.key.text.to_string(), entry.value.scalar_text().unwrap_or_default().to_owned())
    });
    texts.collect()
}
