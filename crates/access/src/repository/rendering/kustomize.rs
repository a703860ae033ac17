//! From an Application to the kustomization that `kustomize build` gets: the one that stands in the
//! repository, with the Application's own options in it, as Argo CD writes them (`argoproj/argo-cd`
//! `util/kustomize/kustomize.go` `Build`, by `kustomize edit`).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::closure::Closure;
use super::helm::untouched;
use super::{Job, KustomizeJob, Rendering};
use crate::repository::application::{Application, Source};
use crate::repository::tree::Tree;
use crate::repository::unassessed::Reason;
use crate::yaml::{Limits, Node};

/// Options that change nothing, or not what is rendered here.
const IDLE: [&str; 8] = [
    "kubeVersion",
    "apiVersions",
    "forceCommonLabels",
    "forceCommonAnnotations",
    "labelWithoutSelector",
    "labelIncludeTemplates",
    "commonAnnotationsEnvsubst",
    "ignoreMissingComponents",
];

/// What kustomize would be told for a kustomization of this repository.
pub(in crate::repository) fn job(
    application: &Application,
    source: &Source,
    folder: &str,
    tree: &Tree<'_>,
    limits: &Limits,
) -> Result<Rendering, Reason> {
    untouched(application, folder, tree)?;
    let mut closure = Closure::new(tree, limits);
    let (file, node) = closure.file(folder)?;
    closure.files.insert(Arc::clone(&file));
    let Value::Object(mut fields) = node.to_json() else {
        return Err(Reason::Unreadable("holds no mapping".to_owned()));
    };
    let before = fields.clone();
    options(&mut fields, &source.settings.kustomize)?;
    let is_changed = fields != before;
    // So that each object says from which file it comes.
    let metadata = list(&mut fields, "buildMetadata");
    if !metadata.iter().any(|item| item == "originAnnotations") {
        metadata.push("originAnnotations".into());
    }
    let fields = Value::Object(fields);
    closure.node(folder, &Node::from_json(&file, &fields))?;
    let content = fields.to_string();
    let job = KustomizeJob { file: file.to_string(), content, is_changed };
    Ok(Rendering { folder: folder.to_owned(), job: Job::Kustomize(job), files: closure.files })
}

/// Writes the options of an Application into a kustomization.
fn options(fields: &mut Map<String, Value>, said: &Value) -> Result<(), Reason> {
    let flag = |key: &str| said.get(key).and_then(Value::as_bool).unwrap_or(false);
    for (key, value) in said.as_object().into_iter().flatten() {
        let refused = || Reason::NotPassed(format!("source.kustomize.{key}"));
        if is_nothing(value) || IDLE.contains(&key.as_str()) {
            continue;
        }
        let done = match key.as_str() {
            "namePrefix" | "nameSuffix" | "namespace" => {
                let set = value.as_str().map(|_| fields.insert(key.clone(), value.clone()));
                set.map(drop)
            }
            "images" => images(fields, value),
            "replicas" => replicas(fields, value),
            "commonLabels" if !flag("labelWithoutSelector") => {
                pairs(fields, key, value, flag("forceCommonLabels"), true)
            }
            "commonAnnotations" => {
                let fills = flag("commonAnnotationsEnvsubst");
                pairs(fields, key, value, flag("forceCommonAnnotations"), fills)
            }
            "patches" => appended(fields, key, value),
            // Those that are missing are passed over only after a look into the folder.
            "components" if !flag("ignoreMissingComponents") => appended(fields, key, value),
            _ => None,
        };
        done.ok_or_else(refused)?;
    }
    Ok(())
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The list under a key, made when there is none.
fn list<'f>(fields: &'f mut Map<String, Value>, key: &str) -> &'f mut Vec<Value> {
    let value = fields.entry(key).or_insert_with(|| json!([]));
    if !value.is_array() {
        *value = json!([]);
    }
    match value {
        Value::Array(items) => items,
        _ => unreachable!("it was made a list"),
    }
}

fn appended(fields: &mut Map<String, Value>, key: &str, value: &Value) -> Option<()> {
    list(fields, key).extend(value.as_array()?.iter().cloned());
    Some(())
}

/// Puts items in the place of those of the same name, or behind all.
fn by_name(fields: &mut Map<String, Value>, key: &str, new: Value) {
    let items = list(fields, key);
    items.retain(|old| old.get("name") != new.get("name"));
    items.push(new);
}

/// `[name=]image[:tag][@digest]` (`kubernetes-sigs/kustomize`
/// `kustomize/commands/edit/set/setimage.go`).
fn images(fields: &mut Map<String, Value>, value: &Value) -> Option<()> {
    for image in value.as_array()? {
        let text = image.as_str()?;
        // `*` keeps what is there, `$` is filled in by Argo CD.
        if text.contains(['*', '$']) || text.starts_with('-') {
            return None;
        }
        let (key, rest) = text.split_once('=').map_or((None, text), |(k, rest)| (Some(k), rest));
        let (name, version) = crate::repository::image::split(rest);
        let (rest, digest) = rest.split_once('@').map_or((rest, None), |(r, d)| (r, Some(d)));
        let tag = rest.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix(':'));
        if key.is_none() && version.is_none() {
            return None;
        }
        let mut new = json!({"name": key.unwrap_or(&name)});
        let known = [("newName", key.map(|_| name.as_str())), ("newTag", tag), ("digest", digest)];
        for (field, text) in known.into_iter().filter_map(|(field, text)| Some((field, text?))) {
            new[field] = text.into();
        }
        by_name(fields, "images", new);
    }
    Some(())
}

fn replicas(fields: &mut Map<String, Value>, value: &Value) -> Option<()> {
    for replica in value.as_array()? {
        let count = replica.get("count")?;
        let count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
        let name = replica.get("name")?.as_str()?;
        by_name(fields, "replicas", json!({"name": name, "count": count}));
    }
    Some(())
}

/// Labels or annotations; one that is there is left, unless it is to be replaced.
fn pairs(
    fields: &mut Map<String, Value>,
    key: &str,
    value: &Value,
    replaces: bool,
    fills: bool,
) -> Option<()> {
    let own = fields.entry(key).or_insert_with(|| json!({})).as_object_mut()?;
    for (name, value) in value.as_object()? {
        let text = value.as_str()?;
        if (own.contains_key(name) && !replaces) || (fills && text.contains('$')) {
            return None;
        }
        own.insert(name.clone(), value.clone());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_written_as_kustomize_edit_writes_them() {
        let table = [
            (json!({}), json!({"namePrefix": "a-"}), Some(json!({"namePrefix": "a-"}))),
            (
                json!({"namePrefix": "b-"}),
                json!({"namePrefix": "a-"}),
                Some(json!({"namePrefix": "a-"})),
            ),
            (
                json!({"images": [{"name": "web", "newTag": "1"}, {"name": "db", "newTag": "3"}]}),
                json!({"images": ["web:2", "old=reg.example:5000/new@sha256:ab"]}),
                Some(
                    json!({"images": [{"name": "db", "newTag": "3"}, {"name": "web", "newTag": "2"},
                    {"name": "old", "newName": "reg.example:5000/new", "digest": "sha256:ab"}]}),
                ),
            ),
            (json!({}), json!({"images": ["web:$ARGOCD_APP_REVISION"]}), None),
            (json!({}), json!({"images": ["web=*:2"]}), None),
            (json!({}), json!({"images": ["web"]}), None),
            (
                json!({"replicas": [{"name": "web", "count": 1}]}),
                json!({"replicas": [{"name": "web", "count": "3"}]}),
                Some(json!({"replicas": [{"name": "web", "count": 3}]})),
            ),
            (json!({"commonLabels": {"a": "1"}}), json!({"commonLabels": {"a": "2"}}), None),
            (
                json!({"commonLabels": {"a": "1"}}),
                json!({"commonLabels": {"a": "2"}, "forceCommonLabels": true}),
                Some(json!({"commonLabels": {"a": "2"}})),
            ),
            (json!({}), json!({"commonLabels": {"a": "2"}, "labelWithoutSelector": true}), None),
            (
                json!({}),
                json!({"commonAnnotations": {"a": "$x"}}),
                Some(json!({"commonAnnotations": {"a": "$x"}})),
            ),
            (
                json!({"patches": [{"path": "a"}]}),
                json!({"patches": [{"patch": "b"}], "namespace": ""}),
                Some(json!({"patches": [{"path": "a"}, {"patch": "b"}]})),
            ),
            (json!({}), json!({"components": ["../c"]}), Some(json!({"components": ["../c"]}))),
            (json!({}), json!({"version": "v4"}), None),
            (json!({}), json!({"somethingNew": true}), None),
        ];
        for (before, said, expected) in table {
            let mut fields = before.as_object().cloned().expect("a mapping");
            let done = options(&mut fields, &said).ok().map(|()| Value::Object(fields));
            assert_eq!(done, expected, "{before} {said}");
        }
    }
}
