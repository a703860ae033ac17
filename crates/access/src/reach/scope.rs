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
use crate::repository::{Application, Deployment};

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
    /// Where it is held at one commit.
    pub(crate) pinned: Option<Place>,
    /// The branch or tag that it follows; `HEAD` is the branch of record.
    pub(crate) revision: String,
    /// Files of this repository that decide what it deploys.
    pub(crate) files: BTreeSet<String>,
    /// The Applications that deploy its own manifest.
    pub(crate) parents: Vec<String>,
    /// Whether it is only here because it deploys another.
    pub(crate) is_root: bool,
    /// The namespace that it deploys to.
    pub(crate) namespace: Option<String>,
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
        let live = known.live.get(known.name(at)).copied().unwrap_or(application);
        let first = live.sources.first();
        let pinned = first.filter(|s| s.is_pinned()).and_then(|s| s.target_revision.as_ref());
        let own = |files: &BTreeSet<_>| {
            files.iter().map(|f: &std::sync::Arc<str>| f.to_string()).collect()
        };
        let namespace = live.namespace.as_ref().map_or("", |n| &n.value);
        if !is_root {
            self.namespaces.extend(live.destination.namespace.iter().map(|n| n.value.clone()));
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
            pinned: pinned.map(|revision| revision.place.clone()),
            revision: first.map_or_else(|| "HEAD".to_owned(), |s| s.revision().to_owned()),
            files: deployment.map(|d| own(&d.files)).unwrap_or_default(),
            parents: known.parents(at).map(|p| known.name(p).to_owned()).collect(),
            is_root,
            namespace: live.destination.namespace.as_ref().map(|n| n.value.clone()),
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
    live: BTreeMap<&'k str, &'k Application>,
    parents: Vec<Vec<usize>>,
    argo_namespace: String,
}

impl<'k> Known<'k> {
    fn of(joined: &'k Joined<'_>) -> Self {
        let live = joined.live.iter().map(|a| (a.name.value.as_str(), a)).collect();
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
        Self { all, live, parents, argo_namespace }
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
