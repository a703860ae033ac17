//! What a question is about: Applications, those that deploy them, their files and namespaces.

use std::collections::{BTreeMap, BTreeSet};

use super::Question;
use super::answer::{Gap, Reached};
use super::world::Joined;
use crate::argocd::AppName;
use crate::glob;
use crate::place::Place;
use crate::policy::Environment;
use crate::repository::application::Source;
use crate::repository::{Address, Application, Deployment, Repository};

/// The Applications of a question.
pub(crate) struct Scope {
    pub(crate) environment: Option<String>,
    pub(crate) targets: Vec<Target>,
    pub(crate) namespaces: BTreeSet<String>,
    /// Paths that the policy counts to the environment, beside what is deployed.
    pub(crate) paths: Vec<String>,
    pub(crate) gaps: Vec<Gap>,
}

/// One Application.
pub(crate) struct Target {
    pub(crate) name: String,
    /// Its number in the repository, where one was read.
    pub(crate) index: Option<usize>,
    /// Where its manifests come from.
    pub(crate) sources: Vec<Source>,
    /// Its name in Argo CD's rights.
    pub(crate) rights: AppName,
    pub(crate) place: Place,
    /// Where it says that it syncs itself.
    pub(crate) automated: Option<Place>,
    /// What it follows of this repository, for each source that takes something from it.
    pub(crate) follows: Vec<Follow>,
    /// Files of this repository that decide what it deploys.
    pub(crate) files: BTreeSet<String>,
    /// The Applications that deploy its own manifest.
    pub(crate) parents: Vec<String>,
    /// Whether it is only here because it deploys another.
    pub(crate) is_root: bool,
    /// The namespaces that it deploys to, by its destination and by its manifests.
    pub(crate) namespaces: BTreeSet<String>,
}

/// What a source follows.
pub(crate) struct Follow {
    /// The branch or tag; `HEAD` is the branch of record.
    pub(crate) revision: String,
    /// Where it is held at one commit.
    pub(crate) pinned: Option<Place>,
}

impl Scope {
    /// Finds what a question is about.
    pub(crate) fn of(joined: &Joined<'_>, question: &Question) -> Self {
        let mut scope = Self {
            environment: question.environment.clone(),
            targets: Vec::new(),
            namespaces: BTreeSet::new(),
            paths: Vec::new(),
            gaps: Vec::new(),
        };
        let environments = scope.environments(joined, question);
        let known = Known::of(joined);
        let is_asked = |name: &str| match &question.application {
            Some(asked) => asked == name,
            None if environments.is_empty() => scope.environment.is_none(),
            None => {
                joined.sources.policy.and_then(|policy| policy.environment_of(name)).is_some_and(
                    |(own, _)| environments.iter().any(|e| e.name.value == own.name.value),
                )
            }
        };
        let asked: Vec<usize> = (0..known.all.len()).filter(|i| is_asked(known.name(*i))).collect();
        if asked.is_empty() {
            scope.gaps.push(Gap::new(
                "which Applications this is about",
                "none of that name or environment is among the sources",
            ));
        }
        for (at, is_root) in known.with_roots(&asked) {
            scope.add(&known, at, is_root);
        }
        for environment in environments {
            scope.paths.extend(environment.paths.iter().map(|p| p.value.clone()));
            scope.namespaces.extend(namespaces_of(joined, environment));
        }
        scope
    }

    fn environments<'j>(
        &mut self,
        joined: &Joined<'j>,
        question: &Question,
    ) -> Vec<&'j Environment> {
        if question.application.is_some() {
            return Vec::new();
        }
        let Some(policy) = joined.sources.policy else {
            if let Some(name) = &question.environment {
                let why = "no policy was given that says what belongs to it";
                self.gaps.push(Gap::new(format!("the environment {name}"), why));
            }
            return Vec::new();
        };
        if let Some(name) = &question.environment {
            return policy.environment(name).into_iter().collect();
        }
        let found: Vec<_> = policy.production().collect();
        let names: Vec<_> = found.iter().map(|e| e.name.value.as_str()).collect();
        self.environment = Some(names.join(", "));
        found
    }

    fn add(&mut self, known: &Known<'_>, at: usize, is_root: bool) {
        let (application, deployment) = known.all[at];
        // What the cluster holds counts over what git wants.
        let live = known.live_of(application).unwrap_or(application);
        let own = |files: &BTreeSet<_>| {
            files.iter().map(|f: &std::sync::Arc<str>| f.to_string()).collect()
        };
        let namespace = live.namespace.as_ref().map_or("", |n| &n.value);
        let manifests = deployment.into_iter().flat_map(|d| &d.objects);
        let by_manifest = manifests.filter_map(|deployed| deployed.namespace.clone());
        let destination = live.destination.namespace.iter().map(|n| n.value.clone());
        let namespaces: BTreeSet<String> = destination.chain(by_manifest).collect();
        if !is_root {
            self.namespaces.extend(namespaces.iter().cloned());
        }
        self.targets.push(Target {
            name: application.name.value.clone(),
            index: deployment.map(|_| at),
            sources: live.sources.clone(),
            rights: AppName::new(
                &live.project.value,
                namespace,
                &live.name.value,
                &known.argo_namespace,
            ),
            place: application.place().clone(),
            automated: live.sync.automated.as_ref().map(|a| a.place.clone()),
            follows: known.follows(live),
            files: deployment.map(|d| own(&d.files)).unwrap_or_default(),
            parents: known.parents(at).map(|p| known.name(p).to_owned()).collect(),
            is_root,
            namespaces,
        });
        let name = &application.name.value;
        for one in deployment.iter().flat_map(|d| &d.not_assessed) {
            self.gaps.push(Gap {
                what: format!("all that {name} deploys"),
                why: one.reason.to_string(),
                at: Some(one.place.clone()),
            });
        }
    }

    /// The Applications, for the answer.
    pub(crate) fn reached(&self) -> Vec<Reached> {
        let one = |target: &Target| Reached {
            name: target.name.clone(),
            at: target.place.clone(),
            syncs_itself: target.automated.is_some(),
            is_root: target.is_root,
        };
        self.targets.iter().map(one).collect()
    }
}

/// Every Application that is known, of git and of the cluster.
struct Known<'k> {
    all: Vec<(&'k Application, Option<&'k Deployment>)>,
    live: BTreeMap<&'k str, Vec<&'k Application>>,
    parents: Vec<Vec<usize>>,
    argo_namespace: String,
    address: Option<&'k Address>,
}

impl<'k> Known<'k> {
    fn of(joined: &'k Joined<'_>) -> Self {
        let mut live: BTreeMap<&str, Vec<&Application>> = BTreeMap::new();
        for application in &joined.live {
            live.entry(&application.name.value).or_default().push(application);
        }
        let argo_namespace =
            joined.argo.as_ref().map_or_else(|| "argocd".to_owned(), |a| a.namespace.clone());
        let (all, parents) = match joined.sources.repository {
            Some(repository) => (
                repository.deployments().map(|(a, d)| (a, Some(d))).collect::<Vec<_>>(),
                (0..repository.applications().len())
                    .map(|i| repository.parents(i).collect())
                    .collect(),
            ),
            None => (joined.live.iter().map(|a| (a, None)).collect(), Vec::new()),
        };
        let address = joined.sources.repository.map(Repository::address);
        Self { all, live, parents, argo_namespace, address }
    }

    /// What the cluster holds of an Application. Another namespace may hold one of the same name.
    fn live_of(&self, application: &Application) -> Option<&'k Application> {
        let space = |a: &Application| {
            a.namespace.as_ref().map_or_else(|| self.argo_namespace.clone(), |n| n.value.clone())
        };
        let same = self.live.get(application.name.value.as_str())?;
        let own = same.iter().find(|live| space(live) == space(application)).copied();
        // A file may leave the namespace to whoever applies it.
        let only = (application.namespace.is_none() && same.len() == 1).then(|| same[0]);
        own.or(only)
    }

    /// What the sources that take something from this repository follow.
    fn follows(&self, application: &Application) -> Vec<Follow> {
        let sources = || application.sources.iter();
        let named = |reference: &str| {
            let files = sources().flat_map(|source| &source.value_files);
            let names = files.filter_map(|file| file.value.strip_prefix('$')?.split_once('/'));
            names.into_iter().any(|(name, _)| name == reference)
        };
        let gives = |source: &&Source| {
            let url = source.repo_url.as_ref().map(|url| url.value.as_str());
            let is_own = url.is_some_and(|url| self.address.is_some_and(|own| own.is(url)));
            let is_named = source.reference.as_ref().is_some_and(|r| named(&r.value));
            is_own && source.chart.is_none() && (source.path.is_some() || is_named)
        };
        let follow = |source: &Source| {
            let revision = source.revision();
            let pin = source.target_revision.as_ref().filter(|_| source.is_pinned());
            Follow {
                revision: revision.strip_prefix("refs/heads/").unwrap_or(revision).to_owned(),
                pinned: pin.map(|revision| revision.place.clone()),
            }
        };
        sources().filter(gives).map(follow).collect()
    }

    fn name(&self, at: usize) -> &str {
        &self.all[at].0.name.value
    }

    fn parents(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        self.parents.get(at).into_iter().flatten().copied()
    }

    /// The Applications asked about and, marked, all that deploy them.
    fn with_roots(&self, asked: &[usize]) -> Vec<(usize, bool)> {
        let mut found: BTreeMap<usize, bool> = asked.iter().map(|at| (*at, false)).collect();
        let mut open: Vec<usize> = asked.to_vec();
        while let Some(at) = open.pop() {
            for parent in self.parents(at) {
                if let std::collections::btree_map::Entry::Vacant(entry) = found.entry(parent) {
                    entry.insert(true);
                    open.push(parent);
                }
            }
        }
        found.into_iter().collect()
    }
}

/// The namespaces of the cluster that an environment names; a glob counts for those that are known.
fn namespaces_of(joined: &Joined<'_>, environment: &Environment) -> BTreeSet<String> {
    let known: BTreeSet<&str> =
        joined.cluster.iter().flat_map(crate::kubernetes::Cluster::namespaces).collect();
    let named = environment.namespaces.iter().map(|n| n.value.as_str());
    let mut found = BTreeSet::new();
    for pattern in named {
        found.extend(known.iter().filter(|n| glob::matches(pattern, n)).map(|n| (*n).to_owned()));
    }
    found
}
