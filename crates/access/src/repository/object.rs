//! One Kubernetes object, as a file or an API tells it.

use crate::place::{Located, Place};
use crate::yaml::{Node, Value};

use super::secret::{self, SecretValue};

/// A Kubernetes object with the place of everything in it. Of a Secret, the values are withheld.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// The API group, empty for the core.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// Its name; `generateName` is none.
    pub name: Option<Located<String>>,
    /// Its namespace, where it names one.
    pub namespace: Option<Located<String>>,
    /// Where it stands.
    pub place: Place,
    /// All of it.
    pub node: Node,
    /// The keys of a Secret, with what each value looks like.
    pub secret: Vec<SecretValue>,
}

impl Object {
    /// The objects of a document: itself, or the items of a list. A document without `kind` is none.
    pub fn of_document(node: Node) -> Vec<Self> {
        let mut objects = Vec::new();
        collect(node, 0, &mut objects);
        objects
    }

    /// An object as an API told it; every place is a path in the object.
    pub fn of_api(json: &serde_json::Value) -> Vec<Self> {
        let text = |path: &str| json.pointer(path).and_then(serde_json::Value::as_str);
        let kind = text("/kind").unwrap_or("object");
        let name = text("/metadata/name").unwrap_or_default();
        let shown = match text("/metadata/namespace") {
            Some(namespace) => format!("{kind} {namespace}/{name}"),
            None => format!("{kind} {name}"),
        };
        if let Some(items) = json.get("items").and_then(serde_json::Value::as_array) {
            return items.iter().flat_map(Self::of_api).collect();
        }
        Self::of_document(Node::from_json(shown.trim_end(), json))
    }

    pub(super) fn new(mut node: Node) -> Option<Self> {
        let (group, kind) = group_and_kind(&node)?;
        let secret = match (group.as_str(), kind.as_str()) {
            ("", "Secret") => secret::withhold(&mut node),
            _ => Vec::new(),
        };
        let mut object = Self {
            group,
            kind,
            name: None,
            namespace: None,
            place: node.place.clone(),
            node,
            secret,
        };
        object.read_identity();
        Some(object)
    }

    /// Reads name and namespace again, after the tree was changed.
    pub(super) fn read_identity(&mut self) {
        let metadata = self.node.get("metadata");
        self.name = metadata.and_then(|m| m.located("name"));
        self.namespace = metadata.and_then(|m| m.located("namespace"));
    }

    /// Whether it is of a group and a kind.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group == group
    }

    /// Its name, or nothing.
    pub fn name(&self) -> &str {
        self.name.as_ref().map_or("", |name| &name.value)
    }

    /// Its namespace, if it names one.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_ref().map(|namespace| namespace.value.as_str())
    }

    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<Located<String>> {
        self.node.at(&["metadata", "labels"])?.located(key)
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<Located<String>> {
        self.node.at(&["metadata", "annotations"])?.located(key)
    }

    /// A value of a `ConfigMap`.
    pub fn data(&self, key: &str) -> Option<&Node> {
        self.node.at(&["data", key])
    }
}

/// Lists within lists are no more than this deep.
const LISTS_MAX: usize = 4;

fn collect(node: Node, depth: usize, objects: &mut Vec<Object>) {
    let is_list = node.get("kind").and_then(Node::as_text).is_some_and(|k| k.ends_with("List"))
        && node.get("items").is_some_and(|items| matches!(items.value, Value::Sequence(_)));
    if !is_list {
        objects.extend(Object::new(node));
        return;
    }
    let Value::Mapping(entries) = node.value else { return };
    let items = entries.into_iter().find(|entry| &*entry.key.text == "items");
    if let Some(Value::Sequence(items)) = items.map(|entry| entry.value.value)
        && depth < LISTS_MAX
    {
        for item in items {
            collect(item, depth + 1, objects);
        }
    }
}

/// Group and kind of a tree that is an object.
pub(super) fn group_and_kind(node: &Node) -> Option<(String, String)> {
    let version = node.get("apiVersion")?.scalar_text()?;
    let kind = node.get("kind")?.as_text()?.to_owned();
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    Some((group.to_owned(), kind))
}
