//! What a request's body asks for, of the resources that a story tells of.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ObjectRef;
use crate::parse::kubernetes_object_watch::is_policy;
use crate::parse::leaves::{Leaves, VALUE_CHARS_MAX, unescaped};

/// What a request's body asks for. A patch names what it changes, a whole object everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The fields, without what says nothing of the request: identity, status, copies.
    pub leaves: Leaves,
    /// The images of containers.
    pub images: Vec<String>,
    /// The label `app.kubernetes.io/part-of`.
    pub part_of: Option<String>,
    /// The data of a `ConfigMap`; `None` where a key is taken away.
    pub data: BTreeMap<String, Option<String>>,
    /// The role that a binding refers to.
    pub role: Option<String>,
    /// Whom a binding names.
    pub subjects: Vec<String>,
    /// The names of the fields under `spec`.
    pub spec: Vec<String>,
}

impl Body {
    /// Whether a story tells of writes to such an object.
    pub fn is_told_of(object: &ObjectRef) -> bool {
        let whole = object.subresource.is_empty();
        match (object.group.as_str(), object.resource.as_str()) {
            ("", "configmaps")
            | ("argoproj.io", "applications" | "appprojects")
            | ("external-secrets.io", "externalsecrets")
            | ("rbac.authorization.k8s.io", _) => whole,
            _ => object.is_workload(),
        }
    }

    /// Reads a body.
    pub(super) fn of(object: &ObjectRef, mut body: Value) -> Self {
        let mut read = Self { images: images(&body), ..Self::default() };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        read.part_of = text(body.pointer("/metadata/labels/app.kubernetes.io~1part-of"));
        if object.resource == "configmaps" {
            read.data = data(&body);
        }
        read.role = text(body.pointer("/roleRef/name"));
        let subjects = body.get("subjects").and_then(Value::as_array).into_iter().flatten();
        read.subjects = subjects.filter_map(|s| text(s.get("name"))).collect();
        read.spec = spec(&body);
        strip(&mut body);
        read.leaves = Leaves::of(&body);
        read
    }
}

impl ObjectRef {
    /// Whether pods come of it, or it is one; or its scale.
    pub fn is_workload(&self) -> bool {
        let part = matches!(self.subresource.as_str(), "" | "scale" | "ephemeralcontainers");
        let kind = match self.group.as_str() {
            "apps" => ["deployments", "statefulsets", "daemonsets", "replicasets"].as_slice(),
            "batch" => ["jobs", "cronjobs"].as_slice(),
            "" => ["pods", "replicationcontrollers"].as_slice(),
            _ => [].as_slice(),
        };
        part && kind.contains(&self.resource.as_str())
    }
}

/// Takes out what says nothing of the request.
fn strip(body: &mut Value) {
    let Some(members) = body.as_object_mut() else { return };
    for name in ["apiVersion", "kind", "status", "@type"] {
        members.remove(name);
    }
    let Some(Value::Object(metadata)) = members.get_mut("metadata") else { return };
    for name in ["managedFields", "name", "namespace", "uid", "creationTimestamp", "generation"] {
        metadata.remove(name);
    }
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    metadata.retain(|_, value| !value.as_object().is_some_and(serde_json::Map::is_empty));
    if metadata.is_empty() {
        members.remove("metadata");
    }
}

/// The images of all containers in a body, or those that the steps of a JSON patch set.
fn images(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Value::Array(steps) = body {
        for step in steps {
            let path = step.get("path").and_then(Value::as_str).unwrap_or_default();
            match step.get("value") {
                Some(Value::String(image)) if path.ends_with("/image") => found.push(image.clone()),
                Some(value) => in_containers(value, path.contains("ontainers"), &mut found),
                None => {}
            }
        }
    } else {
        in_containers(body, false, &mut found);
    }
    found
}

fn in_containers(value: &Value, inside: bool, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(image) = members.get("image").and_then(Value::as_str).filter(|_| inside) {
                found.push(image.to_owned());
            }
            for (name, member) in members {
                let lists = ["containers", "initContainers", "ephemeralContainers"];
                let inside = lists.contains(&name.as_str());
                if inside || member.is_object() {
                    in_containers(member, inside, found);
                }
            }
        }
        Value::Array(items) if inside => {
            for item in items {
                in_containers(item, true, found);
            }
        }
        _ => {}
    }
}

/// The data of a `ConfigMap`; policies are kept whole, because each line of them is a right.
fn data(body: &Value) -> BTreeMap<String, Option<String>> {
    let value = |key: &str, value: Option<&Value>| {
        let text = value.and_then(Value::as_str)?;
        let chars = if is_policy(key) { usize::MAX } else { VALUE_CHARS_MAX };
        Some(text.chars().take(chars).collect::<String>())
    };
    if let Value::Array(steps) = body {
        let of_data = steps.iter().filter_map(|step| {
            let key = step.get("path")?.as_str()?.strip_prefix("/data/")?;
            let key = unescaped(key);
            let value = value(&key, step.get("value"));
            Some((key, value))
        });
        return of_data.collect();
    }
    let data = body.get("data").and_then(Value::as_object).into_iter().flatten();
    data.map(|(key, member)| (key.clone(), value(key, Some(member)))).collect()
}

fn spec(body: &Value) -> Vec<String> {
    if let Value::Array(steps) = body {
        let name = |step: &Value| {
            let rest = step.get("path")?.as_str()?.strip_prefix("/spec/")?;
            rest.split('/').next().map(unescaped)
        };
        return steps.iter().filter_map(name).collect();
    }
    let spec = body.get("spec").and_then(Value::as_object);
    spec.map(|spec| spec.keys().cloned().collect()).unwrap_or_default()
}
