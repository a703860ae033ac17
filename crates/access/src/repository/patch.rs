//! Patches of kustomize, as far as this reading applies them: JSON merge for whole objects, which
//! is what kustomize does with kinds it has no schema of and with lists of RBAC, and JSON 6902.

use super::object::Object;
use super::unassessed::Reason;
use crate::glob;
use crate::yaml::{Entry, Node, Value};

/// Whether a target selects an object; an error when it uses what this reading does not evaluate.
pub(super) fn selects(target: &Node, object: &Object) -> Result<bool, Reason> {
    let fields: [(&str, &str); 4] = [
        ("group", &object.group),
        ("kind", &object.kind),
        ("name", object.name()),
        ("namespace", object.namespace().unwrap_or_default()),
    ];
    for (field, actual) in fields {
        if let Some(wanted) = target.located(field)
            && !is_match(&wanted.value, actual)?
        {
            return Ok(false);
        }
    }
    if let Some(selector) = target.located("labelSelector") {
        for term in selector.value.split(',') {
            let Some((key, value)) = term.split_once('=').filter(|(key, _)| !key.ends_with('!'))
            else {
                return Err(Reason::Patch(format!("the selector {term} is no equation")));
            };
            let value = value.trim_start_matches('=').trim();
            if object.label(key.trim()).is_none_or(|label| label.value != value) {
                return Ok(false);
            }
        }
    }
    match target.located("annotationSelector") {
        Some(_) => Err(Reason::Patch("it selects by annotations".to_owned())),
        None => Ok(true),
    }
}

/// Names of targets are anchored regular expressions; those of letters and `.*` are evaluated.
fn is_match(pattern: &str, actual: &str) -> Result<bool, Reason> {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let pattern = pattern.strip_suffix('$').unwrap_or(pattern);
    let choices = match pattern.strip_prefix('(').and_then(|p| p.strip_suffix(')')) {
        Some(inside) => inside,
        None => pattern,
    };
    let mut found = false;
    for choice in choices.split('|') {
        let globbed = choice.replace(".*", "**").replace("\\.", ".");
        let is_simple = |c: char| c.is_ascii_alphanumeric() || "-._/:*".contains(c);
        if !globbed.chars().all(is_simple) || choice.replace(".*", "").contains(['*', '+', '?']) {
            return Err(Reason::Patch(format!("the pattern {pattern} is not evaluated")));
        }
        found |= glob::matches(&globbed, actual);
    }
    Ok(found)
}

/// Lays one tree over another: mappings join, null and `$patch: delete` delete, the rest replaces.
pub(super) fn merge(node: &mut Node, patch: &Node) {
    let (Value::Mapping(_), Value::Mapping(changes)) = (&node.value, &patch.value) else {
        *node = patch.clone();
        return;
    };
    for Entry { key, value } in changes {
        let is_deleted =
            value.is_null() || value.get("$patch").and_then(Node::as_text) == Some("delete");
        if is_deleted {
            remove(node, &key.text);
        } else if let Some(old) = node.get_mut(&key.text) {
            merge(old, value);
        } else if &*key.text != "$patch"
            && let Value::Mapping(entries) = &mut node.value
        {
            entries.push(Entry { key: key.clone(), value: value.clone() });
        }
    }
}

fn remove(node: &mut Node, key: &str) -> bool {
    let Value::Mapping(entries) = &mut node.value else { return false };
    let before = entries.len();
    entries.retain(|entry| &*entry.key.text != key);
    entries.len() < before
}

/// Applies the operations of RFC 6902 that this reading knows: add, replace, remove.
pub(super) fn operate(node: &mut Node, operations: &Node) -> Result<(), Reason> {
    for operation in operations.items() {
        let text = |key| operation.get(key).and_then(Node::scalar_text);
        let (op, path) = (text("op").unwrap_or_default(), text("path").unwrap_or_default());
        let value = operation.get("value");
        let refused = || Err(Reason::Patch(format!("{op} {path} does not fit the object")));
        let Some((parent, last)) = parent(node, path) else { return refused() };
        let is_done = match (op, value) {
            ("add" | "replace", Some(value)) => put(parent, &last, value, op == "add"),
            ("remove", _) => take(parent, &last),
            _ => return refused(),
        };
        if !is_done {
            return refused();
        }
    }
    Ok(())
}

/// The value that holds the last part of a pointer, and that part.
fn parent<'n>(node: &'n mut Node, pointer: &str) -> Option<(&'n mut Node, String)> {
    let mut parts =
        pointer.strip_prefix('/')?.split('/').map(|p| p.replace("~1", "/").replace("~0", "~"));
    let last = parts.next_back()?;
    let mut at = node;
    for part in parts {
        at = match &mut at.value {
            Value::Sequence(items) => items.get_mut(part.parse::<usize>().ok()?)?,
            Value::Mapping(entries) => {
                &mut entries.iter_mut().find(|e| *e.key.text == *part)?.value
            }
            _ => return None,
        };
    }
    Some((at, last))
}

fn put(parent: &mut Node, last: &str, value: &Node, is_add: bool) -> bool {
    let is_there = parent.get(last).is_some();
    match &mut parent.value {
        Value::Mapping(_) if is_add || is_there => {
            parent.set(last, value.clone());
            true
        }
        Value::Sequence(items) if last == "-" && is_add => {
            items.push(value.clone());
            true
        }
        Value::Sequence(items) => match last.parse::<usize>() {
            Ok(at) if is_add && at <= items.len() => {
                items.insert(at, value.clone());
                true
            }
            Ok(at) if at < items.len() => {
                items[at] = value.clone();
                true
            }
            _ => false,
        },
        _ => false,
    }
}

fn take(parent: &mut Node, last: &str) -> bool {
    match &mut parent.value {
        Value::Mapping(_) => remove(parent, last),
        Value::Sequence(items) => match last.parse::<usize>() {
            Ok(at) if at < items.len() => {
                items.remove(at);
                true
            }
            _ => false,
        },
        _ => false,
    }
}
