//! A kustomization file, as it is written.

use serde::Serialize;

use super::secret::{self, SecretValue};
use super::tree::name_of;
use crate::place::{Located, Place};
use crate::yaml::{Node, Value};

/// The names that kustomize looks for, in its order.
pub(super) const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Fields that change what is rendered and that this reading leaves alone.
const NOT_RENDERED: [&str; 9] = [
    "helmCharts",
    "helmChartInflationGenerator",
    "generators",
    "transformers",
    "replacements",
    "vars",
    "configurations",
    "namePrefix",
    "nameSuffix",
];

/// A kustomization.
#[derive(Clone, Debug, PartialEq)]
pub struct Kustomization {
    /// Its folder.
    pub folder: String,
    /// Its file.
    pub place: Place,
    /// `resources`, `bases` and `components`: files, folders and addresses.
    pub resources: Vec<Located<String>>,
    /// The namespace that it sets.
    pub namespace: Option<Located<String>>,
    /// Images that it replaces.
    pub images: Vec<ImageChange>,
    /// Patches, in the order in which they are applied.
    pub patches: Vec<Patch>,
    /// Generators of `ConfigMap`s and `Secret`s.
    pub generators: Vec<Generator>,
    /// Labels that it sets on every object.
    pub labels: Vec<(String, Located<String>)>,
    /// Fields that are there and that this reading does not render.
    pub not_rendered: Vec<Located<String>>,
}

/// An image that a kustomization replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageChange {
    /// Where it stands.
    pub place: Place,
    /// The image as the manifests name it.
    pub name: Located<String>,
    /// The name that it gets.
    pub new_name: Option<Located<String>>,
    /// The tag that it gets.
    pub new_tag: Option<Located<String>>,
    /// The digest that it gets.
    pub digest: Option<Located<String>>,
}

/// A patch, in a file or in the kustomization.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Where the patch is named.
    pub place: Place,
    /// Its file.
    pub path: Option<Located<String>>,
    /// Its text.
    pub inline: Option<Located<String>>,
    /// Which objects it changes; `None` when the patch names its object itself.
    pub target: Option<Node>,
}

/// A generator of a `ConfigMap` or a `Secret`.
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    /// `ConfigMap` or `Secret`.
    pub kind: &'static str,
    /// The generator; literal values of a Secret are withheld.
    pub node: Node,
    /// Of a Secret: the keys of its literals, with what each value looks like.
    pub literals: Vec<SecretValue>,
}

/// Whether a path is that of a kustomization.
pub(super) fn is_kustomization(path: &str) -> bool {
    FILES.contains(&name_of(path))
}

impl Kustomization {
    pub(super) fn of(folder: &str, node: &Node) -> Self {
        let list = |key: &str| node.get(key).map(Node::items).unwrap_or_default();
        let names = ["resources", "bases", "components"].into_iter();
        let images = list("images").iter().filter_map(|image| {
            Some(ImageChange {
                place: image.place.clone(),
                name: image.located("name")?,
                new_name: image.located("newName"),
                new_tag: image.located("newTag"),
                digest: image.located("digest"),
            })
        });
        let generators = [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")];
        let generators = generators.into_iter().flat_map(|(field, kind)| {
            list(field).iter().map(move |node| Generator::of(kind, node.clone()))
        });
        let is_set = |field: &&str| {
            node.get(field).is_some_and(|v| !v.is_null() && v.scalar_text() != Some(""))
        };
        let not_rendered = NOT_RENDERED.into_iter().filter(is_set);
        let at = |field: &str| node.entry(field).map_or(&node.place, |entry| &entry.key.place);
        Self {
            folder: folder.to_owned(),
            place: node.place.clone(),
            resources: names.flat_map(|key| node.located_items(key)).collect(),
            namespace: node.located("namespace"),
            images: images.collect(),
            patches: patches(node),
            generators: generators.collect(),
            labels: labels(node),
            not_rendered: not_rendered.map(|f| Located::new(f.to_owned(), at(f))).collect(),
        }
    }
}

impl Generator {
    fn of(kind: &'static str, mut node: Node) -> Self {
        let mut literals = Vec::new();
        let items = node.get_mut("literals").filter(|_| kind == "Secret");
        if let Some(Node { value: Value::Sequence(items), .. }) = items {
            for item in items {
                let text = item.scalar_text().unwrap_or_default();
                let (key, value) = text.split_once('=').unwrap_or((text, ""));
                let form = secret::form(value.trim_matches(['"', '\'']), false);
                let (key, place) = (key.to_owned(), item.place.clone());
                *item = Node::text_at(&format!("{key}={}", secret::WITHHELD), &place);
                literals.push(SecretValue { key, place, form });
            }
        }
        Self { kind, node, literals }
    }
}

impl Patch {
    /// The patch without its text where that is one of a Secret, whose values are not kept.
    fn without_secrets(mut self) -> Self {
        let is_of_secret =
            |text: &str| text.contains("kind: Secret") || text.contains("stringData");
        let targets = self.target.as_ref().and_then(|target| target.get("kind"));
        if targets.and_then(Node::as_text) == Some("Secret")
            || self.inline.as_ref().is_some_and(|text| is_of_secret(&text.value))
        {
            self.inline = None;
        }
        self
    }
}

fn patches(node: &Node) -> Vec<Patch> {
    let mut patches = Vec::new();
    let list = |key: &str| node.get(key).map(Node::items).unwrap_or_default();
    for item in list("patchesStrategicMerge") {
        // An item is the name of a file, or the patch itself.
        let text = item.as_text().map(|text| Located::new(text.to_owned(), &item.place));
        let is_inline = text.as_ref().is_some_and(|text| text.value.contains('\n'));
        let (path, inline) = if is_inline { (None, text) } else { (text, None) };
        patches.push(Patch { place: item.place.clone(), path, inline, target: None });
    }
    for item in list("patches").iter().chain(list("patchesJson6902")) {
        patches.push(Patch {
            place: item.place.clone(),
            path: item.located("path"),
            inline: item.located("patch"),
            target: item.get("target").cloned(),
        });
    }
    patches.into_iter().map(Patch::without_secrets).collect()
}

fn labels(node: &Node) -> Vec<(String, Located<String>)> {
    let sets = node.get("labels").map(Node::items).unwrap_or_default();
    let pairs = sets.iter().filter_map(|set| set.get("pairs"));
    let all = node.get("commonLabels").into_iter().chain(pairs);
    let entries = all.flat_map(Node::entries);
    let one = |entry: &crate::yaml::Entry| {
        let value = Located::new(entry.value.scalar_text()?.to_owned(), &entry.value.place);
        Some((entry.key.text.to_string(), value))
    };
    entries.filter_map(one).collect()
}
