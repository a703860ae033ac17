//! `ApplicationSet`s: their generators, and the Applications of those that git alone decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::application::{ARGO, Application, Origin};
use super::object::Object;
use super::tree::{Tree, name_of};
use super::unassessed::{NotAssessed, Reason};
use crate::glob;
use crate::place::{Located, Place};
use crate::yaml::{Entry, Key, Node, Value};

/// Applications that one set makes at most in this reading.
const GENERATED_MAX: usize = 10_000;

/// An `ApplicationSet`.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplicationSet {
    /// Its name.
    pub name: Located<String>,
    /// Its generators.
    pub generators: Vec<GeneratorRef>,
    /// The template of its Applications, unfilled.
    pub template: Option<Node>,
    /// How many Applications this reading made of it; `None` when it could not tell.
    pub generated: Option<usize>,
    /// What was left out.
    pub not_assessed: Vec<NotAssessed>,
    /// The object.
    pub object: Arc<Object>,
}

/// A generator of an `ApplicationSet`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GeneratorRef {
    /// `list`, `git`, `clusters`, `matrix`, …
    pub kind: String,
    /// Where it stands.
    pub place: Place,
    /// The repository that it asks, if it asks one.
    pub repo_url: Option<Located<String>>,
    /// The revision of it.
    pub revision: Option<Located<String>>,
}

/// The parameters of one Application: by flat name, `path.basename`.
type Parameters = BTreeMap<String, String>;

impl ApplicationSet {
    /// Reads a set and makes the Applications that it can; `None` for other kinds.
    pub(super) fn of(
        object: &Arc<Object>,
        tree: &Tree<'_>,
        is_here: &dyn Fn(&str) -> bool,
    ) -> Option<(Self, Vec<Application>)> {
        if !object.is(ARGO, "ApplicationSet") {
            return None;
        }
        let spec = object.node.get("spec")?;
        let listed = spec.get("generators").map(Node::items).unwrap_or_default();
        let mut set = Self {
            name: object.name.clone()?,
            generators: listed.iter().filter_map(generator).collect(),
            template: spec.get("template").cloned(),
            generated: None,
            not_assessed: Vec::new(),
            object: Arc::clone(object),
        };
        let uses_go = spec.get("goTemplate").and_then(Node::as_bool).unwrap_or(false);
        let mut applications = Vec::new();
        for node in listed {
            match parameters(node, tree, is_here) {
                Ok(all) => set.fill(&all, uses_go, &mut applications),
                Err(reason) => {
                    set.not_assessed.push(NotAssessed { place: node.place.clone(), reason });
                }
            }
        }
        if let Some(patch) = spec.get("templatePatch") {
            let reason = Reason::Fill("a templatePatch".to_owned());
            set.not_assessed.push(NotAssessed { place: patch.place.clone(), reason });
        }
        set.generated = set.not_assessed.is_empty().then_some(applications.len());
        Some((set, applications))
    }

    fn fill(&mut self, all: &[Parameters], uses_go: bool, applications: &mut Vec<Application>) {
        let Some(template) = &self.template else { return };
        for parameters in all {
            let mut node = template.clone();
            if let Err(left) = substitute(&mut node, parameters, uses_go) {
                let place = template.place.clone();
                self.not_assessed.push(NotAssessed { place, reason: Reason::Fill(left) });
                return;
            }
            let made = application(&self.object, node);
            applications.extend(made);
        }
    }
}

fn application(set: &Arc<Object>, mut node: Node) -> Option<Application> {
    let place = node.place.clone();
    let Value::Mapping(entries) = &mut node.value else { return None };
    for (key, text) in [("kind", "Application"), ("apiVersion", "argoproj.io/v1alpha1")] {
        let key = Key { text: key.into(), place: place.clone() };
        entries.insert(0, Entry { key, value: Node::text_at(text, &place) });
    }
    let mut object = Object::new(node)?;
    object.namespace = object.namespace.or_else(|| set.namespace.clone());
    Application::of(&Arc::new(object), Origin::Generated(set.place.clone()))
}

fn generator(node: &Node) -> Option<GeneratorRef> {
    let entry = node.entries().iter().find(|entry| &*entry.key.text != "selector")?;
    Some(GeneratorRef {
        kind: entry.key.text.to_string(),
        place: entry.key.place.clone(),
        repo_url: entry.value.located("repoURL"),
        revision: entry.value.located("revision"),
    })
}

fn parameters(
    node: &Node,
    tree: &Tree<'_>,
    is_here: &dyn Fn(&str) -> bool,
) -> Result<Vec<Parameters>, Reason> {
    let Some(entry) = node.entries().iter().find(|entry| &*entry.key.text != "selector") else {
        return Ok(Vec::new());
    };
    let (kind, of) = (&*entry.key.text, &entry.value);
    let left = || Err(Reason::Generator(kind.to_owned()));
    let is_plain = node.get("selector").is_none() && of.get("template").is_none();
    if !is_plain {
        return left();
    }
    match kind {
        "list" if of.get("elementsYaml").is_none() => {
            let elements = of.get("elements").map(Node::items).unwrap_or_default();
            Ok(elements.iter().map(|element| flat(element, "")).collect())
        }
        "git" if of.get("directories").is_some() && of.get("files").is_none() => {
            let url = of.located("repoURL");
            match url {
                Some(url) if is_here(&url.value) => directories(of, tree),
                _ => left(),
            }
        }
        _ => left(),
    }
}

/// The scalars of a mapping under flat names.
fn flat(node: &Node, prefix: &str) -> Parameters {
    let mut parameters = Parameters::new();
    for entry in node.entries() {
        let name = format!("{prefix}{}", entry.key.text);
        match entry.value.scalar_text() {
            Some(text) => drop(parameters.insert(name, text.to_owned())),
            None => parameters.extend(flat(&entry.value, &format!("{name}."))),
        }
    }
    parameters
}

fn directories(of: &Node, tree: &Tree<'_>) -> Result<Vec<Parameters>, Reason> {
    let (mut wanted, mut excluded) = (Vec::new(), Vec::new());
    for item in of.get("directories").map(Node::items).unwrap_or_default() {
        let Some(path) = item.get("path").and_then(Node::scalar_text) else { continue };
        let is_excluded = item.get("exclude").and_then(Node::as_bool).unwrap_or(false);
        if is_excluded { excluded.push(path) } else { wanted.push(path) }
    }
    let mut found = Vec::new();
    for pattern in wanted {
        // As deep as the pattern is, or to the end when it has `**`.
        let depth = pattern.split('/').count();
        let mut level = vec![String::new()];
        let mut at = 0;
        while !level.is_empty() && (at < depth || pattern.contains("**")) {
            level = level.iter().flat_map(|folder| tree.folders(folder)).collect();
            let is_match = |f: &&String| {
                glob::matches(pattern, f) && !excluded.iter().any(|not| glob::matches(not, f))
            };
            found.extend(level.iter().filter(is_match).cloned());
            at += 1;
        }
    }
    found.sort();
    found.dedup();
    if found.len() > GENERATED_MAX {
        return Err(Reason::Generator(format!("git, with more than {GENERATED_MAX} folders")));
    }
    Ok(found.iter().map(|path| of_path(path)).collect())
}

/// The parameters of a folder, by the names of both template languages.
fn of_path(path: &str) -> Parameters {
    let basename = name_of(path).to_owned();
    let normal = |text: &str| {
        let lower = text.to_lowercase();
        lower
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '-' })
            .collect()
    };
    let mut parameters = Parameters::from([
        ("path".to_owned(), path.to_owned()),
        ("path.path".to_owned(), path.to_owned()),
        ("path.basename".to_owned(), basename.clone()),
        ("path.basenameNormalized".to_owned(), normal(&basename)),
    ]);
    for (number, segment) in path.split('/').enumerate() {
        parameters.insert(format!("path[{number}]"), segment.to_owned());
    }
    parameters
}

/// Fills a template in; what is left unfilled is an error, because a half-filled name is no name.
fn substitute(node: &mut Node, with: &Parameters, uses_go: bool) -> Result<(), String> {
    match &mut node.value {
        Value::Text(text) if text.contains("{{") => *text = filled(text, with, uses_go)?.into(),
        Value::Sequence(items) => {
            items.iter_mut().try_for_each(|item| substitute(item, with, uses_go))?;
        }
        Value::Mapping(entries) => {
            for entry in entries {
                if entry.key.text.contains("{{") {
                    entry.key.text = filled(&entry.key.text, with, uses_go)?.into();
                }
                substitute(&mut entry.value, with, uses_go)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn filled(text: &str, with: &Parameters, uses_go: bool) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        let name = name.trim();
        let key = if uses_go { name.strip_prefix('.').unwrap_or("") } else { name };
        let value = with.get(key).ok_or_else(|| format!("{{{{{name}}}}}"))?;
        out.push_str(before);
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
