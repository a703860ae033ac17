//! Applications: what is to run where, from which repository, path and revision, and who syncs.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::object::Object;
use crate::place::{Located, Place};
use crate::yaml::Node;

/// The API group of Argo CD.
pub const ARGO: &str = "argoproj.io";

/// An Argo CD Application.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// Its name.
    pub name: Located<String>,
    /// Its namespace, where it names one; Argo CD's own otherwise.
    pub namespace: Option<Located<String>>,
    /// Its project; `default` at the place of `spec` when it names none, as Argo CD takes it.
    pub project: Located<String>,
    /// Where its manifests come from, in order; one of several may only bring values.
    pub sources: Vec<Source>,
    /// Where they go.
    pub destination: Destination,
    /// Who starts a sync.
    pub sync: SyncPolicy,
    /// How this reading came by it.
    pub origin: Origin,
    /// The object.
    pub object: Arc<Object>,
}

/// How a reading came by an Application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Written as it is.
    Written,
    /// Put together by a kustomization, which stands there.
    Rendered(Place),
    /// Made by an `ApplicationSet`, which stands there.
    Generated(Place),
}

/// Where manifests come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Where it stands.
    pub place: Place,
    /// The repository.
    pub repo_url: Option<Located<String>>,
    /// The folder in it.
    pub path: Option<Located<String>>,
    /// The chart, of a Helm repository.
    pub chart: Option<Located<String>>,
    /// The revision; `HEAD` when it names none.
    pub target_revision: Option<Located<String>>,
    /// The name by which other sources take values from it.
    pub reference: Option<Located<String>>,
    /// Value files of Helm, `$name/…` from another source.
    pub value_files: Vec<Located<String>>,
    /// Whether folders below are read too.
    pub recurse: bool,
    /// Which files are read.
    pub include: Option<Located<String>>,
    /// Which are not.
    pub exclude: Option<Located<String>>,
    /// A plugin that renders it.
    pub plugin: Option<Located<String>>,
    /// What the Application itself lays over the manifests: `helm`, `kustomize`, `directory`.
    pub overrides: Vec<Located<String>>,
    /// What it tells the tool that renders. May hold secrets, so it is not shown.
    #[serde(skip)]
    pub settings: Settings,
}

/// What an Application tells helm and kustomize, as it is written.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `helm`.
    pub helm: serde_json::Value,
    /// `kustomize`.
    pub kustomize: serde_json::Value,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings")
    }
}

/// Where manifests go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// Where it stands.
    pub place: Place,
    /// The address of the cluster.
    pub server: Option<Located<String>>,
    /// The name of the cluster.
    pub name: Option<Located<String>>,
    /// The namespace.
    pub namespace: Option<Located<String>>,
}

/// Who starts a sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SyncPolicy {
    /// Where it stands; the Application's `spec` when there is none.
    pub place: Place,
    /// Syncs that start by themselves; `None` when people start them.
    pub automated: Option<Automated>,
    /// `syncOptions`.
    pub options: Vec<Located<String>>,
}

/// Syncs that start by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Automated {
    /// Where it stands.
    pub place: Place,
    /// Whether what is gone from git is deleted.
    pub prune: bool,
    /// Whether drift is undone.
    pub self_heal: bool,
}

impl Application {
    /// Reads an Application; `None` for other kinds and for one without a name.
    pub fn of(object: &Arc<Object>, origin: Origin) -> Option<Self> {
        if !object.is(ARGO, "Application") {
            return None;
        }
        let written = object.node.entry("spec")?;
        let (spec, at) = (&written.value, &written.key.place);
        let project = spec.located("project");
        let single = spec.get("source");
        let several = spec.get("sources").map(Node::items).unwrap_or_default();
        // Argo CD takes `sources` when both are there.
        let written: Vec<&Node> = if several.is_empty() {
            single.into_iter().collect()
        } else {
            several.iter().collect()
        };
        // Rendered by Argo CD's own hydrator: what it reads and what it deploys from.
        let hydrated = spec.get("sourceHydrator").into_iter();
        let hydrated = hydrated.filter_map(|h| Some((h.get("drySource")?, h.get("syncSource")?)));
        let mut sources: Vec<Source> = written.into_iter().map(Source::of).collect();
        for (dry, sync) in hydrated {
            let mut source = Source::of(sync);
            source.repo_url = source.repo_url.or_else(|| dry.located("repoURL"));
            source.target_revision = sync.located("targetBranch");
            sources.extend([Source::of(dry), source]);
        }
        Some(Self {
            name: object.name.clone()?,
            namespace: object.namespace.clone(),
            project: project.unwrap_or_else(|| Located::new("default".to_owned(), at)),
            sources,
            destination: Destination::of(spec),
            sync: SyncPolicy::of(spec),
            origin,
            object: Arc::clone(object),
        })
    }

    /// Where it stands.
    pub fn place(&self) -> &Place {
        &self.object.place
    }

    /// Whether a sync starts by itself when the manifests change.
    pub fn syncs_itself(&self) -> bool {
        self.sync.automated.is_some()
    }
}

impl Source {
    fn of(node: &Node) -> Self {
        let directory = node.get("directory");
        let overrides = node.entries().iter().filter(|entry| {
            matches!(&*entry.key.text, "helm" | "kustomize" | "directory") && !entry.value.is_null()
        });
        let overrides = overrides.map(|e| Located::new(e.key.text.to_string(), &e.key.place));
        let recurse = directory.and_then(|d| d.get("recurse")).and_then(Node::as_bool);
        let plugin = node.get("plugin");
        let name = |node: &Node| node.located("name");
        Self {
            place: node.place.clone(),
            repo_url: node.located("repoURL"),
            path: node.located("path"),
            chart: node.located("chart"),
            target_revision: node.located("targetRevision"),
            reference: node.located("ref"),
            value_files: node
                .get("helm")
                .map(|h| h.located_items("valueFiles"))
                .unwrap_or_default(),
            recurse: recurse.unwrap_or(false),
            include: directory.and_then(|d| d.located("include")),
            exclude: directory.and_then(|d| d.located("exclude")),
            plugin: plugin
                .map(|p| name(p).unwrap_or_else(|| Located::new(String::new(), &p.place))),
            overrides: overrides.collect(),
            settings: Settings {
                helm: node.get("helm").map(Node::to_json).unwrap_or_default(),
                kustomize: node.get("kustomize").map(Node::to_json).unwrap_or_default(),
            },
        }
    }

    /// The revision it follows; `HEAD` when it names none.
    pub fn revision(&self) -> &str {
        self.target_revision.as_ref().map_or("HEAD", |revision| &revision.value)
    }

    /// Whether it is held at one commit, by the commit's full id.
    pub fn is_pinned(&self) -> bool {
        let revision = self.revision();
        matches!(revision.len(), 40 | 64) && revision.bytes().all(|b| b.is_ascii_hexdigit())
    }
}

impl Destination {
    fn of(spec: &Node) -> Self {
        let node = spec.get("destination").unwrap_or(spec);
        let at = |key| spec.get("destination").and_then(|d| d.located(key));
        let (server, name, namespace) = (at("server"), at("name"), at("namespace"));
        Self { place: node.place.clone(), server, name, namespace }
    }
}

impl SyncPolicy {
    fn of(spec: &Node) -> Self {
        let policy = spec.get("syncPolicy");
        let automated = policy.and_then(|p| p.get("automated")).filter(|a| !a.is_null());
        let truth = |node: &Node, key: &str| node.get(key).and_then(Node::as_bool);
        // `enabled: false` switches it off and leaves the rest standing.
        let automated = automated.filter(|a| truth(a, "enabled") != Some(false));
        Self {
            place: policy.unwrap_or(spec).place.clone(),
            automated: automated.map(|node| Automated {
                place: node.place.clone(),
                prune: truth(node, "prune").unwrap_or(false),
                self_heal: truth(node, "selfHeal").unwrap_or(false),
            }),
            options: policy.map(|p| p.located_items("syncOptions")).unwrap_or_default(),
        }
    }
}

/// An Argo CD project: from where its Applications may take, and to where they may bring.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// Its name.
    pub name: Located<String>,
    /// Repositories.
    pub source_repos: Vec<Located<String>>,
    /// Clusters and namespaces.
    pub destinations: Vec<Destination>,
    /// Kinds of the whole cluster that may be deployed, `group/kind`.
    pub cluster_kinds: Vec<Located<String>>,
    /// Roles that stand in the project itself.
    pub roles: Vec<ProjectRole>,
    /// The object; sync windows and the rest stand in it.
    pub object: Arc<Object>,
}

/// A role of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProjectRole {
    /// Its name.
    pub name: Located<String>,
    /// Its rules, as lines of the policy language.
    pub policies: Vec<Located<String>>,
    /// The groups that have it.
    pub groups: Vec<Located<String>>,
    /// How many tokens the manifest lists.
    pub tokens: usize,
}

impl Project {
    /// Reads a project; `None` for other kinds.
    pub fn of(object: &Arc<Object>) -> Option<Self> {
        if !object.is(ARGO, "AppProject") {
            return None;
        }
        let spec = object.node.get("spec").unwrap_or(&object.node);
        let list = |key: &str| spec.get(key).map(Node::items).unwrap_or_default();
        let destinations = list("destinations").iter().map(|node| Destination {
            place: node.place.clone(),
            server: node.located("server"),
            name: node.located("name"),
            namespace: node.located("namespace"),
        });
        let kinds = list("clusterResourceWhitelist").iter().map(|node| {
            let part = |key| node.get(key).and_then(Node::scalar_text).unwrap_or_default();
            Located::new(format!("{}/{}", part("group"), part("kind")), &node.place)
        });
        let roles = list("roles").iter().filter_map(|node| {
            Some(ProjectRole {
                name: node.located("name")?,
                policies: node.located_items("policies"),
                groups: node.located_items("groups"),
                tokens: node.get("jwtTokens").map_or(0, |tokens| tokens.items().len()),
            })
        });
        Some(Self {
            name: object.name.clone()?,
            source_repos: spec.located_items("sourceRepos"),
            destinations: destinations.collect(),
            cluster_kinds: kinds.collect(),
            roles: roles.collect(),
            object: Arc::clone(object),
        })
    }
}
