//! From what a tool wrote to objects, each with the best place that can honestly be given.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::places::Places;
use super::{Job, Made, Rendering, Tool};
use crate::place::Place;
use crate::repository::deployment::Deployment;
use crate::repository::manifests::Manifests;
use crate::repository::object::Object;
use crate::repository::render::{Deployed, Renderer, has_no_namespace, is_rendered_kind};
use crate::repository::tree::Tree;
use crate::repository::unassessed::{NotAssessed, Reason};
use crate::yaml::{self, Limits, Node};

/// What came of a rendering.
#[derive(Clone, Debug)]
pub(in crate::repository) struct Output {
    /// The objects; none if it failed.
    pub(in crate::repository) objects: Vec<Deployed>,
    pub(in crate::repository) not_assessed: Vec<NotAssessed>,
    pub(in crate::repository) is_made: bool,
    /// What this crate itself reads of it.
    lenient: Vec<Deployed>,
}

impl Output {
    /// Reads what came of a rendering. `lenient` are the objects as this crate's own reading has
    /// them: their lines are those of the file.
    pub(in crate::repository) fn of(
        rendering: &Rendering,
        made: &Made,
        (tree, manifests): (&Tree<'_>, &Manifests),
        lenient: &[Deployed],
        limits: &Limits,
    ) -> Self {
        let (objects, not_assessed, own) = (Vec::new(), Vec::new(), lenient.to_vec());
        let mut output = Self { objects, not_assessed, is_made: true, lenient: own };
        let places = Places::new(rendering, tree, manifests, lenient);
        let bytes = match made {
            Made::Output(bytes) => bytes,
            Made::Failed(said) => {
                let (tool, said) = (rendering.tool(), said.clone());
                return output.not_made(&places, Reason::Failed { tool, said });
            }
            Made::NoTool => return output.not_made(&places, Reason::NoTool(rendering.tool())),
        };
        if bytes.len() > limits.bytes {
            let (bytes, limit) = (bytes.len(), limits.bytes);
            let fault = yaml::Fault::TooLarge { bytes, limit };
            return output.not_made(&places, Reason::of_output(rendering.tool(), &fault));
        }
        let text = String::from_utf8_lossy(bytes);
        let (mut source, mut limits) = (None, *limits);
        for (number, part) in yaml::documents(&text).enumerate() {
            if number >= limits.documents {
                let fault = yaml::Fault::TooManyDocuments(limits.documents);
                output.unread(&places, rendering.tool(), &fault);
                break;
            }
            source = source_of(part).or(source);
            output.document(part, source, rendering, &places, &mut limits);
        }
        output
    }

    fn not_made(mut self, places: &Places<'_>, reason: Reason) -> Self {
        self.is_made = false;
        self.not_assessed.push(NotAssessed { place: places.whole(), reason });
        self
    }

    fn unread(&mut self, places: &Places<'_>, tool: Tool, fault: &yaml::Fault) {
        let reason = Reason::of_output(tool, fault);
        self.not_assessed.push(NotAssessed { place: places.whole(), reason });
    }

    fn document(
        &mut self,
        text: &str,
        source: Option<&str>,
        rendering: &Rendering,
        places: &Places<'_>,
        limits: &mut Limits,
    ) {
        let parsed = yaml::parse_inline(&places.whole(), text, limits);
        for problem in parsed.problems.iter().filter(|problem| problem.fault.hides()) {
            self.unread(places, rendering.tool(), &problem.fault);
        }
        // Aliases count in all of the output.
        let values: usize = parsed.documents.iter().map(Node::count).sum();
        limits.nodes = limits.nodes.saturating_sub(values);
        let objects = parsed.documents.into_iter().flat_map(Object::of_document);
        for mut object in objects.filter(is_applied) {
            match &rendering.job {
                Job::Helm(job) => {
                    places.of_template(&mut object, source);
                    into_namespace(&mut object, job.destination.as_deref());
                }
                Job::Kustomize(_) => places.of_origin(&mut object),
            }
            object.read_identity();
            let namespace = object.namespace().map(str::to_owned);
            self.objects.push(Deployed { object: Arc::new(object), namespace, is_rendered: true });
        }
    }
}

/// What came of the renderings of a reading.
#[derive(Debug, Default)]
pub(in crate::repository) struct Outputs {
    all: BTreeMap<Rendering, Output>,
}

impl Outputs {
    /// Reads what came of renderings.
    pub(in crate::repository) fn read(
        made: &BTreeMap<Rendering, Made>,
        tree: &Tree<'_>,
        manifests: &Manifests,
        renderer: &mut Renderer<'_>,
        limits: &Limits,
    ) -> Self {
        let mut outputs = Self::default();
        for (rendering, made) in made {
            let lenient = lenient(rendering, tree, manifests, renderer);
            let output = Output::of(rendering, made, (tree, manifests), &lenient, limits);
            outputs.all.insert(rendering.clone(), output);
        }
        outputs
    }

    /// What came of one.
    pub(in crate::repository) fn get(&self, rendering: &Rendering) -> Option<&Output> {
        self.all.get(rendering)
    }

    /// Those that were made, with what they are made from.
    pub(in crate::repository) fn made(&self) -> impl Iterator<Item = (&Rendering, &Output)> {
        self.all.iter().filter(|(_, output)| output.is_made)
    }

    /// In whose place what was rendered stands, as long as nobody is known to deploy it as it is.
    pub(in crate::repository) fn replaced(&self, kept: &Kept) -> Replaced {
        let mut replaced = Replaced::default();
        for (rendering, output) in self.made() {
            let own = output.lenient.iter();
            let is_idle = kept.idle.contains(rendering);
            for deployed in own.filter(|deployed| !is_idle || output.has(&deployed.object)) {
                replaced.objects.insert(Arc::as_ptr(&deployed.object));
                if deployed.is_rendered {
                    replaced.places.insert(deployed.object.place.clone());
                }
            }
        }
        replaced.objects.retain(|object| !kept.objects.contains(object));
        replaced
    }

    /// Notes what deployments take as it is though a rendering would stand in its place, and the
    /// renderings that nobody asked for. Whether there was anything new: it is to be read again.
    pub(in crate::repository) fn keep(&self, deployments: &[Deployment], kept: &mut Kept) -> bool {
        let all = || self.made().flat_map(|(_, output)| &output.lenient);
        let own: HashSet<_> = all().map(|d| Arc::as_ptr(&d.object)).collect();
        let places: HashSet<&Place> = all().map(|d| &d.object.place).collect();
        let before = kept.count();
        for deployment in deployments {
            for deployed in &deployment.objects {
                let at = Arc::as_ptr(&deployed.object);
                let is_plain = !deployed.is_rendered && places.contains(&deployed.object.place);
                if own.contains(&at) || is_plain {
                    kept.objects.insert(at);
                }
            }
            for folder in &deployment.plain {
                if self.made().any(|(rendering, _)| rendering.folder == *folder)
                    || deployment.objects.iter().any(|d| places.contains(&d.object.place))
                {
                    kept.folders.insert(folder.clone());
                }
            }
        }
        if kept.count() > before {
            return true;
        }
        let used: BTreeSet<_> = deployments.iter().flat_map(|d| &d.rendered).collect();
        let idle = self.made().map(|(rendering, _)| rendering).filter(|one| !used.contains(one));
        kept.idle.extend(idle.cloned());
        kept.count() > before
    }
}

impl Output {
    /// Whether there is an object of this kind and name.
    fn has(&self, object: &Object) -> bool {
        let key = |o: &Object| (o.group.clone(), o.kind.clone(), o.name().to_owned());
        self.objects.iter().any(|deployed| key(&deployed.object) == key(object))
    }
}

/// What stays though it was rendered, because it is deployed as it is too.
#[derive(Debug, Default)]
pub(in crate::repository) struct Kept {
    /// Objects.
    pub(in crate::repository) objects: HashSet<*const Object>,
    /// Folders of kustomizations.
    pub(in crate::repository) folders: HashSet<String>,
    /// Renderings that no Application asked for once they stood in the place of others.
    idle: BTreeSet<Rendering>,
}

impl Kept {
    fn count(&self) -> usize {
        self.objects.len() + self.folders.len() + self.idle.len()
    }
}

/// Objects of this crate's own reading in whose place others stand.
#[derive(Debug, Default)]
pub(in crate::repository) struct Replaced {
    /// The objects themselves.
    pub(in crate::repository) objects: HashSet<*const Object>,
    /// Where those stand that a kustomization changes.
    pub(in crate::repository) places: HashSet<Place>,
}

/// The folders of a chart that helm makes objects from.
pub(in crate::repository) fn parts<'t>(
    chart: &str,
    tree: &'t Tree<'_>,
) -> impl Iterator<Item = &'t Arc<str>> {
    let below =
        |name| if chart.is_empty() { String::from(name) } else { format!("{chart}/{name}") };
    let folders = ["templates", "crds", "charts"].map(below);
    folders.into_iter().flat_map(|folder| tree.under(&folder).collect::<Vec<_>>())
}

/// What this crate itself reads of what a tool renders.
fn lenient(
    rendering: &Rendering,
    tree: &Tree<'_>,
    manifests: &Manifests,
    renderer: &mut Renderer<'_>,
) -> Vec<Deployed> {
    match rendering.job {
        Job::Kustomize(_) => renderer.folder(&rendering.folder).objects.clone(),
        Job::Helm(_) => {
            let plain = parts(&rendering.folder, tree).flat_map(|path| manifests.objects(path));
            plain.map(Deployed::written).collect()
        }
    }
}

/// What helm says of where a document comes from. A line further down is the template's own.
fn source_of(part: &str) -> Option<&str> {
    part.lines().nth(1)?.strip_prefix("# Source: ").map(str::trim)
}

/// Whether Argo CD applies an object: it has no phase for helm's tests, deletes and rollbacks, and
/// passes over what is a hook of theirs alone, or says `Skip` (`argoproj/argo-cd`
/// `gitops-engine/pkg/sync/hook/helm/type.go`, `hook.go`).
fn is_applied(object: &Object) -> bool {
    const PHASES: [&str; 5] =
        ["pre-install", "pre-upgrade", "post-upgrade", "post-install", "crd-install"];
    let own = object.annotation("argocd.argoproj.io/hook");
    if let Some(own) = &own {
        return own.value.trim() != "Skip";
    }
    object
        .annotation("helm.sh/hook")
        .is_none_or(|hooks| hooks.value.split(',').any(|hook| PHASES.contains(&hook.trim())))
}

/// Argo CD gives the Application's namespace to what names none.
fn into_namespace(object: &mut Object, namespace: Option<&str>) {
    let Some(namespace) = namespace else { return };
    let place = object.place.clone();
    if is_rendered_kind(object)
        && !has_no_namespace(object)
        && object.namespace.is_none()
        && let Some(metadata) = object.node.get_mut("metadata")
    {
        metadata.set("namespace", Node::text_at(namespace, &place));
    }
}
