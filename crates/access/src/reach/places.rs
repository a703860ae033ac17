//! From the origins that the evaluators cite back to a line of a file or a path in an object.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::origin::Origin;
use crate::place::{Place, Span};
use crate::repository::Object;
use crate::yaml::Node;

/// Objects by the name under which they were handed to an evaluator.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<String, Arc<Object>>);

impl Places {
    /// Notes an object, and gives the origin under which an evaluator may cite it.
    pub(crate) fn note(&mut self, object: &Arc<Object>) -> Origin {
        let key = object.place.to_string();
        let origin = Origin::whole(&key);
        self.0.insert(key, Arc::clone(object));
        origin
    }

    /// The origin of the first line of a value of a `ConfigMap`.
    pub(crate) fn data(object: &Object, key: &str) -> Origin {
        Origin::new(&format!("{} data.{key}", object.place), 1)
    }

    /// The object that an origin is in.
    pub(crate) fn object(&self, origin: &Origin) -> Option<&Arc<Object>> {
        self.0.get(&*origin.source)
    }

    /// The place that an origin means.
    pub(crate) fn place(&self, origin: &Origin) -> Place {
        let source = &*origin.source;
        if let Some(object) = self.0.get(source) {
            return object.place.clone();
        }
        let split = source.rfind(" data.").or_else(|| source.rfind(" spec."));
        let found = split.and_then(|at| Some((self.0.get(&source[..at])?, &source[at + 1..])));
        let Some((object, path)) = found else {
            let line =
                if origin.line == 0 { String::new() } else { format!("line {}", origin.line) };
            return Place::object(source, &line);
        };
        match path.strip_prefix("data.") {
            Some(key) => object
                .data(key)
                .map_or_else(|| object.place.clone(), |node| line_of(node, origin.line)),
            None => walk(&object.node, path).place.clone(),
        }
    }

    /// The place of a part of an object: `rules[2]`; the nearest that is there.
    pub(crate) fn part(&self, origin: &Origin, path: &str) -> Place {
        self.object(origin)
            .map_or_else(|| self.place(origin), |object| walk(&object.node, path).place.clone())
    }
}

/// A line of a text. In a file it is found where the text is a block, whose place is its first line,
/// or a quoted text, whose line breaks are empty lines; else the text as a
/// whole is meant.
fn line_of(node: &Node, line: u32) -> Place {
    let Place::File(file) = &node.place else {
        let Place::Object(object) = &node.place else { return node.place.clone() };
        return Place::object(&object.object, &format!("{} line {line}", object.path));
    };
    let span = file.span;
    let text = node.scalar_text().unwrap_or_default();
    let lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    let spanned = span.end_line.saturating_sub(span.line);
    let is_double = lines > 1 && !text.contains("\n\n") && spanned + 1 >= 2 * lines - 1;
    let at = match spanned {
        0 => span.line,
        _ if is_double => span.line + 2 * line.saturating_sub(1),
        _ if spanned <= lines + 1 => span.line + line.saturating_sub(1),
        _ => span.line,
    };
    let span = Span { line: at, column: 1, end_line: at, end_column: 1 };
    Place::File(crate::place::FilePlace { file: Arc::clone(&file.file), span })
}

/// Follows `spec.roles[0].policies[1]` as far as it is there.
fn walk<'n>(node: &'n Node, path: &str) -> &'n Node {
    let mut node = node;
    for step in path.split('.') {
        let (key, indexes) = step.split_once('[').unwrap_or((step, ""));
        let Some(next) = node.get(key) else { return node };
        node = next;
        for index in indexes.split('[').filter(|i| !i.is_empty()) {
            let at = index.trim_end_matches(']').parse::<usize>().ok();
            let Some(next) = at.and_then(|at| node.items().get(at)) else { return node };
            node = next;
        }
    }
    node
}
