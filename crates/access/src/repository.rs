//! A GitOps repository at one commit: what it wants to run where, by whose rights, from which files.
//!
//! ```text
//! files ──► manifests ──► kustomizations ──► Applications ──► deployments
//!  path,     objects,      rendered           written,         files, objects,
//!  bytes     charts        leniently          rendered,        child Applications,
//!                                             generated        what was not assessed
//! ```
//!
//! Only git is asked. What would have to be fetched, run or decided by a cluster is *not assessed*,
//! with the reason: [`NotAssessed`]. The caller brings the files ([`File`]); with helm or kustomize
//! at hand it may render what [`Repository::renderings`] asks for and read again with
//! [`Options::rendered`], which [`read_rendered`] does until nothing more is asked for.
//!
//! ```
//! use access::repository::{File, Options, Repository};
//! let text = b"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\n\
//!              spec: {source: {repoURL: https://git.example/r.git, path: web}}\n";
//! let repository = Repository::read(&[File { path: "apps/web.yaml", bytes: text }], &Options::default());
//! assert_eq!(repository.applications()[0].name.place.to_string(), "apps/web.yaml:3");
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::place::Place;
use crate::yaml::{Limits, Problem};

pub mod application;
pub mod application_set;
pub mod chart;
pub mod deployment;
pub mod image;
pub mod kustomization;
mod manifests;
pub mod object;
mod patch;
mod render;
pub mod rendering;
pub mod secret;
mod tree;
pub mod unassessed;
pub mod url;

pub use self::application::{Application, Origin, Project};
pub use self::application_set::ApplicationSet;
pub use self::deployment::Deployment;
pub use self::image::Image;
pub use self::object::Object;
pub use self::render::Deployed;
pub use self::rendering::{Made, Rendering, Tool, read_rendered};
pub use self::secret::{ExternalSecret, SecretStore};
pub use self::unassessed::{NotAssessed, Reason};

use self::application::ARGO;
use self::chart::Chart;
use self::deployment::Deployer;
use self::kustomization::Kustomization;
use self::manifests::Manifests;
use self::render::Renderer;
use self::rendering::{Kept, Outputs};
use self::tree::{Tree, resolve};

/// A file at the commit.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// The path from the root, with `/`.
    pub path: &'a str,
    /// The content.
    pub bytes: &'a [u8],
}

/// How to read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is read at most of one file.
    pub limits: Limits,
    /// The addresses of this repository, as Applications name it. Without any, the one whose paths
    /// are found here most often is taken, and [`Repository::address`] says so.
    pub addresses: Vec<String>,
    /// What helm or kustomize made of the renderings that were asked for.
    pub rendered: BTreeMap<Rendering, Made>,
    /// Whether helm and kustomize are asked at all: then what is not handed to them has a reason.
    pub renders: bool,
    /// Applications as the API tells them. Those that no file holds, because somebody applied them by
    /// hand, join the others: a root Application often stands nowhere else.
    pub applications: Vec<Application>,
}

/// Which address is that of the repository itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// The caller said so.
    Given(Vec<String>),
    /// Most paths of Applications with this address are found here.
    Guessed {
        /// The address, as [`url::normal`] writes it.
        address: String,
        /// How many sources name it.
        sources: usize,
        /// How many of their paths are here.
        found: usize,
    },
    /// No Application names a path that is here.
    Unknown,
}

/// A GitOps repository at one commit.
#[derive(Debug)]
pub struct Repository {
    paths: BTreeSet<Arc<str>>,
    objects: Vec<Arc<Object>>,
    applications: Vec<Application>,
    deployments: Vec<Deployment>,
    parents: Vec<Vec<usize>>,
    application_sets: Vec<ApplicationSet>,
    projects: Vec<Project>,
    kustomizations: BTreeMap<String, Kustomization>,
    charts: BTreeMap<String, Chart>,
    problems: Vec<Problem>,
    not_assessed: Vec<NotAssessed>,
    address: Address,
}

impl Repository {
    /// Reads the files of a commit.
    pub fn read(files: &[File<'_>], options: &Options) -> Self {
        let tree = Tree::new(files.iter().map(|file| (file.path, file.bytes)));
        let manifests = Manifests::read(&tree, &options.limits);
        let mut renderer = Renderer::new(&tree, &manifests, &options.limits);
        let made = &options.rendered;
        let outputs = Outputs::read(made, &tree, &manifests, &mut renderer, &options.limits);
        let mut kept = Kept::default();
        let (found, deployments) = loop {
            let found = Found::read(options, &tree, &manifests, &mut renderer, (&outputs, &kept));
            let mut deployer =
                Deployer::new(&tree, &manifests, &mut renderer, &found.address, options, &outputs);
            let all = found.applications.iter().map(|a| deployer.deployment(a));
            let deployments: Vec<_> = all.collect();
            if !outputs.keep(&deployments, &mut kept) {
                break (found, deployments);
            }
        };
        let Found { objects, applications, application_sets, projects, address, .. } = found;
        let mut deployments = deployments;
        let parents = deployment::link(&applications, &mut deployments);
        let mut not_assessed = unread(&manifests, &outputs, &tree);
        not_assessed.extend(application_sets.iter().flat_map(|set| set.not_assessed.clone()));
        let Manifests { kustomizations, charts, problems, .. } = manifests;
        Self {
            paths: tree.iter().map(|(path, _)| Arc::clone(path)).collect(),
            objects,
            applications,
            deployments,
            parents,
            application_sets,
            projects,
            kustomizations,
            charts,
            problems,
            not_assessed,
            address,
        }
    }

    /// All paths of the commit.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(|path| &**path)
    }

    /// Every object as it would be applied, in the order of paths: as written, or, where a
    /// kustomization changes it, as each outermost kustomization renders it. What patches hold are no
    /// objects, and what templates hold is not known.
    pub fn objects(&self) -> &[Arc<Object>] {
        &self.objects
    }

    /// The objects of a kind; see [`Repository::objects`].
    pub fn objects_of<'r>(
        &'r self,
        group: &'r str,
        kind: &'r str,
    ) -> impl Iterator<Item = &'r Arc<Object>> {
        self.objects.iter().filter(move |object| object.is(group, kind))
    }

    /// Roles, bindings and their like of Kubernetes.
    pub fn kubernetes_rbac(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.iter().filter(|object| object.group == "rbac.authorization.k8s.io")
    }

    /// The `ConfigMap`s of a name: `argocd-cm`, `argocd-rbac-cm`, `argocd-cmd-params-cm`.
    pub fn config_maps<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r Arc<Object>> {
        self.objects_of("", "ConfigMap").filter(move |object| object.name() == name)
    }

    /// Secrets that stand in git; of their values only what they look like.
    pub fn secrets(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects_of("", "Secret")
    }

    /// What takes secrets from elsewhere.
    pub fn external_secrets(&self) -> impl Iterator<Item = ExternalSecret> {
        self.objects.iter().filter_map(|object| ExternalSecret::of(object))
    }

    /// Where secrets are taken from.
    pub fn secret_stores(&self) -> impl Iterator<Item = SecretStore> {
        self.objects.iter().filter_map(|object| SecretStore::of(object))
    }

    /// Every Application: written, rendered by a kustomization, made by an `ApplicationSet`.
    pub fn applications(&self) -> &[Application] {
        &self.applications
    }

    /// What an Application deploys; the index is that in [`Repository::applications`].
    pub fn deployment(&self, application: usize) -> &Deployment {
        &self.deployments[application]
    }

    /// Applications with what they deploy.
    pub fn deployments(&self) -> impl Iterator<Item = (&Application, &Deployment)> {
        self.applications.iter().zip(&self.deployments)
    }

    /// The Applications that deploy an Application's own manifest: whoever may write to what they
    /// deploy decides what this one deploys. None for one that somebody applies by hand.
    pub fn parents(&self, application: usize) -> impl Iterator<Item = usize> {
        self.parents[application].iter().copied()
    }

    /// The `ApplicationSet`s.
    pub fn application_sets(&self) -> &[ApplicationSet] {
        &self.application_sets
    }

    /// The projects.
    pub fn projects(&self) -> &[Project] {
        &self.projects
    }

    /// The kustomizations by folder.
    pub fn kustomizations(&self) -> &BTreeMap<String, Kustomization> {
        &self.kustomizations
    }

    /// The charts by folder.
    pub fn charts(&self) -> &BTreeMap<String, Chart> {
        &self.charts
    }

    /// What is wrong with files that look like manifests.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What was not assessed, apart from what [`Deployment::not_assessed`] says of each.
    pub fn not_assessed(&self) -> &[NotAssessed] {
        &self.not_assessed
    }

    /// Which address is this repository's own, and how that is known.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What was rendered of this reading, failures included.
    pub fn rendered(&self) -> BTreeSet<Rendering> {
        self.deployments.iter().flat_map(|d| d.rendered.iter().cloned()).collect()
    }

    /// Notes that renderings hang on one another without an end, so that none of them counts.
    fn note_unsettled(&mut self) {
        for deployment in &mut self.deployments {
            for rendering in &deployment.renderings {
                let folder = &rendering.folder;
                let place = match rendering.tool() {
                    Tool::Helm => self.charts.get(folder).map(|chart| &chart.place),
                    Tool::Kustomize => self.kustomizations.get(folder).map(|own| &own.place),
                };
                let place = place.cloned().unwrap_or_else(|| Place::file(folder));
                let said = "renderings hang on one another without an end".to_owned();
                let reason = Reason::Failed { tool: rendering.tool(), said };
                deployment.not_assessed.push(NotAssessed { place, reason });
            }
        }
    }

    /// What helm and kustomize would have to render for a full reading.
    pub fn renderings(&self) -> BTreeSet<Rendering> {
        self.deployments
            .iter()
            .flat_map(|deployment| deployment.renderings.iter().cloned())
            .collect()
    }
}

impl Address {
    /// Whether a source's address is this repository's.
    pub fn is(&self, url: &str) -> bool {
        let url = url::normal(url);
        match self {
            Self::Given(all) => all.contains(&url),
            Self::Guessed { address, .. } => *address == url,
            Self::Unknown => false,
        }
    }
}

/// The live Applications that no file holds. A name may be taken once in each namespace; one that a
/// file or the API leaves out may be any.
fn handmade(live: &[Application], written: &[Application]) -> Vec<Application> {
    let mut known: HashMap<&str, Vec<Option<&String>>> = HashMap::new();
    for Application { name, namespace, .. } in written {
        known.entry(&name.value).or_default().push(namespace.as_ref().map(|n| &n.value));
    }
    let is_new = |Application { name, namespace, .. }: &&Application| {
        let own = namespace.as_ref().map(|n| &n.value);
        let mut same = known.get(name.value.as_str()).into_iter().flatten();
        !same.any(|other| other.is_none() || own.is_none() || *other == own)
    };
    live.iter().filter(is_new).cloned().collect()
}

fn address(options: &Options, applications: &[Application], tree: &Tree<'_>) -> Address {
    if !options.addresses.is_empty() {
        return Address::Given(options.addresses.iter().map(|a| url::normal(a)).collect());
    }
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for source in applications.iter().flat_map(|application| &application.sources) {
        let (Some(url), Some(path)) = (&source.repo_url, &source.path) else { continue };
        let count = counts.entry(url::normal(&url.value)).or_default();
        let is_here =
            resolve("", &path.value).is_some_and(|p| !p.is_empty() && tree.has_folder(&p));
        count.0 += 1;
        count.1 += usize::from(is_here);
    }
    // Half of the paths must be here: paths such as `manifests` are in many repositories.
    let likely =
        counts.into_iter().filter(|(_, (sources, found))| *found * 2 >= *sources && *found > 0);
    let best = likely.max_by(|a, b| (a.1.1, &b.0).cmp(&(b.1.1, &a.0)));
    best.map_or(Address::Unknown, |(address, (sources, found))| Address::Guessed {
        address,
        sources,
        found,
    })
}

fn unread(manifests: &Manifests, outputs: &Outputs, tree: &Tree<'_>) -> Vec<NotAssessed> {
    let charts = outputs.made().filter(|(made, _)| made.tool() == Tool::Helm);
    let rendered: HashSet<&Arc<str>> =
        charts.flat_map(|(made, _)| rendering::parts(&made.folder, tree)).collect();
    let one = |(path, reason): (&Arc<str>, &Reason)| NotAssessed {
        place: Place::file(path),
        reason: reason.clone(),
    };
    let is_left = |(path, reason): &(&Arc<str>, &Reason)| {
        !(matches!(reason, Reason::Template { .. }) && rendered.contains(path))
    };
    manifests.unread.iter().filter(is_left).map(one).collect()
}

/// What the manifests hold, as it would be applied.
struct Found {
    objects: Vec<Arc<Object>>,
    applications: Vec<Application>,
    application_sets: Vec<ApplicationSet>,
    sets: Vec<Arc<Object>>,
    projects: Vec<Project>,
    address: Address,
}

impl Found {
    /// Everything, with the Applications that `ApplicationSet`s make and those that the API tells.
    fn read(
        options: &Options,
        tree: &Tree<'_>,
        manifests: &Manifests,
        renderer: &mut Renderer<'_>,
        tools: (&Outputs, &Kept),
    ) -> Self {
        let mut found = Self::gather(manifests, renderer, tools);
        found.address = address(options, &found.applications, tree);
        for object in &found.sets {
            let made = ApplicationSet::of(object, tree, &|url| found.address.is(url));
            if let Some((set, generated)) = made {
                found.application_sets.push(set);
                found.applications.extend(generated);
            }
        }
        let live = handmade(&options.applications, &found.applications);
        found.applications.extend(live);
        found
    }

    fn gather(
        manifests: &Manifests,
        renderer: &mut Renderer<'_>,
        (outputs, kept): (&Outputs, &Kept),
    ) -> Self {
        let patches = manifests.patch_files();
        let (made, replaced, held) = rendered(manifests, renderer, outputs, kept);
        let by_tool = outputs.replaced(kept);
        let is_own = |object: &Arc<Object>| {
            let at = Arc::as_ptr(object);
            !replaced.contains(&object.place)
                && (held.contains(&at) || !by_tool.objects.contains(&at))
                && (held.contains(&at)
                    || kept.objects.contains(&at)
                    || !by_tool.places.contains(&object.place))
        };
        let mut found = Self {
            objects: Vec::new(),
            applications: Vec::new(),
            application_sets: Vec::new(),
            sets: Vec::new(),
            projects: Vec::new(),
            address: Address::Unknown,
        };
        for (path, objects) in &manifests.by_file {
            if patches.contains(&**path) {
                continue;
            }
            for object in objects.iter().filter(|object| is_own(object)) {
                found.add(object, Origin::Written);
            }
        }
        for (object, by) in made {
            found.add(&object, Origin::Rendered(by));
        }
        found.add_rendered(manifests, outputs, kept);
        found
    }

    fn add_rendered(&mut self, manifests: &Manifests, outputs: &Outputs, kept: &Kept) {
        // What is deployed as it is, and is rendered to the very same, is one.
        let told = |o: &Object| (o.group.clone(), o.node.to_json().to_string());
        let own = self.objects.iter().filter(|o| kept.objects.contains(&Arc::as_ptr(o)));
        let own: HashSet<_> = own.map(|object| told(object)).collect();
        // One chart for two environments may bring the same object twice.
        let mut seen: HashMap<(&str, &str, Option<&str>, &Place), &Object> = HashMap::new();
        for (rendering, output) in outputs.made() {
            let by = manifests.of_rendering(rendering);
            for object in output.objects.iter().map(|deployed| &deployed.object) {
                let key = (&*object.kind, object.name(), object.namespace(), &object.place);
                if !object.is("", "Secret") && own.contains(&told(object)) {
                    continue;
                }
                if seen.insert(key, object).is_none_or(|same| same.node != object.node) {
                    self.add(object, Origin::Rendered(by.clone()));
                }
            }
        }
    }

    fn add(&mut self, object: &Arc<Object>, origin: Origin) {
        self.objects.push(Arc::clone(object));
        if object.group != ARGO {
            return;
        }
        self.applications.extend(Application::of(object, origin));
        self.projects.extend(Project::of(object));
        if object.kind == "ApplicationSet" {
            self.sets.push(Arc::clone(object));
        }
    }
}

/// Objects with the kustomization, the places of those they are made from, and all that those
/// kustomizations hold.
type OfKustomizations = (Vec<(Arc<Object>, Place)>, HashSet<Place>, HashSet<*const Object>);

/// Objects as the outermost kustomizations render them. What a tool rendered is left to it, unless it is deployed as it is
/// too.
fn rendered(
    manifests: &Manifests,
    renderer: &mut Renderer<'_>,
    outputs: &Outputs,
    kept: &Kept,
) -> OfKustomizations {
    let mut inner = BTreeSet::new();
    for kustomization in manifests.kustomizations.values() {
        for resource in &kustomization.resources {
            inner.extend(resolve(&kustomization.folder, &resource.value));
        }
    }
    let made: HashSet<String> = outputs.made().map(|(made, _)| made.folder.clone()).collect();
    let (mut all, mut seen) = (Vec::new(), HashSet::new());
    let (mut replaced, mut held) = (HashSet::new(), HashSet::new());
    for kustomization in manifests.kustomizations.values() {
        let folder = &kustomization.folder;
        let is_outer = !inner.contains(folder) && !made.contains(folder);
        if !is_outer && !kept.folders.contains(folder) {
            continue;
        }
        let whole = renderer.folder(folder);
        held.extend(whole.objects.iter().map(|deployed| Arc::as_ptr(&deployed.object)));
        for deployed in whole.objects.iter().filter(|deployed| deployed.is_rendered) {
            if is_outer {
                replaced.insert(deployed.object.place.clone());
            }
            if seen.insert(Arc::as_ptr(&deployed.object)) || made.is_empty() {
                all.push((Arc::clone(&deployed.object), kustomization.place.clone()));
            }
        }
    }
    (all, replaced, held)
}
