//! Where a rendered object stands in git.
//!
//! A tool's output has no lines that are in git. What it renders is laid beside what this crate read
//! itself: where a value is the same, it has the line of the file; where it is not, it has that of
//! the object. Of a template the line is the one that names the kind, if there is one only, else the
//! whole file.

use std::sync::Arc;

use super::Rendering;
use super::helm::is_packed_chart;
use crate::place::Place;
use crate::repository::chart::kinds_of;
use crate::repository::manifests::Manifests;
use crate::repository::object::Object;
use crate::repository::render::Deployed;
use crate::repository::tree::{Tree, resolve};
use crate::yaml::{self, Limits, Node, Value};

/// The annotation by which kustomize says where an object comes from (`kubernetes-sigs/kustomize`
/// `api/internal/utils/annotations.go`).
const ORIGIN: &str = "config.kubernetes.io/origin";

/// Where things stand.
pub(super) struct Places<'p> {
    rendering: &'p Rendering,
    tree: &'p Tree<'p>,
    manifests: &'p Manifests,
    lenient: &'p [Deployed],
}

impl<'p> Places<'p> {
    pub(super) fn new(
        rendering: &'p Rendering,
        tree: &'p Tree<'p>,
        manifests: &'p Manifests,
        lenient: &'p [Deployed],
    ) -> Self {
        Self { rendering, tree, manifests, lenient }
    }

    /// The file that says that there is something to render.
    pub(super) fn whole(&self) -> Place {
        self.manifests.of_rendering(self.rendering)
    }

    /// Gives an object that helm rendered its place: `NAME/templates/x.yaml`, of the chart or, below
    /// `NAME/charts/`, of one that it brings along.
    pub(super) fn of_template(&self, object: &mut Object, source: Option<&str>) {
        let below = source.and_then(|source| source.split_once('/')).map(|(_, below)| below);
        let path = below.and_then(|below| self.chart_file(below));
        let Some(path) = path else { return settle(object, None, &self.whole()) };
        let own: Vec<&Object> = self.manifests.objects(&path).iter().map(|o| &**o).collect();
        let from = written(object, &own);
        let place = || self.line_of_kind(&path, &object.kind);
        let place = from.map_or_else(place, |from| from.place.clone());
        settle(object, from.map(|from| &from.node), &place);
    }

    /// The file of a chart, or the packed chart that holds it.
    fn chart_file(&self, below: &str) -> Option<Arc<str>> {
        let folder = &self.rendering.folder;
        let own = resolve(folder, below)?;
        let packed = || {
            let (name, _) = below.strip_prefix("charts/")?.split_once('/')?;
            let charts = resolve(folder, "charts")?;
            let start = format!("{charts}/{name}-");
            let mut files = self.tree.within(&charts);
            files.find(|file| file.starts_with(&start) && is_packed_chart(file)).cloned()
        };
        self.tree.path(&own).or_else(packed)
    }

    fn line_of_kind(&self, path: &str, kind: &str) -> Place {
        let text = self.tree.bytes(path).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let numbered = (1..).zip(text.unwrap_or_default().lines());
        let mut lines = numbered.filter(|(_, line)| kinds_of(line).any(|named| named == kind));
        match (lines.next(), lines.next()) {
            (Some((number, _)), None) => Place::line(path, number),
            _ => Place::file(path),
        }
    }

    /// Gives an object that kustomize rendered its place, by the annotation that it gets with
    /// `originAnnotations`, which is taken off.
    pub(super) fn of_origin(&self, object: &mut Object) {
        let origin = object.annotation(ORIGIN).map(|origin| origin.value);
        remove(&mut object.node, ORIGIN);
        let parsed = origin.map(|text| yaml::parse("", text.as_bytes(), &Limits::default()));
        let node = parsed.and_then(|parsed| parsed.documents.into_iter().next());
        let named =
            node.as_ref().and_then(|node| node.located("path").or(node.located("configuredIn")));
        let path = named.and_then(|path| resolve(&self.rendering.folder, &path.value));
        let path = path.and_then(|path| self.tree.path(&path));
        let is_own = |object: &&Object| path.is_none() || object.place.path() == path.as_deref();
        let own: Vec<&Object> = self.lenient.iter().map(|d| &*d.object).filter(is_own).collect();
        match (written(object, &own), path) {
            (Some(from), _) => settle(object, Some(&from.node), &from.place),
            (None, Some(path)) => settle(object, None, &Place::file(&path)),
            (None, None) => settle(object, None, &self.whole()),
        }
    }
}

/// The object of the files that an object was rendered from: of its name, or of a name that its own
/// contains, because kustomize puts something before or behind it; or the only one of its kind.
fn written<'o>(object: &Object, among: &[&'o Object]) -> Option<&'o Object> {
    let same = |o: &&&Object| o.kind == object.kind && o.group == object.group;
    let mut own: Vec<&Object> = among.iter().filter(same).copied().collect();
    own.sort_by_key(|o| std::cmp::Reverse(o.name().len()));
    let by_name = own.iter().find(|o| o.name() == object.name());
    let by_part = || own.iter().find(|o| !o.name().is_empty() && object.name().contains(o.name()));
    let only = || own.first().filter(|_| own.len() == 1);
    by_name.or_else(by_part).or_else(only).copied()
}

fn settle(object: &mut Object, from: Option<&Node>, at: &Place) {
    match from {
        Some(from) => graft(&mut object.node, from, at),
        None => object.node.move_to(at),
    }
    object.place = at.clone();
    for value in &mut object.secret {
        value.place = at.clone();
    }
}

/// Gives every value the place of the same value in another tree, and `at` to what is not in it.
fn graft(node: &mut Node, from: &Node, at: &Place) {
    let is_scalar = !matches!(node.value, Value::Mapping(_) | Value::Sequence(_));
    if is_scalar && node.to_json() == from.to_json() {
        node.place = from.place.clone();
        return;
    }
    match (&mut node.value, &from.value) {
        (Value::Mapping(entries), Value::Mapping(_)) => {
            node.place = from.place.clone();
            for entry in entries {
                let other = from.entry(&entry.key.text);
                entry.key.place = other.map_or(at, |other| &other.key.place).clone();
                match other {
                    Some(other) => graft(&mut entry.value, &other.value, at),
                    None => entry.value.move_to(at),
                }
            }
        }
        (Value::Sequence(items), Value::Sequence(others)) => {
            node.place = from.place.clone();
            let known: Vec<_> = others.iter().map(Node::to_json).collect();
            for item in items {
                let json = item.to_json();
                match known.iter().position(|other| *other == json) {
                    Some(same) => graft(item, &others[same], at),
                    None => item.move_to(at),
                }
            }
        }
        _ => node.move_to(at),
    }
}

/// Takes an annotation off, and the annotations if none is left.
fn remove(node: &mut Node, annotation: &str) {
    let Some(metadata) = node.get_mut("metadata") else { return };
    let Some(annotations) = metadata.get_mut("annotations") else { return };
    if let Value::Mapping(entries) = &mut annotations.value {
        entries.retain(|entry| &*entry.key.text != annotation);
    }
    if annotations.entries().is_empty()
        && let Value::Mapping(entries) = &mut metadata.value
    {
        entries.retain(|entry| &*entry.key.text != "annotations");
    }
}
