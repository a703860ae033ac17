//! The leaves of a JSON value, as `path: value`: what a patch asks for, what a specification says.
//!
//! Members of a list that have a `name` stand under it, as in a strategic merge patch
//! (`kubernetes/community` `contributors/devel/sig-api-machinery/strategic-merge-patch.md`), others
//! under their index. How much is kept is bounded, because whoever writes an object chooses its
//! size.

use serde_json::Value;

/// How many leaves are kept of one value.
pub const LEAVES_MAX: usize = 64;
/// How many characters are kept of one leaf's value.
pub const VALUE_CHARS_MAX: usize = 256;
/// How many bytes a leaf's path may have; deeper ones are left out and counted.
const PATH_BYTES_MAX: usize = 512;

/// The first leaves of a value, in the order of their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaves {
    /// Path and value of each.
    pub known: Vec<(String, String)>,
    /// How many more there are.
    pub more: usize,
}

impl Leaves {
    /// The leaves of a value; of a JSON patch (RFC 6902), what its steps set.
    pub fn of(value: &Value) -> Self {
        let mut leaves = Self::default();
        match value {
            Value::Array(steps) if steps.iter().all(|s| s.get("op").is_some()) => {
                for step in steps {
                    leaves.step(step);
                }
            }
            other => leaves.walk("", other),
        }
        leaves
    }

    /// The value under a path.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.known.iter().find(|(p, _)| p == path).map(|(_, v)| v.as_str())
    }

    /// Whether any path is the given one or below it.
    pub fn under<'s>(&'s self, path: &'s str) -> impl Iterator<Item = &'s (String, String)> {
        self.known.iter().filter(move |(known, _)| {
            known
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    fn step(&mut self, step: &Value) {
        let path = step.get("path").and_then(Value::as_str).unwrap_or_default();
        let names: Vec<String> = path.split('/').skip(1).map(unescaped).collect();
        let path = names.iter().fold(String::new(), |path, name| below(&path, name));
        match step.get("value") {
            Some(value) => self.walk(&path, value),
            None => self.push(&path, "removed".to_owned()),
        }
    }

    fn walk(&mut self, path: &str, value: &Value) {
        if path.len() > PATH_BYTES_MAX {
            self.more += 1;
            return;
        }
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, member) in members {
                    // Directives that only order a list or say which members stay.
                    if !name.starts_with("$setElementOrder/") && name != "$retainKeys" {
                        self.walk(&below(path, name), member);
                    }
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    let name = item.get("name").and_then(Value::as_str);
                    let at = name.map_or_else(|| index.to_string(), str::to_owned);
                    self.item(&format!("{path}[{at}]"), item, name.is_some());
                }
            }
            Value::String(text) => self.push(path, text.chars().take(VALUE_CHARS_MAX).collect()),
            Value::Null => self.push(path, "removed".to_owned()),
            other => self.push(path, other.to_string()),
        }
    }

    /// A member of a list; the `name` that it stands under is not said again.
    fn item(&mut self, path: &str, item: &Value, named: bool) {
        match item {
            Value::Object(members) if named && members.len() > 1 => {
                for (name, member) in members.iter().filter(|(name, _)| *name != "name") {
                    if !name.starts_with("$setElementOrder/") && name != "$retainKeys" {
                        self.walk(&below(path, name), member);
                    }
                }
            }
            _ => self.walk(path, item),
        }
    }

    fn push(&mut self, path: &str, value: String) {
        if self.known.len() < LEAVES_MAX {
            self.known.push((path.to_owned(), value));
        } else {
            self.more += 1;
        }
    }
}

fn below(path: &str, name: &str) -> String {
    let index = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    match (path.is_empty(), index) {
        (true, _) => name.to_owned(),
        (false, true) => format!("{path}[{name}]"),
        (false, false) => format!("{path}.{name}"),
    }
}

/// A step of a JSON pointer (RFC 6901).
pub(crate) fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_body_asks_for() {
        let env = json!({"spec": {"template": {"spec": {
            "$setElementOrder/containers": [{"name": "web"}],
            "containers": [{"name": "web", "env": [{"name": "FAST", "value": "on"}]}]}}}});
        let patch = json!([
            {"op": "replace", "path": "/spec/replicas", "value": 3},
            {"op": "remove", "path": "/metadata/annotations/a.b~1c"},
        ]);
        let gone = json!({"spec": {"paused": null, "args": ["-v", 1], "empty": {}}});
        for (body, expected) in [
            (env, vec!["spec.template.spec.containers[web].env[FAST].value: on"]),
            (patch, vec!["spec.replicas: 3", "metadata.annotations.a.b/c: removed"]),
            (
                gone,
                vec![
                    "spec.args[0]: -v",
                    "spec.args[1]: 1",
                    "spec.empty: {}",
                    "spec.paused: removed",
                ],
            ),
            (json!("[cut]"), vec![": [cut]"]),
        ] {
            let leaves = Leaves::of(&body);
            let told: Vec<String> =
                leaves.known.iter().map(|(path, value)| format!("{path}: {value}")).collect();
            assert_eq!(
                (told, leaves.more),
                (expected.iter().map(|e| (*e).to_owned()).collect(), 0)
            );
        }
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let wide = json!((0..1000).map(|n| "x".repeat(n)).collect::<Vec<_>>());
        let leaves = Leaves::of(&json!({"list": wide}));
        assert_eq!((leaves.known.len(), leaves.more), (LEAVES_MAX, 1000 - LEAVES_MAX));
        assert!(leaves.known.iter().all(|(_, v)| v.chars().count() <= VALUE_CHARS_MAX));
        let deep = (0..60).fold(json!(1), |inner, _| json!({"a-rather-long-name": inner}));
        let leaves = Leaves::of(&deep);
        assert_eq!((leaves.known.len(), leaves.more), (0, 1));
    }

    #[test]
    fn paths_below_another() {
        let leaves = Leaves::of(&json!({"spec": {"a": 1}, "specific": 2, "x": [{"name": "n"}]}));
        assert_eq!(leaves.under("spec").count(), 1);
        assert_eq!(leaves.under("x").count(), 1);
        assert_eq!(leaves.get("specific"), Some("2"));
    }
}
