//! A lenient rendering of kustomizations: what a folder deploys, from which files, and what of it
//! this reading leaves out.
//!
//! Objects by which somebody gets a right, or that say where secrets come from, are patched; of all
//! others the identity is rendered and the content stays as written.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::kustomization::{Generator, Kustomization, Patch};
use super::manifests::Manifests;
use super::object::Object;
use super::patch;
use super::secret::{self, SecretForm, SecretValue, WITHHELD, form};
use super::tree::{Tree, name_of, resolve};
use super::unassessed::{NotAssessed, Reason};
use crate::place::{Located, Place};
use crate::yaml::{self, Entry, Key, Limits, Node, Value};

/// Kustomizations within one another that are followed.
pub(super) const DEPTH_MAX: usize = 32;

/// An object as it is deployed.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployed {
    /// The object; rendered if [`Deployed::is_rendered`], else as it is written.
    pub object: Arc<Object>,
    /// The namespace that it gets, if the manifests say so.
    pub namespace: Option<String>,
    /// Whether a kustomization changed it, or a tool rendered it.
    pub is_rendered: bool,
}

/// What a folder deploys.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rendered {
    pub(super) objects: Vec<Deployed>,
    pub(super) files: BTreeSet<Arc<str>>,
    pub(super) not_assessed: Vec<NotAssessed>,
}

/// Renders folders, each once.
pub(super) struct Renderer<'r> {
    tree: &'r Tree<'r>,
    manifests: &'r Manifests,
    limits: &'r Limits,
    done: HashMap<String, Arc<Rendered>>,
    open: Vec<String>,
}

impl Deployed {
    pub(super) fn written(object: &Arc<Object>) -> Self {
        let namespace = object.namespace().map(str::to_owned);
        Self { object: Arc::clone(object), namespace, is_rendered: false }
    }
}

impl<'r> Renderer<'r> {
    pub(super) fn new(tree: &'r Tree<'r>, manifests: &'r Manifests, limits: &'r Limits) -> Self {
        Self { tree, manifests, limits, done: HashMap::new(), open: Vec::new() }
    }

    /// What the kustomization of a folder deploys; nothing if there is none.
    pub(super) fn folder(&mut self, folder: &str) -> Arc<Rendered> {
        if let Some(done) = self.done.get(folder) {
            return Arc::clone(done);
        }
        let manifests = self.manifests;
        let Some(kustomization) = manifests.kustomizations.get(folder) else {
            return Arc::default();
        };
        self.open.push(folder.to_owned());
        let rendered = Arc::new(self.kustomization(kustomization));
        self.open.pop();
        // One that was cut short because it holds itself is complete only for whoever began it.
        self.done.insert(folder.to_owned(), Arc::clone(&rendered));
        rendered
    }

    fn kustomization(&mut self, of: &'r Kustomization) -> Rendered {
        let mut out = Rendered::default();
        let own = of.place.path().and_then(|path| self.tree.path(path));
        out.files.extend(own);
        for resource in &of.resources {
            self.resource(of, resource, &mut out);
        }
        for generator in &of.generators {
            self.generate(of, generator, &mut out);
        }
        for field in &of.not_rendered {
            let reason = Reason::Field(field.value.clone());
            out.not_assessed.push(NotAssessed { place: field.place.clone(), reason });
        }
        for deployed in &mut out.objects {
            set_namespace(deployed, of.namespace.as_ref());
            set_labels(deployed, &of.labels);
        }
        for patch in &of.patches {
            self.patch(of, patch, &mut out);
        }
        out
    }

    fn resource(&mut self, of: &Kustomization, named: &Located<String>, out: &mut Rendered) {
        let mut unassessed =
            |reason| out.not_assessed.push(NotAssessed { place: named.place.clone(), reason });
        let path = resolve(&of.folder, &named.value);
        let Some(path) = path.filter(|_| !named.value.contains("://")) else {
            return unassessed(Reason::Remote(named.value.clone()));
        };
        if let Some(file) = self.tree.path(&path) {
            if let Some(reason) = self.manifests.unread.get(&file) {
                unassessed(reason.clone());
            }
            out.objects.extend(self.manifests.objects(&path).iter().map(Deployed::written));
            out.files.insert(file);
        } else if self.manifests.kustomizations.contains_key(&path) {
            if self.open.contains(&path) || self.open.len() >= DEPTH_MAX {
                return unassessed(Reason::Cycle);
            }
            let below = self.folder(&path);
            out.objects.extend(below.objects.iter().cloned());
            out.files.extend(below.files.iter().cloned());
            out.not_assessed.extend(below.not_assessed.iter().cloned());
        } else if is_remote(&named.value) {
            unassessed(Reason::Remote(named.value.clone()));
        } else {
            unassessed(Reason::Missing(path));
        }
    }

    fn patch(&mut self, of: &Kustomization, patch: &Patch, out: &mut Rendered) {
        let mut unassessed = |place: &Place, reason| {
            out.not_assessed.push(NotAssessed { place: place.clone(), reason });
        };
        let documents = if let Some(inline) = &patch.inline {
            yaml::parse_inline(&inline.place, &inline.value, self.limits)
        } else if let Some(named) = &patch.path {
            let resolved = resolve(&of.folder, &named.value);
            let Some((file, bytes)) =
                resolved.as_ref().and_then(|p| Some((self.tree.path(p)?, self.tree.bytes(p)?)))
            else {
                return unassessed(&named.place, Reason::Missing(named.value.clone()));
            };
            let parsed = yaml::parse(&file, bytes, self.limits);
            out.files.insert(file);
            parsed
        } else {
            return;
        };
        if let Some(problem) = documents.problems.first().filter(|p| p.fault.hides()) {
            let reason = Reason::Patch(problem.fault.to_string());
            out.not_assessed.push(NotAssessed { place: patch.place.clone(), reason });
        }
        for document in documents.documents {
            if let Err(reason) = apply(&document, patch, &mut out.objects) {
                out.not_assessed.push(NotAssessed { place: patch.place.clone(), reason });
            }
        }
    }

    fn generate(&mut self, of: &Kustomization, generator: &Generator, out: &mut Rendered) {
        let node = &generator.node;
        let Some(name) = node.located("name") else { return };
        let mut values = Vec::new();
        for literal in node.located_items("literals") {
            let (key, value) = literal.value.split_once('=').unwrap_or((&literal.value, ""));
            let value = value.trim_matches(['"', '\'']);
            values.push((key.to_owned(), Node::text_at(value, &literal.place)));
        }
        for named in node.located_items("files") {
            let (key, path) =
                named.value.split_once('=').unwrap_or((name_of(&named.value), &named.value));
            if let Some((file, text)) = self.text(of, path, &named.place, out) {
                values.push((key.to_owned(), Node::text_at(text, &Place::line(&file, 1))));
            }
        }
        let single = node.located("env").into_iter();
        for named in node.located_items("envs").into_iter().chain(single) {
            if let Some((file, text)) = self.text(of, &named.value, &named.place, out) {
                for (number, line) in (1..).zip(text.lines()) {
                    if let Some((key, value)) = line.split_once('=') {
                        let place = Place::line(&file, number);
                        values.push((key.to_owned(), Node::text_at(value, &place)));
                    }
                }
            }
        }
        add_generated(generator, &name, values, &mut out.objects);
    }

    /// The text of a file that a generator names.
    fn text(
        &self,
        of: &Kustomization,
        path: &str,
        place: &Place,
        out: &mut Rendered,
    ) -> Option<(Arc<str>, &'r str)> {
        let resolved = resolve(&of.folder, path)?;
        let found = self.tree.path(&resolved).zip(self.tree.bytes(&resolved));
        let Some((file, bytes)) = found else {
            let reason = Reason::Missing(path.to_owned());
            out.not_assessed.push(NotAssessed { place: place.clone(), reason });
            return None;
        };
        out.files.insert(Arc::clone(&file));
        // Binary data is carried along unread.
        std::str::from_utf8(bytes).ok().map(|text| (file, text))
    }
}

/// Whether a resource that is not in the repository names one elsewhere.
fn is_remote(name: &str) -> bool {
    let first = name.split('/').next().unwrap_or_default();
    name.contains("://")
        || name.contains("?ref=")
        || name.contains("//")
        || name.starts_with("git@")
        || name.starts_with("git::")
        || (first.contains('.') && !first.starts_with('.') && name.contains('/'))
}

/// Kinds whose content is rendered: those that give rights or tell where secrets come from.
pub(super) fn is_rendered_kind(object: &Object) -> bool {
    let groups = ["argoproj.io", "rbac.authorization.k8s.io", "external-secrets.io"];
    groups.contains(&object.group.as_str())
        || (object.group.is_empty() && matches!(object.kind.as_str(), "ConfigMap" | "Secret"))
}

pub(super) fn has_no_namespace(object: &Object) -> bool {
    let kinds = [
        "APIService",
        "CSIDriver",
        "CustomResourceDefinition",
        "GatewayClass",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    ];
    let kind = object.kind.as_str();
    kinds.contains(&kind) || (kind.starts_with("Cluster") && kind != "Cluster")
}

fn set_namespace(deployed: &mut Deployed, namespace: Option<&Located<String>>) {
    let Some(namespace) = namespace.filter(|_| !has_no_namespace(&deployed.object)) else { return };
    deployed.namespace = Some(namespace.value.clone());
    if !is_rendered_kind(&deployed.object) {
        return;
    }
    change(deployed, |node| {
        let value = Node::text_at(&namespace.value, &namespace.place);
        if let Some(metadata) = node.get_mut("metadata") {
            metadata.set("namespace", value);
        }
    });
}

fn set_labels(deployed: &mut Deployed, labels: &[(String, Located<String>)]) {
    if labels.is_empty() || !is_rendered_kind(&deployed.object) {
        return;
    }
    change(deployed, |node| {
        let Some(metadata) = node.get_mut("metadata") else { return };
        if metadata.get("labels").is_none() {
            let empty = Node { value: Value::Mapping(Vec::new()), place: metadata.place.clone() };
            metadata.set("labels", empty);
        }
        let Some(set) = metadata.get_mut("labels") else { return };
        for (key, value) in labels {
            set.set(key, Node::text_at(&value.value, &value.place));
        }
    });
}

/// Changes an object, which is copied if somebody else has it too.
fn change(deployed: &mut Deployed, with: impl FnOnce(&mut Node)) {
    let object = Arc::make_mut(&mut deployed.object);
    with(&mut object.node);
    if object.is("", "Secret") {
        // A patch may have brought values.
        let brought = secret::withhold(&mut object.node);
        object.secret.retain(|old| !brought.iter().any(|new| new.key == old.key));
        object.secret.extend(brought);
    }
    object.read_identity();
    deployed.is_rendered = true;
}

/// Applies a patch's document to the objects that it selects.
fn apply(document: &Node, patch: &Patch, objects: &mut Vec<Deployed>) -> Result<(), Reason> {
    let is_operations = matches!(document.value, Value::Sequence(_));
    let mut selected = Vec::new();
    for (at, deployed) in objects.iter().enumerate() {
        let object = &deployed.object;
        let is_selected = if let Some(target) = &patch.target {
            patch::selects(target, object)?
        } else {
            let text = |path: &[&str]| document.at(path).and_then(Node::scalar_text);
            text(&["kind"]) == Some(object.kind.as_str())
                && text(&["metadata", "name"]) == Some(object.name())
        };
        if is_selected {
            selected.push(at);
        }
    }
    let is_delete = document.get("$patch").and_then(Node::as_text) == Some("delete");
    for at in selected.into_iter().rev() {
        if is_delete {
            objects.remove(at);
        } else if is_rendered_kind(&objects[at].object) {
            let mut outcome = Ok(());
            change(&mut objects[at], |node| {
                if is_operations {
                    outcome = patch::operate(node, document);
                } else {
                    lay_over(node, document, patch.target.is_some());
                }
            });
            outcome?;
        }
    }
    Ok(())
}

/// A patch with a target may bear any name; it does not rename what it changes.
fn lay_over(node: &mut Node, document: &Node, has_target: bool) {
    let name = node.at(&["metadata", "name"]).filter(|_| has_target).cloned();
    patch::merge(node, document);
    if let (Some(name), Some(metadata)) = (name, node.get_mut("metadata")) {
        metadata.set("name", name);
    }
}

fn add_generated(
    generator: &Generator,
    name: &Located<String>,
    values: Vec<(String, Node)>,
    objects: &mut Vec<Deployed>,
) {
    let entry = |key: &str, value: Node| {
        let key = Key { text: key.into(), place: value.place.clone() };
        Entry { key, value }
    };
    let is_secret = generator.kind == "Secret";
    let known = |key: &str| generator.literals.iter().any(|literal| literal.key == key);
    let of_files = values.iter().filter(|(key, _)| is_secret && !known(key));
    let of_files = of_files.map(|(key, value)| SecretValue {
        key: key.clone(),
        place: value.place.clone(),
        form: value.as_text().map_or(SecretForm::Readable, |text| form(text, false)),
    });
    let secret: Vec<SecretValue> = generator.literals.iter().cloned().chain(of_files).collect();
    let data = values.into_iter().map(|(key, value)| {
        let shown = if is_secret { Node::text_at(WITHHELD, &value.place) } else { value };
        entry(&key, shown)
    });
    let place = &generator.node.place;
    let mapping = |entries| Node { value: Value::Mapping(entries), place: place.clone() };
    let data = mapping(data.collect());
    let is_merge = generator.node.get("behavior").and_then(Node::as_text) == Some("merge");
    let same = |d: &&mut Deployed| d.object.kind == generator.kind && d.object.name() == name.value;
    if is_merge && let Some(deployed) = objects.iter_mut().find(same) {
        change(deployed, |node| match node.get_mut("data") {
            Some(old) => patch::merge(old, &data),
            None => node.set("data", data),
        });
        let object = Arc::make_mut(&mut deployed.object);
        object.secret.retain(|old| !secret.iter().any(|new| new.key == old.key));
        object.secret.extend(secret);
        return;
    }
    let metadata = mapping(vec![entry("name", Node::text_at(&name.value, &name.place))]);
    let node = mapping(vec![
        entry("apiVersion", Node::text_at("v1", place)),
        entry("kind", Node::text_at(generator.kind, place)),
        entry("metadata", metadata),
        entry("data", data),
    ]);
    if let Some(mut object) = Object::new(node) {
        object.secret = secret;
        let object = Arc::new(object);
        objects.push(Deployed { object, namespace: None, is_rendered: true });
    }
}
