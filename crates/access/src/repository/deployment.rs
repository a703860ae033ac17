//! What an Application deploys: from which files, which objects, and what could not be told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::application::{ARGO, Application, Origin, Source};
use super::manifests::{Manifests, is_manifest_name};
use super::render::{Deployed, Renderer};
use super::rendering::{self, Outputs, Rendering, helm_job, kustomize_job};
use super::tree::{Tree, resolve};
use super::unassessed::{NotAssessed, Reason};
use super::{Address, Options};
use crate::glob;
use crate::place::Place;

/// What an Application deploys, as far as the commit that was read shows it. An Application that is
/// pinned deploys what its commit holds: see [`Source::is_pinned`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deployment {
    /// The files that decide what is deployed: whoever may change one of them changes it. Bases and
    /// patches are among them, and all of a chart's folder.
    pub files: BTreeSet<Arc<str>>,
    /// The objects.
    pub objects: Vec<Deployed>,
    /// What could not be told.
    pub not_assessed: Vec<NotAssessed>,
    /// The Applications that it deploys (app-of-apps), by their index.
    pub applications: Vec<usize>,
    /// Folders of this repository that it deploys from.
    pub folders: Vec<String>,
    /// What helm or kustomize would have to render.
    pub renderings: Vec<Rendering>,
    /// What was to be rendered, and came to something, be it a failure.
    pub rendered: Vec<Rendering>,
    /// The folders whose rendering was made: the objects are what the tool wrote.
    pub made: BTreeSet<String>,
    /// The folders of which it has what this crate reads by itself.
    pub plain: BTreeSet<String>,
}

/// Reads deployments.
pub(super) struct Deployer<'d, 'r> {
    tree: &'d Tree<'d>,
    manifests: &'d Manifests,
    renderer: &'d mut Renderer<'r>,
    address: &'d Address,
    options: &'d Options,
    outputs: &'d Outputs,
}

impl<'d, 'r> Deployer<'d, 'r> {
    pub(super) fn new(
        tree: &'d Tree<'d>,
        manifests: &'d Manifests,
        renderer: &'d mut Renderer<'r>,
        address: &'d Address,
        options: &'d Options,
        outputs: &'d Outputs,
    ) -> Self {
        Self { tree, manifests, renderer, address, options, outputs }
    }

    pub(super) fn deployment(&mut self, application: &Application) -> Deployment {
        let mut out = Deployment::default();
        for source in &application.sources {
            self.source(application, source, &mut out);
        }
        out
    }

    fn source(&mut self, application: &Application, source: &Source, out: &mut Deployment) {
        let mut unassessed = |place: &Place, reason| {
            out.not_assessed.push(NotAssessed { place: place.clone(), reason });
        };
        if let Some(chart) = &source.chart {
            let from = source.repo_url.as_ref().map_or("", |url| &url.value);
            unassessed(&chart.place, Reason::Chart(format!("{} of {from}", chart.value)));
            return self.value_files(application, source, "", &mut out.files);
        }
        let Some(url) = &source.repo_url else { return };
        if !self.address.is(&url.value) {
            return unassessed(&url.place, Reason::OtherRepository(url.value.clone()));
        }
        let Some(path) = &source.path else { return };
        let folder = resolve("", &path.value).filter(|folder| self.tree.has_folder(folder));
        let Some(folder) = folder else {
            return unassessed(&path.place, Reason::Missing(path.value.clone()));
        };
        if let Some(plugin) = &source.plugin {
            unassessed(&plugin.place, Reason::Plugin);
            out.files.extend(self.tree.under(&folder).cloned());
        } else if self.manifests.charts.contains_key(&folder) {
            self.chart(application, source, &folder, out);
        } else if self.manifests.kustomizations.contains_key(&folder) {
            self.kustomization(application, source, &folder, out);
        } else {
            self.directory(source, &folder, out);
        }
        out.folders.push(folder);
    }

    fn chart(
        &self,
        application: &Application,
        source: &Source,
        folder: &str,
        out: &mut Deployment,
    ) {
        let chart = &self.manifests.charts[folder];
        out.files.extend(self.tree.under(folder).cloned());
        self.value_files(application, source, folder, &mut out.files);
        let is_there = |path: &String| self.tree.path(path).is_some();
        let resolve = |named: &str| self.value_file(application, named, folder).filter(is_there);
        let before = (out.renderings.len(), out.not_assessed.len());
        match helm_job(application, source, chart, self.tree, &resolve) {
            Ok(rendering) => {
                let asks = rendering::asks_cluster(&rendering, self.tree);
                if self.is_made(rendering, out) {
                    if asks && !rendering::tells_cluster(source) {
                        let place = chart.place.clone();
                        out.not_assessed.push(NotAssessed { place, reason: Reason::Cluster });
                    }
                    return;
                }
            }
            Err(reason) if self.options.renders => {
                out.not_assessed.push(NotAssessed { place: chart.place.clone(), reason });
            }
            Err(_) => {}
        }
        // What was not rendered though it was to be has its reason already, once it was tried.
        let has_reason = out.renderings.len() == before.0 && out.not_assessed.len() > before.1;
        out.plain.insert(folder.to_owned());
        let is_vendored = !out
            .not_assessed
            .iter()
            .any(|one| matches!(one.reason, Reason::Dependency(_)) && one.place == chart.place);
        let own = chart.not_assessed().filter(|one| match one.reason {
            Reason::Template { .. } => !has_reason,
            _ => is_vendored,
        });
        out.not_assessed.extend(own);
        let crds = if folder.is_empty() { "crds".to_owned() } else { format!("{folder}/crds") };
        let templates = crds.replace("crds", "templates");
        for below in [crds, templates] {
            for path in self.tree.under(&below) {
                let objects = self.manifests.objects(path);
                out.objects.extend(objects.iter().map(Deployed::written));
            }
        }
    }

    fn value_files(
        &self,
        application: &Application,
        source: &Source,
        folder: &str,
        files: &mut BTreeSet<Arc<str>>,
    ) {
        let named = source.value_files.iter();
        let paths = named.filter_map(|file| self.value_file(application, &file.value, folder));
        files.extend(paths.filter_map(|path| self.tree.path(&path)));
    }

    /// The path of a file of values, if it lies in this repository: beside the chart, or in another
    /// source that is this repository, `$name/…`.
    fn value_file(&self, application: &Application, named: &str, folder: &str) -> Option<String> {
        let Some(rest) = named.strip_prefix('$') else {
            return resolve(folder, named).filter(|path| self.tree.path(path).is_some());
        };
        let (name, path) = rest.split_once('/')?;
        let is_it = |s: &&Source| s.reference.as_ref().is_some_and(|r| r.value == name);
        let source = application.sources.iter().find(is_it)?;
        let url = source.repo_url.as_ref()?;
        resolve("", path).filter(|_| self.address.is(&url.value))
    }

    fn kustomization(
        &mut self,
        application: &Application,
        source: &Source,
        folder: &str,
        out: &mut Deployment,
    ) {
        let kustomization = &self.manifests.kustomizations[folder];
        let rendered = self.renderer.folder(folder);
        out.files.extend(rendered.files.iter().cloned());
        let is_told = source.overrides.iter().any(|field| field.value == "kustomize");
        if !rendered.not_assessed.is_empty() || is_told {
            let job = kustomize_job(application, source, folder, self.tree, &self.options.limits);
            match job {
                Ok(rendering) => {
                    out.files.extend(rendering.files.iter().cloned());
                    if self.is_made(rendering, out) {
                        return;
                    }
                }
                // The reading without a tool may have the same reason, at its line.
                Err(reason)
                    if self.options.renders
                        && !rendered.not_assessed.iter().any(|one| one.reason == reason) =>
                {
                    let place = kustomization.place.clone();
                    out.not_assessed.push(NotAssessed { place, reason });
                }
                Err(_) => {}
            }
        }
        out.plain.insert(folder.to_owned());
        out.objects.extend(rendered.objects.iter().cloned());
        out.not_assessed.extend(rendered.not_assessed.iter().cloned());
        let overrides = source.overrides.iter().filter(|field| field.value == "kustomize");
        for field in overrides {
            let reason = Reason::Field(format!("source.kustomize of {}", application.name.value));
            out.not_assessed.push(NotAssessed { place: field.place.clone(), reason });
        }
    }

    /// Takes what a tool made of a rendering; `false` when it was not asked or made nothing.
    fn is_made(&self, rendering: Rendering, out: &mut Deployment) -> bool {
        let Some(output) = self.outputs.get(&rendering) else {
            out.renderings.push(rendering);
            return false;
        };
        out.objects.extend(output.objects.iter().cloned());
        out.not_assessed.extend(output.not_assessed.iter().cloned());
        if output.is_made {
            out.made.insert(rendering.folder.clone());
        }
        out.rendered.push(rendering);
        output.is_made
    }

    fn directory(&self, source: &Source, folder: &str, out: &mut Deployment) {
        let skip = if folder.is_empty() { 0 } else { folder.len() + 1 };
        let is_match = |glob: &Option<crate::place::Located<String>>, path: &str| {
            glob.as_ref().is_some_and(|glob| glob::matches(&glob.value, &path[skip..]))
        };
        let paths: Vec<&Arc<str>> = if source.recurse {
            self.tree.under(folder).collect()
        } else {
            self.tree.within(folder).collect()
        };
        for path in paths {
            let is_left = (source.include.is_some() && !is_match(&source.include, path))
                || is_match(&source.exclude, path);
            if is_left {
                continue;
            }
            if [".jsonnet", ".libsonnet"].iter().any(|ending| path.ends_with(ending)) {
                let reason = Reason::Jsonnet(path.to_string());
                out.not_assessed.push(NotAssessed { place: Place::file(path), reason });
                out.files.insert(Arc::clone(path));
            } else if is_manifest_name(path) {
                out.files.insert(Arc::clone(path));
                out.objects.extend(self.manifests.objects(path).iter().map(Deployed::written));
                if let Some(reason) = self.manifests.unread.get(path) {
                    let reason = reason.clone();
                    out.not_assessed.push(NotAssessed { place: Place::file(path), reason });
                }
            }
        }
    }
}

/// Finds the Applications among the objects of each deployment, and gives of each Application those
/// that deploy it.
pub(super) fn link(
    applications: &[Application],
    deployments: &mut [Deployment],
) -> Vec<Vec<usize>> {
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut by_set: BTreeMap<&Place, Vec<usize>> = BTreeMap::new();
    for (at, application) in applications.iter().enumerate() {
        by_name.entry(&application.name.value).or_default().push(at);
        if let Origin::Generated(set) = &application.origin {
            by_set.entry(set).or_default().push(at);
        }
    }
    let mut parents = vec![Vec::new(); applications.len()];
    for (parent, deployment) in deployments.iter_mut().enumerate() {
        let mut children = BTreeSet::new();
        for deployed in deployment.objects.iter().filter(|d| d.object.group == ARGO) {
            let object = &deployed.object;
            if object.kind == "ApplicationSet" {
                children.extend(by_set.get(&object.place).into_iter().flatten());
            } else if object.kind == "Application" {
                let same = by_name.get(object.name()).map(Vec::as_slice).unwrap_or_default();
                // The same object; or else one that is rendered from the same lines.
                let own = same.iter().find(|at| applications[**at].object == *object);
                let written =
                    || same.iter().find(|at| applications[**at].object.place == object.place);
                children.extend(own.or_else(written));
            }
        }
        for child in &children {
            let child: usize = *child;
            parents[child].push(parent);
        }
        deployment.applications = children.into_iter().collect();
    }
    parents
}
